"""Positions that last from one event to another, and symbols that miss bars."""

from __future__ import annotations

import numpy as np

from windtunnel.values import BoolArray, FloatArray

__all__ = ["carry", "hold", "last_asked", "postpone"]


def carry(values: FloatArray, present: BoolArray) -> FloatArray:
    """Fill the bars that a symbol does not have, ``[T, N]``, with its value at the last bar that it had."""
    if present.all():
        return values
    bar = np.arange(len(values))[:, None]
    last = np.maximum.accumulate(np.where(present, bar, 0), axis=0)
    return np.take_along_axis(values, last, axis=0)


def hold(enter: BoolArray, leave: BoolArray) -> BoolArray:
    """Say where a position is held: from a bar of ``enter`` until a bar of ``leave``.

    Parameters
    ----------
    enter, leave : array of bool, ``[T, N]``
        Where both are set, ``leave`` counts.

    Returns
    -------
    array of bool, ``[T, N]``
        True on the bar of entry, False on the bar of exit and before the first entry.
    """
    bar = np.arange(1, len(enter) + 1)[:, None]
    entered = np.maximum.accumulate(np.where(enter, bar, 0), axis=0)
    left = np.maximum.accumulate(np.where(leave, bar, 0), axis=0)
    return entered > left


def last_asked(exposure: FloatArray) -> FloatArray:
    """Fill NaN with the last number before it, 0 before the first."""
    bar = np.where(np.isnan(exposure), -1, np.arange(len(exposure))[:, None])
    last = np.maximum.accumulate(bar, axis=0)
    return np.where(last < 0, 0.0, np.take_along_axis(exposure, np.maximum(last, 0), axis=0))


def postpone(wanted: FloatArray, present: BoolArray) -> FloatArray:
    """Move what is wanted on bars that a symbol does not have to its next bar, where it can be decided.

    Parameters
    ----------
    wanted : array of float64, ``[T, N]``
        Exposure; NaN keeps the units held.
    present : array of bool, ``[T, N]``
        Where a symbol has a bar.

    Returns
    -------
    array of float64, ``[T, N]``
        NaN where a symbol has no bar. Of several exposures for one bar the latest counts.
    """
    if present.all():
        return wanted
    moved = np.full(wanted.shape, np.nan, order="F")
    for column in range(wanted.shape[1]):
        own = np.flatnonzero(present[:, column])
        given = np.flatnonzero(~np.isnan(wanted[:, column]))
        next_own = np.searchsorted(own, given)
        for bar, slot in zip(given, next_own, strict=True):
            if slot < len(own):
                moved[own[slot], column] = wanted[bar, column]
    return moved
