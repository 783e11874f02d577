"""Timeframes, and how many bars make a year."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from windtunnel.bars import Bars
from windtunnel.periods import Timeframe, infer_periods_per_year, nominal_periods_per_year
from windtunnel.resampling import resample


@pytest.mark.parametrize(
    ("step", "sessions", "timeframe"),
    [
        ("1min", (570, 960), "5m"),
        ("1min", (570, 960), "1h"),
        ("30min", (570, 960), "2h"),
        ("1h", (540, 960), "4h"),
        ("1h", (540, 960), "1d"),
        ("1h", (540, 960), "2d"),
        ("1h", (540, 960), "3d"),
        ("1h", (540, 960), "1w"),
        ("1h", (540, 960), "1M"),
        ("1D", (0, 1), "1d"),
        ("1D", (0, 1), "2d"),
        ("1D", (0, 1), "2w"),
        ("1D", (0, 1), "3M"),
    ],
)
@pytest.mark.parametrize("weekends", [False, True])
def test_a_year_by_the_name_of_the_timeframe_is_that_of_the_bars(
    step: str, sessions: tuple[int, int], timeframe: str, weekends: bool
) -> None:
    days = pd.date_range("2019-01-01", "2020-12-31", freq="D" if weekends else "B")
    first, last = sessions
    times = [day + pd.Timedelta(minutes=at) for day in days for at in range(first, last, minutes(step))]
    bars = Bars.from_arrays(times, np.ones(len(times)))
    named = nominal_periods_per_year(Timeframe.read(timeframe, "x"), bars.periods_per_year, bars.spacing)
    assert named == pytest.approx(infer_periods_per_year(resample(bars, timeframe).time), rel=0.01)
    cut = bars.cut(3, 4)
    assert (cut.spacing, cut.periods_per_year) == (bars.spacing, bars.periods_per_year)


def minutes(step: str) -> int:
    return int(pd.Timedelta(step) / pd.Timedelta("1min"))


def test_spacing_is_the_least_distance_and_kept_by_views() -> None:
    bars = Bars.from_arrays(["2020-01-01T00:00", "2020-01-01T05:00", "2020-01-01T06:00"], np.ones((3, 2)))
    assert bars.spacing == bars.cut(0, 2).spacing == bars.select(["asset0"]).cut(0, 0).spacing == 3600
    assert resample(bars, "2h").spacing == 2 * 3600
    assert Bars.from_arrays(["2020-01-01"], [1.0]).spacing == 0
