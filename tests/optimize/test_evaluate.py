"""Points become rows: one by one or all at once, the same."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from optimize_cases import FAST, METRIC, SLOW, STOP, crossing, walk

from windtunnel.engine import simulate
from windtunnel.engine.metrics.returns import max_drawdown, sharpe
from windtunnel.engine.sweep import SWEEP_METRICS
from windtunnel.market import Market
from windtunnel.optimize import walk_forward
from windtunnel.optimize.evaluate import FORBIDDEN, Evaluator
from windtunnel.optimize.folds import Folds
from windtunnel.pipeline import decide
from windtunnel.pipeline.variation import varied
from windtunnel.runner.worker import prepare

BARS = walk()
FOLDS = Folds(400, tuple(walk_forward(400, train=150, test=60)))
POINTS = [{FAST: fast, SLOW: slow} for fast in (1, 4, 9) for slow in (5, 20)]


def evaluator(objectives=("sharpe",), bars=BARS, **params):
    return Evaluator(bars, crossing(**params), FOLDS, [METRIC[name] for name in objectives], "asset")


def returns_of(point):
    candidate = varied(crossing(), point)
    return simulate(BARS, decide(Market(BARS), candidate).orders, candidate.rules).returns


def test_a_row_by_hand():
    trials = evaluator(("sharpe", "max_drawdown"))([POINTS[0]])
    returns = returns_of(POINTS[0])
    year = BARS.periods_per_year
    for fold, (low, high) in enumerate([(0, 150), (60, 210), (120, 270), (180, 330), (0, 400)]):
        part = returns[low:high]
        equity = np.cumprod(1 + part)
        expected = [sharpe(part, year), max_drawdown(equity, 1.0)]
        assert trials.objectives[0, fold].tolist() == pytest.approx(expected)
    assert trials.metrics[0, SWEEP_METRICS.index("sharpe")] == pytest.approx(sharpe(returns, year))
    assert trials.sums[0, :, 0].sum() == 400
    assert trials.sums[0, :, 1].sum() == pytest.approx(returns.sum())
    assert trials.sums[0, :, 2].sum() == pytest.approx((returns**2).sum())


def test_all_at_once_is_one_by_one():
    """The sweep and the single backtest come to the same, and say the same of what is forbidden."""
    swept = evaluator()(POINTS)
    single = evaluator()
    rows = [single._one(point) for point in POINTS]
    assert swept.problems == tuple(row.problems[0] for row in rows) == ("", "", "", "", FORBIDDEN, "")
    for name in ("objectives", "metrics", "sums"):
        both = np.concatenate([getattr(row, name) for row in rows])
        assert np.allclose(getattr(swept, name), both, rtol=1e-9, atol=1e-12, equal_nan=True)
    assert list(swept.points) == POINTS


def test_a_row_does_not_depend_on_the_others():
    one = evaluator()(POINTS[1:2])
    many = evaluator()(POINTS).take([1])
    for name in ("objectives", "metrics", "sums"):
        assert np.array_equal(getattr(one, name), getattr(many, name))


def test_rules_are_searched_too():
    points = [{FAST: 3, STOP: stop} for stop in (None, 0.02, 0.5)]
    trials = evaluator()(points)
    assert trials.problems == ("", "", "")
    assert trials.metrics[0, 0] == pytest.approx(trials.metrics[2, 0])
    assert trials.metrics[0, 0] != trials.metrics[1, 0]


def test_a_plugin_that_raises_costs_its_own_row_only():
    points = [{FAST: 3, "strategy.params.broken": broken} for broken in (False, True, False)]
    trials = evaluator()(points)
    assert [bool(problem) for problem in trials.problems] == [False, True, False]
    assert "out of order" in trials.problems[1]
    assert np.isnan(trials.objectives[1]).all()
    assert np.isfinite(trials.metrics[[0, 2], 0]).all()


def test_only_what_is_forbidden():
    assert evaluator()([{FAST: 9, SLOW: 5}]).problems == (FORBIDDEN,)


def test_training_figures_do_not_know_what_comes_after():
    """Prices after a fold's training change nothing that it is chosen by."""
    close = BARS.close[:, 0].copy()
    close[210:] *= np.linspace(1.0, 3.0, 190)
    other = type(BARS).from_arrays(BARS.time, close)
    for names in (("sharpe",), ("sharpe", "max_drawdown", "win_rate")):
        before = evaluator(names)(POINTS).objectives
        after = evaluator(names, other)(POINTS).objectives
        assert np.allclose(before[:, :2], after[:, :2], equal_nan=True)
        assert not np.allclose(before[:, -1], after[:, -1], equal_nan=True)


def test_another_process_makes_the_same_of_it():
    here = evaluator(("sharpe", "win_rate"))
    there = prepare((), None, pickle.dumps(here.content))
    for name in ("objectives", "metrics", "sums"):
        assert np.array_equal(getattr(here(POINTS), name), getattr(there(POINTS), name), equal_nan=True)
