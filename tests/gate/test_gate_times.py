"""Every form of time."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

from windtunnel import gate
from windtunnel.errors import DataError, InvalidValueError

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
        ([1, 1 + 0j], "bad_time", 0),
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
