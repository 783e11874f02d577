"""The immutable panel of bars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import blake2b
from math import isnan
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from windtunnel.errors import InvalidValueError, nearest
from windtunnel.values import FloatArray, IntArray, TimeArray

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["FIELDS", "Bars", "infer_periods_per_year"]

FIELDS = ("open", "high", "low", "close", "volume")


@dataclass(frozen=True, eq=False, repr=False)
class Bars:
    """Open, high, low, close and volume of N symbols over T bars.

    Use :meth:`from_arrays` or :meth:`from_frame`; the constructor takes what they have checked.

    Parameters
    ----------
    time : array of datetime64[ns], ``[T]``
        When each bar is stamped; strictly increasing. UTC where ``timezone`` is set, else as the source
        wrote it.
    symbols : tuple of str
        The N columns.
    open, high, low, close, volume : array of float64, ``[T, N]``
        Each symbol contiguous in memory, read-only; NaN where a symbol has no bar.
    last_bar : array of int64, ``[N]``
        Row of each symbol's last recorded bar. Cuts keep it, so it may lie beyond the end.
    timezone : str or None
        Zone of the exchange, for display.
    periods_per_year : float
        Bars in a year; inferred from the times if left out, and kept by cuts.
    """

    time: TimeArray
    symbols: tuple[str, ...]
    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    volume: FloatArray
    last_bar: IntArray
    timezone: str | None = None
    periods_per_year: float = float("nan")

    def __post_init__(self) -> None:
        if isnan(self.periods_per_year):
            object.__setattr__(self, "periods_per_year", infer_periods_per_year(self.time))
        for name in ("time", *FIELDS, "last_bar"):
            getattr(self, name).flags.writeable = False

    @classmethod
    def from_arrays(
        cls,
        time: npt.ArrayLike,
        close: npt.ArrayLike,
        *,
        open: npt.ArrayLike | None = None,
        high: npt.ArrayLike | None = None,
        low: npt.ArrayLike | None = None,
        volume: npt.ArrayLike | None = None,
        symbols: Sequence[str] | None = None,
    ) -> Bars:
        """Build bars from arrays of ``[T]`` or ``[T, N]``, through the same gate as everything else.

        Parameters
        ----------
        time : array-like, ``[T]``
            Anything that NumPy turns into datetime64.
        close, open, high, low : array-like, ``[T]`` or ``[T, N]``
            Prices; those left out equal ``close``.
        volume : array-like, optional
            NaN if left out.
        symbols : sequence of str, optional
            Names of the columns; ``asset`` or ``asset0``, ``asset1``, … if left out.

        Raises
        ------
        InvalidValueError
            If the shapes do not fit together.
        DataError
            If the data break a rule of the gate.
        """
        from windtunnel import gate

        return cls.from_admitted(gate.admit_arrays(time, close, open, high, low, volume, symbols))

    @classmethod
    def from_frame(
        cls, frame: pd.DataFrame, *, repair: gate.Repair = "none", timezone: str | None = None
    ) -> Bars:
        """Build bars from a DataFrame, through the same gate as everything else.

        Parameters
        ----------
        frame : DataFrame
            Long: a time column or a DatetimeIndex, ``symbol`` where there is more than one, and
            ``open high low close volume``. Or wide: columns of two levels (field, symbol) in either order,
            or one column of closes a symbol. Names are matched without regard to case.
        repair : str or mapping of str to str
            How to mend broken rows: one name for all rules or one a rule; see :func:`windtunnel.gate.admit`.
        timezone : str, optional
            Zone of the clock that naive times read.

        Raises
        ------
        DataError
            If the data break a rule of the gate that ``repair`` does not cover.
        """
        from windtunnel import gate

        return cls.from_admitted(gate.admit(frame, repair=repair, timezone=timezone))

    @classmethod
    def from_admitted(cls, admitted: gate.Admitted) -> Bars:
        """Build bars from what the gate has let in."""
        open_, high, low, close, volume = (np.asfortranarray(admitted.fields[name]) for name in FIELDS)
        present = ~np.isnan(close)
        last_bar = len(close) - 1 - present[::-1].argmax(axis=0)
        return cls(
            admitted.time, admitted.symbols, open_, high, low, close, volume, last_bar, admitted.timezone
        )

    def __len__(self) -> int:
        return len(self.time)

    @property
    def shape(self) -> tuple[int, int]:
        """``(T, N)``."""
        return len(self.time), len(self.symbols)

    @cached_property
    def present(self) -> npt.NDArray[np.bool_]:
        """Where a symbol has a bar, ``[T, N]``."""
        return ~np.isnan(self.close)

    @cached_property
    def local_time(self) -> TimeArray:
        """``time`` on the clock of the exchange, ``[T]``; the same where there is no time zone."""
        if self.timezone in (None, "UTC"):
            return self.time
        import pandas as pd

        clock = pd.DatetimeIndex(self.time, tz="UTC").tz_convert(self.timezone).tz_localize(None)
        return clock.to_numpy("datetime64[ns]")

    @cached_property
    def hash(self) -> str:
        """Content hash: equal for equal times, symbols and values, whatever they came from."""
        digest = blake2b(digest_size=16)
        digest.update("\0".join(self.symbols).encode())
        digest.update(np.ascontiguousarray(self.time).view(np.int64).tobytes())
        for name in FIELDS:
            digest.update(np.ascontiguousarray(getattr(self, name).T).tobytes())
        digest.update(np.clip(self.last_bar, -1, len(self) - 1).tobytes())
        return digest.hexdigest()

    def cut(self, start: int, stop: int) -> Bars:
        """Return the rows ``start`` to ``stop`` (exclusive) without copying; last bars may lie beyond."""
        start, stop, _ = slice(start, stop).indices(len(self))
        rows: dict[str, Any] = {name: getattr(self, name)[start:stop] for name in ("time", *FIELDS)}
        return replace(self, **rows, last_bar=self.last_bar - start)

    def between(self, start: str | None = None, end: str | None = None) -> Bars:
        """Return the bars from ``start`` to ``end``, both inclusive, without copying.

        Parameters
        ----------
        start, end : str, optional
            ISO dates or times, on the exchange's clock (:attr:`local_time`) where they have no offset of
            their own; a bare year, month or day means the whole of it.

        Raises
        ------
        InvalidValueError
            If either is not an ISO date or time.
        """
        from windtunnel import gate

        low, high = 0, len(self)
        if start is not None:
            first = gate.instant(start, "start", timezone=self.timezone)
            low = int(np.searchsorted(self.time, first, "left"))
        if end is not None:
            last = gate.instant(end, "end", last=True, timezone=self.timezone)
            high = int(np.searchsorted(self.time, last, "right"))
        return self.cut(low, max(low, high))

    def __getitem__(self, window: slice) -> Bars:
        """``bars["2008":"2012"]`` is :meth:`between`, ``bars[100:200]`` is :meth:`cut`."""
        if not isinstance(window, slice) or window.step is not None:
            raise InvalidValueError("bars[…]", "takes a slice without a step", window)
        if isinstance(window.start, str) or isinstance(window.stop, str):
            return self.between(window.start, window.stop)
        start, stop, _ = window.indices(len(self))
        return self.cut(start, stop)

    def column(self, symbol: str) -> int:
        """Return the column of ``symbol``.

        Raises
        ------
        InvalidValueError
            If there is no such symbol; names the most similar one.
        """
        if symbol not in self.symbols:
            hint = nearest(symbol, self.symbols)
            rule = "must be a symbol of the data" + (f"; did you mean {hint}?" if hint else "")
            raise InvalidValueError("symbol", rule, symbol)
        return self.symbols.index(symbol)

    def select(self, symbols: Sequence[str]) -> Bars:
        """Return the chosen symbols, in that order; rows stay, also where none of them has a bar."""
        columns = [self.column(symbol) for symbol in symbols]
        fields: dict[str, Any] = {name: np.asfortranarray(getattr(self, name)[:, columns]) for name in FIELDS}
        return replace(self, symbols=tuple(symbols), **fields, last_bar=self.last_bar[columns])

    def to_frame(self) -> pd.DataFrame:
        """Return a long DataFrame, ``time symbol open high low close volume``, without the missing bars."""
        import pandas as pd

        rows, columns = np.nonzero(self.present)
        data: Mapping[str, object] = {
            "time": self.time[rows],
            "symbol": np.asarray(self.symbols, dtype=object)[columns],
            **{name: getattr(self, name)[rows, columns] for name in FIELDS},
        }
        frame = pd.DataFrame(data)
        if self.timezone is not None:
            frame["time"] = frame["time"].dt.tz_localize("UTC").dt.tz_convert(self.timezone)
        return frame

    def __repr__(self) -> str:
        names = ", ".join(self.symbols[:4]) + (f", … ({len(self.symbols)})" if len(self.symbols) > 4 else "")
        if not len(self):
            return f"Bars({names}: no bars)"
        day = self.periods_per_year <= 366
        ends = self.local_time[[0, -1]].astype("datetime64[D]" if day else "datetime64[m]")
        first, last = (str(end).replace("T", " ") for end in ends)
        return f"Bars({names}: {first} … {last}, {len(self):,} bars)"


def infer_periods_per_year(time: TimeArray) -> float:
    """Return how many bars make a year, from their spacing and the weekdays that they fall on.

    Parameters
    ----------
    time : array of datetime64, ``[T]``

    Returns
    -------
    float
        Days count as 252 a year, or 365 where Saturdays and Sundays have bars too; shorter bars count as
        that many times the median number of bars a day. Bars of five days or more count by their median
        spacing (52 for weeks, 12 for months), those between by their number in the time that they span.
        252 for fewer than two bars.
    """
    if len(time) < 2:
        return 252.0
    gap = float(np.median(np.diff(time.astype("datetime64[s]")).astype(np.int64))) / 86_400
    if gap >= 5:
        return float(max(1, round(365.25 / gap)))
    if gap >= 1.5:
        span = float((time[-1] - time[0]) / np.timedelta64(1, "D"))
        return float(round((len(time) - 1) / span * 365.25))
    dates, per_day = np.unique(time.astype("datetime64[D]"), return_counts=True)
    weekday = (dates.astype(np.int64) + 3) % 7
    share = np.bincount(weekday, minlength=7) / len(dates)
    trading_days = 365.0 if (share[5:] > 0.07).all() else 252.0
    return trading_days * (float(np.median(per_day)) if gap < 0.9 else 1.0)


if TYPE_CHECKING:
    from windtunnel import gate
