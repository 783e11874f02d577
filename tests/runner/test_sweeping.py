"""A run with a sweep keeps every combination, and is otherwise the run of the best of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from windtunnel import experiment, runner
from windtunnel.errors import ConfigError
from windtunnel.pipeline import sweep

SPACE = {
    "strategy.params.fast": {"from": 5, "to": 30, "step": 5},
    "strategy.params.slow": [20, 60, 120],
    "backtest.stop_loss": [None, 0.05],
}
CONFIG: dict[str, Any] = {
    "name": "swept",
    "data": {"use": "arch", "symbols": ["SP500"], "start": 2012},
    "strategy": {"use": "sma_cross"},
    "sweep": {"space": SPACE},
    "backtest": {"fees": 0.001},
    "report": {"html": False},
}


def loaded(**changes: Any) -> Any:
    return experiment.from_mapping({**CONFIG, **changes})


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return runner.execute(loaded(report={"html": True}), out=tmp_path_factory.mktemp("runs"))


def test_every_combination_is_kept(finished: Any) -> None:
    table = pd.read_parquet(finished.stored.folder / "sweep.parquet")
    assert len(table) == 6 * 3 * 2 - 6
    assert list(table.columns) == [
        *("fast", "slow", "backtest.stop_loss"),
        *("total_return", "sharpe", "max_drawdown", "trades", "win_rate"),
    ]
    assert (table["fast"] < table["slow"]).all()
    again = loaded()
    dataset = runner.dataset(again)
    direct = sweep(dataset.bars, runner.candidate(again), again.space)
    np.testing.assert_array_equal(table["sharpe"], direct.metric("sharpe"))


def test_the_manifest_says_what_was_chosen_from_how_many(finished: Any) -> None:
    said = finished.stored.manifest["sweep"]
    best = finished.result.sweep.best("sharpe")
    assert (said["combinations"], said["left_out"]) == (30, 6)
    assert said["why"] == "fast must be less than slow"
    assert said["metric"] == "sharpe"
    assert said["best"] == {
        "strategy.params.fast": best["fast"],
        "strategy.params.slow": best["slow"],
        "backtest.stop_loss": best["backtest.stop_loss"],
    }
    assert said["value"] == said["metrics"]["sharpe"] == best["sharpe"]
    assert said["neighbours_mean"] == finished.result.choice.around
    assert said["sentence"] == finished.result.choice.sentence
    assert "sweep" in finished.stored.manifest["timings"]
    assert finished.stored.manifest["fits"] == {}


def test_it_is_the_run_of_the_best_combination(finished: Any) -> None:
    best = finished.stored.manifest["sweep"]["best"]
    params = {key.rpartition(".")[2]: value for key, value in best.items() if key.startswith("strategy.")}
    rules = {"fees": 0.001, "stop_loss": best["backtest.stop_loss"]}
    alone = loaded(strategy={"use": "sma_cross", "params": params}, backtest=rules, sweep=None)
    plain = runner.compute(alone, runner.dataset(alone))
    assert finished.stored.metrics["sharpe"] == plain.metrics["sharpe"]
    np.testing.assert_array_equal(finished.result.simulation.equity, plain.simulation.equity)
    assert plain.sweep is None
    assert plain.choice is None


def test_the_file_is_the_sweep_and_the_report_is_of_the_best(finished: Any) -> None:
    again = experiment.load(finished.stored.folder / "experiment.yaml")
    assert runner.execute(again, out=finished.stored.folder.parents[1]).result is None
    best = finished.stored.manifest["sweep"]["best"]
    config = finished.result.config
    assert config["strategy"]["params"]["fast"] == best["strategy.params.fast"]
    assert config["backtest"]["stop_loss"] == best["backtest.stop_loss"]
    page = (finished.stored.folder / "report.html").read_text(encoding="utf-8")
    assert f"sma_cross(fast={best['strategy.params.fast']}, slow={best['strategy.params.slow']}" in page
    assert "How the parameters were chosen" in page


def test_what_is_tried_changes_the_id(tmp_path: Path) -> None:
    ids = {
        runner.execute(loaded(sweep=section), out=tmp_path).stored.id
        for section in (None, {"space": SPACE}, {"space": SPACE, "metric": "total_return"}, {})
    }
    assert len(ids) == 4


def test_the_same_sweep_gives_the_same_bytes(tmp_path: Path) -> None:
    one, other = (
        runner.execute(loaded(report={"html": True}), out=tmp_path / name).stored.folder for name in "ab"
    )
    for name in ("sweep.parquet", "metrics.json", "report.html", "experiment.yaml"):
        assert (one / name).read_bytes() == (other / name).read_bytes(), name


def test_progress_counts_combinations_and_tells_what_was_chosen(tmp_path: Path) -> None:
    ticks: list[tuple[str, int, int]] = []
    told: list[Any] = []
    once = loaded()
    runner.perform(
        once,
        runner.dataset(once),
        out=tmp_path,
        tick=lambda *what: ticks.append(what),
        chosen=told.append,
    )
    choice = told[0].choice
    assert choice.metric == "sharpe"
    assert ticks[-1] == (f"sweep, best Sharpe ratio {choice.shown(choice.value)}", 36, 36)


def test_where_every_combination_is_forbidden_it_says_so(tmp_path: Path) -> None:
    space = {"strategy.params.fast": [60, 70]}
    with pytest.raises(ConfigError, match=r"sweep\.space: sma_cross forbids every combination"):
        runner.execute(loaded(sweep={"space": space}), out=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_where_nothing_traded_there_is_no_best_by_winning_trades(tmp_path: Path) -> None:
    section = {"space": {"strategy.params.slow": [90_000, 90_001]}, "metric": "win_rate"}
    with pytest.raises(ConfigError, match=r"sweep\.metric: no combination has it, for none traded"):
        runner.execute(loaded(sweep=section), out=tmp_path)


def test_words_dates_and_nothing_are_kept_as_a_table(tmp_path: Path) -> None:
    space = {"strategy.params.short": [True, False], "backtest.rebalance.every": [5, "month"]}
    run = runner.execute(loaded(sweep={"space": space}), out=tmp_path).stored
    table = pd.read_parquet(run.folder / "sweep.parquet")
    assert set(table["backtest.rebalance.every"]) == {"5", "month"}
    assert json.loads((run.folder / "manifest.json").read_text())["sweep"]["standing"] == "alone"


def test_models_and_gates_stand_around_every_combination(tmp_path: Path) -> None:
    run = runner.execute(
        loaded(
            regime={"use": "trend_volatility"},
            gate={"regime": {"not": ["high_volatility"]}},
            sweep={"space": {"strategy.params.fast": [5, 10]}},
        ),
        out=tmp_path,
    )
    assert run.result.choice.value == pytest.approx(run.result.metrics["sharpe"], rel=1e-9)
    assert len(run.result.effects) == 1
