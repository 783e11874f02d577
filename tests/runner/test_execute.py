"""A run leaves a whole folder, the same one for the same experiment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from windtunnel import experiment, runner
from windtunnel.engine.metrics import METRICS
from windtunnel.errors import ConfigError, PluginError
from windtunnel.plugin import build_host, hookimpl
from windtunnel.store import RunStore
from windtunnel.values import Metric, Section

SMALL: dict[str, Any] = {
    "name": "small",
    "data": {"use": "synthetic", "params": {"bars": 400, "assets": 2, "seed": 3}},
    "strategy": {"use": "sma_cross", "params": {"fast": 5, "slow": 20}},
    "backtest": {"fees": 0.001},
    "report": {"html": False},
}
KEYS = [metric.name for metric in METRICS]


def loaded(**changes: Any) -> Any:
    return experiment.from_mapping({**SMALL, **changes})


def test_the_folder_holds_what_the_run_was(tmp_path: Path) -> None:
    finished = runner.execute(loaded(report={"html": True}), out=tmp_path)
    folder = finished.stored.folder
    assert folder.parent == tmp_path / "small"
    tables = {"equity.parquet", "fills.parquet", "trades.parquet"}
    texts = {"experiment.yaml", "manifest.json", "metrics.json", "report.html", "equity.svg"}
    assert {path.name for path in folder.iterdir()} == tables | texts
    metrics = json.loads((folder / "metrics.json").read_text())
    assert list(metrics) == [*KEYS, "benchmark"]
    assert list(metrics["benchmark"]) == KEYS
    assert finished.result is not None
    equity = pd.read_parquet(folder / "equity.parquet")
    assert list(equity.columns) == ["equity", "cash", "gross", "carry", "benchmark"]
    assert equity["equity"].iloc[-1] == finished.result.simulation.equity[-1]
    assert len(pd.read_parquet(folder / "trades.parquet")) == metrics["trades"]
    manifest = finished.stored.manifest
    assert manifest["id"] == folder.name
    assert manifest["data"]["hash"] == finished.result.bars.hash
    assert {plugin["name"] for plugin in manifest["plugins"]} == {"synthetic", "sma_cross"}


def test_the_resolved_experiment_runs_again_to_the_same_id(tmp_path: Path) -> None:
    first = runner.execute(loaded(), out=tmp_path / "a").stored
    again = experiment.load(first.folder / "experiment.yaml")
    assert runner.execute(again, out=tmp_path / "b").stored.id == first.id


def test_the_same_experiment_is_not_run_twice_unless_forced(tmp_path: Path) -> None:
    assert runner.execute(loaded(), out=tmp_path).result is not None
    assert runner.execute(loaded(), out=tmp_path).result is None
    assert runner.execute(loaded(), out=tmp_path, force=True).result is not None
    assert len(RunStore(tmp_path).runs()) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 1},
        {"backtest": {"fees": 0.002}},
        {"strategy": {"use": "sma_cross", "params": {"fast": 6, "slow": 20}}},
        {"data": {"use": "synthetic", "params": {"bars": 400, "assets": 2, "seed": 4}}},
    ],
)
def test_whatever_decides_the_numbers_changes_the_id(tmp_path: Path, change: dict[str, Any]) -> None:
    one, other = runner.execute(loaded(), out=tmp_path), runner.execute(loaded(**change), out=tmp_path)
    assert one.stored.id != other.stored.id


def test_the_content_of_a_file_that_a_plugin_reads_changes_the_id(tmp_path: Path) -> None:
    weights = tmp_path / "weights.csv"
    ids = []
    for weight in (0.5, 0.6):
        weights.write_text(f"time,SP500\n2014-01-02,{weight}\n")
        run = loaded(
            data={"use": "arch", "symbols": ["SP500"], "start": 2014, "end": 2014},
            strategy={"use": "recorded", "params": {"path": str(weights)}},
        )
        ids.append(runner.execute(run, out=tmp_path).stored.id)
    assert ids[0] != ids[1]


def test_two_processes_give_the_same_bytes(tmp_path: Path, repository: Path) -> None:
    folders = []
    for part in ("one", "two"):
        command = [sys.executable, "-m", "windtunnel", "run", str(repository / "configs" / "quickstart.yaml")]
        options = ["--force", "--json", "--out", str(tmp_path / part)]
        environment = {**os.environ, "PYTHONHASHSEED": str(len(folders))}
        done = subprocess.run([*command, *options], check=True, capture_output=True, env=environment)
        folders.append(Path(json.loads(done.stdout)["folder"]))
    assert folders[0].name == folders[1].name
    for name in (
        "metrics.json",
        "equity.parquet",
        "trades.parquet",
        "fills.parquet",
        "experiment.yaml",
        "report.html",
    ):
        assert (folders[0] / name).read_bytes() == (folders[1] / name).read_bytes(), name


class Guest:
    """What a stranger's package may add to a run."""

    def __init__(self, *, fails: bool = False) -> None:
        self.fails = fails
        self.seen: list[str] = []

    @hookimpl
    def windtunnel_metrics(self) -> list[Metric]:
        return [Metric("fills", "Fills", lambda run: len(run.simulation.fills), None, "count")]

    @hookimpl
    def windtunnel_report_sections(self, result: Any) -> list[Section]:
        return [Section("From a guest", f"<p>guest saw {result.name}</p>")]

    @hookimpl
    def windtunnel_run_finished(self, result: Any) -> None:
        self.seen.append(result.name)
        if self.fails:
            raise RuntimeError("guest fell over")


