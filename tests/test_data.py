"""From a source's table to bars: the section, loading, resampling."""

from __future__ import annotations

import pickle
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from windtunnel.bars import FIELDS, Bars
from windtunnel.data import DataSection, load
from windtunnel.errors import DataError, InvalidValueError, PluginError
from windtunnel.plugin import DataSource
from windtunnel.resampling import resample
from windtunnel.values import Origin, Request, Table
from windtunnel_plugins.sources import Frame

nan = np.nan


class Given(DataSource):
    """Hands over a table, or raises, or returns nonsense; remembers what it was asked."""

    name = "given"

    asked: ClassVar[list[Request]] = []
    answer: Any = None

    def load(self, request: Request) -> Table:
        self.asked.append(request)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer  # type: ignore[no-any-return]


def daily(days: int = 10, start: str = "2020-01-01") -> pd.DataFrame:
    """Bars of A and B on every day of the calendar, closes 1, 2, 3, …"""
    time = pd.date_range(start, periods=days)
    close = np.arange(1.0, days + 1)
    return pd.concat(
        [pd.DataFrame({"time": time, "symbol": symbol, "close": close}) for symbol in "AB"], ignore_index=True
    )


def section(**changes: Any) -> DataSection:
    return DataSection.model_validate({"use": "given", **changes})


def test_a_year_may_be_a_number() -> None:
    assert section(start=1999, end="2008-09").start == "1999"


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"start": "soon"}, "start: must be an ISO date or time"),
        ({"end": "1066-10-14"}, "end: must lie between 1678 and 2261"),
        ({"start": True}, "string"),
        ({"timeframe": "1 day"}, "timeframe: must be a number and one of s, m, h, d, w, M"),
        ({"resample": "0h"}, "resample: must be a number"),
        ({"resample": "36h"}, "must be written in days"),
        ({"symbols": ("A", "B", "A")}, r"symbols: must be different names \(got 'A'\)"),
        ({"symbols": "SP500"}, r"symbols: must be a list of names \(got 'SP500'\)"),
        ({"quality": {"repair": "mend"}}, "repair: must be one of drop, forward_fill"),
        ({"quality": {"repair": {"unsorted": "drop"}}}, "repair.unsorted: must be one of none, sort"),
        ({"quality": {"repair": {"outside_rage": "drop"}}}, "did you mean outside_range"),
    ],
)
def test_a_wrong_section_is_refused(changes: dict[str, Any], text: str) -> None:
    with pytest.raises(ValidationError, match=text):
        section(**changes)


def test_loading_asks_selects_and_cuts() -> None:
    attributes = {"A": {"sector": "x"}, "Z": {"sector": "z"}}
    source = Given(answer=Table(daily(), attributes, truth={"regimes": 1}))
    dataset = load(source, section(symbols=("B", "A"), start="2020-01-03", end="2020-01-05", timeframe="1d"))
    assert source.asked[-1] == Request(("B", "A"), "2020-01-03", "2020-01-05", "1d")
    assert dataset.bars.symbols == ("B", "A")
    assert dataset.bars.close.tolist() == [[3.0, 3.0], [4.0, 4.0], [5.0, 5.0]]
    assert dataset.bars.last_bar.tolist() == [7, 7]
    assert dataset.attributes == {"A": {"sector": "x"}}
    assert dataset.truth == {"regimes": 1}
    assert dataset.repairs == {}
    assert dataset.resampled_from is None


def test_loading_counts_repairs_and_reads_times_as_the_table_says() -> None:
    frame = pd.DataFrame({"time": ["01/02/2020", "02/02/2020", "03/02/2020"], "close": [1.0, -1.0, 3.0]})
    table = Table(frame, time_format="%d/%m/%Y", timezone="Asia/Tokyo")
    dataset = load(Given(answer=table), section(symbols=("X",), quality={"repair": "drop"}))
    assert dataset.repairs == {"not_positive": 1}
    assert dataset.bars.symbols == ("X",)
    assert dataset.bars.timezone == "Asia/Tokyo"
    assert dataset.bars.local_time.astype("datetime64[D]").astype(str).tolist() == [
        "2020-02-01",
        "2020-02-03",
    ]


