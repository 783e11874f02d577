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
from windtunnel.errors import PluginError
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
    assert list(equity.columns) == ["equity", "cash", "gross", "benchmark"]
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


def test_a_failure_writes_nothing(tmp_path: Path) -> None:
    class Broken(Guest):
        @hookimpl
        def windtunnel_report_sections(self, result: Any) -> list[Section]:
            raise RuntimeError("no section")

    host = build_host(extra=[Broken()])
    run = experiment.from_mapping({**SMALL, "report": {"html": True}}, host=host)
    with pytest.raises(PluginError, match="no section"):
        runner.execute(run, out=tmp_path)
    assert RunStore(tmp_path).runs() == []
    assert list((tmp_path / "small").iterdir()) == []