def test_a_guest_adds_metrics_and_sections_and_watches(tmp_path: Path) -> None:
    guest = Guest()
    host = build_host(extra=[guest])
    run = experiment.from_mapping({**SMALL, "report": {"html": True}}, host=host)
    finished = runner.execute(run, out=tmp_path)
    assert finished.result is not None
    assert finished.stored.metrics["fills"] == len(finished.result.simulation.fills)
    assert "guest saw small" in (finished.stored.folder / "report.html").read_text()
    assert guest.seen == ["small"]


def test_a_guest_that_falls_over_is_noted_and_stops_nothing(tmp_path: Path) -> None:
    host = build_host(extra=[Guest(fails=True)])
    finished = runner.execute(experiment.from_mapping(SMALL, host=host), out=tmp_path)
    assert "guest fell over" in finished.stored.manifest["complaints"][0]


def test_guests_that_fail_are_left_out_and_named(tmp_path: Path) -> None:
    class Clumsy(Guest):
        @hookimpl
        def windtunnel_metrics(self) -> list[Any]:
            def broken(performance: Any) -> float:
                raise ZeroDivisionError("by zero")

            mine = Metric("mine", "Mine", broken, None, "ratio")
            return [mine, Metric("sharpe", "Sharpe", broken, None, "ratio"), "no metric"]

        @hookimpl
        def windtunnel_report_sections(self, result: Any) -> list[Section]:
            raise RuntimeError("no section")

    host = build_host(extra=[Clumsy()])
    run = experiment.from_mapping({**SMALL, "report": {"html": True}}, host=host)
    finished = runner.execute(run, out=tmp_path)
    assert finished.stored.metrics["mine"] is None
    assert finished.stored.metrics["sharpe"] is not None
    told = "\n".join(finished.stored.manifest["complaints"])
    for words in ("Clumsy: metric mine failed", "metric 'sharpe' already", "'no metric'", "no section"):
        assert words in told
    assert finished.stored.id != runner.execute(loaded(), out=tmp_path).stored.id


def test_a_failure_writes_nothing(tmp_path: Path) -> None:
    (tmp_path / "mistaken.py").write_text(
        "from windtunnel import Strategy\n\n\n"
        "class Broken(Strategy):\n"
        "    name = 'broken'\n\n"
        "    def exposure(self, market):\n"
        "        return market.clsoe > 0\n"
    )
    run = loaded(strategy="broken", plugins={"files": [str(tmp_path / "mistaken.py")]})
    with pytest.raises(PluginError, match=r"mistaken\.py:8.*clsoe.*did you mean close"):
        runner.execute(run, out=tmp_path / "results")
    assert not (tmp_path / "results").exists()


def test_the_stored_experiment_runs_from_its_own_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "weights.csv").write_text("time,SP500\n2014-01-02,0.5\n")
    (tmp_path / "mine.yaml").write_text(
        "data: {use: arch, symbols: [SP500], start: 2014, end: 2014}\n"
        "strategy: {use: recorded, params: {path: weights.csv}}\n"
    )
    first = runner.execute(experiment.load(tmp_path / "mine.yaml"), out=tmp_path / "results").stored
    monkeypatch.chdir(first.folder)
    again = runner.execute(experiment.load("experiment.yaml"), out=tmp_path / "elsewhere").stored
    assert again.id == first.id


def test_a_wrong_request_for_data_is_placed(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("strategy: buy_and_hold\ndata:\n  use: arch\n  symbols: [SP50]\n")
    with pytest.raises(ConfigError, match=r"mine\.yaml:4: data\.symbols: .*SP500"):
        runner.execute(experiment.load(path), out=tmp_path)


def test_a_regime_that_the_model_does_not_know_is_placed(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(
        "strategy: buy_and_hold\ndata: {use: arch, symbols: [SP500]}\n"
        "regime: {use: trend_volatility}\ngate:\n  regime: {not: [high_vol]}\n"
    )
    with pytest.raises(ConfigError, match=r"mine\.yaml:5: gate\.regime\.not: .*did you mean high_volatility"):
        runner.execute(experiment.load(path), out=tmp_path)


def test_a_secret_is_never_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANARY", "hunter2")
    params = {"path": "${CANARY}/prices.csv"}
    with pytest.raises(ConfigError) as caught:
        runner.execute(loaded(data={"use": "csv", "params": params}), out=tmp_path)
    assert "hunter2" not in str(caught.value)
    assert "${CANARY}/prices.csv" in str(caught.value)
