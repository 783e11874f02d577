"""What a stage said, bar by bar, and where two runs first disagree about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from windtunnel.values import BoolArray, FloatArray, IntArray

__all__ = ["RELATIVE", "Difference", "Output", "Panel", "Rows", "first_difference", "same"]

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
        What each run says; None where it has no such row.
    """

    what: str
    symbol: int
    bar: int
    before: Any
    after: Any


@dataclass(frozen=True, eq=False)
class Panel:
    """A value for every bar and symbol, ``[T, N]``: of type bool, int, float or str."""

    values: Array

    def difference(self, other: Panel, name: str, stop: int) -> Difference | None:
        """Return the first difference in the bars before ``stop``."""
        mine, others = self.values[:stop], other.values[:stop]
        unlike = ~same(mine, others)
        if not unlike.any():
            return None
        bar = int(unlike.any(axis=1).argmax())
        symbol = int(unlike[bar].argmax())
        return Difference(name, symbol, bar, mine[bar, symbol].item(), others[bar, symbol].item())

    def answers(self, stop: int) -> bool:
        """Say whether anything but NaN, 0 and False is said in the bars before ``stop``."""
        values = self.values[:stop]
        return bool(((values == values) & (values != 0)).any())


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
        """Return the first difference in the rows of the bars before ``stop``."""
        mine, others = self._past(stop), other._past(stop)
        count = min(len(mine.bar), len(others.bar))
        agree = np.array([mine._keys()[k][:count] == others._keys()[k][:count] for k in range(3)]).all(axis=0)
        close = same(mine.values[:count], others.values[:count])
        unlike = np.flatnonzero(~(agree & close.all(axis=1)))
        if not len(unlike) and len(mine.bar) == len(others.bar):
            return None
        row = int(unlike[0]) if len(unlike) else count
        return _difference_in_row(mine, others, row, name)

    def answers(self, stop: int) -> bool:
        """Say whether any row before ``stop`` says something."""
        past = self._past(stop)
        return bool((~np.isnan(past.values)).any()) or (len(past.bar) > 0 and not len(self.names))

    def _keys(self) -> tuple[IntArray, IntArray, npt.NDArray[np.str_]]:
        return self.bar, self.symbol, self.label

    def _past(self, stop: int) -> Rows:
        """Return the rows before ``stop`` in an order that depends on nothing but themselves."""
        rows = np.flatnonzero(self.bar < stop)
        keys = [*self.values[rows].T[::-1], self.label[rows], self.symbol[rows], self.bar[rows]]
        rows = rows[np.lexsort(keys)]
        return Rows(self.bar[rows], self.symbol[rows], self.label[rows], self.names, self.values[rows])


Output: TypeAlias = Panel | Rows


def _difference_in_row(mine: Rows, others: Rows, row: int, name: str) -> Difference:
    places = [
        tuple(key[row].item() for key in rows._keys()) if row < len(rows.bar) else None
        for rows in (mine, others)
    ]
    present = [place for place in places if place is not None]
    bar, symbol, label = min(present)
    what = label or name
    here = [place == (bar, symbol, label) for place in places]
    if all(here):
        column = int((~same(mine.values[row], others.values[row])).argmax())
        what = mine.names[column] if not label else f"{mine.names[column]} of {label}"
        return Difference(what, symbol, bar, mine.values[row, column].item(), others.values[row, column].item())
    before, after = ("there" if is_here else None for is_here in here)
    return Difference(what, symbol, bar, before, after)


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
    found = []
    for name in before.keys() & after.keys():
        mine, others = before[name], after[name]
        if isinstance(mine, Panel) and isinstance(others, Panel):
            found.append(mine.difference(others, name, stop))
        elif isinstance(mine, Rows) and isinstance(others, Rows):
            found.append(mine.difference(others, name, stop))
    return min(
        (difference for difference in found if difference is not None),
        key=lambda difference: (difference.bar, difference.symbol, difference.what),
        default=None,
    )