def test_what_a_source_does_wrong_names_the_source() -> None:
    with pytest.raises(PluginError, match="data source given: ZeroDivisionError: oh") as caught:
        load(Given(answer=ZeroDivisionError("oh")), section())
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    with pytest.raises(PluginError, match="must return a Table"):
        load(Given(answer=daily()), section())
    with pytest.raises(InvalidValueError, match="must be a pandas DataFrame"):
        load(Given(answer=Table([1, 2, 3])), section())  # type: ignore[arg-type]
    with pytest.raises(DataError, match="my own"):
        load(Given(answer=DataError("my own", rule="empty")), section())


def test_bars_of_another_timeframe_are_refused() -> None:
    source = Given(answer=Table(daily()))
    for other in ("1h", "12h", "2d", "1w", "1M"):
        with pytest.raises(InvalidValueError, match="timeframe: must be what the source has, bars 1d apart"):
            load(source, section(timeframe=other))
    assert len(load(source, section(timeframe="24h")).bars) == 10
    months = pd.DataFrame({"time": pd.date_range("2020-03-01", periods=3, freq="MS"), "close": 1.0})
    assert len(load(Given(answer=Table(months)), section(timeframe="1M")).bars) == 3
    assert len(load(Given(answer=Table(months.iloc[:1])), section(timeframe="1h")).bars) == 1


def test_a_symbol_that_is_not_there_is_named_with_the_nearest() -> None:
    with pytest.raises(InvalidValueError, match="did you mean A"):
        load(Given(answer=Table(daily())), section(symbols=("B", "AA")))


@pytest.mark.parametrize(
    "when", [{"start": 2021}, {"end": 2019}, {"start": "2020-01-05", "end": "2020-01-04"}]
)
def test_nothing_left_says_what_there_is(when: dict[str, Any]) -> None:
    with pytest.raises(DataError, match="the data span 2020-01-01 … 2020-01-10") as caught:
        load(Given(answer=Table(daily())), section(**when))
    assert caught.value.rule == "empty"


def test_a_resampled_bar_holds_nothing_after_the_end_and_begins_whole() -> None:
    """Wednesday 1 January to Friday 10 January 2020: weeks begin on 30 December and 6 January."""
    source = Given(answer=Table(daily()))
    dataset = load(source, section(symbols=("A",), resample="1w", end="2020-01-08"))
    assert dataset.bars.time.astype("datetime64[D]").astype(str).tolist() == ["2019-12-30", "2020-01-06"]
    assert dataset.bars.close[:, 0].tolist() == [5.0, 8.0]
    assert dataset.resampled_from == 8
    later = load(source, section(symbols=("A",), resample="1w", start="2020-01-02"))
    assert later.bars.open[:, 0].tolist() == [6.0]


def minutes() -> Bars:
    """Seven one-minute bars from 09:58; A lacks one, B all but two, and 10:01 is absent."""
    times = pd.to_datetime(
        [f"2020-01-02 {text}" for text in ["09:58", "09:59", "10:00", "10:02", "10:03", "10:04", "10:05"]]
    )
    open_ = np.array([[1.0, nan], [2.0, nan], [3.0, nan], [nan, 7.0], [5.0, 8.0], [6.0, nan], [7.0, nan]])
    volume = np.array(
        [[10.0, nan], [20.0, nan], [nan, nan], [nan, nan], [50.0, nan], [60.0, nan], [70.0, nan]]
    )
    return Bars.from_arrays(
        times, open_ + 0.5, open=open_, high=open_ + 1, low=open_ - 0.5, volume=volume, symbols=["A", "B"]
    )


