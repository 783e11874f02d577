"""How unique outcomes are, by hand and against a loop over bars."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from windtunnel.learn import uniqueness

Signals = list[tuple[int, int, int]]


def weights(signals: Signals) -> np.ndarray:
    bar, known, symbol = np.array(signals).T
    return uniqueness(bar, known, symbol)


@pytest.mark.parametrize(
    ("signals", "expected"),
    [
        ([(0, 4, 0)], [1.0]),
        ([(0, 4, 0), (4, 8, 0)], [1.0, 1.0]),  # open on bars 1 to 4, and 5 to 8
        ([(0, 4, 0), (2, 4, 0)], [0.75, 0.5]),  # bars 1 and 2 alone, 3 and 4 shared
        ([(2, 4, 0), (0, 4, 0)], [0.5, 0.75]),  # in any order
        ([(0, 4, 0), (2, 4, 1)], [1.0, 1.0]),  # another symbol
        ([(0, 3, 0), (0, 3, 0), (0, 3, 0)], [1 / 3] * 3),
        ([(5, 5, 0), (5, 6, 0)], [0.5, 0.5]),  # known at once counts for the bar after
    ],
)
def test_by_hand(signals: Signals, expected: list[float]) -> None:
    np.testing.assert_allclose(weights(signals), expected)


def test_nothing_has_no_weight() -> None:
    none = np.empty(0, np.int64)
    assert uniqueness(none, none, none).shape == (0,)


@given(
    st.lists(
        st.tuples(st.integers(0, 30), st.integers(1, 12), st.integers(0, 2)).map(
            lambda one: (one[0], one[0] + one[1], one[2])
        ),
        min_size=1,
        max_size=20,
    )
)
def test_against_a_loop(signals: Signals) -> None:
    """López de Prado (2018), section 4.3: the mean over its bars of one over how many are open there."""
    expected = [
        np.mean(
            [
                1 / sum(other[2] == symbol and other[0] < bar <= other[1] for other in signals)
                for bar in range(start + 1, known + 1)
            ]
        )
        for start, known, symbol in signals
    ]
    np.testing.assert_allclose(weights(signals), expected)
