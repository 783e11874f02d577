"""How far the headline metrics may be from the truth."""

from __future__ import annotations

from collections.abc import Mapping
from math import nan, sqrt

import numpy as np

from windtunnel.optimize.resampling import block_length_of, resampled_rows
from windtunnel.values import FloatArray

__all__ = ["HEADLINE", "intervals"]

HEADLINE = ("total_return", "cagr", "volatility", "sharpe", "sortino", "calmar", "max_drawdown")
"""Metrics with an interval, as :data:`windtunnel.engine.metrics.METRICS` defines them."""
_NOISE = 1e-14
_FEWEST = 30


def intervals(
    returns: FloatArray, periods_per_year: float, *, seed: int, samples: int = 1000, level: float = 0.95
) -> Mapping[str, tuple[float, float, float]]:
    """Return value, low and high end of each headline metric.

    Parameters
    ----------
    returns : array of float64, ``[T]``
        Simple returns per bar, finite.
    periods_per_year : float
    seed : int
        Same inputs and seed give the same bits.
    samples : int
    level : float
        Between 0 and 1.

    Returns
    -------
    mapping of str to (float, float, float)
        NaN where a metric is not defined; ends are NaN for fewer than 30 bars.

    Notes
    -----
    Percentiles of stationary bootstrap samples: Politis & Romano (1994). The block length is the longer one
    of those that suit the returns and their squares, since drawdowns live on clusters of volatility; samples
    in which a metric is not defined are left out. A resampled path breaks what lasts longer than its blocks,
    so that the interval of the worst drawdown is the weakest of these.
    """
    values = _metrics(returns[None], periods_per_year)
    if len(returns) < _FEWEST:
        return {name: (float(found[0]), nan, nan) for name, found in values.items()}
    length = max(block_length_of(returns), block_length_of(returns * returns))
    draws = [
        _metrics(returns[rows], periods_per_year)
        for rows in resampled_rows(len(returns), length, samples, seed)
    ]
    result = {}
    for name, found in values.items():
        drawn = np.concatenate([part[name] for part in draws])
        known = drawn[np.isfinite(drawn)]
        low, high = np.quantile(known, ((1 - level) / 2, (1 + level) / 2)) if len(known) else (nan, nan)
        result[name] = (float(found[0]), float(low), float(high))
    return result


def _metrics(returns: FloatArray, periods: float) -> dict[str, FloatArray]:
    """Return the headline metrics of paths of returns, ``[n, T]``, each ``[n]``."""
    count = returns.shape[1]
    if count < 2:
        return {name: np.full(len(returns), nan) for name in HEADLINE}
    equity = np.cumprod(1 + returns, axis=1)
    peak = np.maximum.accumulate(np.maximum(equity, 1.0), axis=1)
    last, depth = equity[:, -1], (equity / peak).min(axis=1) - 1
    growth = np.where(last > 0, np.maximum(last, 0.0) ** (periods / count), 0.0) - 1
    mean, spread = returns.mean(axis=1), returns.std(axis=1, ddof=1)
    below = np.sqrt((np.minimum(returns, 0.0) ** 2).mean(axis=1))
    found = (
        last - 1,
        growth,
        spread * sqrt(periods),
        _over(mean, spread) * sqrt(periods),
        _over(mean, below) * sqrt(periods),
        _over(growth, -depth),
        depth,
    )
    return dict(zip(HEADLINE, found, strict=True))


def _over(above: FloatArray, below: FloatArray) -> FloatArray:
    return np.asarray(np.divide(above, below, out=np.full(len(above), nan), where=below > _NOISE))
