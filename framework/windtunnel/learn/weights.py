"""How much each outcome is worth to who learns from it."""

from __future__ import annotations

import numpy as np

from windtunnel.values import FloatArray, IntArray

__all__ = ["uniqueness"]


def uniqueness(bar: IntArray, known: IntArray, symbol: IntArray) -> FloatArray:
    """Return the average uniqueness of each outcome, ``[n]``, in (0, 1].

    On each bar after its signal up to the one at which it is known, an outcome shares what happens with all
    outcomes of its symbol that are open there; its weight is the mean of one over their number.

    Parameters
    ----------
    bar, known, symbol : array of int64, ``[n]``
        The signal's bar, the bar at whose close its outcome is known, and its symbol.

    Notes
    -----
    Source: López de Prado (2018), Advances in Financial Machine Learning, section 4.3.
    """
    weight = np.ones(len(bar))
    for column in np.unique(symbol):
        rows = np.flatnonzero(symbol == column)
        first, last = bar[rows] + 1, np.maximum(known[rows], bar[rows] + 1)
        edges = np.zeros(int(last.max()) + 2)
        np.add.at(edges, first, 1.0)
        np.add.at(edges, last + 1, -1.0)
        open_ = np.cumsum(edges)
        shares = np.concatenate(([0.0], np.cumsum(1.0 / np.maximum(open_, 1.0))))
        weight[rows] = (shares[last + 1] - shares[first]) / (last + 1 - first)
    return weight
