"""The pages in docs/ are true: their code runs, their experiments load, what they list is all there is."""

from __future__ import annotations

import inspect
import json
import re
import runpy
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from windtunnel import api, experiment
from windtunnel.bars import Bars
from windtunnel.data import DataSection
from windtunnel.gate import REPAIRS
from windtunnel.learn import LearnedSection
from windtunnel.market import Market
from windtunnel.pipeline import Candidate, Part, run
from windtunnel.pipeline.sections import (
    GateSection,
    PatternsSection,
    RegimeSection,
    ScorerSection,
    StrategySection,
    VolatilitySection,
)
from windtunnel.plugin import (
    KINDS,
    Host,
    PatternDetector,
    Plugin,
    RegimeModel,
    VolatilityModel,
    build_host,
    hookspecs,
)
from windtunnel.testing import verify

DOCS = Path(__file__).parents[1] / "docs"
PAGES = sorted(DOCS.glob("*.md"))
WRITTEN = ("plugins", "data", "learning", "models", "sweep", "optimize")
PRIVATE = "windtunnel_docs_"


def page(name: str) -> str:
    return (DOCS / f"{name}.md").read_text(encoding="utf-8")


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE)


def python_of(text: str) -> str:
    """Return a page's Python, every line where the page has it, so that an error names the page's line."""
    kept, inside = [], False
    for line in text.splitlines():
        if line.startswith("```"):
            inside = line == "```python"
            line = ""
        kept.append(line if inside else "")
    return "\n".join(kept) + "\n"


def named_files(text: str) -> Mapping[str, str]:
    """Return the blocks that begin with the name of the file that they are."""
    found = {re.match(r"# (\w+\.py)\n", code): code for code in blocks(text, "python")}
    return {match[1]: code for match, code in found.items() if match}


def table(text: str, heading: str) -> list[tuple[str, str]]:
    """Return the name in the first column of a table, and what its last column says."""
    rows = text[text.index(f"\n| {heading} |") :].split("\n\n")[0]
    return re.findall(r"^\| `(\w+)` \| [^|]+ \|([^|]*)\|$", rows, flags=re.MULTILINE)


def run_page(name: str, folder: Path) -> Mapping[str, Any]:
    file = folder / f"{PRIVATE}{name}.py"
    file.write_text(python_of(page(name)), encoding="utf-8")
    return runpy.run_path(str(file), run_name=file.stem)


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    """What the page on plugins defines."""
    return run_page("plugins", tmp_path_factory.mktemp("docs"))


