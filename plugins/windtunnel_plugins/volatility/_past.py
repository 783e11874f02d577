"""What the regressions know of past variance, each symbol in units of its own long-run level."""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np

from windtunnel.learn import realised_volatility
from windtunnel.market import Market
from windtunnel.panels import by_symbol, many_by_symbol, ratio, rolling_mean
from windtunnel.values import FloatArray

__all__ = ["FLOOR", "LEAST", "LEVEL", "Estimator", "downside", "level", "outcomes", "past_means", "variances"]

Estimator: TypeAlias = Literal["squared", "parkinson", "garman_klass", "rogers_satchell", "yang_zhang"]

LEVEL = 252
"""Bars that a symbol's long-run level is the mean of, at most."""
LEAST = 22
"""Bars before there is a level."""
FLOOR = 0.01
"""Least variance that counts, as a share of the level: that of no movement has no logarithm."""
OVERNIGHT = 0.34 / 2.34
"""Yang & Zhang's k for many bars: 0.34 / (1.34 + (n + 1) / (n - 1))."""


def variances(market: Market, estimator: Estimator) -> FloatArray:
    """Return the variance of each bar, ``[T, N]``, not annualised.

    Where the bars of a symbol have had no range for as long as a level takes, it is the squared return.

    Notes
    -----
    With open, high, low and close as log distances, o from the close before and u, d, c from the open:
    ``squared`` is the squared log return of closes; ``parkinson`` (u - d)² / (4 log 2), Parkinson (1980);
    ``garman_klass`` 0.5 (u - d)² - (2 log 2 - 1) c², Garman & Klass (1980), their practical one;
    ``rogers_satchell`` u (u - c) + d (d - c), Rogers & Satchell (1991); ``yang_zhang`` o² + k c² +
    (1 - k) × Rogers-Satchell, Yang & Zhang (2000) without drift, for many bars.
    """
    returns = market.log_returns()
    if estimator == "squared":
        return np.asarray(returns**2)
    up, down, move = (np.log(field / market.open) for field in (market.high, market.low, market.close))
    inside = up * (up - move) + down * (down - move)
    if estimator == "parkinson":
        found = (up - down) ** 2 / (4 * np.log(2))
    elif estimator == "garman_klass":
        found = 0.5 * (up - down) ** 2 - (2 * np.log(2) - 1) * move**2
    elif estimator == "rogers_satchell":
        found = inside
    else:
        found = (returns - move) ** 2 + OVERNIGHT * move**2 + (1 - OVERNIGHT) * inside
    return np.where(level(found) == 0, returns**2, found)


def level(values: FloatArray) -> FloatArray:
    """Return the mean of a symbol's last 252 values, of fewer at the start, NaN before the 22nd."""

    def column(own: FloatArray) -> FloatArray:
        mean = rolling_mean(own, LEVEL)
        head = own[: LEVEL - 1]
        mean[: len(head)] = np.cumsum(head) / np.arange(1, len(head) + 1)
        mean[: LEAST - 1] = np.nan
        return mean

    return by_symbol(column, values)


def past_means(values: FloatArray, windows: tuple[int, ...]) -> list[FloatArray]:
    """Return the mean of the last values over each window, as a share of the level, at least 1 % of it."""

    def column(own: FloatArray) -> tuple[FloatArray, ...]:
        return tuple(rolling_mean(own, window) for window in windows)

    long = level(values)
    return [np.maximum(ratio(mean, long), FLOOR) for mean in many_by_symbol(column, len(windows), values)]


def downside(market: Market, windows: tuple[int, ...]) -> list[FloatArray]:
    """Return the mean loss of each window in deviations: log returns below 0 without their sign."""

    def column(own: FloatArray) -> tuple[FloatArray, ...]:
        return tuple(rolling_mean(own, window) for window in windows)

    returns = market.log_returns()
    deviation = np.sqrt(level(returns**2))
    means = many_by_symbol(column, len(windows), np.maximum(-returns, 0.0))
    return [ratio(mean, deviation) for mean in means]


def outcomes(market: Market, horizon: int) -> FloatArray:
    """Return the variance of the ``horizon`` bars after each bar as a share of the level as known then.

    ``[T, N]``; NaN where it is not known inside the market.
    """
    ahead = realised_volatility(market.close, horizon, market.periods_per_year)
    return ratio(ahead**2 / market.periods_per_year, level(market.log_returns() ** 2))
