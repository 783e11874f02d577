"""Folds, their blocks, and the ways to put them together."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from windtunnel.engine.metrics.returns import sharpe
from windtunnel.errors import InvalidValueError
from windtunnel.optimize import block_sums, combinatorial, walk_forward
from windtunnel.optimize.folds import Folds, block_edges, sharpes
from windtunnel.optimize.sections import Combinatorial, Holdout, PurgedKFold, WalkForward
from windtunnel.optimize.splits import splits_of
from windtunnel.values import Split


def test_blocks_by_hand():
    folds = Folds(50, (Split(((0, 20),), ((25, 40),)),))
    assert folds.edges.tolist() == [0, 20, 25, 40, 50]
    assert folds.blocks(((0, 20),)).tolist() == [True, False, False, False]
    assert folds.blocks(((25, 40),)).tolist() == [False, False, True, False]
    assert folds.all[-1] == Split(((0, 50),), ())
    assert folds.first() == 25


def test_a_split_needs_both_sides():
    with pytest.raises(InvalidValueError, match="splits"):
        Folds(50, (Split((), ((25, 40),)),))


def test_the_combinatorial_scheme_has_as_many_ways_as_each_stretch_has_judges():
    folds = Folds(60, tuple(combinatorial(60, folds=6, judged=2)))
    ways = list(folds.paths())
    assert len(folds.splits) == 15
    assert len(ways) == 5
    used = set()
    for way in ways:
        assert [bounds for _, bounds in way] == list(pairwise(range(0, 61, 10)))
        for fold, bounds in way:
            assert bounds in folds.splits[fold].test
            assert (fold, bounds) not in used
            used.add((fold, bounds))
    assert len(used) == 15 * 2


def test_a_walk_has_one_way():
    folds = Folds(100, tuple(walk_forward(100, train=40, test=20)))
    (way,) = folds.paths()
    assert way == ((0, (40, 60)), (1, (60, 80)), (2, (80, 100)))


@given(st.integers(0, 10_000), st.integers(3, 80))
def test_ratios_from_sums_are_those_of_the_returns(seed, stop):
    returns = 0.01 * np.random.default_rng(seed).standard_normal((240, 3))
    edges = sorted({0, 5, 80, stop, 240})
    sums = np.array(
        [
            [[hi - lo, column[lo:hi].sum(), (column[lo:hi] ** 2).sum()] for lo, hi in pairwise(edges)]
            for column in returns.T
        ]
    )
    inside = [edge < stop for edge in edges[:-1]]
    found = sharpes(sums[:, inside], 252.0)
    assert found.tolist() == pytest.approx([sharpe(column[:stop], 252.0) for column in returns.T])


def test_returns_that_do_not_vary_have_no_ratio():
    assert np.isnan(sharpes(np.array([[[10.0, 0.0, 0.0]], [[1.0, 0.1, 0.01]]]), 252.0)).all()


def test_halves_are_the_block_sums_of_the_whole():
    returns = 0.01 * np.random.default_rng(3).standard_normal((257, 4))
    folds = Folds(257, tuple(walk_forward(257, train=60, test=33)))
    edges = folds.edges
    sums = np.stack(
        [
            np.repeat(np.diff(edges)[None].astype(float), 4, axis=0),
            np.add.reduceat(returns, edges[:-1]).T,
            np.add.reduceat(returns**2, edges[:-1]).T,
        ],
        axis=2,
    )
    assert np.allclose(folds.halves(sums), block_sums(returns, 10))
    assert block_edges(99) == ()
    assert Folds(99, ()).halves(np.zeros((4, 1, 3))).shape == (4, 0, 3)


def test_a_walk_judges_every_bar_after_its_first_training():
    splits, purge, embargo = splits_of(WalkForward(scheme="walk_forward", train=100, test=50), 275, 0, 9)
    assert (purge, embargo) == (0, 0)
    assert [split.test for split in splits] == [((100, 150),), ((150, 200),), ((200, 275),)]
    assert [split.train for split in splits] == [((0, 100),), ((50, 150),), ((100, 200),)]


def test_gaps_come_from_labels_and_holding_unless_they_are_set():
    splits, purge, embargo = splits_of(PurgedKFold(scheme="purged_kfold", folds=4), 80, 3, 5)
    assert (purge, embargo) == (3, 5)
    assert splits[1] == Split(((0, 17), (48, 80)), ((20, 40),))
    section = Combinatorial(scheme="cpcv", folds=4, judged=1, purge=0, embargo=0)
    splits, purge, embargo = splits_of(section, 80, 3, 5)
    assert (purge, embargo) == (0, 0)
    assert splits[1] == Split(((0, 20), (40, 80)), ((20, 40),))
    assert splits_of(Holdout(share=0.25), 80, 4, 5)[0] == (Split(((0, 56),), ((60, 80),)),)


def test_gaps_that_leave_nothing_to_learn_from_are_refused():
    with pytest.raises(InvalidValueError, match=r"validate\.folds"):
        splits_of(PurgedKFold(scheme="purged_kfold", folds=2, purge=0, embargo=60), 80, 0, 0)
