"""Which of the trials of a search is chosen."""

from __future__ import annotations

import numpy as np

from windtunnel.values import FloatArray, IntArray

__all__ = ["choose", "front"]


def choose(values: FloatArray) -> int:
    """Return the row of the best point; −1 where there is none.

    Parameters
    ----------
    values : array of float64, ``[K, m]``
        Of m objectives, higher is better; a row with NaN is never chosen.

    Notes
    -----
    With one objective the highest, the first of equals. With several the point of the Pareto front that is
    nearest to the ideal one, which has the best of each, every objective measured by its range over the
    front: Zeleny (1973), Compromise programming.
    """
    rows = front(values)
    if not len(rows):
        return -1
    best = values[rows]
    low, high = best.min(axis=0), best.max(axis=0)
    short = np.divide(high - best, high - low, out=np.zeros_like(best), where=high > low)
    return int(rows[np.argmin((short * short).sum(axis=1))])


def front(values: FloatArray) -> IntArray:
    """Return the rows that no other is as good as in every objective, the first of equals, in order.

    Parameters
    ----------
    values : array of float64, ``[K, m]``
        As for :func:`choose`.
    """
    known = np.flatnonzero(~np.isnan(values).any(axis=1))
    if values.shape[1] == 1:
        return known[[np.argmax(values[known, 0])]] if len(known) else known
    order = known[np.lexsort((known, *-values[known].T[::-1]))]
    best, kept = np.empty((len(order), values.shape[1])), list[int]()
    for row in order.tolist():
        if not (best[: len(kept)] >= values[row]).all(axis=1).any():
            best[len(kept)] = values[row]
            kept.append(row)
    return np.array(sorted(kept), np.int64)
