"""Whether probabilities came true."""

from __future__ import annotations

import numpy as np

from windtunnel.values import BoolArray, FloatArray

__all__ = ["auc", "brier_skill", "calibration_error"]

BINS = 10


def brier_skill(probability: FloatArray, won: BoolArray, base: FloatArray, weight: FloatArray) -> float:
    """Return by which share squared errors are less than those of ``base``; NaN where these are 0.

    Source: Murphy (1973), A new vector partition of the probability score; Brier (1950).
    """
    ours, naive = (float(weight @ (said - won) ** 2) for said in (probability, base))
    return 1 - ours / naive if naive > 0 else np.nan


def auc(probability: FloatArray, won: BoolArray, weight: FloatArray) -> float:
    """Return how often a win was given more than a loss, ties counting half; NaN with one of them only.

    Source: Hanley & McNeil (1982), Radiology 143: the area under the receiver operating characteristic.
    """
    _, place = np.unique(probability, return_inverse=True)
    wins, losses = (np.bincount(place, weight * which) for which in (won, ~won))
    pairs = float(wins.sum() * losses.sum())
    return float(wins @ (np.cumsum(losses) - losses / 2)) / pairs if pairs > 0 else np.nan


def calibration_error(
    probability: FloatArray, won: BoolArray, weight: FloatArray, *, equal_counts: bool = False
) -> float:
    """Return the mean distance of what was said from what came, over ten bins, weighted by their counts.

    Source: Naeini, Cooper & Hauskrecht (2015), Obtaining well calibrated probabilities using Bayesian
    binning: bins of width 0.1. With ``equal_counts`` they hold a tenth of the signals each.
    """
    if equal_counts:
        place = np.empty(len(won), np.int64)
        place[np.argsort(probability, kind="stable")] = np.arange(len(won)) * BINS // len(won)
    else:
        place = np.minimum((probability * BINS).astype(np.int64), BINS - 1)
    off = np.bincount(place, weight * (probability - won), BINS)
    return float(np.abs(off).sum() / weight.sum())
