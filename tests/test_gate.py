"""The gate: every rule, every repair, every form of time; and nothing in ends in a traceback."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from windtunnel import gate
from windtunnel.errors import DataError, InvalidValueError, WindtunnelError

DAYS = ["2020-01-01", "2020-01-02", "2020-01-03", "2020-01-06"]


def table(**changes: Any) -> pd.DataFrame:
    """Four good bars of one symbol, with columns replaced."""
    columns: dict[str, Any] = {
        "time": DAYS,
        "open": [10.0, 11.0, 12.0, 13.0],
        "high": [11.5, 12.5, 13.5, 14.5],
        "low": [9.5, 10.5, 11.5, 12.5],
        "close": [11.0, 12.0, 13.0, 14.0],
        "volume": [100.0, 200.0, 300.0, 400.0],
    }
    return pd.DataFrame({**columns, **changes})


def at(name: str, row: int, value: Any) -> pd.DataFrame:
    frame = table()
    frame[name] = frame[name].astype(object)
    frame.loc[row, name] = value
    return frame


def close(admitted: gate.Admitted) -> list[float]:
    return admitted.fields["close"][:, 0].tolist()


def days(admitted: gate.Admitted) -> list[str]:
    return admitted.time.astype("datetime64[D]").astype(str).tolist()


def test_a_good_table_is_let_in_as_it_is() -> None:
    admitted = gate.admit(table())
    assert days(admitted) == DAYS
    assert admitted.symbols == ("asset",)
    assert admitted.timezone is None
    assert admitted.repairs == {}
    for name in ("open", "high", "low", "close", "volume"):
        assert admitted.fields[name].shape == (4, 1)
        assert admitted.fields[name].flags.f_contiguous
        assert admitted.fields[name][:, 0].tolist() == table()[name].tolist()


def _double(frame: pd.DataFrame) -> pd.DataFrame:
    return pd.concat([frame, frame.iloc[[1]].assign(close=12.25)], ignore_index=True).sort_values(
        "time", kind="stable", ignore_index=True
    )


BROKEN: dict[str, tuple[pd.DataFrame, int | None, str]] = {
    "empty": (table().iloc[:0], None, "no rows"),
    "missing_column": (table().rename(columns={"close": "Clsoe"}), None, "did you mean 'Clsoe'"),
    "unknown_column": (table().rename(columns={"high": "hihg"}), None, "did you mean high"),
    "duplicate_column": (table().assign(CLOSE=1.0), None, "2 columns 'close'"),
    "ambiguous_time": (table(time=["1/2/2020", "1/3/2020", "1/4/2020", "1/5/2020"]), 0, "which number"),
    "mixed_timezones": (at("time", 2, "2020-01-03T00:00Z"), 2, "no time zone and UTC"),
    "bad_time": (at("time", 2, "soon"), 2, "'soon'"),
    "bad_symbol": (table(symbol=["A", "A", None, "A"]), 2, "symbol is missing"),
    "not_a_number": (at("close", 2, "n/a"), 2, "close is 'n/a'"),
    "infinite": (at("high", 2, np.inf), 2, "high is inf"),
    "missing_price": (at("open", 2, np.nan), 2, "open is missing"),
    "not_positive": (at("low", 2, 0.0), 2, "low is 0"),
    "high_below_low": (at("high", 2, 11.0), 2, "high 11 is below low 11.5"),
    "outside_range": (at("close", 2, 13.6), 2, "close 13.6 lies outside low 11.5 … high 13.5"),
    "negative_volume": (at("volume", 2, -1), 2, "volume is -1"),
    "unsorted": (table(time=[DAYS[0], DAYS[2], DAYS[1], DAYS[3]]), 2, "after a later bar"),
    "duplicate": (_double(table()), 2, "there is a bar"),
}


def test_every_rule_has_a_broken_table() -> None:
    assert set(BROKEN) == set(gate.REPAIRS)


@pytest.mark.parametrize("rule", BROKEN)
def test_a_broken_rule_is_named_with_its_row(rule: str) -> None:
    frame, row, text = BROKEN[rule]
    with pytest.raises(DataError) as caught:
        gate.admit(frame)
    assert caught.value.rule == rule
    assert caught.value.row == row
    assert text in str(caught.value)


ONE_BAR = [rule for rule, legal in gate.REPAIRS.items() if "forward_fill" in legal]


@pytest.mark.parametrize("rule", ONE_BAR)
def test_dropping_removes_the_row(rule: str) -> None:
    admitted = gate.admit(BROKEN[rule][0], repair={rule: "drop"})
    assert days(admitted) == [DAYS[0], DAYS[1], DAYS[3]]
    assert close(admitted) == [11.0, 12.0, 14.0]
    assert admitted.repairs == {rule: 1}


@pytest.mark.parametrize("rule", ONE_BAR)
def test_marking_as_missing_keeps_the_time(rule: str) -> None:
    admitted = gate.admit(BROKEN[rule][0], repair={rule: "mark_missing"})
    assert days(admitted) == DAYS
    for name, values in admitted.fields.items():
        assert np.isnan(values[:, 0]).tolist() == [False, False, True, False], name


@pytest.mark.parametrize("rule", ONE_BAR)
def test_forward_fill_makes_a_flat_bar_at_the_last_close(rule: str) -> None:
    admitted = gate.admit(BROKEN[rule][0], repair={rule: "forward_fill"})
    assert days(admitted) == DAYS
    filled = {name: values[2, 0] for name, values in admitted.fields.items()}
    assert filled == {"open": 12.0, "high": 12.0, "low": 12.0, "close": 12.0, "volume": 0.0}


def test_forward_fill_stays_within_its_symbol_and_needs_an_earlier_bar() -> None:
    frame = pd.concat([table(symbol="A"), table(symbol="B")], ignore_index=True)
    frame.loc[[4, 6, 7], "close"] = np.nan
    admitted = gate.admit(frame, repair={"missing_price": "forward_fill"})
    assert np.isnan(admitted.fields["close"][0, 1])
    assert admitted.fields["close"][1:, 1].tolist() == [12.0, 12.0, 12.0]
    assert admitted.repairs == {"missing_price": 3}


def test_rows_without_a_time_or_symbol_can_be_dropped() -> None:
    for rule in ("bad_time", "bad_symbol"):
        admitted = gate.admit(BROKEN[rule][0], repair={rule: "drop"})
        assert days(admitted) == [DAYS[0], DAYS[1], DAYS[3]]
        assert admitted.repairs == {rule: 1}


def test_sorting_orders_the_times() -> None:
    admitted = gate.admit(BROKEN["unsorted"][0], repair="sort")
    assert days(admitted) == DAYS
    assert close(admitted) == [11.0, 13.0, 12.0, 14.0]
    assert admitted.repairs == {"unsorted": 1}


def test_of_duplicates_the_first_or_last_is_kept() -> None:
    assert close(gate.admit(_double(table()), repair="keep_first")) == [11.0, 12.0, 13.0, 14.0]
    assert close(gate.admit(_double(table()), repair="keep_last")) == [11.0, 12.25, 13.0, 14.0]
    thrice = _double(_double(table()))
    admitted = gate.admit(thrice, repair={"duplicate": "keep_first"})
    assert close(admitted) == [11.0, 12.0, 13.0, 14.0]
    assert admitted.repairs == {"duplicate": 2}


def test_a_broken_duplicate_is_dropped_before_the_choice() -> None:
    frame = _double(table())
    frame.loc[2, "high"] = np.nan
    admitted = gate.admit(frame, repair={"missing_price": "drop"})
    assert close(admitted) == [11.0, 12.0, 13.0, 14.0]


def test_one_name_repairs_where_it_may_and_nowhere_else() -> None:
    frame = at("open", 1, np.nan)
    frame.loc[2, "volume"] = -5
    assert gate.admit(frame, repair="drop").repairs == {"missing_price": 1, "negative_volume": 1}
    with pytest.raises(DataError, match="duplicate"):
        gate.admit(_double(table()), repair="drop")


def test_a_row_that_breaks_several_rules_counts_once() -> None:
    frame = at("high", 1, -1.0)
    assert gate.admit(frame, repair="drop").repairs == {"not_positive": 1}


def test_an_error_counts_all_offenders_and_names_the_first_in_the_table() -> None:
    frame = pd.concat([table(symbol="B"), table(symbol="A")], ignore_index=True)
    frame.loc[[2, 5, 7], "close"] = 99.0
    with pytest.raises(DataError) as caught:
        gate.admit(frame)
    assert (caught.value.symbol, caught.value.row, caught.value.count) == ("B", 2, 3)


def test_nothing_left_is_an_error() -> None:
    frame = table(symbol=["A", "A", "A", "B"])
    frame.loc[3, "close"] = np.nan
    with pytest.raises(DataError) as caught:
        gate.admit(frame, repair="drop")
    assert (caught.value.rule, caught.value.symbol) == ("empty", "B")


def test_rounding_to_float32_passes_and_more_does_not() -> None:
    assert gate.TOLERANCE == 2e-7
    frame = table(close=[11.5, 12.5, 13.5, 14.5])
    frame["close"] *= 1 + 1.5e-7
    assert close(gate.admit(frame)) == frame["close"].tolist()
    frame["close"] = np.nextafter(
        frame["high"].astype(np.float32) * np.float32(1.1), np.inf, dtype=np.float32
    )
    frame["high"] *= 1.1
    gate.admit(frame)
    frame["close"] = frame["high"] * (1 + 3e-7)
    with pytest.raises(DataError, match="outside"):
        gate.admit(frame)


@pytest.mark.parametrize(
    ("repair", "text"),
    [
        ("mend", "drop, forward_fill, keep_first, keep_last, mark_missing, none, sort"),
        ({"outside_rnge": "drop"}, "did you mean outside_range"),
        ({"outside_range": "sort"}, "none, drop, forward_fill, mark_missing"),
        ({"unsorted": "drop"}, "none, sort"),
        ({"mixed_timezones": "drop"}, "must be one of none"),
        (7, "a name or a mapping"),
        ({3: "drop"}, "must name a rule"),
        ({"duplicate": ["drop"]}, "keep_first, keep_last"),
    ],
)
def test_an_illegal_repair_is_refused_with_what_is_legal(repair: Any, text: str) -> None:
    with pytest.raises(InvalidValueError, match=text):
        gate.admit(table(), repair=repair)


NEW_YEAR = "2020-01-01T09:30"
TIMES: dict[str, tuple[list[Any] | pd.Series | pd.DatetimeIndex, list[str], str | None]] = {
    "dates": ([dt.date(2020, 1, 1), dt.date(2020, 1, 2)], ["2020-01-01", "2020-01-02"], None),
    "datetimes": ([dt.datetime(2020, 1, 1, 9, 30)], [NEW_YEAR], None),
    "iso": (["2020-01-01T09:30", "2020-01-02"], [NEW_YEAR, "2020-01-02"], None),
    "iso space": (["2020-01-01 09:30:00.25"], ["2020-01-01T09:30:00.25"], None),
    "iso offset": (["2020-01-01T09:30+02:00"], ["2020-01-01T07:30"], "UTC+02:00"),
    "iso Z": (["2020-01-01T09:30Z"], [NEW_YEAR], "UTC"),
    "compact": (["20200101", "20200102"], ["2020-01-01", "2020-01-02"], None),
    "compact with time": (["20200101 09:30"], [NEW_YEAR], None),
    "slashes": (["2020/01/01 9:30"], [NEW_YEAR], None),
    "month first": (["1/1/2020 9:30", "1/13/2020"], [NEW_YEAR, "2020-01-13"], None),
    "day first": (["1.2.2020", "13.2.2020"], ["2020-02-01", "2020-02-13"], None),
    "same either way": (["1/1/2020", "2/2/2020"], ["2020-01-01", "2020-02-02"], None),
    "day numbers": ([20200101, 20200102], ["2020-01-01", "2020-01-02"], None),
    "seconds": ([1577871000, 1577871060], [NEW_YEAR, "2020-01-01T09:31"], "UTC"),
    "seconds with a fraction": ([1577871000.5], ["2020-01-01T09:30:00.5"], "UTC"),
    "milliseconds": ([1577871000000], [NEW_YEAR], "UTC"),
    "microseconds": ([1577871000000000], [NEW_YEAR], "UTC"),
    "nanoseconds": ([1577871000000000001], ["2020-01-01T09:30:00.000000001"], "UTC"),
    "decimals": ([Decimal(1577871000)], [NEW_YEAR], "UTC"),
    "zone": (
        pd.DatetimeIndex(["2020-01-01 09:30"], tz="America/New_York"),
        ["2020-01-01T14:30"],
        "America/New_York",
    ),
    "seconds resolution": (pd.Series(np.array([NEW_YEAR], "datetime64[s]")), [NEW_YEAR], None),
    "categories": (pd.Series([NEW_YEAR], dtype="category"), [NEW_YEAR], None),
    "nullable integers": (
        pd.Series([1577871000000000001], dtype="Int64"),
        ["2020-01-01T09:30:00.000000001"],
        "UTC",
    ),
}


@pytest.mark.parametrize("form", TIMES)
def test_forms_of_time(form: str) -> None:
    values, expected, zone = TIMES[form]
    frame = pd.DataFrame({"ts": values, "close": np.arange(1.0, len(values) + 1)})
    admitted = gate.admit(frame)
    assert admitted.time.tolist() == np.array(expected, "datetime64[ns]").tolist()
    assert admitted.timezone == zone


@pytest.mark.parametrize(
    ("values", "rule", "row"),
    [
        (["2020-01-01", None], "bad_time", 1),
        (["2020-01-01", "now"], "bad_time", 1),
        (["2020-01-01", "3020-01-01"], "bad_time", 1),
        ([1577871000, 1577871000000], "bad_time", 1),
        ([1, 2], "bad_time", 0),
        ([True, False], "bad_time", 0),
        ([["2020"], {}], "bad_time", 0),
        ([dt.datetime(2020, 1, 1), dt.datetime(2020, 1, 2, tzinfo=dt.UTC)], "mixed_timezones", 1),
        (["2020-01-01T00:00-05:00", "2020-07-01T00:00-04:00"], "mixed_timezones", 1),
        (["1/13/2020", "13/1/2020"], "ambiguous_time", 1),
        (["1/2/2020 9:30", "1/3/2020 9:30"], "ambiguous_time", 0),
    ],
)
def test_times_that_cannot_be_read(values: list[Any], rule: str, row: int) -> None:
    frame = pd.DataFrame({"date": pd.Series(values, dtype=object), "close": [1.0, 2.0]})
    with pytest.raises(DataError) as caught:
        gate.admit(frame)
    assert (caught.value.rule, caught.value.row) == (rule, row)


def test_a_stated_format_and_zone() -> None:
    frame = pd.DataFrame({"Date": ["11/5/2019 9:30", "11/5/2019 9:31"], "close": [1.0, 2.0]})
    admitted = gate.admit(frame, time_format="%m/%d/%Y %H:%M", timezone="America/New_York")
    assert admitted.time[0] == np.datetime64("2019-11-05T14:30")
    assert admitted.timezone == "America/New_York"
    with pytest.raises(InvalidValueError, match="time_format"):
        gate.admit(frame, time_format="%Q")
    with pytest.raises(InvalidValueError, match="timezone"):
        gate.admit(frame, time_format="%m/%d/%Y %H:%M", timezone="New York")


def test_a_stated_zone_joins_offsets_of_summer_and_winter() -> None:
    frame = pd.DataFrame({"time": ["2020-01-01T00:00-05:00", "2020-07-01T00:00-04:00"], "close": [1.0, 2.0]})
    admitted = gate.admit(frame, timezone="America/New_York")
    assert admitted.time.astype(str).tolist() == [
        "2020-01-01T05:00:00.000000000",
        "2020-07-01T04:00:00.000000000",
    ]


def test_an_hour_that_the_clock_skips_or_doubles_is_a_bad_time() -> None:
    frame = pd.DataFrame({"time": ["2020-03-08 01:30", "2020-03-08 02:30", "2020-11-01 01:30"], "close": 1.0})
    with pytest.raises(DataError) as caught:
        gate.admit(frame, timezone="America/New_York")
    assert (caught.value.rule, caught.value.row, caught.value.count) == ("bad_time", 1, 2)


def test_a_date_beside_a_time() -> None:
    frame = pd.DataFrame({"Date": ["2020-01-01"] * 2, "Time": ["09:30", "09:31:15"], "Close": [1.0, 2.0]})
    expected = ["2020-01-01T09:30:00.000000000", "2020-01-01T09:31:15.000000000"]
    assert gate.admit(frame).time.astype(str).tolist() == expected
    typed = frame.assign(Date=pd.to_datetime(frame["Date"]), Time=[dt.time(9, 30), dt.time(9, 31, 15)])
    assert gate.admit(typed).time.astype(str).tolist() == expected
    local = gate.admit(frame, timezone="America/New_York")
    assert local.time[0] == np.datetime64("2020-01-01T14:30")
    stated = frame.assign(Date=["1/2/2020"] * 2, Time=["9:30", "9:31"])
    assert gate.admit(stated, time_format="%d/%m/%Y %H:%M").time[0] == np.datetime64("2020-02-01T09:30")
    with pytest.raises(DataError) as caught:
        gate.admit(frame.assign(Time=["09:30", "half past"]))
    assert (caught.value.rule, caught.value.row) == ("bad_time", 1)


SHAPES: dict[str, Callable[[], pd.DataFrame]] = {
    "index": lambda: table().set_index(pd.DatetimeIndex(DAYS)).drop(columns="time"),
    "named index": lambda: table().set_index("time"),
    "two index levels": lambda: table(symbol="asset").set_index(["symbol", "time"]),
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


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("1999", "1999-01-01", "1999-12-31T23:59:59.999999999"),
        ("2008-02", "2008-02-01", "2008-02-29T23:59:59.999999999"),
        ("2008-09-15", "2008-09-15", "2008-09-15T23:59:59.999999999"),
        ("20080915", "2008-09-15", "2008-09-15T23:59:59.999999999"),
        ("2008-09-15T14:30", "2008-09-15T14:30", "2008-09-15T14:30"),
        ("2008-09-15 14:30:00.5", "2008-09-15T14:30:00.5", "2008-09-15T14:30:00.5"),
        ("2008-09-15T14:30+02:00", "2008-09-15T12:30", "2008-09-15T12:30"),
        ("2008-09-15T14:30Z", "2008-09-15T14:30", "2008-09-15T14:30"),
    ],
)
def test_instants(text: str, first: str, last: str) -> None:
    assert gate.instant(text, "start") == np.datetime64(first, "ns")
    assert gate.instant(text, "end", last=True) == np.datetime64(last, "ns")


def test_an_instant_on_the_clock_of_a_zone() -> None:
    tokyo = gate.instant("2020-01-02", "end", last=True, timezone="Asia/Tokyo")
    assert tokyo == np.datetime64("2020-01-02T14:59:59.999999999")
    assert gate.instant("2020-01-02T00:00Z", "start", timezone="Asia/Tokyo") == np.datetime64(
        "2020-01-02", "ns"
    )


@given(
    st.one_of(
        st.text(max_size=30), st.integers(), st.dates().map(str), st.none(), st.from_regex(r"[0-9T:+-]+")
    )
)
def test_no_text_for_an_instant_ends_in_a_traceback(text: Any) -> None:
    with contextlib.suppress(InvalidValueError):
        assert gate.instant(text, "start").dtype == np.dtype("datetime64[ns]")


ODD_NAMES = st.sampled_from(["time", "Date", "TS", "Close ", "volume", "x", 3, None, ("a", "b")])
SCALARS = st.one_of(
    st.floats(),
    st.integers(),
    st.booleans(),
    st.none(),
    st.text(max_size=5),
    st.dates(),
    st.datetimes(),
    st.datetimes(timezones=st.sampled_from([dt.UTC, dt.timezone(dt.timedelta(hours=1))])),
    st.times(),
    st.timedeltas(),
    st.complex_numbers(),
    st.binary(max_size=3),
    st.decimals(allow_nan=False),
    st.just(Decimal("nan")),
    st.sampled_from(["2020-01-01", "1/2/2020", "2020-01-01T00:00Z", "nan", "inf", "1e999", "A", "B"]),
    st.lists(st.integers(), max_size=2),
    st.just(pd.Period("2020-01", "M")),
)
DTYPES = st.sampled_from(
    [
        "object",
        "object",
        "str",
        "category",
        "float32",
        "Int64",
        "datetime64[s]",
        "datetime64[ns, UTC]",
        "bool",
    ]
)
MOMENTS = (
    st.integers(0, 30).map(lambda day: f"2020-01-{day + 1:02d}"),
    st.integers(0, 30).map(lambda day: f"{day + 1}/1/2020 9:30"),
    st.datetimes(dt.datetime(1600, 1, 1), dt.datetime(2300, 1, 1)),
    st.datetimes(timezones=st.sampled_from([dt.UTC, dt.timezone(dt.timedelta(hours=1))])),
    st.dates(),
    st.integers(10**8, 10**11),
    st.integers(10**8, 2 * 10**18),
)
PRICES = st.one_of(
    st.floats(1.0, 1.1), st.integers(1, 2), st.sampled_from(["1.5", Decimal("1.5"), "x", None])
)
SYMBOLS = st.sampled_from(["A", "B", " A", 1])


@st.composite
def columns(draw: st.DrawFn, rows: int, usual: st.SearchStrategy[Any]) -> pd.Series:
    """Mostly what belongs into the column, of some dtype; now and then anything."""
    kind = draw(st.integers(0, 9))
    values = draw(
        st.lists(SCALARS if kind == 0 else usual, min_size=rows, max_size=rows)
        if kind < 5
        else st.one_of(*[st.just(value) for value in draw(st.lists(usual, min_size=1, max_size=2))]).map(
            lambda value: [value] * rows
        )
    )
    series = pd.Series(values, dtype=object)
    try:
        return series.astype(draw(DTYPES))
    except Exception:  # noqa: BLE001 - what pandas itself refuses is no table
        return series


@st.composite
def frames(draw: st.DrawFn) -> pd.DataFrame:
    rows = draw(st.integers(1, 5))
    names = ["time", *draw(st.permutations(["symbol", "open", "high", "low", "volume"])), "close"]
    names = names[draw(st.integers(0, 9)) // 9 :][-draw(st.integers(2, 7)) :]
    names = ["time", *names] if "time" not in names and draw(st.integers(0, 9)) else names
    kinds = {"time": draw(st.sampled_from(MOMENTS)), "symbol": SYMBOLS}
    data = [draw(columns(rows, kinds.get(name, PRICES))) for name in names]
    frame = pd.concat(data, axis=1)
    frame.columns = pd.Index(names)
    if draw(st.integers(0, 9)) == 0:
        frame.columns = pd.Index([draw(ODD_NAMES), *names[1:]], tupleize_cols=False)
    if draw(st.integers(0, 9)) == 0:
        frame.index = pd.Index(
            draw(columns(rows, MOMENTS[0])), name=draw(st.sampled_from(["time", "date", None, 7]))
        )
    if draw(st.integers(0, 4)) == 0 and "time" in frame.columns:
        frame = frame.set_index("time")
    if draw(st.integers(0, 9)) == 0:
        frame.columns = pd.MultiIndex.from_tuples([(name, "A") for name in frame.columns.map(str)])
    return frame


def test_a_signalling_nan_is_not_a_number() -> None:
    with pytest.raises(DataError, match="not_a_number"):
        gate.admit(table(close=[Decimal("11"), Decimal("sNaN"), Decimal("13"), Decimal("14")]))


@given(frames(), st.sampled_from(["none", "drop", "forward_fill", "mark_missing", "sort", "keep_last"]))
def test_no_frame_ends_in_a_traceback(frame: pd.DataFrame, repair: str) -> None:
    with contextlib.suppress(WindtunnelError):
        assert_sound(gate.admit(frame, repair=repair))


def assert_sound(admitted: gate.Admitted) -> None:
    assert (np.diff(admitted.time.astype(np.int64)) > 0).all()
    open_, high, low, last = (admitted.fields[name] for name in ("open", "high", "low", "close"))
    present = ~np.isnan(last)
    assert present.any(axis=0).all()
    for values in (open_, high, low):
        assert (np.isnan(values) == ~present).all()
    slack = 1 + 2 * gate.TOLERANCE
    prices = np.stack([open_, high, low, last])[:, present]
    assert np.isfinite(prices).all()
    assert (prices > 0).all()
    assert (prices.max(axis=0) <= prices[1] * slack).all()
    assert (prices.min(axis=0) * slack >= prices[2]).all()
    assert not (admitted.fields["volume"] < 0).any()


PRICE = st.one_of(st.floats(0.5, 2.0), st.sampled_from([np.nan, np.inf, 0.0, -1.0]))


@st.composite
def nearly_good(draw: st.DrawFn) -> pd.DataFrame:
    rows = draw(st.integers(1, 12))
    frame = pd.DataFrame(
        {
            "time": draw(st.lists(st.sampled_from(DAYS), min_size=rows, max_size=rows)),
            "symbol": draw(st.lists(st.sampled_from(["A", "B"]), min_size=rows, max_size=rows)),
            "close": draw(st.lists(PRICE, min_size=rows, max_size=rows)),
        }
    )
    wide = draw(st.lists(st.floats(0.9, 1.2), min_size=rows, max_size=rows))
    return frame.assign(high=frame["close"] * wide, low=frame["close"] / wide)


@given(
    nearly_good(),
    st.sampled_from(["drop", "forward_fill", "mark_missing"]),
    st.sampled_from(["keep_first", "keep_last"]),
)
def test_repairs_mend_everything_that_they_name(frame: pd.DataFrame, bar: str, duplicate: str) -> None:
    repair = dict.fromkeys(ONE_BAR, bar) | {"unsorted": "sort", "duplicate": duplicate}
    try:
        admitted = gate.admit(frame, repair=repair)
    except DataError as error:
        assert error.rule == "empty"  # noqa: PT017 - either outcome is right
        return
    assert_sound(admitted)
    good = frame[np.isfinite(frame["close"]) & (frame["close"] > 0) & (frame["high"] >= frame["low"])]
    chosen = good.drop_duplicates(["symbol", "time"], keep="first" if duplicate == "keep_first" else "last")
    if bar == "drop":
        for row in chosen.itertuples():
            place = admitted.time.tolist().index(np.datetime64(row.time, "ns").astype(int))
            assert admitted.fields["close"][place, admitted.symbols.index(row.symbol)] == row.close
        assert np.isfinite(admitted.fields["close"]).sum() == len(chosen)