def test_resampling_by_hand() -> None:
    bars = resample(minutes(), "5m")
    labels = bars.time.astype("datetime64[m]").astype(str).tolist()
    assert labels == ["2020-01-02T09:55", "2020-01-02T10:00", "2020-01-02T10:05"]
    expected = {
        "open": [[1.0, nan], [3.0, 7.0], [7.0, nan]],
        "high": [[3.0, nan], [7.0, 9.0], [8.0, nan]],
        "low": [[0.5, nan], [2.5, 6.5], [6.5, nan]],
        "close": [[2.5, nan], [6.5, 8.5], [7.5, nan]],
        "volume": [[30.0, nan], [110.0, nan], [70.0, nan]],
    }
    for name in FIELDS:
        np.testing.assert_array_equal(getattr(bars, name), np.array(expected[name]), name)
        assert getattr(bars, name).flags.f_contiguous
    assert bars.last_bar.tolist() == [2, 1]


def test_last_bars_beyond_a_cut_stay_beyond() -> None:
    assert resample(minutes().cut(0, 3), "5m").last_bar.tolist() == [2, 2]
    assert resample(minutes().cut(6, 7), "5m").last_bar.tolist() == [0, -1]


@pytest.mark.parametrize(
    ("timeframe", "labels"),
    [
        ("3d", ["2019-12-31", "2020-01-03", "2020-01-06", "2020-01-09"]),
        ("1w", ["2019-12-30", "2020-01-06"]),
        ("1M", ["2020-01-01"]),
        ("1d", [f"2020-01-{day:02d}" for day in range(1, 11)]),
        ("24h", [f"2020-01-{day:02d}" for day in range(1, 11)]),
    ],
)
def test_labels_are_starts(timeframe: str, labels: list[str]) -> None:
    bars = resample(Bars.from_frame(daily()), timeframe)
    assert bars.time.astype("datetime64[D]").astype(str).tolist() == labels


def test_months_are_counted_from_january() -> None:
    bars = resample(Bars.from_frame(daily(400, "2020-02-15")), "3M")
    labels = bars.time.astype("datetime64[D]").astype(str).tolist()
    assert labels == ["2020-01-01", "2020-04-01", "2020-07-01", "2020-10-01", "2021-01-01"]


def test_hours_that_do_not_divide_the_day_begin_anew_at_midnight() -> None:
    times = pd.date_range("2020-01-01", periods=48, freq="h")
    bars = resample(Bars.from_arrays(times, np.ones(48)), "7h")
    assert (bars.time.astype("datetime64[h]").astype(int) % 24).tolist() == [0, 7, 14, 21] * 2


def test_days_follow_the_clock_of_the_exchange_over_a_change_of_clocks() -> None:
    """New York, 7 to 9 March 2020: 24, 23 and 24 hours; the change is on Sunday the 8th at 02:00."""
    times = pd.date_range("2020-03-07", "2020-03-09 23:00", freq="h", tz="America/New_York")
    hourly = Bars.from_frame(pd.DataFrame({"time": times, "close": 1.0, "volume": 1.0}))
    days = resample(hourly, "1d")
    assert days.volume[:, 0].tolist() == [24.0, 23.0, 24.0]
    assert days.local_time.astype(str).tolist() == [f"2020-03-0{day}T00:00:00.000000000" for day in (7, 8, 9)]
    quarters = resample(hourly, "6h")
    assert quarters.volume[:, 0].tolist() == [6.0] * 7 + [5.0] + [6.0] * 4


def test_bars_cannot_be_made_shorter() -> None:
    with pytest.raises(InvalidValueError, match="must not be shorter than the bars, which are 1d apart"):
        resample(Bars.from_frame(daily()), "1h")
    with pytest.raises(InvalidValueError, match="such as 5m"):
        resample(Bars.from_frame(daily()), "hourly")
    with pytest.raises(InvalidValueError, match="which are 1d apart"):
        resample(Bars.from_frame(daily()).cut(0, 1), "1h")
    assert len(resample(Bars.from_frame(daily()).cut(0, 0), "1w")) == 0


