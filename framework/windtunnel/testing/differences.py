"""What a stage said, bar by bar, and where two runs first disagree about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite, isnan
from typing import Any, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from windtunnel.values import BoolArray, FloatArray, IntArray

__all__ = ["RELATIVE", "Difference", "Output", "Panel", "Rows", "first_difference", "plain", "same"]

RELATIVE = 1e-9
"""Floats that differ by no more than this share are equal.

The same sums over arrays of different length may take another order (blocks of BLAS and of vector
instructions), which moves the last bits and nothing that a trade could be made of.
"""
FLOOR = 1e-13
"""The same, as a share of the largest magnitude in the column: what is left where equal terms cancel."""

Array: TypeAlias = npt.NDArray[Any]


@dataclass(frozen=True)
class Difference:
    """The first thing that two runs say differently.

    Parameters
    ----------
    what : str
        Such as ``score`` or ``sma(20)``.
    symbol, bar : int
        Column and row of the bars.
    before, after : bool, int, float, str or None
        What each run says; ``unknown`` for NaN, None where it has no such row.
    """

    what: str
    symbol: int
    bar: int
    before: Any
    after: Any


class Output(Protocol):
    """One thing that a stage says."""

    def difference(self, other: Any, name: str, stop: int) -> Difference | None:
        """Return the first difference to the same output of another run, in the bars before ``stop``."""

    def answers(self, stop: int) -> bool:
        """Say whether it says anything, rather than to abstain, in the bars before ``stop``."""

    def stretch(self, low: int, high: int) -> list[Array]:
        """Return what it says about the bars ``low`` to ``high`` (exclusive)."""


@dataclass(frozen=True, eq=False)
class Panel:
    """A value for every bar and symbol, ``[T, N]``: of type bool, int, float or str."""

    values: Array

    def difference(self, other: Panel, name: str, stop: int) -> Difference | None:
        """Return the first difference; see :class:`Output`."""
        mine, others = self.values[:stop], other.values[:stop]
        unlike = ~same(mine, others)
        if not unlike.any():
            return None
        bar = int(unlike.any(axis=1).argmax())
        symbol = int(unlike[bar].argmax())
        return Difference(name, symbol, bar, plain(mine[bar, symbol]), plain(others[bar, symbol]))

    def answers(self, stop: int) -> bool:
        """Say whether there is anything but NaN, 0, False and empty text before ``stop``."""
        values = self.values[:stop]
        nothing = values == ("" if values.dtype.kind == "U" else 0)
        return bool((~nothing & (values == values)).any())

    def stretch(self, low: int, high: int) -> list[Array]:
        """Return the rows of these bars; see :class:`Output`."""
        return [self.values[low:high]]


@dataclass(frozen=True, eq=False)
class Rows:
    """A table with any number of rows a bar.

    Parameters
    ----------
    bar, symbol : array of int64, ``[n]``
        Where each row is known.
    label : array of str, ``[n]``
        What kind of row it is, such as a pattern's name.
    names : tuple of str
        The m columns.
    values : array of float64, ``[n, m]``
    """

    bar: IntArray
    symbol: IntArray
    label: npt.NDArray[np.str_]
    names: tuple[str, ...]
    values: FloatArray

    def difference(self, other: Rows, name: str, stop: int) -> Difference | None:
        """Return the first difference; see :class:`Output`."""
        mine, others = self._past(stop), other._past(stop)
        count = min(len(mine), len(others))
        alike = same(mine.values[:count], others.values[:count])
        keys = [a[:count] == b[:count] for a, b in zip(mine._keys, others._keys, strict=True)]
        unlike = np.flatnonzero(~np.all([*keys, alike.all(axis=1)], axis=0))
        if len(unlike) and all(key[unlike[0]] for key in keys):
            row, column = int(unlike[0]), int(alike[unlike[0]].argmin())
            bar, symbol, label = mine._place(row)
            what = f"{mine.names[column]} of {name} {label}" if label else mine.names[column]
            values = (plain(rows.values[row, column]) for rows in (mine, others))
            return Difference(what, symbol, bar, *values)
        row = int(unlike[0]) if len(unlike) else count
        places = [rows._place(row) for rows in (mine, others) if row < len(rows)]
        if not places:
            return None
        bar, symbol, label = first = min(places)
        before, after = (
            "there" if row < len(rows) and rows._place(row) == first else None for rows in (mine, others)
        )
        return Difference(f"{name} {label}".strip(), symbol, bar, before, after)

    def answers(self, stop: int) -> bool:
        """Say whether any row before ``stop`` holds a number."""
        return not bool(np.isnan(self._past(stop).values).all())

    def stretch(self, low: int, high: int) -> list[Array]:
        """Return the rows of these bars, column by column; see :class:`Output`."""
        rows = (self.bar >= low) & (self.bar < high)
        return [column[rows] for column in (*self._keys, self.values)]

    def __len__(self) -> int:
        return len(self.bar)

    @property
    def _keys(self) -> tuple[IntArray, IntArray, npt.NDArray[np.str_]]:
        return self.bar, self.symbol, self.label

    def _place(self, row: int) -> tuple[int, int, str]:
        return int(self.bar[row]), int(self.symbol[row]), str(self.label[row])

    def _past(self, stop: int) -> Rows:
        """Return the rows before ``stop`` in an order that depends on nothing but themselves."""
        rows = np.flatnonzero(self.bar < stop)
        keys = [*self.values[rows].T[::-1], self.label[rows], self.symbol[rows], self.bar[rows]]
        rows = rows[np.lexsort(keys)]
        return Rows(self.bar[rows], self.symbol[rows], self.label[rows], self.names, self.values[rows])


def plain(value: np.generic) -> Any:
    """Return a value as Python has it; ``unknown`` for NaN, text for the infinite."""
    item = value.item()
    if isinstance(item, float) and not isfinite(item):
        return "unknown" if isnan(item) else str(item)
    return item


def same(a: Array, b: Array) -> BoolArray:
    """Say where two arrays are equal: floats within :data:`RELATIVE`, NaN like NaN, all else exactly."""
    equal = np.asarray(a == b)
    if equal.all() or "f" not in (a.dtype.kind, b.dtype.kind):
        return equal
    a, b = a.astype(np.float64), b.astype(np.float64)
    largest = np.nanmax(np.abs(np.where(np.isfinite(a), a, 0.0)), axis=0, initial=0.0)
    with np.errstate(invalid="ignore"):
        slack = RELATIVE * np.maximum(np.abs(a), np.abs(b)) + FLOOR * largest
        close = np.abs(a - b) <= np.where(np.isfinite(slack), slack, 0.0)
    return np.asarray(equal | close | (np.isnan(a) & np.isnan(b)))


def first_difference(
    before: Mapping[str, Output], after: Mapping[str, Output], stop: int
) -> Difference | None:
    """Return the earliest difference in what both runs said about the bars before ``stop``."""
    shared = (name for name in before if name in after)
    found = (before[name].difference(after[name], name, stop) for name in shared)
    differences = [difference for difference in found if difference is not None]
    return min(differences, key=lambda difference: (difference.bar, difference.symbol), default=None)