@pytest.fixture
def acme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Host]:
    """A host that finds the page's package installed."""
    project = tomllib.loads(blocks(page("plugins"), "toml")[0])["project"]
    (points,) = project["entry-points"].items()
    distribution = tmp_path / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    distribution.mkdir()
    facts = f"Metadata-Version: 2.4\nName: {project['name']}\nVersion: {project['version']}\n"
    (distribution / "METADATA").write_text(facts)
    lines = [f"[{points[0]}]", *(f"{key} = {module}" for key, module in points[1].items())]
    (distribution / "entry_points.txt").write_text("\n".join(lines) + "\n")
    for name, code in named_files(page("plugins")).items():
        (tmp_path / name).write_text(code, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    yield build_host()
    sys.modules.pop("acme_calm", None)


@pytest.mark.parametrize("name", WRITTEN)
def test_the_python_runs(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert blocks(page(name), "python")
    monkeypatch.chdir(tmp_path)
    run_page(name, tmp_path)
    if name == "learning":
        assert capsys.readouterr().out.startswith("rsi_14 — ")


@pytest.mark.parametrize("name", WRITTEN)
def test_the_experiments_load(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [text for text in blocks(page(name), "yaml") if {"data", "strategy"} <= set(yaml.safe_load(text))]
    assert texts
    for file, code in named_files(page("plugins")).items():
        (tmp_path / file).write_text(code, encoding="utf-8")
    for variable in re.findall(r"\$\{(\w+)\}", " ".join(texts)):
        monkeypatch.setenv(variable, "hush")
    for text in texts:
        config = tmp_path / "mine.yaml"
        config.write_text(text, encoding="utf-8")
        loaded = experiment.load(config)
        assert "hush" not in loaded.resolved_yaml()


def test_the_plugin_file_runs(tmp_path: Path) -> None:
    (tmp_path / "band.py").write_text(named_files(page("plugins"))["band.py"], encoding="utf-8")
    (tmp_path / "mine.yaml").write_text(blocks(page("plugins"), "yaml")[0], encoding="utf-8")
    assert api.run(tmp_path / "mine.yaml").metrics["trades"] > 10


def test_every_kind_is_shown_with_its_signature() -> None:
    text = page("plugins")
    for kind, bases in KINDS.items():
        for base in bases:
            assert f"### `{kind}`: {base.__name__}\n" in text
            for method in sorted(base.__abstractmethods__):
                assert f"`{signature(getattr(base, method))}`" in text
    for model in (PatternDetector, RegimeModel, VolatilityModel):
        assert f"`{signature(model.fit)}`" in text


def test_every_method_of_the_market_is_named() -> None:
    (named,) = re.findall(r"`(sma ema [a-z_ ]+)`", page("plugins"))
    views = {"at", "computed", "having", "select", "until", "window"}
    methods = {name for name, _ in inspect.getmembers(Market, inspect.isfunction) if name[0] != "_"}
    assert set(named.split()) == methods - views
    assert "#### Longer timeframes\n`market.at(" in page("plugins")


def test_every_hook_is_shown_with_its_signature() -> None:
    hooks = [name for name in dir(hookspecs) if name.startswith("windtunnel_")]
    assert len(hooks) == 6
    assert set(hooks) < set(hookspecs.__all__)
    (module,) = (code for code in blocks(page("plugins"), "python") if "@hookimpl" in code)
    for name in hooks:
        hook = getattr(hookspecs, name)
        assert f"| `{signature(hook)}` |" in page("plugins")
        assert f"def {name}(" in module
        assert f"... def {name}(" in hook.__doc__


def test_there_is_an_example_of_every_kind(examples: Mapping[str, Any]) -> None:
    made = [item for item in examples.values() if isinstance(item, type) and issubclass(item, Plugin)]
    concrete = [plugin for plugin in made if plugin.name]
    for bases in KINDS.values():
        for base in bases:
            assert any(issubclass(plugin, base) for plugin in concrete), base
    regimes = [plugin() for plugin in concrete if plugin.kind == "regime"]
    assert {regime.learns for regime in regimes} == {True, False}


@pytest.mark.parametrize(("strategy", "regime"), [("Band", "Calm"), ("BestBand", "LearnedCalm")])
def test_the_examples_work_together_and_know_no_future(
    examples: Mapping[str, Any], strategy: str, regime: str
) -> None:
    bars = api.load_bars("synthetic", assets=2, bars=500, seed=3)
    schedule = {"first": 200, "refit": 100}
    candidate = Candidate(
        strategy=Part(examples[strategy](), StrategySection(use="it", **schedule)),
        gate=GateSection(regime=("calm",), pattern="not_opposite", within=1),
        volatility=Part(examples["Rolling"](), VolatilitySection(use="it")),
        regime=Part(examples[regime](), RegimeSection(use="it", **schedule)),
        patterns=(Part(examples["OutsideBar"](), PatternsSection(use="it")),),
        scorer=Part(examples["Halves"](), ScorerSection(use="it", min_outcomes=4, **schedule)),
    )
    decision = run(bars, candidate).decision
    assert decision.signals is not None
    assert np.isfinite(decision.signals.scores.probability).any()
    assert 0 < decision.refused_by_gate < decision.entries
    found = verify(bars, candidate, cuts=3)
    assert found.clean, found
    assert set(found.stages) >= {"volatility", "regime", "patterns", "strategy", "scorer"}


def test_the_example_source_gives_bars(examples: Mapping[str, Any]) -> None:
    bars = api.load_bars(examples["Ramp"]())
    assert isinstance(bars, Bars)
    assert api.backtest(bars, examples["Band"](window=5)).metrics["trades"] == 0


def test_the_package_is_found_and_its_hooks_are_called(
    acme: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert acme.broken == []
    assert str(acme.provenance(acme.plugin("strategy", "acme_calm"))) == "acme-calm 0.1.0"
    config = {"name": "calm", "data": {"use": "synthetic", "params": {"bars": 300}}}
    result = api.run({**config, "strategy": {"use": "acme_calm"}}, out=tmp_path / "results")
    assert result.metrics["best_bar"] == pytest.approx(result.simulation.returns.max())
    report = (tmp_path / "results" / "calm" / "latest" / "report.html").read_text(encoding="utf-8")
    assert "The last trades" in report
    printed = capsys.readouterr()
    assert "started calm" in printed.out + printed.err
    assert f"finished calm {result.sentence}" in printed.out + printed.err


def test_the_package_observes_every_trial(
    acme: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    config = {
        "data": {"use": "synthetic", "params": {"bars": 400}},
        "strategy": {"use": "sma_cross"},
        "optimize": {"use": "random", "trials": 12, "search": {"strategy.params.fast": [3, 5, 9]}},
    }
    result = api.run(config)
    told = [json.loads(line) for line in Path("trials.jsonl").read_text(encoding="utf-8").splitlines()]
    assert result.optimized is not None
    assert [one["point"] for one in told] == list(result.optimized.trials.points)
    assert {one["point"]["strategy.params.fast"] for one in told} == {3, 5, 9}
    api.run(config)
    assert len(Path("trials.jsonl").read_text(encoding="utf-8").splitlines()) == len(told)


def test_a_package_that_is_not_allowed_stays_out(acme: Host) -> None:
    assert "acme_calm" in acme.names("strategy")
    host = build_host(allow=["windtunnel"])
    assert [item.package for item in host.broken] == ["acme-calm"]
    assert "acme_calm" not in host.names("strategy")
    assert "sma_cross" in host.names("strategy")


def test_every_rule_of_the_gate_stands_with_its_repairs() -> None:
    rows = table(page("data"), "rule")
    assert {rule: tuple(re.findall(r"`(\w+)`", legal)) for rule, legal in rows} == REPAIRS
    assert [rule for rule, _ in rows] == list(REPAIRS)


def test_every_source_stands_with_its_parameters() -> None:
    host = build_host(allow=["windtunnel"])
    rows = table(page("data"), "source")
    assert sorted(name for name, _ in rows) == host.names("data")
    for name, cell in rows:
        fields = host.plugin("data", name).model_fields
        assert {field: bool(star) for field, star in re.findall(r"`(\w+)`(\*?)", cell)} == {
            field: info.is_required() for field, info in fields.items()
        }


def test_every_key_of_data_and_schedule_is_mentioned() -> None:
    assert all(f"  {key}: " in page("data") for key in DataSection.model_fields)
    assert all(f"  {key}: " in page("learning") for key in LearnedSection.model_fields if key != "params")
    assert all(f"  {key}: " in page("learning") for key in ScorerSection.model_fields if key != "params")


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_every_link_leads_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", path.read_text(encoding="utf-8")):
        if "://" not in target and not target.startswith("#"):
            assert (path.parent / target.partition("#")[0]).exists(), target


def signature(function: Any) -> str:
    """Return what ``help`` shows of a function, without self and the quotes of postponed annotations."""
    found = inspect.signature(function)
    told = found.replace(parameters=[part for part in found.parameters.values() if part.name != "self"])
    return f"{function.__name__}{told}".replace("'", "")
