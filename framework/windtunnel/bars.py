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
from windtunnel.periods import infer_periods_per_year, least_gap
from windtunnel.values import Actions, FloatArray, IntArray, TimeArray

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["FIELDS", "Bars"]

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
    spacing : float
        Seconds between two bars, the least that occur; likewise inferred, and kept by cuts.
    actions : Actions or None
        Dividends and splits of raw prices; None where prices are adjusted. A cut knows its own only.
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
    spacing: float = float("nan")
    actions: Actions | None = None

    def __post_init__(self) -> None:
        if isnan(self.periods_per_year):
            object.__setattr__(self, "periods_per_year", infer_periods_per_year(self.time))
        if isnan(self.spacing):
            object.__setattr__(self, "spacing", least_gap(self.time))
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
        actions: pd.DataFrame | None = None,
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
        actions : DataFrame, optional
            Dividends and splits, where prices are raw; see :func:`windtunnel.gate.admit_actions`.

        Raises
        ------
        InvalidValueError
            If the shapes do not fit together.
        DataError
            If the data break a rule of the gate.
        """
        from windtunnel import gate

        return cls._of(gate.admit_arrays(time, close, open, high, low, volume, symbols), actions)

    @classmethod
    def from_frame(
        cls,
        frame: pd.DataFrame,
        *,
        repair: gate.Repair = "none",
        timezone: str | None = None,
        actions: pd.DataFrame | None = None,
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
        actions : DataFrame, optional
            Dividends and splits, where prices are raw; see :func:`windtunnel.gate.admit_actions`.

        Raises
        ------
        DataError
            If the data break a rule of the gate that ``repair`` does not cover.
        """
        from windtunnel import gate

        return cls._of(gate.admit(frame, repair=repair, timezone=timezone), actions)

    @classmethod
    def _of(cls, admitted: gate.Admitted, actions: pd.DataFrame | None) -> Bars:
        from windtunnel import gate

        return cls.from_admitted(admitted, None if actions is None else gate.admit_actions(actions, admitted))

    @classmethod
    def from_admitted(cls, admitted: gate.Admitted, actions: Actions | None = None) -> Bars:
        """Build bars from what the gate has let in."""
        open_, high, low, close, volume = (np.asfortranarray(admitted.fields[name]) for name in FIELDS)
        present = ~np.isnan(close)
        last_bar = len(close) - 1 - present[::-1].argmax(axis=0)
        fields = open_, high, low, close, volume
        zone = admitted.timezone
        return cls(admitted.time, admitted.symbols, *fields, last_bar, timezone=zone, actions=actions)

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
        """Content hash: equal for equal times, symbols, values and actions, whatever they came from."""
        digest = blake2b(digest_size=16)
        digest.update("\0".join(self.symbols).encode())
        digest.update(np.ascontiguousarray(self.time).view(np.int64).tobytes())
        for name in FIELDS:
            digest.update(np.ascontiguousarray(getattr(self, name).T).tobytes())
        digest.update(np.clip(self.last_bar, -1, len(self) - 1).tobytes())
        if self.actions:
            for column in vars(self.actions).values():
                digest.update(column.tobytes())
        return digest.hexdigest()

    def cut(self, start: int, stop: int) -> Bars:
        """Return the rows ``start`` to ``stop`` (exclusive) without copying; last bars may lie beyond."""
        start, stop, _ = slice(start, stop).indices(len(self))
        rows: dict[str, Any] = {name: getattr(self, name)[start:stop] for name in ("time", *FIELDS)}
        actions = None if self.actions is None else self.actions.cut(start, stop)
        return replace(self, **rows, last_bar=self.last_bar - start, actions=actions)

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
        actions = None if self.actions is None else self.actions.select(columns)
        last_bar = self.last_bar[columns]
        return replace(self, symbols=tuple(symbols), **fields, last_bar=last_bar, actions=actions)

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


if TYPE_CHECKING:
    from windtunnel import gate
