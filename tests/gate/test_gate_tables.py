"""Every shape of table, and arrays."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest
from gate_tables import DAYS, at, days, table

from windtunnel import gate
from windtunnel.errors import DataError, InvalidValueError

SHAPES: dict[str, Callable[[], pd.DataFrame]] = {
    "index": lambda: table().set_index(pd.DatetimeIndex(DAYS)).drop(columns="time"),
    "named index": lambda: table().set_index("time"),
    "two index levels": lambda: table(symbol="asset").set_index(["symbol", "time"]),
    "index of text": lambda: table().set_index("time").rename_axis(None),
    "index of text with times": lambda: (
        table().set_index(pd.Index([f"{day} 00:00" for day in DAYS])).iloc[:, 1:]
    ),
    "index of dates": lambda: table().set_index(pd.Index(pd.to_datetime(DAYS).date)).iloc[:, 1:],
    "index of objects": lambda: table().set_index(pd.DatetimeIndex(DAYS).astype(object)).iloc[:, 1:],
    "index of text, other name": lambda: table().set_index("time").rename_axis("Day"),
    "index levels without names": lambda: (
        table(symbol="asset").set_index(["symbol", "time"]).rename_axis(["symbol", None])
    ),
    "former index": lambda: table().set_index(pd.DatetimeIndex(DAYS)).iloc[:, 1:].reset_index(),
    "field over symbol, index of text": lambda: _wide(["asset"]).rename_axis(None),
    "odd index": lambda: table().set_index(pd.Index([7, 7, 3, 1])),
    "capitals": lambda: table().rename(columns=lambda name: f" {name.upper()} "),
    "text": lambda: table().astype(str),
    "decimals": lambda: table(close=[Decimal(11), Decimal(12), Decimal(13), Decimal(14)]),
    "nullable": lambda: table().convert_dtypes(),
    "arrow": lambda: table().convert_dtypes(dtype_backend="pyarrow"),
    "field over symbol": lambda: _wide(["asset"]),
    "symbol over field": lambda: _wide(["asset"]).swaplevel(axis=1),
}


def _wide(symbols: list[str]) -> pd.DataFrame:
    frame = table().set_index("time")
    return pd.concat(dict.fromkeys(symbols, frame), axis=1).swaplevel(axis=1)


@pytest.mark.parametrize("shape", SHAPES)
def test_shapes_of_tables(shape: str) -> None:
    admitted, plain = gate.admit(SHAPES[shape]()), gate.admit(table())
    assert admitted.symbols == ("asset",)
    assert admitted.time.tolist() == plain.time.tolist()
    for name, values in plain.fields.items():
        assert admitted.fields[name].tolist() == values.tolist(), name


def test_an_index_of_text_is_no_time_beside_a_column_of_it() -> None:
    admitted = gate.admit(table().set_index(pd.Index(["2021-01-01"] * 4)))
    assert days(admitted) == DAYS


@pytest.mark.parametrize(
    ("frame", "text"),
    [
        (table().drop(columns="time"), r"volume$"),
        (
            table().drop(columns="time").set_index(pd.Index(["1/2/2020", *DAYS[1:]])),
            "if the index is it .'1/2/2020'",
        ),
        (table().drop(columns="time").set_index(pd.Index(["AAPL"] * 4)), r"rename_axis\('time'\)"),
        (table().rename(columns={"time": "index"}), "if 'index' is it, rename it to time"),
        (table().drop(columns="time").reset_index(), "if 'index' is it, rename it to time"),
    ],
)
def test_a_table_without_times_says_what_could_be_them(frame: pd.DataFrame, text: str) -> None:
    with pytest.raises(DataError, match="no column of time") as caught:
        gate.admit(frame)
    assert re.search(text, caught.value.message)


def test_a_text_index_with_a_day_that_is_none_names_its_row() -> None:
    with pytest.raises(DataError, match=r"row 2: '2020-02-30' is not a time.*can be drop"):
        gate.admit(table().drop(columns="time").set_index(pd.Index([*DAYS[:2], "2020-02-30", DAYS[3]])))


def test_a_symbols_argument_of_text_is_no_list() -> None:
    with pytest.raises(InvalidValueError, match="symbols: must be a list of names"):
        gate.admit(table(), symbols="asset")


def test_wide_closes_keep_every_row_and_leave_cells_without_a_bar() -> None:
    frame = pd.DataFrame({"date": DAYS, "AAPL": [1.0, np.nan, 3.0, 4.0], "LOW": [np.nan, np.nan, 5.0, 6.0]})
    admitted = gate.admit(frame)
    assert admitted.symbols == ("AAPL", "LOW")
    assert days(admitted) == DAYS
    assert np.array_equal(admitted.fields["high"], frame[["AAPL", "LOW"]].to_numpy(), equal_nan=True)
    assert np.isnan(admitted.fields["volume"]).all()


def test_a_partial_bar_in_a_wide_table_is_an_error() -> None:
    frame = _wide(["A", "B"])
    frame.loc[DAYS[1], ("open", "B")] = np.nan
    with pytest.raises(DataError) as caught:
        gate.admit(frame)
    assert (caught.value.rule, caught.value.symbol, caught.value.row) == ("missing_price", "B", 1)


def test_prices_left_out_are_the_close() -> None:
    admitted = gate.admit(table()[["time", "close"]])
    assert admitted.fields["open"].tolist() == admitted.fields["close"].tolist()
    assert np.isnan(admitted.fields["volume"]).all()


def test_a_single_missing_volume_is_allowed() -> None:
    assert np.isnan(gate.admit(at("volume", 1, None)).fields["volume"][1, 0])


def test_symbols_are_aligned_on_all_times() -> None:
    late = table(symbol="B").iloc[2:]
    admitted = gate.admit(pd.concat([late, table(symbol="A")]))
    assert admitted.symbols == ("B", "A")
    assert days(admitted) == DAYS
    assert np.isnan(admitted.fields["close"][:, 0]).tolist() == [True, True, False, False]


def test_symbols_are_chosen_in_order_before_the_rules() -> None:
    frame = pd.concat([table(symbol=name) for name in ("A", "B", "C")], ignore_index=True)
    frame.loc[0, "close"] = -1.0
    assert gate.admit(frame, symbols=("C", "B")).symbols == ("C", "B")
    with pytest.raises(InvalidValueError, match="did you mean BB"):
        gate.admit(frame.replace("B", "BB"), symbols=("BBB",))
    with pytest.raises(InvalidValueError, match="different"):
        gate.admit(frame, symbols=("C", "C"))
    assert gate.admit(table(), symbols=("SP500",)).symbols == ("SP500",)
    with pytest.raises(InvalidValueError, match="there are asset"):
        gate.admit(table(), symbols=("X1", "X2"))


def test_arrays() -> None:
    admitted = gate.admit_arrays(DAYS, np.arange(1.0, 9.0).reshape(4, 2), symbols=["A", "B"])
    assert admitted.fields["close"][:, 1].tolist() == [2.0, 4.0, 6.0, 8.0]
    with pytest.raises(DataError) as caught:
        gate.admit_arrays(DAYS, [3.0, 3.0, 3.0, 3.0], high=[3.0, 3.0, 2.0, 3.0])
    assert (caught.value.rule, caught.value.row) == ("high_below_low", 2)


@pytest.mark.parametrize(
    "arguments",
    [
        {"time": DAYS, "close": [1.0, 2.0]},
        {"time": DAYS, "close": [1.0, 2.0, 3.0, 4.0], "open": [1.0]},
        {"time": DAYS, "close": ["a", "b", "c", "d"]},
        {"time": DAYS, "close": np.ones((4, 1, 1))},
        {"time": DAYS, "close": np.ones(4), "symbols": ["A", "B"]},
        {"time": DAYS, "close": np.ones((4, 2)), "symbols": ["A", "A"]},
        {"time": DAYS, "close": np.ones((4, 5)), "symbols": "SP500"},
        {"time": np.ones((4, 2)), "close": np.ones(4)},
        {"time": DAYS, "close": [10**400, 1, 1, 1]},
        {"time": DAYS, "close": np.array(DAYS, "datetime64[D]")},
    ],
)
def test_arrays_that_do_not_fit(arguments: dict[str, Any]) -> None:
    with pytest.raises(InvalidValueError):
        gate.admit_arrays(**arguments)
