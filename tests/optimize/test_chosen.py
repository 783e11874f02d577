"""Which trial of a search is chosen."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from windtunnel.optimize.chosen import choose, front

nan = np.nan


def test_one_objective_takes_the_first_of_the_highest():
    assert choose(np.array([[1.0], [nan], [3.0], [3.0]])) == 2
    assert choose(np.array([[nan], [nan]])) == -1
    assert choose(np.empty((0, 1))) == -1


def test_several_take_the_point_of_the_front_nearest_to_the_ideal():
    values = np.array([[10.0, 0.0], [9.0, 8.0], [0.0, 10.0], [5.0, 5.0], [nan, 99.0]])
    assert front(values).tolist() == [0, 1, 2]
    assert choose(values) == 1


def test_equals_are_on_the_front_once():
    assert front(np.array([[1.0, 2.0], [1.0, 2.0], [0.0, 1.0]])).tolist() == [0]


@given(arrays(np.float64, st.tuples(st.integers(1, 25), st.integers(1, 3)), elements=st.integers(0, 5)))
def test_the_front_is_what_no_other_point_beats(values):
    rows = front(values)
    for row in range(len(values)):
        beaten = ((values >= values[row]).all(axis=1) & (values > values[row]).any(axis=1)).any()
        first = not (values[:row] == values[row]).all(axis=1).any()
        if values.shape[1] == 1:
            assert (row in rows) == (row == int(np.argmax(values[:, 0])))
        else:
            assert (row in rows) == (not beaten and first)
    assert choose(values) in rows
