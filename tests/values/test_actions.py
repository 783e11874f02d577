"""Dividends and splits: put together, cut at a bar, chosen by symbol."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from windtunnel.values import Actions


def listed(actions: Actions) -> list[tuple[float, ...]]:
    return list(zip(*(column.tolist() for column in vars(actions).values()), strict=True))


def of(*rows: tuple[int, int, int, float, float]) -> Actions:
    """Put rows of bar, symbol, when, dividend, split together."""
    return Actions.merged(*zip(*rows, strict=True))


def test_what_falls_on_one_bar_is_put_together() -> None:
    """A dividend of 7 before a split of 7, one of 0.5 with it, one of 0.1 after it, then a split of 2."""
    actions = of(
        (3, 1, 9, 0.0, 2.0),
        (3, 1, 5, 7.0, 1.0),
        (3, 1, 6, 0.5, 1.0),
        (3, 1, 6, 0.0, 7.0),
        (3, 1, 8, 0.1, 1.0),
    )
    assert listed(actions) == [(3, 1, pytest.approx((7 / 7 + 0.5 + 0.1) / 2), 14.0)]


def test_rows_are_sorted_by_bar_then_symbol_and_read_only() -> None:
    actions = of((4, 0, 0, 1.0, 1.0), (2, 1, 0, 2.0, 1.0), (2, 0, 0, 0.0, 3.0))
    assert listed(actions) == [(2, 0, 0.0, 3.0), (2, 1, 2.0, 1.0), (4, 0, 1.0, 1.0)]
    assert [column.dtype.kind for column in vars(actions).values()] == ["i", "i", "f", "f"]
    assert not any(column.flags.writeable for column in vars(actions).values())
    assert len(actions) == 3


def test_none() -> None:
    for none in (Actions.empty(), Actions.merged([], [], [], [], [])):
        assert len(none) == len(none.cut(0, 9)) == len(none.select([0, 1])) == 0
        assert [column.dtype.kind for column in vars(none.select([]).cut(0, 0)).values()] == [
            "i",
            "i",
            "f",
            "f",
        ]


def test_symbols_are_counted_anew() -> None:
    actions = of((1, 0, 0, 1.0, 1.0), (1, 2, 0, 2.0, 1.0), (3, 1, 0, 3.0, 1.0))
    assert listed(actions.select([2, 0])) == [(1, 0, 2.0, 1.0), (1, 1, 1.0, 1.0)]
    assert listed(actions.select([1])) == [(3, 0, 3.0, 1.0)]


@given(st.lists(st.integers(0, 9), max_size=12), st.integers(0, 10), st.integers(0, 10), st.integers(0, 10))
def test_a_cut_of_a_cut_is_a_cut(bars: list[int], start: int, stop: int, low: int) -> None:
    whole = (
        of(*((bar, place % 3, place, 0.5, 1.0) for place, bar in enumerate(bars)))
        if bars
        else Actions.empty()
    )
    part = whole.cut(start, stop)
    assert all(0 <= bar < max(stop - start, 0) for bar in part.bar)
    inside = (whole.bar >= start) & (whole.bar < stop)
    np.testing.assert_array_equal(part.symbol, whole.symbol[inside])
    assert listed(part.cut(low, 10)) == listed(whole.cut(start + low, stop))
