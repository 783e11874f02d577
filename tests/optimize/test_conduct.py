"""One account follows the choices of several folds."""

from __future__ import annotations

import numpy as np
import pytest
from optimize_cases import FAST, METRIC, SLOW, crossing, walk

from windtunnel.engine import simulate
from windtunnel.errors import InvalidValueError
from windtunnel.optimize import combinatorial, walk_forward
from windtunnel.optimize.conduct import Plan, conduct
from windtunnel.optimize.evaluate import Evaluator
from windtunnel.optimize.exploring import Explorer
from windtunnel.optimize.folds import Folds
from windtunnel.optimize.stitch import Piece, stitched
from windtunnel.values import SearchSpace, Span, Tune
from windtunnel_plugins.optimizers import Grid, Tpe

BARS = walk(400, seed=5)
SPACE = SearchSpace({FAST: Span(Tune(1, 4), True), SLOW: Span(Tune(5, 25, 5), True)})


def evaluator(folds, objectives=("sharpe",), bars=BARS):
    return Evaluator(bars, crossing(), folds, [METRIC[name] for name in objectives], "asset")


def piece(point, bounds):
    candidate, decision, _ = evaluator(Folds(400, ())).decision(point)
    return Piece(candidate, decision, bounds)


SLOWER, FASTER = {FAST: 4, SLOW: 25}, {FAST: 1, SLOW: 5}


def test_pieces_of_one_choice_are_one_account():
    pieces = [piece(SLOWER, bounds) for bounds in ((100, 180), (180, 181), (181, 400))]
    judged, decision, account = stitched(BARS, pieces)
    orders = pieces[0].decision.orders.cut(100, 400)
    alone = simulate(BARS.cut(100, 400), orders, pieces[0].candidate.rules)
    assert np.array_equal(account.equity, alone.equity)
    assert np.array_equal(account.fills.units, alone.fills.units)
    assert np.array_equal(decision.exposure, orders.exposure)
    assert len(judged) == 300
    assert np.array_equal(account.trades.pnl, alone.trades.pnl)


def test_a_change_of_parameters_trades_only_where_the_wish_differs():
    pieces = [piece(SLOWER, (100, 250)), piece(FASTER, (250, 400))]
    judged, decision, account = stitched(BARS, pieces)
    wanted = np.concatenate([pieces[0].decision.exposure[100:250], pieces[1].decision.exposure[250:400]])
    assert np.array_equal(decision.exposure, wanted)
    again = simulate(judged, decision.orders, pieces[0].candidate.rules)
    assert np.array_equal(account.equity, again.equity)
    changes = np.flatnonzero(np.diff(wanted[:, 0].astype(int), prepend=0))
    assert account.fills.bar.tolist() == [bar + 1 for bar in changes.tolist() if bar + 1 < 300]


def plan(folds, optimizer, trials=None, objectives=("sharpe",)):
    chosen = tuple(METRIC[name] for name in objectives)
    return Plan(optimizer, SPACE, chosen, folds, "walk_forward", trials, 4, None, None, 1, {})


def conducted(folds, optimizer=None, trials=None, bars=BARS, objectives=("sharpe",)):
    made = evaluator(folds, objectives, bars)

    def keys_of(points):
        return np.array([point[FAST] * 100 + point[SLOW] for point in points], np.uint64)

    explorer = Explorer(lambda points: iter([made(points)]), keys_of)
    return conduct(bars, plan(folds, optimizer or Grid(), trials, objectives), explorer, made)


WALK = Folds(400, tuple(walk_forward(400, train=150, test=50)))


def test_each_fold_chooses_what_is_best_in_its_training():
    found = conducted(WALK).optimized
    assert len(found.trials) == 20
    for place, fold in enumerate((*found.folds, found.final)):
        assert fold.chosen == int(np.argmax(found.trials.objectives[:, place, 0]))
        assert fold.inside[0] == found.trials.objectives[fold.chosen, place, 0]
    assert found.first == 150
    assert np.isnan(found.final.outside).all()


def test_choices_follow_from_training_bars_alone():
    """Whatever prices do after a training, what was chosen by it is the same, and only that."""
    before = conducted(WALK).optimized
    close = BARS.close[:, 0].copy()
    close[250:] = close[249] * np.exp(np.cumsum(np.where(np.arange(150) % 7 < 3, 0.03, -0.021)))
    after = conducted(WALK, bars=type(BARS).from_arrays(BARS.time, close)).optimized
    points = [
        [found.trials.point(fold.chosen) for fold in (*found.folds, found.final)] for found in (before, after)
    ]
    assert points[0][:3] == points[1][:3]
    assert points[0][-1] != points[1][-1]


def test_the_result_is_what_the_choices_earned_on_the_bars_that_judge_them():
    found = conducted(WALK)
    pieces = [
        piece(found.optimized.trials.point(fold.chosen), fold.split.test[0]) for fold in found.optimized.folds
    ]
    assert np.array_equal(found.simulation.equity, stitched(BARS, pieces)[2].equity)
    assert len(found.bars) == 250
    assert found.optimized.paths.shape == (1,)
    assert np.array_equal(found.optimized.in_sample, found.inside.equity)


def test_the_median_way_of_the_combinatorial_scheme_is_the_result():
    folds = Folds(400, tuple(combinatorial(400, folds=5, judged=2, purge=2)))
    found = conducted(folds)
    assert len(found.optimized.folds) == 10
    assert len(found.optimized.paths) == 4
    assert len(found.bars) == 400
    ratio = found.simulation.returns.mean() / found.simulation.returns.std(ddof=1)
    assert ratio * np.sqrt(BARS.periods_per_year) == pytest.approx(np.sort(found.optimized.paths)[1])


def test_a_search_that_learns_searches_in_every_fold():
    found = conducted(WALK, Tpe(start_up=4), trials=9).optimized
    assert all(3 <= len(fold.rows) <= 9 for fold in found.folds)
    assert found.final.rows.tolist() == list(range(len(found.trials)))
    assert all(fold.chosen in fold.rows for fold in found.folds)
    again = conducted(WALK, Tpe(start_up=4), trials=9).optimized
    assert found.trials.parameters == again.trials.parameters
    for place, fold in enumerate(found.folds):
        values = found.trials.objectives[fold.rows, place, 0]
        assert found.trials.objectives[fold.chosen, place, 0] == values.max()


def test_several_objectives_leave_a_front():
    found = conducted(WALK, objectives=("sharpe", "max_drawdown")).optimized
    for place, fold in enumerate(found.folds):
        assert fold.chosen in fold.front
        values = found.trials.objectives[:, place]
        for row in fold.front:
            beaten = (values >= values[row]).all(axis=1) & (values > values[row]).any(axis=1)
            assert not beaten.any()


def test_nothing_to_choose_from_is_refused():
    flat = type(BARS).from_arrays(BARS.time, np.full(400, 100.0))
    with pytest.raises(InvalidValueError, match="training bars of fold 1"):
        conducted(WALK, bars=flat)
