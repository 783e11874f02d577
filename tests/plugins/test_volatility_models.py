"""The exponentially weighted forecast, against a loop, an oracle and its own promise of coverage."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import log, sqrt
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from windtunnel.bars import Bars
from windtunnel.market import Market
from windtunnel_plugins.volatility import Ewma

Panel = Callable[..., Bars]


def test_weighs_squared_returns_by_hand(panel: Panel) -> None:
    model = Ewma(decay=0.5)  # 7 returns until all but 1 % of the weights are in: 0.5 ** 7 < 0.01
    returns = np.array([0.01, -0.02, 0.03, 0.0, 0.01, -0.01, 0.02, 0.04])
    close = 50 * np.exp(np.cumsum([0.0, *returns]))
    forecast = model.forecast(Market(replace(panel(close), periods_per_year=100.0)), None, horizon=1)
    assert model.warmup == 7
    for bar in (7, 8):
        weights = [0.5**age for age in range(bar)]
        squares = [r * r for r in returns[bar - 1 :: -1]]
        variance = sum(w * s for w, s in zip(weights, squares, strict=True)) / sum(weights)
        assert forecast.mean[bar, 0] == pytest.approx(sqrt(variance * 100), rel=1e-12)
    assert np.isnan(forecast.mean[:7]).all()


def test_agrees_with_riskmetrics_once_the_start_is_forgotten(shared: Path, panel: Panel) -> None:
    oracle = pd.read_parquet(shared / "oracles/volatility/rolling_forecasts_sp500.parquet")
    close = 100 * np.exp(np.cumsum([0.0, *(oracle["ret"] / 100)]))
    forecast = Ewma().forecast(Market(replace(panel(close), periods_per_year=252.0)), None, horizon=1)
    variance = forecast.mean[:-1, 0] ** 2 / 252 * 1e4
    expected = oracle["h_riskmetrics94"].to_numpy()
    known = ~np.isnan(expected)
    assert known.sum() == 2530
    np.testing.assert_allclose(variance[known], expected[known], rtol=1e-9)


@pytest.mark.parametrize("horizon", [1, 5, 20])
@pytest.mark.parametrize("coverage", [0.5, 0.8])
def test_covers_what_it_promises_under_its_own_assumption(
    horizon: int, coverage: float, panel: Panel
) -> None:
    """Gaussian returns of one variance; a slow decay, so that the variance is well known."""
    returns = np.random.default_rng(5).normal(0, 0.01, (12_000, 1))
    market = Market(replace(panel(100 * np.exp(np.cumsum(returns, axis=0))), periods_per_year=252.0))
    forecast = Ewma(decay=0.997, coverage=coverage).forecast(market, None, horizon)
    squares = np.convolve(returns[:, 0] ** 2, np.ones(horizon), "valid") / horizon
    realised = np.sqrt(squares[1:] * 252)
    low, high = (end[: len(realised), 0] for end in (forecast.low, forecast.high))
    known = ~np.isnan(low)
    inside = ((low < realised) & (realised < high))[known].mean()
    assert inside == pytest.approx(coverage, abs=0.03)


def test_the_interval_narrows_with_the_horizon() -> None:
    low, high = Ewma()._interval(1)
    assert low**2 == pytest.approx(0.015790774)  # chi-square of one degree of freedom, quantiles 0.1 and 0.9
    assert high**2 == pytest.approx(2.705543454)
    widths = [np.subtract(*Ewma()._interval(horizon)[::-1]) for horizon in (1, 5, 20, 250)]
    assert widths == sorted(widths, reverse=True)
    assert all(low < 1 < high for low, high in map(Ewma()._interval, (1, 5, 20, 250)))


def test_the_mean_does_not_depend_on_the_horizon(rough: Bars) -> None:
    one, twenty = (Ewma().forecast(Market(rough), None, horizon) for horizon in (1, 20))
    np.testing.assert_array_equal(one.mean, twenty.mean)
    assert (one.horizon, twenty.horizon) == (1, 20)
    assert np.isnan(one.mean[~rough.present]).all()


def test_warmup_leaves_one_per_cent_of_the_weights() -> None:
    for decay in (0.5, 0.94, 0.97, 0.999):
        warmup = Ewma(decay=decay).warmup
        assert decay**warmup <= 0.01 < decay ** (warmup - 1)
    assert Ewma().warmup == int(log(0.01) / log(0.94)) + 1 == 75
