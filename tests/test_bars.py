"""The panel of bars: building, cutting, choosing, printing."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from windtunnel.bars import FIELDS, Bars
from windtunnel.errors import DataError, InvalidValueError
from windtunnel.resampling import resample

DAYS = np.array(["2020-01-30", "2020-01-31", "2020-02-03", "2020-02-04", "2020-02-05"], "datetime64[ns]")


def two() -> Bars:
    """Five days of A, of which the third is missing, and B, which ends after the third."""
    nan = np.nan
    closes = np.array([[1.0, 10.0], [2.0, 11.0], [nan, 12.0], [4.0, nan], [5.0, nan]])
    return Bars.from_arrays(DAYS, closes, volume=closes * 100, symbols=["A", "B"])


def test_from_arrays() -> None:
    bars = two()
    assert bars.shape == (5, 2)
    assert len(bars) == 5
    assert bars.symbols == ("A", "B")
    assert bars.last_bar.tolist() == [4, 2]
    assert bars.present.tolist() == [[True, True], [True, True], [False, True], [True, False], [True, False]]
    assert bars.open.tolist()[0] == [1.0, 10.0]
    for name in ("time", *FIELDS, "last_bar"):
        with pytest.raises(ValueError, match="read-only"):
            getattr(bars, name)[0] = 0
    with pytest.raises(FrozenInstanceError):
        bars.symbols = ("X",)  # type: ignore[misc]


def test_building_does_not_keep_the_callers_arrays() -> None:
    closes = np.array([1.0, 2.0, 3.0])
    bars = Bars.from_arrays(DAYS[:3], closes)
    closes[0] = 99.0
    assert bars.close[0, 0] == 1.0


def test_from_frame_repairs_and_names_the_zone() -> None:
    frame = pd.DataFrame({"time": ["2020-01-01 09:30", "2020-01-01 09:31"], "close": [1.0, np.nan]})
    with pytest.raises(DataError, match="missing_price"):
        Bars.from_frame(frame)
    bars = Bars.from_frame(frame, repair="drop", timezone="America/New_York")
    assert bars.time.tolist() == np.array(["2020-01-01T14:30"], "datetime64[ns]").tolist()
    assert bars.local_time.tolist() == np.array(["2020-01-01T09:30"], "datetime64[ns]").tolist()


@pytest.mark.parametrize("zone", [None, "UTC", "Asia/Tokyo", "UTC+05:30"])
def test_a_frame_comes_back_the_same(zone: str | None) -> None:
    frame = two().to_frame()
    if zone is not None:
        frame["time"] = frame["time"].dt.tz_localize(zone)
    bars = Bars.from_frame(frame)
    assert bars.timezone == zone
    again = bars.to_frame()
    pd.testing.assert_frame_equal(again, frame, check_dtype=False)
    assert len(again) == 7
    assert Bars.from_frame(again).hash == bars.hash


def test_the_hash_follows_the_content() -> None:
    assert two().hash == two().hash
    assert two().select(["B", "A"]).hash != two().hash
    assert two().cut(0, 4).hash != two().hash
    later = Bars.from_arrays(DAYS + np.timedelta64(1, "D"), two().close, symbols=["A", "B"])
    assert later.hash != Bars.from_arrays(DAYS, two().close, symbols=["A", "B"]).hash


def test_cutting_copies_nothing_and_keeps_the_last_bar() -> None:
    bars = two()
    part = bars.cut(1, 3)
    assert part.last_bar.tolist() == [3, 1]
    assert np.shares_memory(part.close, bars.close)
    assert part.cut(1, 2).last_bar.tolist() == [2, 0]
    assert len(bars.cut(4, 2)) == 0
    assert len(bars.cut(-2, 99)) == 2


@pytest.mark.parametrize(
    ("start", "end", "rows"),
    [
        ("2020-01", "2020-01", [0, 1]),
        ("2020-02", None, [2, 3, 4]),
        (None, "2020-02-03", [0, 1, 2]),
        ("2020-02-01", "2020-02-02", []),
        ("2021", None, []),
        (None, "2019", []),
        ("2020-01-31T00:00", "2020-02-03T00:00", [1, 2]),
        ("2020-01-31T00:00:01", None, [2, 3, 4]),
        ("2020-02", "2020-01", []),
    ],
)
def test_between(start: str | None, end: str | None, rows: list[int]) -> None:
    bars = two()
    assert bars.between(start, end).time.tolist() == bars.time[rows].tolist()
    assert bars[start:end].hash == bars.between(start, end).hash


def test_between_reads_the_clock_of_the_exchange() -> None:
    times = pd.date_range("2020-01-01", periods=72, freq="h", tz="Asia/Tokyo")
    bars = Bars.from_frame(pd.DataFrame({"time": times, "close": 1.0}))
    day = bars.between("2020-01-02", "2020-01-02")
    assert len(day) == 24
    assert day.local_time[[0, -1]].astype("datetime64[h]").astype(str).tolist() == [
        "2020-01-02T00",
        "2020-01-02T23",
    ]
    assert len(bars.between("2020-01-02T00:00Z", "2020-01-02T01:00Z")) == 2


@pytest.mark.parametrize("window", [0, "2020", slice(0, 4, 2), (slice(0, 2), 0)])
def test_only_plain_slices_index(window: object) -> None:
    with pytest.raises(InvalidValueError, match="slice without a step"):
        two()[window]  # type: ignore[index]


def test_selecting() -> None:
    only = two().select(["B"])
    assert only.close[:, 0].tolist()[:3] == [10.0, 11.0, 12.0]
    assert only.last_bar.tolist() == [2]
    assert only.close.flags.f_contiguous
    with pytest.raises(InvalidValueError, match="did you mean A"):
        two().select(["AA"])


@pytest.mark.parametrize(
    ("times", "periods"),
    [
        (pd.bdate_range("2019-01-01", periods=300), 252),
        (pd.date_range("2019-01-01", periods=300), 365),
        (pd.date_range("2019-01-01", periods=60, freq="W"), 52),
        (pd.date_range("2015-01-01", periods=60, freq="MS"), 12),
        (pd.date_range("2019-01-01", periods=20, freq="QS"), 4),
        (pd.date_range("2000-01-01", periods=20, freq="YS"), 1),
        (pd.date_range("2019-01-01", periods=24 * 300, freq="h"), 24 * 365),
        (pd.DatetimeIndex(["2019-01-01"]), 252),
    ],
)
def test_periods_per_year(times: pd.DatetimeIndex, periods: float) -> None:
    assert Bars.from_arrays(times, np.ones(len(times))).periods_per_year == periods


def test_periods_per_year_of_sessions() -> None:
    days = pd.bdate_range("2019-01-01", periods=20)
    times = [day + pd.Timedelta(minutes=570 + minute) for day in days for minute in range(390)]
    assert Bars.from_arrays(times, np.ones(len(times))).periods_per_year == 252 * 390


def test_printing() -> None:
    assert repr(two()) == "Bars(A, B: 2020-01-30 … 2020-02-05, 5 bars)"
    assert repr(two().cut(0, 0)) == "Bars(A, B: no bars)"
    many = Bars.from_arrays(DAYS, np.ones((5, 6)))
    assert repr(many) == "Bars(asset0, asset1, asset2, asset3, … (6): 2020-01-30 … 2020-02-05, 5 bars)"
    hours = pd.date_range("2020-01-01", periods=3, freq="h", tz="Asia/Tokyo")
    intraday = Bars.from_frame(pd.DataFrame({"time": hours, "close": 1.0}))
    assert repr(intraday) == "Bars(asset: 2020-01-01 00:00 … 2020-01-01 02:00, 3 bars)"


@given(st.integers(0, 6), st.integers(0, 6), st.integers(0, 6), st.integers(0, 6))
def test_a_cut_of_a_cut_is_a_cut(start: int, stop: int, low: int, high: int) -> None:
    bars = two()
    part = bars.cut(start, stop)
    twice = part.cut(low, high)
    once = bars.cut(min(start + low, max(stop, start)), min(start + high, stop))
    assert twice.time.tolist() == once.time.tolist()
    if len(twice):
        assert twice.hash == once.hash


@pytest.mark.parametrize(
    ("timeframe", "periods"),
    [("1d", 252), ("2d", 157), ("3d", 122), ("1w", 52), ("2w", 26), ("2M", 6), ("6M", 2)],
)
def test_odd_spacings_are_annualised_by_their_number_in_a_year(timeframe: str, periods: int) -> None:
    days = pd.date_range("2010-01-04", "2019-12-31", freq="B")
    bars = resample(Bars.from_arrays(days.to_numpy(), np.ones(len(days))), timeframe)
    assert bars.periods_per_year == pytest.approx(periods, abs=1)


def test_what_comes_after_the_end_does_not_change_the_hash() -> None:
    days = pd.date_range("2010-01-04", periods=40, freq="B").to_numpy()
    longer = Bars.from_arrays(days, np.arange(1.0, 41))
    assert longer.cut(0, 20).hash == Bars.from_arrays(days[:20], np.arange(1.0, 21)).hash
