from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from windtunnel.experiment import describe_parameter, from_mapping
from windtunnel.experiment.document import parse
from windtunnel.plugin import KINDS, build_host

Invoke = Callable[..., Result]
Spawn = Callable[..., "subprocess.Popen[str]"]

HOST = build_host()
ALL = [(kind, name) for kind in KINDS for name in HOST.names(kind)]


def test_the_list_names_every_plugin_with_its_first_sentence(invoke: Invoke):
    text = invoke("plugins", "list").stdout
    lines = [line.split(maxsplit=1) for line in text.splitlines()]
    assert ["sma_cross", "Long while the fast average is above the slow one"] in lines
    assert {name for _, name in ALL} <= {words[0] for words in lines}
    assert "``" not in text


def test_json_has_kind_name_package_and_sentence(invoke: Invoke):
    listed = json.loads(invoke("plugins", "list", "--json").stdout)
    assert [(row["kind"], row["name"]) for row in listed["plugins"]] == ALL
    assert all(row["package"].startswith("windtunnel ") and row["does"] for row in listed["plugins"])
    assert listed["broken"] == []


@pytest.mark.parametrize(("kind", "name"), ALL)
def test_every_plugin_is_shown_with_all_its_parameters(invoke: Invoke, kind: str, name: str):
    done = invoke("plugins", "show", name, "--kind", kind)
    assert done.exit_code == 0, done.stderr
    plugin = HOST.plugin(kind, name)
    for parameter in plugin.model_fields:
        assert f"    {describe_parameter(plugin, parameter).replace('``', '')}\n" in done.stdout


@pytest.mark.parametrize(("kind", "name"), [pair for pair in ALL if pair[0] != "data"])
def test_the_yaml_that_is_shown_can_be_used(invoke: Invoke, kind: str, name: str):
    text = invoke("plugins", "show", name, "--kind", kind).stdout
    snippet = parse(text.partition("in YAML\n")[2], None, []).plain()
    assert list(snippet) == [kind]
    whole = {"data": "arch", "strategy": "sma_cross", **snippet}
    example = HOST.plugin(kind, name).example()
    loaded = from_mapping(whole, folder=Path(getattr(example, "path", "")).parent)
    shown = getattr(loaded, {"optimize": "optimizer"}.get(kind, kind))
    assert (shown[0] if kind == "patterns" else shown) == example


def test_a_path_is_shown_without_the_folders_of_the_machine(invoke: Invoke):
    assert "{path: recorded_example.csv, " in invoke("plugins", "show", "recorded").stdout


def test_an_unknown_name_is_answered_with_the_nearest(invoke: Invoke):
    done = invoke("plugins", "show", "sma_cros")
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr == "unknown plugin 'sma_cros'. Did you mean sma_cross?\n"
    assert "Did you mean momentum?" in invoke("plugins", "show", "momentu", "--kind", "strategy").stderr
    assert "must be one of strategy, patterns" in invoke("plugins", "show", "ewma", "--kind", "strat").stderr


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder with one package that cannot be imported and one whose plugin shares a name with ours."""
    site = tmp_path / "site"
    for name, version, code in (
        ("acme_forest", "0.3.1", "import acme_missing\n"),
        (
            "acme_twin",
            "2.0",
            "from windtunnel.plugin import VolatilityModel, hookimpl\n"
            "class Twin(VolatilityModel):\n"
            "    '''A twin. It has the name of another kind's plugin.'''\n"
            "    name = 'sma_cross'\n"
            "    def forecast(self, market, state, horizon): ...\n"
            "@hookimpl\n"
            "def windtunnel_register(): return [Twin]\n",
        ),
    ):
        info = site / f"{name}-{version}.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        (info / "entry_points.txt").write_text(f"[windtunnel]\n{name} = {name}\n")
        (site / f"{name}.py").write_text(code)
    return site


def test_a_broken_package_is_shown_with_its_reason_and_hurts_nothing_else(spawn: Spawn, site: Path):
    listing = spawn("plugins", "list", PYTHONPATH=str(site))
    out, err = listing.communicate(timeout=30)
    assert (listing.returncode, err) == (0, "")
    (broken,) = [line for line in out.splitlines() if line.startswith("  broken")]
    assert broken.split(maxsplit=2)[1] == "acme_forest"
    assert "No module named 'acme_missing' (acme_forest.py:1)" in broken
    assert "A twin\n" in out
    assert "acme_twin 2.0" in out
    assert "bollinger_rsi" in out

    machine = spawn("plugins", "list", "--json", PYTHONPATH=str(site))
    assert json.loads(machine.communicate(timeout=30)[0])["broken"][0]["package"] == "acme_forest"


def test_a_name_of_two_kinds_asks_for_the_kind(spawn: Spawn, site: Path):
    both = spawn("plugins", "show", "sma_cross", PYTHONPATH=str(site))
    _, err = both.communicate(timeout=30)
    assert both.returncode == 2
    assert "--kind: must say which sma_cross is meant: strategy, volatility" in err
    one = spawn("plugins", "show", "sma_cross", "--kind", "volatility", PYTHONPATH=str(site))
    assert "A twin. It has" in one.communicate(timeout=30)[0]
