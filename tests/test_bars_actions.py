"""Bars that know dividends and splits: cut, chosen, hashed, loaded, resampled."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from windtunnel.bars import FIELDS, Bars
from windtunnel.data import DataSection, load
from windtunnel.errors import DataError
from windtunnel.plugin import DataSource
from windtunnel.resampling import resample
from windtunnel.testing.cuts import provoke
from windtunnel.values import Actions, Origin, Request, Table

DAYS = pd.date_range("2020-01-06", periods=10)
"""Monday to the Wednesday of the week after."""
ACTIONS = pd.DataFrame(
    [
        ("2020-01-07", "A", 1.0, np.nan),
        ("2020-01-09", "A", np.nan, 2.0),
        ("2020-01-10", "B", 0.5, 4.0),
        ("2020-01-13", "A", 0.25, np.nan),
    ],
    columns=["time", "symbol", "dividend", "split"],
)


def raw(actions: pd.DataFrame | None = ACTIONS) -> Bars:
    """Ten days of A, which is worth 40 before its split and 20 after it, and B: 80 and 20."""
    close = np.column_stack(([40.0] * 3 + [20.0] * 7, [80.0] * 4 + [20.0] * 6))
    volume = np.column_stack(([1.0] * 3 + [2.0] * 7, [1.0] * 4 + [4.0] * 6))
    fields = {"open": close * 0.99, "high": close * 1.01, "low": close * 0.98, "volume": volume}
    return Bars.from_arrays(DAYS, close, **fields, symbols=["A", "B"], actions=actions)


def listed(bars: Bars) -> list[tuple[float, ...]]:
    assert bars.actions is not None
    return list(zip(*(column.tolist() for column in vars(bars.actions).values()), strict=True))


WHOLE = [(1, 0, 1.0, 1.0), (3, 0, 0.0, 2.0), (4, 1, 0.5, 4.0), (7, 0, 0.25, 1.0)]


def test_views_keep_their_own_actions() -> None:
    bars = raw()
    assert listed(bars) == WHOLE
    assert listed(bars.cut(3, 5)) == [(0, 0, 0.0, 2.0), (1, 1, 0.5, 4.0)]
    assert listed(bars["2020-01-10":]) == [(0, 1, 0.5, 4.0), (3, 0, 0.25, 1.0)]
    assert listed(bars.select(["B", "A"])) == [
        (1, 1, 1.0, 1.0),
        (3, 1, 0.0, 2.0),
        (4, 0, 0.5, 4.0),
        (7, 1, 0.25, 1.0),
    ]
    assert listed(bars.select(["B"])) == [(4, 0, 0.5, 4.0)]
    assert raw(None).cut(0, 3).actions is None


@given(st.integers(-1, 11), st.integers(-1, 11))
def test_no_cut_shows_an_action_beyond_its_end(start: int, stop: int) -> None:
    part = raw().cut(start, stop)
    low, high, _ = slice(start, stop).indices(10)
    assert listed(part) == [(bar - low, *rest) for bar, *rest in WHOLE if low <= bar < high]


@pytest.mark.parametrize("future", ["truncated", "halved", "doubled"])
def test_verification_knows_no_later_action_than_its_bars(future: Any) -> None:
    provoked = provoke(raw(), future, 4)
    assert listed(provoked) == [row for row in WHOLE if row[0] < len(provoked)]


def test_the_hash_knows_actions_and_only_those_that_are_there() -> None:
    plain = raw(None)
    assert raw(ACTIONS.iloc[:0]).hash == plain.hash
    assert raw().cut(8, 10).hash == plain.cut(8, 10).hash
    changes = [
        raw(),
        raw(ACTIONS.iloc[1:]),
        raw(ACTIONS.assign(split=3.0)),
        raw(ACTIONS.assign(time=DAYS[1])),
    ]
    assert len({plain.hash, *(bars.hash for bars in changes)}) == 5
    assert raw(ACTIONS.iloc[::-1]).hash == raw().hash


def test_weeks_are_in_the_units_at_their_end() -> None:
    """Of A's first week three days are before a split of 2, of B's four before one of 4."""
    weeks = resample(raw(), "1w")
    assert listed(weeks) == [(0, 0, 0.5, 2.0), (0, 1, 0.5, 4.0), (1, 0, 0.25, 1.0)]
    np.testing.assert_allclose(weeks.close, [[20, 20], [20, 20]])
    np.testing.assert_allclose(weeks.open, [[19.8, 19.8], [19.8, 19.8]])
    np.testing.assert_allclose(weeks.high, [[20.2, 20.2], [20.2, 20.2]])
    np.testing.assert_allclose(weeks.low, [[19.6, 19.6], [19.6, 19.6]])
    np.testing.assert_allclose(weeks.volume, [[14, 28], [6, 12]])


def test_a_split_on_the_first_bar_of_a_week_leaves_it_alone() -> None:
    bars = raw(pd.DataFrame({"time": ["2020-01-13"], "symbol": "A", "split": 2.0}))
    weeks, plain = resample(bars, "1w"), resample(raw(None), "1w")
    assert listed(weeks) == [(1, 0, 0.0, 2.0)]
    assert plain.actions is None
    for name in FIELDS:
        np.testing.assert_array_equal(getattr(weeks, name), getattr(plain, name))


def test_several_splits_in_one_month() -> None:
    frame = pd.DataFrame(
        {"time": ["2020-01-08", "2020-01-10"], "symbol": "A", "split": [2.0, 5.0], "dividend": 1.0}
    )
    bars = Bars.from_arrays(
        DAYS[:5], [100.0, 100, 50, 50, 10], volume=[1.0, 1, 2, 2, 10], symbols=["A"], actions=frame
    )
    month = resample(bars, "1M")
    assert month.open[0, 0] == month.high[0, 0] == month.low[0, 0] == month.close[0, 0] == 10
    assert month.volume[0, 0] == 50
    assert listed(month) == [(0, 0, 1 / 5 + 1, 10.0)]


@given(st.integers(1, 10), st.sampled_from(["1d", "2d", "1w", "1M"]))
def test_closed_weeks_do_not_know_a_later_split(seen: int, timeframe: str) -> None:
    past, whole = resample(raw().cut(0, seen), timeframe), resample(raw(), timeframe)
    closed = len(past) - 1
    for name in FIELDS:
        np.testing.assert_array_equal(getattr(past, name)[:closed], getattr(whole, name)[:closed])
    assert listed(past.cut(0, closed)) == listed(whole.cut(0, closed))


class Given(DataSource):
    """Hands over a table."""

    name = "given_actions"

    table: Any = None

    def load(self, request: Request) -> Table:
        return self.table  # type: ignore[no-any-return]


def given_(actions: Any, **section: Any) -> Bars:
    frame = raw(None).to_frame()
    table = Table(
        frame, timezone="Asia/Tokyo", actions=actions, actions_origin=(Origin("acts.csv", range(9)),)
    )
    return load(Given(table=table), DataSection.model_validate({"use": "given_actions", **section})).bars


def test_loading_selects_cuts_and_resamples() -> None:
    assert listed(given_(ACTIONS)) == WHOLE
    assert listed(given_(ACTIONS, symbols=("B",))) == [(4, 0, 0.5, 4.0)]
    assert listed(given_(ACTIONS, start="2020-01-08", end="2020-01-10")) == [
        (1, 0, 0.0, 2.0),
        (2, 1, 0.5, 4.0),
    ]
    weeks = given_(ACTIONS, symbols=("B", "A"), resample="1w", end="2020-01-09")
    assert listed(weeks) == [(0, 1, 0.5, 2.0)]
    assert weeks.close.tolist() == [[80.0, 20.0]]
    assert given_(None).actions is None


def test_symbols_that_were_not_asked_for_are_left_out_and_others_refused() -> None:
    strange = pd.concat(
        [ACTIONS, pd.DataFrame({"time": ["never"], "symbol": "Z", "split": 0.0})], ignore_index=True
    )
    assert listed(given_(strange, symbols=("A", "B"))) == WHOLE
    with pytest.raises(DataError, match=r"row 4 of acts\.csv: Z is no symbol of the bars \[action_symbol\]"):
        given_(strange)


def test_actions_reach_bars_from_a_frame() -> None:
    bars = Bars.from_frame(raw(None).to_frame(), actions=ACTIONS)
    assert listed(bars) == WHOLE
    assert bars.hash == raw().hash
    assert isinstance(bars.actions, Actions)
