"""The host finds plugins, and one broken package hurts nothing else."""

from __future__ import annotations

import importlib
import sys
from importlib import metadata
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from windtunnel.errors import BrokenPluginError, PluginError, UnknownPluginError
from windtunnel.market import Market
from windtunnel.plugin import Strategy, build_host, hookimpl
from windtunnel.values import Exposure

STRATEGY_FILE = '''
"""My strategies."""
import numpy as np
from windtunnel import Strategy

class Always(Strategy):
    """Always long."""
    name = "always"

    def exposure(self, market):
        return np.ones(market.shape, bool)
'''


class Mine(Strategy):
    """Always long."""

    name = "mine"

    def exposure(self, market: Market) -> Exposure:
        return np.ones(market.shape, np.bool_)


def install(monkeypatch: pytest.MonkeyPatch, **packages: object) -> None:
    """Pretend that packages are installed; a value that is an exception is raised on import."""

    def entry(name: str, content: object) -> SimpleNamespace:
        def load() -> object:
            if isinstance(content, BaseException):
                raise content
            return content

        return SimpleNamespace(name=name, load=load, dist=SimpleNamespace(name=name, version="1.0"))

    entries = [entry(name, content) for name, content in packages.items()]
    monkeypatch.setattr(metadata, "entry_points", lambda group: entries)


def package(name: str, *plugins: type, **hooks: object) -> ModuleType:
    module = ModuleType(name)
    module.windtunnel_register = hookimpl(lambda: plugins, specname="windtunnel_register")  # type: ignore[attr-defined]
    for hook, function in hooks.items():
        setattr(module, hook, hookimpl(function))
    return module


def test_built_in_plugins_come_through_the_same_door() -> None:
    host = build_host()
    origin = host.provenance(host.plugin("strategy", "sma_cross"))
    assert origin.package == "windtunnel"
    assert origin.hash
    assert host.broken == []


def test_an_unknown_name_suggests_the_nearest(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, good=package("good", Mine))
    with pytest.raises(UnknownPluginError, match="Did you mean mine"):
        build_host().plugin("strategy", "mien")


@pytest.mark.parametrize(
    "failure", [ImportError("no module named torch"), SystemExit(3), RuntimeError("boom")]
)
def test_a_package_that_does_not_import_is_listed_and_hurts_nothing(
    monkeypatch: pytest.MonkeyPatch, failure: BaseException
) -> None:
    install(monkeypatch, bad=failure, good=package("good", Mine))
    host = build_host()
    assert host.plugin("strategy", "mine") is Mine
    assert [item.package for item in host.broken] == ["bad"]
    assert str(failure) in host.broken[0].reason
    with pytest.raises(UnknownPluginError, match="bad could not be loaded"):
        host.plugin("strategy", "theirs")


def test_a_misspelt_hook_is_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    bad = package("bad", windtunnel_regsiter=lambda: ())
    bad.windtunnel_regsiter = hookimpl(lambda: ())  # type: ignore[attr-defined]
    install(monkeypatch, bad=bad, good=package("good", Mine))
    host = build_host()
    assert "no hook windtunnel_regsiter; did you mean windtunnel_register?" in host.broken[0].reason
    assert host.plugin("strategy", "mine") is Mine


def test_two_packages_with_one_name_are_an_error_that_names_both(monkeypatch: pytest.MonkeyPatch) -> None:
    class Other(Strategy):
        """Never."""

        name = "mine"

        def exposure(self, market: Market) -> Exposure:
            return np.zeros(market.shape, np.bool_)

    install(monkeypatch, first=package("first", Mine), second=package("second", Other))
    host = build_host()
    with pytest.raises(PluginError, match=r"first 1\.0 and second 1\.0"):
        host.plugin("strategy", "mine")


def test_what_is_not_allowed_is_not_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, bad=AssertionError("imported"), good=package("good", Mine))
    host = build_host(allow=["good"])
    assert "plugins.allow" in host.broken[0].reason
    assert host.names("strategy") == ["mine"]


def test_something_that_is_no_plugin_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, bad=package("bad", int))
    assert "plugin classes" in build_host().broken[0].reason


def test_a_file_beside_the_experiment(tmp_path: Path) -> None:
    path = tmp_path / "my_strategies.py"
    path.write_text(STRATEGY_FILE)
    host = build_host(files=[path])
    plugin = host.plugin("strategy", "always")
    before = host.provenance(plugin)
    assert before.package == "my_strategies.py"
    assert plugin.__doc__ == "Always long."

    path.write_text(STRATEGY_FILE + "\n# changed\n")
    changed = build_host(files=[path])
    assert changed.provenance(changed.plugin("strategy", "always")).hash != before.hash


def test_a_broken_file_names_its_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = Path("broken.py")
    path.write_text("x = 1\n\nraise RuntimeError('no')\n")
    with pytest.raises(BrokenPluginError, match=r"broken\.py:3: RuntimeError: no"):
        build_host(files=[path])
    path.write_text("x = (\n")
    with pytest.raises(BrokenPluginError, match=r"broken\.py:1: SyntaxError"):
        build_host(files=[path])
    with pytest.raises(BrokenPluginError, match="no such file"):
        build_host(files=[tmp_path / "absent.py"])
    assert not [name for name in sys.modules if name.startswith("windtunnel_file_broken")]


def test_observers_that_fail_stop_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def broken(run: object) -> None:
        raise RuntimeError("boom")

    def watching(run: object) -> None:
        seen.append(run)

    install(
        monkeypatch,
        bad=package("bad", windtunnel_run_started=broken),
        good=package("good", windtunnel_run_started=watching),
    )
    complaints = build_host().notify("windtunnel_run_started", run="this run")
    assert seen == ["this run"]
    assert len(complaints) == 1
    assert "bad" in complaints[0]
    assert "boom" in complaints[0]


def test_collecting_names_the_package_that_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    def metrics() -> list[object]:
        raise RuntimeError("boom")

    install(
        monkeypatch,
        bad=package("bad", windtunnel_metrics=metrics),
        good=package("good", windtunnel_metrics=lambda: ["a metric"]),
    )
    items, complaints = build_host().collect("windtunnel_metrics")
    assert [(contribution.package, contribution.item) for contribution in items] == [("good", "a metric")]
    assert "bad: windtunnel_metrics failed" in complaints[0]


def test_what_a_package_prints_on_import_leaves_stdout_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "loud.py").write_text("print('imported!')\n" + STRATEGY_FILE)
    build_host(files=[tmp_path / "loud.py"])
    assert capsys.readouterr().out == ""


def test_an_edit_of_any_file_of_a_package_changes_its_hash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "acme_levels"
    folder.mkdir()
    (folder / "__init__.py").write_text(STRATEGY_FILE)
    (folder / "levels.py").write_text("LEVEL = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    always = importlib.import_module("acme_levels").Always
    host = build_host(extra=[always])
    before = host.provenance(always).hash
    (folder / "levels.py").write_text("LEVEL = 2\n")
    assert host.provenance(always).hash != before
