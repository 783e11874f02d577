"""What the ledger makes of a search that is run again, changed a little."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import windtunnel as wt
from windtunnel import experiment, runner
from windtunnel_plugins.strategies import SmaCross

FAST, SLOW = "strategy.params.fast", "strategy.params.slow"
CONFIG: dict[str, Any] = {
    "name": "again",
    "data": {"use": "synthetic", "params": {"bars": 500, "seed": 4}},
    "strategy": {"use": "sma_cross"},
    "optimize": {
        "use": "random",
        "trials": 24,
        "search": {FAST: [3, 5, 8, 12], SLOW: {"from": 15, "to": 60}},
    },
    "validate": {"scheme": "holdout"},
    "backtest": {"fees": 0.0005},
}


def performed(out: Path, folder: Path | None = None, **changes: Any):
    config = {**CONFIG, **changes}
    config["optimize"] = {**CONFIG["optimize"], **changes.get("optimize", {})}
    one = experiment.from_mapping(config, folder=folder or out)
    return runner.perform(one, runner.dataset(one), out=out).result


def test_figures_a_year_are_not_those_of_another_year(tmp_path):
    one = experiment.from_mapping(CONFIG, folder=tmp_path)
    data = runner.dataset(one)
    first = runner.perform(one, data, out=tmp_path).result
    other = replace(data, bars=replace(data.bars, periods_per_year=52.0))
    second = runner.perform(one, other, out=tmp_path).result
    assert second.optimized.resumed == 0
    ratio = first.optimized.final.inside / second.optimized.final.inside
    assert ratio == pytest.approx(np.sqrt(data.bars.periods_per_year / 52.0))


METRIC = """
from windtunnel import Metric, hookimpl

@hookimpl
def windtunnel_metrics():
    return [Metric("mine", "Mine", lambda p: {sign}p.returns.mean(), True, "ratio")]
"""


def test_an_objective_that_was_rewritten_is_computed_anew(tmp_path):
    found = []
    for sign in ("", "-"):
        (tmp_path / "mine.py").write_text(METRIC.format(sign=sign), encoding="utf-8")
        plugins = {"files": ["mine.py"]}
        found.append(performed(tmp_path, plugins=plugins, optimize={"objective": "mine"}).optimized)
    assert [one.resumed for one in found] == [0, 0]
    values = [one.trials.objectives[:, -1, 0] for one in found]
    assert np.allclose(values[0], -values[1])


STRATEGY = '''
from typing import Annotated
from annotated_types import Ge
from windtunnel import Strategy, Tune

class Own(Strategy):
    """Long above an average."""

    name = "own"
    window: Annotated[int, Ge(2), Tune(5, 40)] = 10
    """Bars."""

    def exposure(self, market):
        return market.close > market.sma(self.window) * {factor}
'''


def test_a_strategy_that_was_rewritten_is_another_and_the_old_one_counts(tmp_path):
    changes = {
        "strategy": {"use": "own"},
        "plugins": {"files": ["own.py"]},
        "optimize": {"search": ["strategy.params.window"]},
    }
    counts = []
    for factor in (1.0, 1.01, 1.02):
        (tmp_path / "own.py").write_text(STRATEGY.format(factor=factor), encoding="utf-8")
        counts.append(performed(tmp_path, **changes).verdict.earlier)
    own = len(performed(tmp_path, **changes).optimized.trials)
    assert counts == [0, own, 2 * own]


def test_the_same_trials_judged_otherwise_are_another_look(tmp_path):
    alone = performed(tmp_path / "a")
    performed(tmp_path / "b", validate={"scheme": "holdout", "share": 0.4})
    performed(tmp_path / "b", optimize={"objective": "total_return"})
    third = performed(tmp_path / "b")
    assert third.verdict.earlier == alone.verdict.earlier == 0
    single, looked = alone.verdict.chance_outside, third.verdict.chance_outside
    assert looked == pytest.approx(1 - (1 - single) ** 3)


def test_a_warm_start_hears_of_earlier_trials_but_does_not_choose_them(tmp_path):
    performed(tmp_path, optimize={"seed": 1, "trials": 40})
    narrow = {FAST: [3, 5], SLOW: {"from": 15, "to": 30}}
    warm = performed(tmp_path, optimize={"use": "tpe", "warm_start": True, "search": narrow})
    assert warm.verdict.earlier > 20
    assert warm.optimized.resumed == 0
    assert set(warm.optimized.trials.parameters[FAST]) <= {3, 5}
    assert max(warm.optimized.trials.parameters[SLOW]) <= 30
    cold = performed(tmp_path / "cold", optimize={"use": "tpe", "search": narrow})
    assert warm.optimized.trials.parameters != cold.optimized.trials.parameters
    again = performed(tmp_path, optimize={"use": "tpe", "warm_start": True, "search": narrow})
    assert again.optimized.trials.parameters == warm.optimized.trials.parameters
    assert again.optimized.resumed == len(warm.optimized.trials)


def test_a_searched_horizon_is_purged(tmp_path):
    changes = {"volatility": {"use": "ewma"}, "optimize": {"search": {"volatility.horizon": [1, 30]}}}
    found = performed(tmp_path, **changes).optimized
    assert found.facts["purge"] == 30
    assert found.folds[0].split.train[0][1] == found.folds[0].split.test[0][0] - 30


def test_a_class_and_its_equal_instance_are_one_trial(tmp_path):
    bars = wt.load_bars("synthetic", bars=300, seed=1)
    grid = {"fast": [3, 4], "slow": [20, 30]}
    for strategy in (SmaCross, SmaCross()):
        wt.sweep(bars, strategy, grid, ledger=tmp_path)
    wt.sweep(bars, SmaCross, grid, ledger=tmp_path, edges=[0, 100, 300])
    one = {**CONFIG, "data": {"use": "synthetic", "params": {"bars": 300, "seed": 1}}, "backtest": {}}
    loaded = experiment.from_mapping(one, folder=tmp_path)
    verdict = runner.perform(loaded, runner.dataset(loaded), out=tmp_path).result.verdict
    found = {(fast, slow) for fast in (3, 4) for slow in (20, 30)}
    tried = runner.perform(loaded, runner.dataset(loaded), out=tmp_path).result.optimized.trials.parameters
    own = found & set(zip(tried[FAST], tried[SLOW], strict=True))
    assert verdict.earlier == 4 - len(own)


def test_time_alone_ends_a_search_after_at_least_one_batch(tmp_path):
    found = performed(tmp_path, optimize={"use": "tpe", "trials": None, "time": 0.01, "batch": 3}).optimized
    assert found.stopped.startswith("the time was up after ")
    assert len(found.folds[0].rows) >= 1


def test_patience_ends_a_search_that_does_not_learn(tmp_path):
    found = performed(tmp_path, optimize={"trials": 400, "patience": 16, "batch": 4}).optimized
    assert "trials in a row brought nothing better" in found.stopped
    assert len(found.trials) < 200
