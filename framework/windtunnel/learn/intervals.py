"""Intervals that hold what they promise: from the errors that a forecast made before."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from windtunnel.bars import Bars
from windtunnel.learn.labels import realised_volatility
from windtunnel.values import FloatArray, Forecast

__all__ = ["conformal"]

WINDOW = 500
"""Errors that an interval rests on, at most."""
LEAST = 50
"""With fewer errors, the model's own interval stays."""
PACE = 0.02
"""How fast the ends follow what came of them, over one horizon."""


def conformal(forecast: Forecast, bars: Bars, coverage: float) -> Forecast:
    """Set the interval of a forecast by how far it was off before, symbol by symbol.

    An error is the logarithm of realised over forecast volatility. At bar t those are known of forecasts
    made at least ``horizon`` bars before, and the last 500 of them give the quantiles by which the mean is
    multiplied: the k-th smallest of n, with k = ⌊(n + 1) a⌋, at least 1, and likewise the largest. With
    a = (1 − coverage) / 2 that would cover a further error of the same distribution often enough. Since
    markets change, each a follows what came of it: it rises by γ (1 − coverage) / 2 at every outcome that
    becomes known, and falls by γ at one beyond its end, γ = 0.02 / horizon; so coverage comes right over
    time, whatever the errors do. Before 50 errors are known the model's own interval stays.

    Parameters
    ----------
    forecast : Forecast
    bars : Bars
    coverage : float
        Wanted probability that realised volatility lies between ``low`` and ``high``.

    Notes
    -----
    Source: Vovk, Gammerman & Shafer (2005), Algorithmic Learning in a Random World, section 2.2, for the
    quantiles; Gibbs & Candès (2021), Adaptive conformal inference under distribution shift, equation 2.
    """
    came = realised_volatility(bars.close, forecast.horizon, bars.periods_per_year)
    low, high = forecast.low.copy(), forecast.high.copy()
    for column in range(bars.shape[1]):
        own = np.flatnonzero(bars.present[:, column])
        mean = forecast.mean[own, column]
        least, most = _multiples(_errors(came[own, column], mean), forecast.horizon, coverage)
        told = ~np.isnan(least) & ~np.isnan(mean)
        low[own[told], column] = mean[told] * least[told]
        high[own[told], column] = mean[told] * most[told]
    return replace(forecast, low=low, high=high)


def _errors(came: FloatArray, mean: FloatArray) -> FloatArray:
    """Return the logarithm of realised over forecast volatility; NaN where either is not there or 0."""
    known = (came > 0) & (mean > 0)
    errors = np.full(len(mean), np.nan)
    errors[known] = np.log(came[known] / mean[known])
    return errors


def _multiples(errors: FloatArray, horizon: int, coverage: float) -> tuple[FloatArray, FloatArray]:
    """Return by what a mean is multiplied at each bar; NaN with too few errors."""
    low, high = np.full(len(errors), np.nan), np.full(len(errors), np.nan)
    known = np.flatnonzero(~np.isnan(errors))
    last = np.searchsorted(known, np.arange(len(errors)) - horizon, side="right")
    target = (1 - coverage) / 2
    below = above = target
    heard = 0
    for bar in range(len(errors)):
        for row in known[heard : last[bar]]:
            if not np.isnan(low[row]):
                below += PACE / horizon * (target - float(errors[row] < low[row]))
                above += PACE / horizon * (target - float(errors[row] > high[row]))
        heard = int(last[bar])
        if heard >= LEAST:
            past = np.sort(errors[known[max(0, heard - WINDOW) : heard]])
            low[bar], high[bar] = past[_place(below, len(past))], past[-1 - _place(above, len(past))]
    return np.exp(low), np.exp(high)


def _place(share: float, count: int) -> int:
    """Return how many of the extreme errors an end leaves out."""
    return max(1, int((count + 1) * min(share, 0.5))) - 1
