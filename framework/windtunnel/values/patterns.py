"""What a pattern detector says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from windtunnel.values.arrays import BoolArray, FloatArray, IntArray

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Patterns"]


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
    """

    symbol: IntArray
    type: npt.NDArray[np.str_]
    first: IntArray
    confirmed: IntArray
    direction: IntArray
    confidence: FloatArray
    target: FloatArray
    stop: FloatArray

    def __len__(self) -> int:
        return len(self.symbol)

    @staticmethod
    def empty() -> Patterns:
        """Return a table without rows."""
        whole, real = np.empty(0, np.int64), np.empty(0)
        return Patterns(whole, np.empty(0, "U1"), whole, whole, whole, real, real, real)

    def take(self, rows: BoolArray | IntArray) -> Patterns:
        """Return the chosen rows."""
        return Patterns(*(getattr(self, field.name)[rows] for field in fields(self)))

    def cut(self, start: int, stop: int) -> Patterns:
        """Return the patterns confirmed on bars ``start`` to ``stop`` (exclusive), counted from ``start``."""
        part = self.take((self.confirmed >= start) & (self.confirmed < stop))
        return part._shifted(-start)

    def _shifted(self, bars: int) -> Patterns:
        columns: dict[str, Any] = {field.name: getattr(self, field.name) for field in fields(self)}
        columns |= {"first": self.first + bars, "confirmed": self.confirmed + bars}
        return Patterns(**columns)

    @staticmethod
    def join(parts: Sequence[Patterns]) -> Patterns:
        """Put tables that count bars from the same start together, ordered by confirmation."""
        columns = [np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Patterns)]
        joined = Patterns(*columns)
        return joined.take(np.lexsort((joined.symbol, joined.confirmed)))

    def active(self, direction: int, within: int, shape: tuple[int, int]) -> BoolArray:
        """Say where a pattern of ``direction`` was confirmed on this bar or the ``within`` bars before.

        Returns an array of bool, ``[T, N]`` as given by ``shape``.
        """
        rows = self.take(self.direction == direction)
        last = np.full(shape, -1, np.int64)
        last[rows.confirmed, rows.symbol] = rows.confirmed
        last = np.maximum.accumulate(last, axis=0)
        return (last >= 0) & (np.arange(shape[0])[:, None] - last <= within)

    def to_frame(self) -> pd.DataFrame:
        """Return the table as a DataFrame, a column a field."""
        import pandas as pd

        return pd.DataFrame({field.name: getattr(self, field.name) for field in fields(self)})