@pytest.mark.parametrize(
    ("step", "timeframe"),
    [("250ms", "0s"), ("90s", "90s"), ("5min", "5m"), ("4h", "4h"), ("3D", "3d"), ("7D", "1w"), ("MS", "1M")],
)
def test_the_distance_of_bars_is_told_as_a_timeframe(step: str, timeframe: str) -> None:
    frame = pd.DataFrame({"time": pd.date_range("2020-01-01", periods=5, freq=step), "close": 1.0})
    with pytest.raises(InvalidValueError, match=f"bars {timeframe} apart"):
        load(Given(answer=Table(frame)), section(timeframe="1d"))


def test_days_over_a_change_of_clocks_are_told_as_days() -> None:
    days = pd.date_range("2020-03-06", periods=5, tz="America/New_York")
    with pytest.raises(InvalidValueError, match="which are 1d apart"):
        resample(Bars.from_frame(pd.DataFrame({"time": days, "close": 1.0})), "1h")


def test_an_error_tells_the_row_of_the_file_that_it_comes_from() -> None:
    frame = daily(4)
    frame.loc[6, "close"] = -1.0
    origin = (Origin("A.csv", range(4)), Origin("B.csv", [10, 12, 14, 16], lambda row: row + 2))
    with pytest.raises(DataError) as caught:
        load(Given(answer=Table(frame, origin=origin)), section())
    error = caught.value
    assert (error.file, error.row, error.line) == ("B.csv", 14, 16)
    assert str(error) == (
        "symbol B, row 14 of B.csv (line 16): 2020-01-03: close is -1 [not_positive]; "
        "data.quality.repair can be drop, forward_fill, mark_missing"
    )
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), vars(again)) == (str(error), vars(error))
    with pytest.raises(DataError, match="symbol B, row 6: 2020-01-03"):
        load(Given(answer=Table(frame, origin=origin[:1])), section())


@st.composite
def panels(draw: st.DrawFn) -> Bars:
    rows = draw(st.integers(2, 40))
    random = np.random.default_rng(draw(st.integers(0, 10_000)))
    steps = random.integers(1, 60, rows)
    time = np.datetime64("2020-01-01T12:00", "ns") + np.cumsum(steps) * np.timedelta64(1, "m")
    panel = np.where(random.random((rows, 2)) < draw(st.floats(0, 1)), random.uniform(1, 2, (rows, 2)), nan)
    panel[0] = 1.0
    return Bars.from_arrays(time, panel, high=panel + 0.5, low=panel - 0.5, volume=panel)


@given(panels(), st.sampled_from(["1h", "4h", "5h", "1d", "1w", "1M"]), st.integers(1, 15))
def test_resampling_agrees_with_pandas_and_sees_nothing_later(bars: Bars, timeframe: str, seen: int) -> None:
    long = resample(bars, timeframe)
    frame = bars.to_frame()
    rule = {"1d": "1D", "1w": "W-MON", "1M": "MS", "5h": None}.get(timeframe, timeframe)
    if rule is not None:
        buckets = pd.Grouper(key="time", freq=rule, closed="left", label="left")
        want = {"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum"}
        expected = frame.groupby(["symbol", buckets], sort=True).agg(want).dropna().reset_index()
        given_ = long.to_frame().sort_values(["symbol", "time"])[["symbol", "time", *FIELDS]]
        pd.testing.assert_frame_equal(given_.reset_index(drop=True), expected, check_dtype=False)
    past = resample(bars.cut(0, seen), timeframe)
    whole = len(past) - 1
    assert past.cut(0, whole).time.tolist() == long.cut(0, whole).time.tolist()
    for name in FIELDS:
        np.testing.assert_array_equal(getattr(past, name)[:whole], getattr(long, name)[:whole])


def test_periods_per_year_may_be_set_and_are_inferred_anew_when_resampled() -> None:
    days = pd.date_range("2020-01-06", periods=30, freq="B")
    source = Frame(frame=pd.DataFrame({"close": 1.0}, index=days))
    assert load(source, DataSection(use="frame")).bars.periods_per_year == 252
    assert load(source, DataSection(use="frame", resample="1w")).bars.periods_per_year == 52
    assert load(source, DataSection(use="frame", periods_per_year=260)).bars.cut(0, 2).periods_per_year == 260
