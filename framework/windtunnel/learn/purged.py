"""Cross-validation that does not let outcomes overlap."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from windtunnel.errors import InvalidValueError
from windtunnel.values import IntArray

__all__ = ["purged_folds"]


def purged_folds(
    bar: IntArray, known: IntArray, folds: int, embargo: int = 0
) -> Iterator[tuple[IntArray, IntArray]]:
    """Yield rows to learn from and rows to judge by, for each block of time.

    Parameters
    ----------
    bar, known : array of int64, ``[n]``
        When each outcome begins, and at which bar it is known. Rows may come in any order.
    folds : int
        Blocks of about equally many rows, in the order of ``bar``; signals of one bar stay together.
    embargo : int
        Bars after a block from which nothing is learned either.

    Yields
    ------
    train, test : array of int64
        No outcome of ``train`` is open on a bar where one of ``test`` is. Empty blocks are left out.

    Raises
    ------
    InvalidValueError
        If there are fewer than two folds.

    Notes
    -----
    Source: López de Prado (2018), Advances in Financial Machine Learning, section 7.4.
    """
    if folds < 2:
        raise InvalidValueError("folds", "must be at least 2", folds)
    if not len(bar):
        return
    times = np.sort(bar, kind="stable")
    edges = times[(np.arange(1, folds) * len(bar)) // folds]
    block = np.searchsorted(edges, bar, side="right")
    for number in np.unique(block):
        inside = block == number
        begin, end = bar[inside].min(), known[inside].max() + embargo
        apart = (known < begin) | (bar > end)
        train, test = np.flatnonzero(apart), np.flatnonzero(inside)
        if len(train):
            yield train, test
