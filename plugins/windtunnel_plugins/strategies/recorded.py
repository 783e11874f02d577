"""Weights that were made elsewhere."""

from __future__ import annotations

from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Self

import numpy as np
from annotated_types import MinLen

from windtunnel.bars import Bars
from windtunnel.errors import DataError, InvalidValueError, nearest
from windtunnel.market import Market
from windtunnel.plugin import Strategy
from windtunnel.values import Exposure, FloatArray, IntArray, TimeArray
from windtunnel_plugins.strategies._holding import postpone

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Recorded"]


class Recorded(Strategy):
    """Holds what a file says: a time column, then one column of weights a symbol.

    A row is decided at the close of the bar of that time. An empty cell keeps the units held; so does every
    bar without a row. Symbols are flat before their first weight, and flat throughout if the file has no
    column for them. A weight on a bar that its symbol does not have waits for the symbol's next bar.
    Rows before the first bar or after the last one are left out; any other row must be the time of a bar.
    """

    name = "recorded"

    path: Annotated[str, MinLen(1)]
    """File to read: Parquet if it ends in ``.parquet``, else CSV, which may be compressed."""
    time_column: str | None = None
    """Column with the times, in the bars' own clock unless they carry a time zone; the first if left out."""

    @classmethod
    def example(cls) -> Self:
        """Return an instance whose file has no rows."""
        return cls(path=str(Path(__file__).with_name("recorded_example.csv")))

    @property
    def fingerprint(self) -> str:
        """A hash of the file; empty where there is none."""
        path = Path(self.path)
        return blake2b(path.read_bytes(), digest_size=8).hexdigest() if path.is_file() else ""

    def exposure(self, market: Market) -> Exposure:
        """Return the weights on their bars, 0 on the first bar, NaN (keep) elsewhere.

        Raises
        ------
        InvalidValueError
            If the file cannot be read, has no such time column, or a column that is no symbol of the bars.
        DataError
            If a time is no bar's, is missing, or is not later than the one before; if a weight is not a
            number in [-1, 1]. Names the row.
        """
        frame = self._read()
        time_column = self.time_column or str(frame.columns[0])
        exposure = np.full(market.shape, np.nan, order="F")
        exposure[:1] = 0.0
        row, bar = _match(_times(frame[time_column]), market.bars)
        for symbol in frame.columns.drop(time_column):
            weights = _weights(frame[symbol], str(symbol))[row]
            given = ~np.isnan(weights)
            exposure[bar[given], market.bars.column(str(symbol))] = weights[given]
        return postpone(exposure, market.bars.present)

    def _read(self) -> pd.DataFrame:
        import pandas as pd

        path = Path(self.path)
        if not path.is_file():
            raise InvalidValueError("path", "must be a file", self.path)
        try:
            frame = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)
        except (ValueError, OSError) as error:
            raise InvalidValueError("path", f"must be a Parquet or CSV file; {error}", self.path) from error
        if not isinstance(frame.index, pd.RangeIndex):
            frame = frame.reset_index()
        if not len(frame.columns):
            raise InvalidValueError("path", "must have a time column", self.path)
        columns = [str(column) for column in frame.columns]
        if self.time_column is not None and self.time_column not in columns:
            hint = nearest(self.time_column, columns)
            rule = f"must be a column of {self.path}" + (f"; did you mean {hint}?" if hint else "")
            raise InvalidValueError("time_column", rule, self.time_column)
        return frame.set_axis(columns, axis=1)


def _times(column: pd.Series) -> TimeArray:
    """Return the times as datetime64[ns], ``[rows]``, in UTC where they carry a zone."""
    import pandas as pd

    if len(column) and pd.api.types.is_numeric_dtype(column):
        raise DataError(f"column {column.name} must hold times, not numbers", rule="recorded_time", row=0)
    times = pd.to_datetime(column, format="ISO8601", utc=True, errors="coerce").dt.tz_localize(None)
    wrong = np.flatnonzero(times.isna() | (times > pd.Timestamp.max) | (times < pd.Timestamp.min))
    if len(wrong):
        row = int(wrong[0])
        message = f"column {column.name} must hold ISO dates or times (got {column.iloc[row]})"
        raise DataError(message, rule="recorded_time", row=row, count=len(wrong))
    values = times.to_numpy("datetime64[ns]")
    late = np.flatnonzero(values[1:] <= values[:-1])
    if len(late):
        row = int(late[0]) + 1
        message = f"the time {values[row]} must be later than that of the row before"
        raise DataError(message, rule="recorded_time_order", row=row, count=len(late))
    return values


def _match(times: TimeArray, bars: Bars) -> tuple[IntArray, IntArray]:
    """Return the rows of the file that lie within the bars, and the bar of each."""
    if not len(bars) or not len(times):
        return np.empty(0, np.int64), np.empty(0, np.int64)
    if times[-1] < bars.time[0]:
        message = f"the last time {times[-1]} lies before the first bar {bars.time[0]}"
        raise DataError(message, rule="recorded_time", row=len(times) - 1)
    row = np.flatnonzero((times >= bars.time[0]) & (times <= bars.time[-1]))
    bar = np.searchsorted(bars.time, times[row])
    strange = np.flatnonzero(bars.time[bar] != times[row])
    if len(strange):
        first = strange[0]
        message = f"the time {times[row[first]]} is no bar's; the next bar is {bars.time[bar[first]]}"
        raise DataError(message, rule="recorded_time", row=int(row[first]), count=len(strange))
    return row, bar


def _weights(column: pd.Series, symbol: str) -> FloatArray:
    """Return the weights, ``[rows]``; NaN where the cell is empty."""
    import pandas as pd

    weights = pd.to_numeric(column, errors="coerce").to_numpy(np.float64, na_value=np.nan)
    wrong = np.flatnonzero((np.isnan(weights) & column.notna().to_numpy()) | (np.abs(weights) > 1))
    if len(wrong):
        row = int(wrong[0])
        message = f"a weight must be a number in [-1, 1] (got {column.iloc[row]})"
        raise DataError(message, rule="recorded_weight", symbol=symbol, row=row, count=len(wrong))
    return weights
