"""Conformal intervals hold what they promise, and know only what was known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from windtunnel.bars import Bars
from windtunnel.learn import conformal, intervals, realised_volatility
from windtunnel.learn.losses import coverage
from windtunnel.values import FloatArray, Forecast


def bars_of(returns: FloatArray) -> Bars:
    close = 100 * np.exp(np.cumsum(returns, axis=0))
    close = close[:, None] if close.ndim == 1 else close
    time = np.datetime64("2000-01-01", "ns") + np.arange(len(close)) * np.timedelta64(1, "D")
    return replace(Bars.from_arrays(time, close), periods_per_year=252.0)


def flat(bars: Bars, horizon: int, level: float = 0.2) -> Forecast:
    mean = np.full(bars.shape, level)
    return Forecast(mean, mean * 0.9, mean * 1.1, horizon)


def share(forecast: Forecast, bars: Bars, rows: slice = slice(None)) -> float:
    came = realised_volatility(bars.close, forecast.horizon, bars.periods_per_year)[rows, 0]
    return coverage(came, forecast.low[rows, 0], forecast.high[rows, 0], forecast.horizon).share


@pytest.mark.parametrize("horizon", [1, 5])
@pytest.mark.parametrize("nominal", [0.6, 0.8, 0.95])
def test_covers_fat_tails_that_the_model_knows_nothing_of(horizon: int, nominal: float) -> None:
    bars = bars_of(0.01 * np.random.default_rng(1).standard_t(3, 12_000))
    assert share(conformal(flat(bars, horizon), bars, nominal), bars) == pytest.approx(nominal, abs=0.02)


def test_follows_a_market_that_changes_for_good(monkeypatch: pytest.MonkeyPatch) -> None:
    """Volatility triples: what was learned in the calm holds too little, and following mends it sooner."""
    returns = np.random.default_rng(2).normal(0, 0.01, 6_000)
    returns[3_000:] *= 3
    bars = bars_of(returns)
    told = conformal(flat(bars, 1), bars, 0.8)
    monkeypatch.setattr(intervals, "PACE", 0.0)
    stiff = conformal(flat(bars, 1), bars, 0.8)
    after, later = slice(3_000, 3_400), slice(4_000, None)
    assert share(stiff, bars, after) < 0.72 < 0.77 < share(told, bars, after)
    assert share(told, bars, later) == pytest.approx(0.8, abs=0.02)


def test_the_first_interval_by_hand() -> None:
    bars = bars_of(np.random.default_rng(3).normal(0, 0.01, 60))
    given = flat(bars, 2)
    told = conformal(given, bars, 0.8)
    came = realised_volatility(bars.close, 2, 252.0)[:, 0]
    errors = np.sort(came[:50] / 0.2)  # of bars 0 … 49, the last of which is known at bar 51
    assert told.low[51, 0] == pytest.approx(0.2 * errors[4])  # k = floor(51 * 0.1) = 5
    assert told.high[51, 0] == pytest.approx(0.2 * errors[-5])
    np.testing.assert_array_equal(told.low[:51], given.low[:51])
    np.testing.assert_array_equal(told.mean, given.mean)


@pytest.mark.parametrize("horizon", [1, 7])
def test_knows_nothing_of_later_bars(horizon: int) -> None:
    returns = np.random.default_rng(4).normal(0, 0.01, 300)
    other = returns.copy()
    other[201:] *= 5
    one, two = (conformal(flat(b, horizon), b, 0.8) for b in (bars_of(returns), bars_of(other)))
    np.testing.assert_array_equal(one.low[:201], two.low[:201])
    assert (one.low[201 + horizon :] != two.low[201 + horizon :]).any()


def test_gaps_and_other_symbols_change_nothing() -> None:
    alone = bars_of(np.random.default_rng(5).normal(0, 0.01, 200))
    rows = np.sort(np.random.default_rng(6).choice(300, 200, replace=False))
    close = np.full((300, 2), np.nan)
    close[rows, 0], close[:, 1] = alone.close[:, 0], 50.0 + np.arange(300)
    time = np.datetime64("2000-01-01", "ns") + np.arange(300) * np.timedelta64(1, "D")
    both = replace(Bars.from_arrays(time, close), periods_per_year=252.0)
    expected, found = conformal(flat(alone, 3), alone, 0.8), conformal(flat(both, 3), both, 0.8)
    np.testing.assert_array_equal(found.low[rows, 0], expected.low[:, 0])
    np.testing.assert_array_equal(found.high[rows, 0], expected.high[:, 0])


def test_a_price_that_does_not_move_leaves_the_models_own_interval() -> None:
    bars = bars_of(np.zeros(200))
    given = flat(bars, 1)
    np.testing.assert_array_equal(conformal(given, bars, 0.8).low, given.low)


def test_an_abstaining_forecast_keeps_its_silence() -> None:
    bars = bars_of(np.random.default_rng(7).normal(0, 0.01, 200))
    mean = np.where(np.arange(200)[:, None] < 90, np.nan, 0.2)
    told = conformal(Forecast(mean, mean, mean, 1), bars, 0.8)
    assert np.isnan(told.low[:90]).all()
    np.testing.assert_array_equal(told.low[90:140], mean[90:140])
    assert (told.low[140:] < told.high[140:]).all()
