"""What a pattern detector says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from windtunnel.errors import InvalidValueError
from windtunnel.values.arrays import BoolArray, FloatArray, IntArray

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Patterns"]

COLUMNS = (
    *("symbol", "type", "first", "confirmed", "direction", "confidence", "target", "stop"),
    *("success", "trials", "neckline", "probability"),
)
_LEFT_OUT = {"success": np.nan, "trials": 0.0, "neckline": np.nan, "probability": np.nan}
"""What stands in columns that a detector leaves out."""


@dataclass(frozen=True, eq=False)
class Patterns:
    """A table of detected patterns, one element of each column a detection.

    Parameters
    ----------
    symbol : array of int64
        Column of the bars.
    type : array of str
        Name of the pattern, such as ``engulfing``.
    first, confirmed : array of int64
        First bar of the pattern, and the bar at whose close it is known: nobody may act on it earlier.
    direction : array of int64
        1 bullish, -1 bearish, 0 neither.
    confidence : array of float64
        In [0, 1].
    target, stop : array of float64
        Price levels that the pattern implies; NaN where it implies none.
    success, trials : array of float64
        Share of earlier patterns of this type whose outcome was known by then that paid, and how many these
        were; NaN and 0 where nobody counted. A detector leaves them out.
    neckline : array of float64
        Price level whose break confirmed the pattern; NaN where it has none, or where it was left out.
    probability : array of float64
        That the pattern pays, as a scorer learned it from earlier ones; NaN where none says so.
    bars : int
        T, the number of bars.
    known_from : int
        First bar that was searched; before it the detector abstains.
    """

    symbol: IntArray
    type: npt.NDArray[np.str_]
    first: IntArray
    confirmed: IntArray
    direction: IntArray
    confidence: FloatArray
    target: FloatArray
    stop: FloatArray
    bars: int
    known_from: int = 0
    success: FloatArray = field(default_factory=lambda: np.empty(0))
    trials: FloatArray = field(default_factory=lambda: np.empty(0))
    neckline: FloatArray = field(default_factory=lambda: np.empty(0))
    probability: FloatArray = field(default_factory=lambda: np.empty(0))

    def __post_init__(self) -> None:
        for name, blank in _LEFT_OUT.items():
            if not len(getattr(self, name)):
                object.__setattr__(self, name, np.full(len(self.symbol), blank))

    def __len__(self) -> int:
        return len(self.symbol)

    @classmethod
    def empty(cls, bars: int) -> Patterns:
        """Return a table without rows."""
        whole, real = np.empty(0, np.int64), np.empty(0)
        return cls(whole, np.empty(0, "U1"), whole, whole, whole, real, real, real, bars)

    def check(self, shape: tuple[int, int]) -> None:
        """Refuse what points outside the bars.

        Raises
        ------
        InvalidValueError
            If columns differ in length, or a bar, a symbol or a direction does not exist.
        """
        bars, symbols = shape
        lengths = {name: len(getattr(self, name)) for name in COLUMNS}
        if len(set(lengths.values())) > 1:
            raise InvalidValueError("patterns", "must have columns of equal length", lengths)
        for name, low, high in (("symbol", 0, symbols - 1), ("confirmed", 0, bars - 1), ("direction", -1, 1)):
            column = getattr(self, name)
            wrong = (column < low) | (column > high)
            if wrong.any():
                raise InvalidValueError(name, f"must lie between {low} and {high}", int(column[wrong][0]))
        if (self.first > self.confirmed).any():
            raise InvalidValueError("first", "must not be after confirmed", int(self.first.max()))

    def take(self, rows: BoolArray | IntArray) -> Patterns:
        """Return the chosen rows."""
        return replace(self, **{name: getattr(self, name)[rows] for name in COLUMNS})

    def cut(self, start: int, stop: int) -> Patterns:
        """Return the patterns confirmed on bars ``start`` to ``stop`` (exclusive), counted from ``start``."""
        part = self.take((self.confirmed >= start) & (self.confirmed < stop))
        known_from = min(max(self.known_from - start, 0), stop - start)
        return replace(part._moved(-start), bars=stop - start, known_from=known_from)

    def _moved(self, bars: int) -> Patterns:
        return replace(self, first=self.first + bars, confirmed=self.confirmed + bars)

    @classmethod
    def join(cls, parts: Sequence[Patterns]) -> Patterns:
        """Put pieces, in time order, together again; ordered by confirmation, then by symbol."""
        starts = np.cumsum([0, *(part.bars for part in parts)])
        silent = next((i for i, part in enumerate(parts) if part.known_from < part.bars), len(parts))
        moved = [part._moved(int(start)) for part, start in zip(parts, starts, strict=False)]
        known_from = int(starts[silent]) + (parts[silent].known_from if silent < len(parts) else 0)
        return replace(cls.union(moved, int(starts[-1])), known_from=known_from)

    @classmethod
    def union(cls, tables: Sequence[Patterns], bars: int) -> Patterns:
        """Put tables of the same bars on top of each other, ordered by confirmation, then by symbol."""
        columns = {name: np.concatenate([getattr(table, name) for table in tables]) for name in COLUMNS}
        known_from = max((table.known_from for table in tables), default=0)
        whole = cls(**columns, bars=bars, known_from=known_from)
        return whole.take(np.lexsort((whole.symbol, whole.confirmed)))

    def abstaining(self, bars: int) -> Patterns:
        """Return a table of ``bars`` bars that were not searched."""
        return replace(Patterns.empty(bars), known_from=bars)

    def active(self, direction: int, within: int, symbols: int) -> BoolArray:
        """Say where a pattern of ``direction`` was confirmed on this bar or the ``within`` bars before.

        Returns an array of bool, ``[T, N]`` with N = ``symbols``.
        """
        rows = self.take(self.direction == direction)
        last = np.full((self.bars, symbols), -1, np.int64)
        last[rows.confirmed, rows.symbol] = rows.confirmed
        last = np.maximum.accumulate(last, axis=0)
        return (last >= 0) & (np.arange(self.bars)[:, None] - last <= within)

    def to_frame(self) -> pd.DataFrame:
        """Return the table as a DataFrame, a column a field."""
        import pandas as pd

        return pd.DataFrame({name: getattr(self, name) for name in COLUMNS})
