"""What companies do to their shares: dividends and splits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from windtunnel.values.arrays import FloatArray, IntArray
from windtunnel.values.piece import frozen

__all__ = ["Actions"]


@dataclass(frozen=True, eq=False)
class Actions:
    """Dividends and splits, sorted by bar, then symbol; one row a (bar, symbol).

    Parameters
    ----------
    bar : array of int64
        Row of the bars on whose open they take effect (the ex-date).
    symbol : array of int64
        Column of the bars.
    dividend : array of float64
        Cash per unit held at the close before, counted after the split; 0 for none.
    split : array of float64
        New units for each old one; 1 for none.
    """

    bar: IntArray
    symbol: IntArray
    dividend: FloatArray
    split: FloatArray

    def __post_init__(self) -> None:
        frozen(self)

    def __len__(self) -> int:
        return len(self.bar)

    @classmethod
    def empty(cls) -> Actions:
        """Return no actions."""
        return cls(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0), np.empty(0))

    @classmethod
    def merged(
        cls,
        bar: npt.ArrayLike,
        symbol: npt.ArrayLike,
        when: npt.ArrayLike,
        dividend: npt.ArrayLike,
        split: npt.ArrayLike,
    ) -> Actions:
        """Put together what falls on one bar of a symbol, given in any order.

        Splits multiply and dividends add up, each divided by the splits that come later on that bar, so that
        all are per unit after the splits.

        Parameters
        ----------
        bar, symbol, dividend, split : array-like, ``[n]``
            As the fields.
        when : array-like, ``[n]``
            Order within a bar. Of equal ones, the dividends are per unit after the splits.
        """
        rows = sorted(
            zip(*(np.asarray(part).tolist() for part in (bar, symbol, when, dividend, split)), strict=True)
        )
        found = []
        for place, of_bar in groupby(rows, key=lambda row: row[:2]):
            cash, units = 0.0, 1.0
            for _, at_once in groupby(of_bar, key=lambda row: row[2]):
                dividends, splits = zip(*(row[3:] for row in at_once), strict=True)
                cash = cash / prod(splits) + sum(dividends)
                units *= prod(splits)
            found.append((*place, cash, units))
        columns: Any = zip(*found, strict=True) if found else ((), (), (), ())
        bars, symbols, cash_, units_ = columns
        return cls(
            np.array(bars, np.int64),
            np.array(symbols, np.int64),
            np.array(cash_, float),
            np.array(units_, float),
        )

    def cut(self, start: int, stop: int) -> Actions:
        """Return the actions on the bars ``start`` to ``stop`` (exclusive), counted from ``start``."""
        low, high = np.searchsorted(self.bar, (start, max(start, stop)))
        rows = slice(low, high)
        return Actions(self.bar[rows] - start, self.symbol[rows], self.dividend[rows], self.split[rows])

    def select(self, columns: Sequence[int]) -> Actions:
        """Return the actions of the chosen columns, which are counted anew in that order."""
        rows = [np.flatnonzero(self.symbol == column) for column in columns]
        symbol = np.repeat(np.arange(len(columns)), [len(part) for part in rows])
        row = np.concatenate([*rows, np.empty(0, np.int64)])
        order = np.lexsort((symbol, self.bar[row]))
        row, symbol = row[order], symbol[order]
        return Actions(self.bar[row], symbol, self.dividend[row], self.split[row])
