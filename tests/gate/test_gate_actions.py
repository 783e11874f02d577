"""Tables of dividends and splits: on which bar they land, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from windtunnel.bars import Bars
from windtunnel.errors import DataError, InvalidValueError

DAYS = pd.to_datetime(["2020-01-02", "2020-01-03", "2020-01-06", "2020-01-07", "2020-01-08"])
nan = np.nan


def prices(zone: str | None = None, hour: int = 0) -> pd.DataFrame:
    """Five days of A; B from the second to the fourth, without the third."""
    time = (DAYS + pd.Timedelta(hours=hour)).tz_localize(zone)
    a = pd.DataFrame({"time": time, "symbol": "A", "close": 10.0})
    return pd.concat([a, a.iloc[[1, 3]].assign(symbol="B")], ignore_index=True)


def landed(frame: pd.DataFrame, **bars: Any) -> list[tuple[Any, ...]]:
    actions = Bars.from_frame(prices(**bars), actions=frame).actions
    assert actions is not None
    return list(zip(*(column.tolist() for column in vars(actions).values()), strict=True))


def table(*rows: tuple[Any, ...], columns: str = "time symbol dividend split") -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=columns.split())


@pytest.mark.parametrize(
    ("time", "symbol", "bar"),
    [
        ("2020-01-02", "A", 0),
        ("2020-01-01", "A", None),
        ("2020-01-04", "A", 2),
        ("2020-01-06", "A", 2),
        ("2020-01-06 00:00:01", "A", 3),
        ("2020-01-08", "A", 4),
        ("2020-01-09", "A", None),
        ("2020-01-02", "B", None),
        ("2020-01-03", "B", 1),
        ("2020-01-06", "B", 3),
        ("2020-01-08", "B", None),
    ],
)
def test_an_action_lands_on_the_first_bar_of_its_symbol_at_or_after_its_time(
    time: str, symbol: str, bar: int | None
) -> None:
    expected = [] if bar is None else [(bar, "AB".index(symbol), 0.5, 2.0)]
    assert landed(table((time, symbol, 0.5, 2.0))) == expected


def test_what_lands_on_one_bar_is_put_together() -> None:
    """B has no bar on the 6th: its dividend of that day is per unit before the split of the 7th."""
    rows = table(("2020-01-07", "B", nan, 4.0), ("2020-01-06", "B", 2.0, nan), ("2020-01-07", "B", 0.25, nan))
    assert landed(rows) == [(3, 1, 0.75, 4.0)]
    assert landed(rows.iloc[::-1]) == landed(rows)


def test_columns_may_be_absent_and_nothing_is_no_action() -> None:
    assert landed(table(("2020-01-03", "A", 1.0), columns="Date Symbol DIVIDEND")) == [(1, 0, 1.0, 1.0)]
    assert landed(table(("2020-01-03", "A", 3.0), columns="time symbol split")) == [(1, 0, 0.0, 3.0)]
    assert landed(table(("2020-01-03", "A", 0.0, 1.0), ("2020-01-03", "A", nan, nan))) == []
    assert landed(table()) == []
    indexed = table((20200103, "A", "0.5", 1)).set_index("time")
    assert landed(indexed) == [(1, 0, 0.5, 1.0)]


def test_a_symbol_may_be_left_out_where_there_is_one() -> None:
    frame = table(("2020-01-03", 1.0), columns="time dividend")
    bars = Bars.from_arrays(DAYS, np.ones(5), actions=frame)
    assert bars.actions is not None
    assert bars.actions.bar.tolist() == [1]
    with pytest.raises(DataError, match="no column symbol; the bars have 2 symbols") as caught:
        landed(frame)
    assert caught.value.rule == "action_column"


@pytest.mark.parametrize("hour", [0, 9])
@pytest.mark.parametrize(
    ("time", "bar"),
    [
        (pd.Timestamp("2020-01-03"), 1),
        (pd.Timestamp("2020-01-03", tz="America/New_York"), 1),
        (pd.Timestamp("2020-01-03 05:00", tz="UTC"), 1),
        (pd.Timestamp("2020-01-03 23:30", tz="America/New_York"), 2),
    ],
)
def test_naive_times_are_on_the_bars_clock(time: pd.Timestamp, bar: int, hour: int) -> None:
    assert landed(table((time, "A", 1.0, 1.0)), zone="America/New_York", hour=hour)[0][0] == bar


def test_times_with_a_zone_need_bars_with_one() -> None:
    with pytest.raises(DataError, match="those of the bars have none") as caught:
        landed(table((pd.Timestamp("2020-01-03", tz="UTC"), "A", 1.0, 1.0)))
    assert caught.value.rule == "action_time"


GOOD = ("2020-01-03", "A", 1.0, 1.0)


@pytest.mark.parametrize(
    ("frame", "rule", "row", "message"),
    [
        (
            table(GOOD, ("2020-01-03", "A", -1.0, 1.0)),
            "action_dividend",
            1,
            "dividend is -1.0, not a number of 0",
        ),
        (table(GOOD, ("2020-01-03", "A", np.inf, 1.0)), "action_dividend", 1, "dividend is inf"),
        (table(GOOD, ("2020-01-03", "A", "x", 1.0)), "action_dividend", 1, "dividend is x"),
        (
            table(GOOD, GOOD, ("2020-01-03", "B", 0.0, 0.0)),
            "action_split",
            2,
            "split is 0.0, not a number above 0",
        ),
        (table(("2020-01-03", "A", 0.0, "7:1")), "action_split", 0, "split is 7:1"),
        (
            table(GOOD, ("2020-01-03", "AA", 1.0, 1.0)),
            "action_symbol",
            1,
            "AA is no symbol of the bars; did you mean A?",
        ),
        (table(GOOD, ("2020-01-03", None, 1.0, 1.0)), "action_symbol", 1, "the symbol is missing"),
        (table(GOOD, ("soon", "A", 1.0, 1.0)), "action_time", 1, "'soon' is not a time"),
        (table(GOOD, (None, "A", 1.0, 1.0)), "action_time", 1, "not a time"),
        (table(("01/02/2020", "A", 1.0, 1.0)), "action_time", 0, "state the time_format"),
        (
            table(GOOD, columns="time symbol dividends split"),
            "action_column",
            None,
            "'dividends' .* did you mean dividend",
        ),
        (
            table(GOOD[:2], columns="time symbol"),
            "action_column",
            None,
            "neither a column dividend nor a column split",
        ),
        (
            table(GOOD, columns="when symbol dividend split").drop(columns="when"),
            "action_column",
            None,
            "no column of time",
        ),
        (table(GOOD, columns="time symbol dividend Dividend"), "action_column", None, "2 columns 'dividend'"),
    ],
)
def test_what_is_wrong_names_rule_and_row(
    frame: pd.DataFrame, rule: str, row: int | None, message: str
) -> None:
    with pytest.raises(DataError, match=message) as caught:
        landed(frame)
    assert (caught.value.rule, caught.value.row) == (rule, row)


def test_only_a_frame_will_do() -> None:
    with pytest.raises(InvalidValueError, match="actions: must be a pandas DataFrame"):
        landed([GOOD])  # type: ignore[arg-type]
