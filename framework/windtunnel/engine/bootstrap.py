"""The stationary bootstrap of sums, and how long its blocks should be."""

from __future__ import annotations

import math

import numpy as np

from windtunnel.values import FloatArray

__all__ = ["optimal_block_length", "resampled_sums"]

_DRAWS_AT_ONCE = 50_000
"""Blocks drawn in one go: few enough that the working arrays stay in the processor's cache."""


def optimal_block_length(values: FloatArray) -> float:
    """Return the mean block length with which the stationary bootstrap estimates a mean best, in bars.

    Parameters
    ----------
    values : array of float64, ``[T]``
        At least 10 values that vary.

    Returns
    -------
    float
        From 1 to ⌈min(3√T, T / 3)⌉.

    Notes
    -----
    ``(G / s)^(2/3) T^(1/3)`` where s is the long-run variance and G = Σ |k| R(k), both through the flat-top
    window: Politis and White, "Automatic Block-Length Selection for the Dependent Bootstrap", Econometric
    Reviews 23(1), 2004, with the constant of Patton, Politis and White, Econometric Reviews 28(4), 2009.
    The bandwidth is twice the first lag from which ``max(5, ⌊log10 T⌋)`` autocorrelations in a row are
    insignificant, as in Patton's own program.
    """
    count = len(values)
    longest = math.ceil(min(3 * math.sqrt(count), count / 3))
    run = max(5, int(math.log10(count)))
    last_lag = math.ceil(math.sqrt(count)) + run
    centred = values - values.mean()
    products = [(centred[lag:] * centred[: count - lag]).sum() for lag in range(last_lag + 1)]
    covariance = np.array(products) / count
    bound = 2 * math.sqrt(math.log10(count) / count)
    calm = (np.abs(covariance[1:-1]) < bound * covariance[0]).astype(np.int64)
    runs = np.flatnonzero(np.convolve(calm, np.ones(run, dtype=np.int64), "valid") == run)
    bandwidth = min(2 * (int(runs[0]) + 1), last_lag) if len(runs) else last_lag
    lags = np.arange(1, bandwidth + 1)
    weighted = 2 * np.minimum(1.0, 2 * (1 - lags / bandwidth)) * covariance[1 : bandwidth + 1]
    slope, variance = abs(float((lags * weighted).sum())), abs(float(covariance[0] + weighted.sum()))
    if slope * math.sqrt(count) >= variance * longest**1.5:
        return float(longest)
    return max(1.0, math.pow(slope / variance, 2 / 3) * math.cbrt(count))


def resampled_sums(values: FloatArray, block_length: float, samples: int, seed: int) -> FloatArray:
    """Return the column sums of stationary bootstrap samples of the rows of ``values``.

    Parameters
    ----------
    values : array of float64, ``[T, K]``
        Best centred on 0, which keeps rounding small.
    block_length : float
        Mean length of a block, at least 1.
    samples : int
    seed : int
        Same inputs and seed give the same bits.

    Returns
    -------
    array of float64, ``[samples, K]``
        Each row the sums over T resampled rows.

    Notes
    -----
    A block starts at a random row and runs on, around the end, for a geometric number of rows: Politis and
    Romano, "The Stationary Bootstrap", Journal of the American Statistical Association 89(428), 1994. Its sum
    is a difference of two prefix sums, so the work follows the number of blocks, not of rows.
    """
    count, columns = values.shape
    prefix = np.zeros((2 * count + 1, columns))
    np.cumsum(np.concatenate((values, values)), axis=0, out=prefix[1:])
    restart = 1 / block_length
    scale = -1 / math.log1p(-restart) if restart < 1 else 0.0
    blocks = int(count * restart + 6 * math.sqrt(count * restart * (1 - restart))) + 2
    generator = np.random.default_rng(seed)
    at_once = max(1, _DRAWS_AT_ONCE // blocks)
    totals = np.empty((samples, columns))
    for first in range(0, samples, at_once):
        shape = (min(at_once, samples - first), blocks)
        ends = 1 + (scale * generator.standard_exponential(shape)).astype(np.int64)
        ends = np.minimum(np.cumsum(ends, axis=1), count)
        ends[:, -1] = count
        start = generator.integers(count, size=shape)
        stop = start + np.diff(ends, axis=1, prepend=0)
        sums = prefix.take(stop.ravel(), axis=0) - prefix.take(start.ravel(), axis=0)
        totals[first : first + shape[0]] = np.add.reduceat(sums, np.arange(shape[0]) * blocks, axis=0)
    return totals
