"""The recursion of Bayesian online change point detection."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from windtunnel.engine.compiled import compiled, inlined

__all__ = ["runs"]


_NOTHING = 1e-4
"""Runs that are less likely are forgotten; those that may just have begun are not."""


@inlined
def _above(score: float) -> float:
    """Return the probability that a standard normal is below ``score``."""
    return 0.5 * math.erfc(-score / math.sqrt(2.0))


@compiled
def runs(
    values: Any, hazard: float, flat: float, shape: float, longest: int, trend: float, wild: float
) -> Any:
    """Return what is known of the run that each bar stands in, from the values up to it.

    A run's values are normal; mean and variance have a normal-inverse-gamma prior, with mean 0, ``flat``
    and ``shape`` (its scale so that the variance is about 1). Adams & MacKay (2007), Bayesian online
    changepoint detection, arXiv 0710.3742, algorithm 1; Murphy (2007), Conjugate Bayesian analysis of the
    Gaussian distribution, equations 85 to 89 and 99.

    Parameters
    ----------
    values : array of float64, ``[T]``
    hazard : float
        Probability that a run ends, at each bar.
    flat, shape : float
        Values that the prior counts as, for the mean; and half that for the variance.
    longest : int
        Runs at least so long are taken for one, which forgets what came earlier.

    trend : float
        Ratio of mean to deviation from which a run rises.
    wild : float
        Deviation from which it is wild.

    Returns
    -------
    array of float64, ``[T, 5]``
        The probability that the run's deviation is above ``wild``; that its mean is above ``trend`` times
        the deviation; that it is below minus that; and the mean and the variance expected. The first three
        take the logarithm of a deviation, and the mean over the deviation, for normal, given the length of
        the run.
    """
    rows = len(values)
    found, nothing = np.zeros((rows, 5)), min(_NOTHING, 0.01 * hazard)
    weight, mean, scale = np.zeros(longest + 1), np.zeros(longest + 1), np.zeros(longest + 1)
    constant = np.empty(longest)
    for r in range(longest):
        alpha = shape + r / 2
        constant[r] = math.lgamma(alpha + 0.5) - math.lgamma(alpha)
    weight[0], scale[0] = 1.0, shape
    reach = 1
    for t in range(rows):
        ended, total = 0.0, 0.0
        for r in range(reach - 1, -1, -1):
            weight[r + 1], now = 0.0, weight[r]
            if now <= nothing:
                continue
            kappa, alpha = flat + r, shape + r / 2
            away = values[t] - mean[r]
            spread = 2 * scale[r] * (kappa + 1) / kappa
            tail = (alpha + 0.5) * math.log1p(away**2 / spread)
            share = now * math.exp(constant[r] - 0.5 * math.log(spread) - tail)
            ended += share * hazard
            total += share
            weight[r + 1] = share * (1 - hazard)
            mean[r + 1] = mean[r] + away / (kappa + 1)
            scale[r + 1] = scale[r] + 0.5 * away**2 * kappa / (kappa + 1)
        weight[0], mean[0], scale[0] = ended, 0.0, shape
        if reach == longest:
            if weight[longest] > weight[longest - 1]:
                mean[longest - 1] = mean[longest]
                scale[longest - 1] = scale[longest] * (shape + (longest - 1) / 2) / (shape + longest / 2)
            weight[longest - 1] += weight[longest]
        reach = min(reach + 1, longest)
        for r in range(reach):
            weight[r] = weight[r] / total if total > 0 else (1.0 if r == 0 else 0.0)
            if weight[r] <= nothing:
                continue
            alpha = shape + r / 2
            variance = scale[r] / alpha
            ratio, doubt = mean[r] / math.sqrt(variance), math.sqrt(flat + r)
            excess = 0.5 * math.log(variance) - math.log(wild)
            found[t, 0] += weight[r] * _above(excess * 2 * math.sqrt(alpha))
            found[t, 1] += weight[r] * _above((ratio - trend) * doubt)
            found[t, 2] += weight[r] * _above((-ratio - trend) * doubt)
            found[t, 3] += weight[r] * mean[r]
            found[t, 4] += weight[r] * variance
    return found
