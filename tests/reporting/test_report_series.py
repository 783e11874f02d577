"""What the charts draw, computed by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from windtunnel.learn import realised_volatility
from windtunnel.reporting.series import (
    clock,
    decimate,
    period_returns,
    rolling_sharpe,
    runs,
    worst_drawdown,
)


@given(st.integers(1, 900), st.integers(1, 4), st.integers(20, 300), st.integers(0, 2**31))
def test_fewer_points_keep_the_ends_and_the_extremes(length, count, points, seed):
    generator = np.random.default_rng(seed)
    series = [np.cumsum(generator.normal(size=length)) for _ in range(count)]
    series[0][generator.integers(length)] = np.nan
    rows = decimate(series, points)
    assert len(rows) <= max(points, 2 + 2 * count)
    assert (np.diff(rows) > 0).all()
    assert rows[0] == 0
    assert rows[-1] == length - 1
    for values in series:
        if not np.isnan(values).all():
            assert np.nanmin(values[rows]) == np.nanmin(values)
            assert np.nanmax(values[rows]) == np.nanmax(values)


def test_a_short_series_is_drawn_whole():
    assert decimate([np.arange(5.0)], 10).tolist() == [0, 1, 2, 3, 4]


def test_a_single_spike_in_a_long_series_is_drawn():
    values = np.zeros(100_000)
    values[77_777] = 1.0
    assert 77_777 in decimate([values])


def test_the_worst_drawdown_runs_from_its_high_to_its_recovery():
    worst = worst_drawdown(np.array([110.0, 100.0, 120.0, 90.0, 100.0, 125.0, 120.0]), 100.0)
    assert worst is not None
    assert (worst.peak, worst.trough, worst.recovered) == (2, 3, 5)
    assert worst.depth == pytest.approx(-0.25)


def test_a_drawdown_from_the_starting_cash_has_no_bar_for_its_high():
    worst = worst_drawdown(np.array([90.0, 80.0, 85.0]), 100.0)
    assert worst is not None
    assert (worst.peak, worst.trough, worst.recovered) == (-1, 1, None)


def test_equity_that_never_falls_has_no_drawdown():
    assert worst_drawdown(np.array([100.0, 101.0, 101.0]), 100.0) is None


@given(st.integers(3, 120), st.integers(2, 20), st.integers(0, 2**31))
def test_rolling_sharpe_equals_the_ratio_of_each_window(length, window, seed):
    returns = np.random.default_rng(seed).normal(0.001, 0.01, length)
    rolled = rolling_sharpe(returns, window, 252.0)
    for row in range(length):
        part = returns[row - window + 1 : row + 1]
        if row < window - 1:
            assert np.isnan(rolled[row])
        else:
            assert rolled[row] == pytest.approx(part.mean() / part.std(ddof=1) * 252**0.5, rel=1e-6)


def test_rolling_sharpe_of_a_flat_stretch_is_not_defined():
    returns = np.concatenate([np.tile([0.01, -0.005], 10), np.zeros(10)])
    rolled = rolling_sharpe(returns, 5, 252.0)
    assert np.isnan(rolled[-1])
    assert not np.isnan(rolled[10])


def test_months_are_compounded():
    time = np.array(["2020-01-30", "2020-01-31", "2020-03-02"], "datetime64[ns]")
    months, gains = period_returns(time, np.array([0.1, 0.1, -0.5]), "M")
    assert months.astype(str).tolist() == ["2020-01", "2020-03"]
    assert gains == pytest.approx([0.21, -0.5])


def test_realised_volatility_looks_ahead_over_own_bars():
    close = np.exp(np.array([0.0, 0.1, np.nan, 0.0, 0.2]))
    came = realised_volatility(close, 2, 4.0)
    assert came[0] == pytest.approx(np.sqrt((0.1**2 + 0.1**2) / 2 * 4))
    assert came[1] == pytest.approx(np.sqrt((0.1**2 + 0.2**2) / 2 * 4))
    assert np.isnan(came[2:]).all()


def test_runs_of_equal_codes():
    edges, codes = runs(np.array([2, 2, -1, 2]))
    assert edges.tolist() == [0, 2, 3, 4]
    assert codes.tolist() == [2, -1, 2]


def test_the_clock_is_that_of_the_exchange(make_result):
    bars = replace(make_result(rows=2).bars, timezone="America/New_York")
    assert clock(bars)[0] == np.datetime64("2009-12-31T19:00")
