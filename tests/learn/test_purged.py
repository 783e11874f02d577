"""Folds of time whose outcomes do not overlap."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from windtunnel.errors import InvalidValueError
from windtunnel.learn import purged_folds

Rows = list[tuple[list[int], list[int]]]


def cut(bar: list[int], known: list[int], folds: int, embargo: int = 0) -> Rows:
    found = purged_folds(np.array(bar, np.int64), np.array(known, np.int64), folds, embargo)
    return [(train.tolist(), test.tolist()) for train, test in found]


def test_by_hand() -> None:
    """Six signals on bars 0, 2, … 10, each known three bars later: the neighbours of a block overlap it."""
    bar = list(range(0, 12, 2))
    assert cut(bar, [at + 3 for at in bar], 3) == [
        ([3, 4, 5], [0, 1]),  # judged on bars 0 to 5; the signal of bar 4 is open on bar 5
        ([0, 5], [2, 3]),  # judged on bars 4 to 9; bar 2's is known on 5, bar 8's begins on 8
        ([0, 1, 2], [4, 5]),
    ]


def test_outcomes_known_at_once_lose_nothing() -> None:
    assert cut([0, 1, 2, 3], [0, 1, 2, 3], 2) == [([2, 3], [0, 1]), ([0, 1], [2, 3])]


def test_an_embargo_keeps_off_what_comes_after() -> None:
    bar = list(range(6))
    assert cut(bar, bar, 3, embargo=1) == [([3, 4, 5], [0, 1]), ([0, 1, 5], [2, 3]), ([0, 1, 2, 3], [4, 5])]


def test_signals_of_one_bar_stay_together() -> None:
    for _, test in cut([0, 0, 0, 5, 5, 9], [1, 1, 1, 6, 6, 9], 2):
        assert test in ([0, 1, 2], [3, 4, 5])


@pytest.mark.parametrize(
    ("bar", "known", "folds"),
    [
        ([], [], 3),
        ([4], [6], 3),  # nothing is left to learn from
        ([4, 4, 4], [6, 6, 6], 2),
        ([0, 1, 2, 3], [9, 9, 9, 9], 2),  # all overlap
    ],
)
def test_blocks_without_anything_to_learn_from_are_left_out(
    bar: list[int], known: list[int], folds: int
) -> None:
    assert cut(bar, known, folds) == []


@pytest.mark.parametrize("folds", [-1, 0, 1])
def test_one_fold_is_refused(folds: int) -> None:
    with pytest.raises(InvalidValueError, match="folds: must be at least 2"):
        cut([0, 1], [1, 2], folds)


@given(
    st.lists(st.tuples(st.integers(0, 40), st.integers(0, 9)), max_size=40),
    st.integers(2, 6),
    st.integers(0, 5),
)
def test_nothing_learned_is_open_while_something_judged_is(
    signals: list[tuple[int, int]], folds: int, embargo: int
) -> None:
    bar = np.array([start for start, _ in signals], np.int64)
    known = bar + np.array([length for _, length in signals], np.int64)
    judged: list[int] = []
    for train, test in purged_folds(bar, known, folds, embargo):
        begin, end = bar[test].min(), known[test].max()
        assert ((known[train] < begin) | (bar[train] > end + embargo)).all()
        left = np.setdiff1d(np.arange(len(bar)), np.concatenate([train, test]))
        assert ((known[left] >= begin) & (bar[left] <= end + embargo)).all()
        judged += test.tolist()
    assert len(judged) == len(set(judged))


@pytest.mark.parametrize(("case", "folds"), [(1, 5), (2, 10)])
def test_agrees_with_published_training_sets(shared: Path, case: int, folds: int) -> None:
    """Ten minutes, each label known two minutes later; the published case is the block that begins there."""
    file = shared / "oracles" / "cross_validation" / "mlfinlab_purged_kfold.json"
    published = json.loads(file.read_text())["get_train_times"][case]
    begin = int(published["test"][0][-2:])
    found = {test[0]: train for train, test in cut(list(range(10)), list(range(2, 12)), folds)}
    assert [f"00:{minute:02}" for minute in found[begin]] == published["train_starts"]
