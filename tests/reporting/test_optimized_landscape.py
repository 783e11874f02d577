"""Where trials lie, which parameter matters, and who stands beside the chosen one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from optimized_cases import MIXED, listed, metric

from windtunnel.reporting.landscape import Landscape, named, short_names, ticks
from windtunnel.reporting.neighbours import Neighbours
from windtunnel.values import Choices, Fold, Optimized, SearchSpace, Span, Split, Trials, Tune

ROUND = SearchSpace(
    {"strategy.params.near": Span(Tune(0, 10), True), "strategy.params.word": Choices(("a", "b"))}
)


def landscape(values, columns, space, *, chosen=None, name="sharpe") -> Landscape:
    """Trials with given values of the only objective, and nothing but the search on all bars."""
    values = np.asarray(values, float)
    rows = len(values)
    trials = Trials(columns, values[:, None, None], np.zeros((rows, 5)), np.zeros((rows, 1, 3)), ("",) * rows)
    best = int(np.nanargmax(values)) if chosen is None else chosen
    none = np.array([np.nan])
    final = Fold(Split(((0, 10),), ()), np.arange(rows), best, values[[best]], none, np.array([best]))
    edges, paths = np.array([0, 10]), np.array([0.1])
    return Landscape(
        Optimized("grid", "none", space, (metric(name),), trials, edges, (), final, np.ones(10), 0, paths, {},
                  0, "", {})
    )  # fmt: skip


def grid(values) -> Landscape:
    """A row of ``near`` from 0 on for each word."""
    values = np.asarray(values, float)
    near = np.tile(np.arange(values.shape[1]), values.shape[0]).tolist()
    word = np.repeat(["a", "b"][: values.shape[0]], values.shape[1]).tolist()
    columns = {"strategy.params.near": near, "strategy.params.word": word}
    return landscape(values.ravel(), columns, ROUND)


def test_short_names_are_as_long_as_they_must_be():
    paths = ["strategy.params.window", "scorer.params.window", "backtest.stop_loss"]
    assert short_names(paths) == ("strategy.window", "scorer.window", "stop_loss")


def test_shares_follow_the_scale_that_was_searched():
    columns = {
        "strategy.params.window": [5, 50, 500],
        "scorer.threshold": [0.4, 0.55, 0.7],
        "backtest.stop_loss": [None, 0.02, 0.05],
        "strategy.params.kind": ["<wma>", "ema", "other"],
        "strategy.params.lag": [2, 1, 5],
    }
    land = landscape([1.0, 2.0, 3.0], columns, MIXED)
    expected = [[0, 0, 0, 1, 0.5], [0.5, 0.5, 0.5, 0, 0], [1, 1, 1, np.nan, 1]]
    np.testing.assert_allclose(land.shares, expected, atol=1e-12)
    assert land.ordered == (True, True, False, False, True)
    assert named(MIXED.dimensions["strategy.params.window"], 0.5) == "50"
    assert named(MIXED.dimensions["strategy.params.lag"], 0.5) == "2"
    assert named(MIXED.dimensions["backtest.stop_loss"], 0.0) == "off"


@pytest.mark.parametrize(
    ("dimension", "words"),
    [
        (Span(Tune(5, 50), True), ["10", "20", "30", "40", "50"]),
        (Span(Tune(0.4, 0.7), False), ["0.4", "0.5", "0.6", "0.7"]),
        (Span(Tune(1, 1000, log=True), False), ["1", "10", "100", "1000"]),
        (Span(Tune(0.3, 0.4, log=True), False), ["0.3", "0.32", "0.34", "0.36", "0.38", "0.4"]),
        (Choices(tuple(range(9))), ["0", "2", "4", "6", "8"]),
        (Choices((None, "x")), ["off", "x"]),
    ],
)
def test_ticks_are_round_and_few(dimension, words):
    found = ticks(dimension)
    assert [text for _, text in found] == words
    assert all(-1e-9 <= share <= 1 + 1e-9 for share, _ in found)


def test_ticks_with_ends_name_the_range():
    assert [text for _, text in ticks(Span(Tune(5, 50), True), 4, ends=True)] == ["5", "20", "50"]


def test_importance_is_omega_squared_of_the_ranks():
    # Ranks 1 … 8 in two groups of four: between 32 of 42, within 10 over 6 degrees of freedom.
    columns = {"strategy.params.near": [0, 1, 0, 1, 0, 1, 0, 1], "strategy.params.word": list("aaaabbbb")}
    land = landscape([1, 2, 3, 40, 50, 60, 70, 800], columns, ROUND)
    noise = 10 / 6
    assert land.importance[1] == pytest.approx((32 - noise) / (42 + noise))
    assert land.importance[0] == 0.0
    assert land.ranking == [1, 0]


def test_importance_finds_the_parameter_that_made_the_hill():
    land = Landscape(listed(400, MIXED))
    assert land.ranking[0] == 0
    assert land.importance[0] > 0.4
    assert (land.importance[1:4] < 0.1).all()
    noise = replace(land.optimized, trials=replace(land.optimized.trials, objectives=np.ones((400, 4, 1))))
    assert np.isnan(Landscape(noise).importance).all()
    assert Landscape(noise).ranking == [0, 1, 2, 3, 4]


def test_sharpe_adds_up_the_blocks_inside_the_stretches():
    returns = np.random.default_rng(2).normal(0.001, 0.01, 60)
    parts = returns.reshape(3, 20)
    sums = np.stack([np.full(3, 20.0), parts.sum(axis=1), (parts**2).sum(axis=1)], axis=1)[None]
    land = landscape([1.0], {"strategy.params.near": [1], "strategy.params.word": ["a"]}, ROUND)
    trials = replace(land.optimized.trials, sums=sums)
    land = Landscape(replace(land.optimized, trials=trials, edges=np.array([0, 20, 40, 60])))
    taken = np.concatenate([returns[:20], returns[40:]])
    expected = taken.mean() / taken.std(ddof=1) * np.sqrt(252)
    np.testing.assert_allclose(land.sharpe(((0, 20), (40, 60)), 252), [expected])
    assert np.isnan(land.sharpe((), 252)).all()


def test_neighbours_in_a_grid_are_one_step_away_and_of_the_same_word():
    near = Neighbours(grid([[0, 0.4, 1.0, 0.6, 0], [9e-9, 0.8, 0.9, 0.8, 0]]))
    assert near.rows.tolist() == [1, 3]
    assert near.around == pytest.approx(0.5)
    assert near.standing == "plateau"
    assert near.sentence == "The chosen point stands on a plateau: its neighbours average 0.50 of its 1.00."


def test_a_lone_spike_is_called_one():
    near = Neighbours(grid([[0, 0.1, 0.9, 0.2, 0], [0.1, 0.1, 0.1, 0.1, 0.1]]))
    assert near.sentence == "The chosen point is a lone spike: its neighbours average 0.15 of its 0.90."


def test_undecided_alone_and_at_the_edge():
    near = Neighbours(grid([[-0.9, -0.5, -0.2, -0.4, -0.9]]))
    assert near.standing == "undecided"
    assert near.sentence == "The neighbours of the chosen point average −0.45, it has −0.20."
    alone = Neighbours(grid([[np.nan, np.nan, 1.0, np.nan, np.nan]]))
    assert alone.sentence == "The chosen point has no neighbours to judge it by."
    edge = Neighbours(grid([[1.0, 0.9, 0.8, 0.7, 0.6]]))
    assert edge.edges == ("near",)
    assert edge.sentence.endswith("at the edge of what was searched (near): better ones may lie outside.")


def test_less_is_better_where_the_objective_says_so():
    columns = {"strategy.params.near": [1, 2, 3, 4], "strategy.params.word": ["a"] * 4}
    land = landscape([0.3, 0.1, 0.2, 0.4], columns, ROUND, chosen=1, name="volatility")
    np.testing.assert_array_equal(land.score, [-0.3, -0.1, -0.2, -0.4])
    assert Neighbours(land).sentence == "The neighbours of the chosen point average 25.0%, it has 10.0%."


def test_of_drawn_points_neighbours_are_the_near_and_at_least_the_nearest():
    space = SearchSpace({"a.x": Span(Tune(0, 1), False), "a.y": Span(Tune(0, 100), False)})
    columns = {"a.x": [0.5, 0.55, 0.52, 0.9, 0.1, 0.7], "a.y": [50.0, 45.0, 58.0, 51.0, 90.0, 49.0]}
    land = landscape([9.0, 5.0, 5.0, 1.0, 1.0, 1.0], columns, space)
    assert Neighbours(land).rows.tolist() == [1, 2, 3, 5], "two within a tenth, and the four nearest"
    few = landscape([9.0, 5.0], {"a.x": [0.5, 0.9], "a.y": [1.0, 99.0]}, space)
    assert Neighbours(few).rows.tolist() == [1]
