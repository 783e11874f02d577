"""Whether a signal's timing earned anything."""

from __future__ import annotations

from math import nan

import numpy as np

from windtunnel.values import FloatArray

__all__ = ["rotation_test"]

_NEARLY = 1e-9


def rotation_test(weights: FloatArray, returns: FloatArray) -> float:
    """Return how often a signal earned as much when it was shifted against the prices: a p-value.

    The null is that the path of the weights and the path of the returns have nothing to do with each other,
    and that the returns look the same wherever the path is begun. Every rotation then is as likely as the one
    that happened. It leaves both paths as they are: how long and how often the signal is invested, its
    turnover and so its costs, the drift of the prices, their clusters of volatility, and how symbols move
    together. Holding through all bars earns the same in every rotation and has a p-value of 1. It does not
    know from how many signals this one was chosen.

    Parameters
    ----------
    weights : array of float64, ``[T, N]``
        Held from the close of each bar, as shares of equity; NaN counts as 0.
    returns : array of float64, ``[T, N]``
        Simple returns of the symbols, against the close before; NaN counts as 0. Weights of bar t earn the
        returns of bar t + 1.

    Returns
    -------
    float
        At least 1 / (T − 1); NaN for fewer than three bars, and where nothing is ever held.

    Notes
    -----
    All T − 1 rotations, by the circular cross-correlation, so nothing is drawn at random. A randomisation
    test by the group of rotations: Lehmann & Romano (2005), Testing Statistical Hypotheses, section 15.2.
    """
    held = np.nan_to_num(weights[:-1], nan=0.0)
    came = np.nan_to_num(returns[1:], nan=0.0)
    count = len(held)
    size = float((np.abs(held) * np.abs(came).max(axis=0, initial=0.0)).sum()) if count > 1 else 0.0
    if not size > 0:
        return nan
    spectrum = (np.conj(np.fft.rfft(held, axis=0)) * np.fft.rfft(came, axis=0)).sum(axis=1)
    earned = np.fft.irfft(spectrum, count)
    return float((earned >= earned[0] - _NEARLY * size).mean())
