"""How far forecasts of variance were off, and whether one was better than another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan, sqrt

import numpy as np

from windtunnel.values import FloatArray

__all__ = [
    "Comparison",
    "Coverage",
    "Regression",
    "confidence_set",
    "coverage",
    "diebold_mariano",
    "mincer_zarnowitz",
    "mse",
    "qlike",
]


def qlike(realised: FloatArray, forecast: FloatArray) -> FloatArray:
    """Return the quasi-likelihood loss log h + v / h of each forecast.

    It ranks forecasts as the variance itself would, though ``realised`` is only an unbiased proxy of it.

    Parameters
    ----------
    realised : array of float64
        Variance v that came (≥ 0), such as the squared return.
    forecast : array of float64
        Variance h that was forecast, of the same shape and unit. Where it is not above 0 the loss is NaN.

    Notes
    -----
    Source: Patton (2011), Volatility forecast comparison using imperfect volatility proxies, Journal of
    Econometrics 160: his robust losses with b = -2, less what the forecast has no part in.
    """
    loss = np.full(np.broadcast(realised, forecast).shape, np.nan)
    known = forecast > 0
    loss[known] = np.log(forecast[known]) + realised[known] / forecast[known]
    return loss


def mse(realised: FloatArray, forecast: FloatArray) -> FloatArray:
    """Return the squared error of each forecast of variance: Patton (2011) with b = 0."""
    return (realised - forecast) ** 2


@dataclass(frozen=True)
class Regression:
    """Intercept, slope and R² of a regression; a good forecast has 0, 1, and a high R²."""

    alpha: float
    beta: float
    r2: float


def mincer_zarnowitz(realised: FloatArray, forecast: FloatArray) -> Regression:
    """Regress what came on what was forecast; NaN where either is missing or the forecasts are all equal.

    Source: Mincer & Zarnowitz (1969), The evaluation of economic forecasts.
    """
    known = ~(np.isnan(realised) | np.isnan(forecast))
    y, x = realised[known], forecast[known]
    if len(x) < 2 or np.ptp(x) == 0:
        return Regression(nan, nan, nan)
    x, y = x - (middle := x.mean()), y - (level := y.mean())
    beta = float(x @ y / (x @ x))
    r2 = beta * float(x @ y / (y @ y)) if y.any() else nan
    return Regression(float(level - beta * middle), beta, r2)


@dataclass(frozen=True)
class Comparison:
    """Mean difference of two losses, its statistic, and the two-sided p of no difference."""

    difference: float
    statistic: float
    p: float


def diebold_mariano(loss: FloatArray, other: FloatArray, horizon: int = 1) -> Comparison:
    """Test whether two series of losses, in time order, have one mean; negative favours the first.

    Parameters
    ----------
    loss, other : array of float64, ``[T]``
        A time at which either is NaN is left out.
    horizon : int
        Bars ahead of the forecasts, which overlap.

    Returns
    -------
    Comparison
        NaN with fewer than two losses more than ``horizon``, or where the difference never varies.

    Notes
    -----
    The variance of the mean is that of Newey & West (1987) with max(2 (h - 1), ⌊4 (n / 100)^(2/9)⌋) lags:
    differences of losses are correlated even one step ahead, and its weights shrink those of overlap. The
    statistic takes the correction of Harvey, Leybourne & Newbold (1997), Testing the equality of prediction
    mean squared errors, equation 9, and its p Student's t distribution with n - 1 degrees of freedom. Source
    of the test: Diebold & Mariano (1995), Comparing predictive accuracy, Journal of Business & Economic
    Statistics 13.
    """
    from scipy.special import stdtr

    difference = (loss - other)[~np.isnan(loss - other)]
    n = len(difference)
    if n < horizon + 2 or np.ptp(difference) == 0:
        return Comparison(float(difference.mean()) if n else nan, nan, nan)
    mean = float(difference.mean())
    lags = min(n - 1, max(2 * (horizon - 1), int(4 * (n / 100) ** (2 / 9))))
    centred = difference - mean
    variance = float(centred @ centred)
    for lag in range(1, lags + 1):
        variance += 2 * (1 - lag / (lags + 1)) * float(centred[lag:] @ centred[:-lag])
    correction = (n + 1 - 2 * horizon + horizon * (horizon - 1) / n) / n
    statistic = sqrt(max(correction, 0.0)) * mean * n / sqrt(variance)
    return Comparison(mean, statistic, float(2 * stdtr(n - 1, -abs(statistic))))


@dataclass(frozen=True)
class Coverage:
    """Share of ``windows`` in which the outcome lay inside the interval, and the 95% interval of it."""

    share: float
    low: float
    high: float
    windows: int


def coverage(came: FloatArray, low: FloatArray, high: FloatArray, horizon: int) -> Coverage:
    """Say how often an interval held what came over windows that do not overlap.

    Parameters
    ----------
    came, low, high : array of float64, ``[T]``
        Outcome over the ``horizon`` bars after each bar, and what was to bound it; a bar at which any is NaN
        is left out, and with it its window.
    horizon : int
        Every so many bars counts, from the first at which all three are known.

    Notes
    -----
    The interval of the share is exact: Clopper & Pearson (1934), The use of confidence or fiducial limits,
    Biometrika 26.
    """
    from scipy.special import betaincinv

    known = np.flatnonzero(~(np.isnan(came) | np.isnan(low) | np.isnan(high)))
    rows = known[(known - known[:1].sum()) % horizon == 0]
    n, k = len(rows), int(((low[rows] <= came[rows]) & (came[rows] <= high[rows])).sum())
    if not n:
        return Coverage(nan, nan, nan, 0)
    least = float(betaincinv(k, n - k + 1, 0.025)) if k else 0.0
    most = float(betaincinv(k + 1, n - k, 0.975)) if k < n else 1.0
    return Coverage(k / n, least, most, n)


def confidence_set(
    losses: FloatArray, names: Sequence[str], *, seed: int, block: int = 10, draws: int = 1_000
) -> dict[str, float]:
    """Return the p-value of each model; those above 0.1 make up the set that misses the best in 10 of 100.

    Parameters
    ----------
    losses : array of float64, ``[T, M]``
        Of M models, in time order; a time at which any is NaN is left out.
    names : sequence of str
        The M models.
    seed : int
    block : int
        Mean length of the bootstrap's blocks, in bars.
    draws : int
        Bootstrap samples.

    Notes
    -----
    Source: Hansen, Lunde & Nason (2011), The model confidence set, Econometrica 79, with their range
    statistic, section 3.1.2, and the stationary bootstrap of Politis & Romano (1994).
    """
    from arch.bootstrap import MCS

    known = losses[~np.isnan(losses).any(axis=1)]
    test = MCS(known, 0.1, reps=draws, block_size=block, method="R", seed=seed)
    test.compute()
    p = test.pvalues["Pvalue"]
    return {name: float(p.loc[place]) for place, name in enumerate(names)}
