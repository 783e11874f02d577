"""What can be read off bars: fields, indicators and features, each computed once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from windtunnel import features, indicators, panels
from windtunnel.bars import FIELDS, Bars
from windtunnel.errors import InvalidValueError, nearest
from windtunnel.features import Features
from windtunnel.memo import Memo, read_only
from windtunnel.periods import Timeframe, nominal_periods_per_year
from windtunnel.resampling import resample
from windtunnel.values import FloatArray, IntArray, TimeArray

__all__ = ["Longer", "Readings"]

_Array = TypeVar("_Array", bound=npt.NDArray[Any])
_Kept = TypeVar("_Kept", bound="npt.NDArray[Any] | tuple[npt.NDArray[Any], ...]")


@dataclass(frozen=True, eq=False)
class Longer:
    """Bars of a longer timeframe, and when each of them is known.

    Parameters
    ----------
    timeframe : str
    bars : Bars
        H of them.
    closed : array of int64, ``[T]``
        For each of the shorter bars the longer one that closed last: the one before that which the shorter
        bar is part of. -1 before the first.
    """

    timeframe: str
    bars: Bars
    closed: IntArray

    @classmethod
    def of(cls, bars: Bars, timeframe: str) -> Longer:
        """Build them out of shorter ones.

        Raises
        ------
        InvalidValueError
            If ``timeframe`` is not one, or shorter than the bars.
        """
        longer = resample(bars, timeframe, parameter="timeframe")
        length = Timeframe.read(timeframe, "timeframe")
        periods = nominal_periods_per_year(length, bars.periods_per_year, bars.spacing)
        own = np.searchsorted(longer.time, bars.time, side="right") - 1
        return cls(timeframe, replace(longer, periods_per_year=periods), own - 1)

    def spread(self, values: _Kept) -> _Kept:
        """Return ``[H, …]`` on the shorter bars, ``[T, …]``, each from when it is known."""
        several = values if isinstance(values, tuple) else (values,)
        known = tuple(_rows(each, self.closed) for each in several)
        spread: Any = known if isinstance(values, tuple) else known[0]
        kept: _Kept = spread
        return kept

    def lag(self, values: _Array, bars: int) -> _Array:
        """Return ``[T, …]`` as it stood at the end of the longer bar that came ``bars`` (≥ 1) before."""
        own = self.closed[: len(values)] + 1
        last = np.searchsorted(own, own - bars, side="right") - 1
        return _rows(values, last)


def _rows(values: _Array, rows: IntArray) -> _Array:
    """Return the chosen rows, each symbol contiguous; NaN, False or 0 for a row of -1."""
    chosen: Any = np.zeros((len(rows), *values.shape[1:]), values.dtype, order="F")
    if values.dtype.kind == "f":
        chosen[rows < 0] = np.nan
    chosen[rows >= 0] = values[rows[rows >= 0]]
    result: _Array = chosen
    return result


class Readings:
    """Fields, indicators and features, on the rows of some bars.

    All arrays are ``[T, N]``, each symbol contiguous, read-only. NaN means warm-up or no bar. A symbol's
    indicators are computed over its own bars, so a gap never poisons what follows; formulas, sources, least
    windows and errors are in :mod:`windtunnel.indicators`. ``field`` is open, high, low, close or volume; any
    other name raises :class:`~windtunnel.errors.InvalidValueError`.

    Parameters
    ----------
    bars : Bars
        Those that are shown.
    root : Bars
        Those over which everything is computed; ``bars`` are the first of them.
    memo : Memo
    longer : Longer or None
        Compute over these instead, made of ``root``, and show of them what was known at each row.
    """

    def __init__(self, bars: Bars, root: Bars, memo: Memo, longer: Longer | None = None) -> None:
        self._bars = bars
        self._root = root
        self._memo = memo
        self._longer = longer
        self._timeframe = longer.timeframe if longer else ""

    @property
    def _source(self) -> Bars:
        """What everything is computed over."""
        return self._root if self._longer is None else self._longer.bars

    @property
    def periods_per_year(self) -> float:
        """Bars in a year, by which figures are annualised."""
        return self._source.periods_per_year

    @property
    def symbols(self) -> tuple[str, ...]:
        """The N columns."""
        return self._bars.symbols

    @property
    def time(self) -> TimeArray:
        """When each bar is stamped, ``[T]``."""
        return self._bars.time

    @property
    def shape(self) -> tuple[int, int]:
        """``(T, N)``."""
        return self._bars.shape

    @property
    def open(self) -> FloatArray:
        """Opening prices."""
        return self._field("open")

    @property
    def high(self) -> FloatArray:
        """Highest prices."""
        return self._field("high")

    @property
    def low(self) -> FloatArray:
        """Lowest prices."""
        return self._field("low")

    @property
    def close(self) -> FloatArray:
        """Closing prices."""
        return self._field("close")

    @property
    def volume(self) -> FloatArray:
        """Volume; NaN where the source has none."""
        return self._field("volume")

    def sma(self, window: int, field: str = "close") -> FloatArray:
        """Return the simple moving average."""
        return self._indicator(indicators.sma, (field,), window)

    def ema(self, window: int, field: str = "close") -> FloatArray:
        """Return the exponential moving average."""
        return self._indicator(indicators.ema, (field,), window)

    def wma(self, window: int, field: str = "close") -> FloatArray:
        """Return the linearly weighted moving average."""
        return self._indicator(indicators.wma, (field,), window)

    def rsi(self, window: int = 14) -> FloatArray:
        """Return Wilder's relative strength index, 0 … 100."""
        return self._indicator(indicators.rsi, ("close",), window)

    def macd(
        self, fast: int = 12, slow: int = 26, signal: int = 9
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return the MACD line, its signal line and their difference (the histogram), in price units."""
        return self._indicator(indicators.macd, ("close",), fast, slow, signal)

    def bollinger(self, window: int = 20, width: float = 2.0) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return the upper, middle and lower Bollinger band."""
        return self._indicator(indicators.bollinger, ("close",), window, width)

    def atr(self, window: int = 14) -> FloatArray:
        """Return Wilder's average true range, in price units."""
        return self._indicator(indicators.atr, ("high", "low", "close"), window)

    def adx(self, window: int = 14) -> FloatArray:
        """Return Wilder's average directional index, 0 … 100."""
        return self._indicator(indicators.adx, ("high", "low", "close"), window)

    def donchian(self, window: int) -> tuple[FloatArray, FloatArray]:
        """Return the highest high and the lowest low of the last ``window`` bars, this bar included."""
        return self._indicator(indicators.donchian, ("high", "low"), window)

    def roc(self, window: int, field: str = "close") -> FloatArray:
        """Return the rate of change over ``window`` bars, as a fraction."""
        return self._indicator(indicators.roc, (field,), window)

    def rolling_volatility(self, window: int) -> FloatArray:
        """Return the annualised sample deviation of the last ``window`` log returns."""
        return self._indicator(indicators.rolling_volatility, ("close",), window, self.periods_per_year)

    def zscore(self, window: int, field: str = "close") -> FloatArray:
        """Return how many population deviations a value lies above its moving average."""
        return self._indicator(indicators.zscore, (field,), window)

    def obv(self) -> FloatArray:
        """Return the on-balance volume, in units of volume."""
        return self._indicator(indicators.obv, ("close", "volume"))

    def vwap(self, window: int) -> FloatArray:
        """Return the volume-weighted mean of the typical price over the last ``window`` bars."""
        return self._indicator(indicators.vwap, ("high", "low", "close", "volume"), window)

    def returns(self) -> FloatArray:
        """Return the simple return of every bar against the symbol's bar before."""
        return self._indicator(indicators.returns, ("close",))

    def log_returns(self) -> FloatArray:
        """Return the log return of every bar against the symbol's bar before."""
        return self._indicator(indicators.log_returns, ("close",))

    def candle(self, name: str) -> IntArray:
        """Return what the TA-Lib candlestick function ``name`` says: int64, 0 where nothing or no bar."""
        key = name.upper().removeprefix("CDL")
        return self._indicator(indicators.candle, ("open", "high", "low", "close"), key)

    def lag(self, values: _Array, bars: int = 1) -> _Array:
        """Return any ``[T, N]`` array as it was ``bars`` rows earlier; NaN (False, 0) in the first rows."""
        if self._longer is None or bars == 0:
            return read_only(panels.lag(values, bars))
        panels.check_window("bars", bars, 0)
        if len(values) != len(self._bars):
            raise InvalidValueError("values", f"must have a row a bar ({len(self._bars)})", values.shape)
        return read_only(self._longer.lag(values, bars))

    def features(self) -> Features:
        """Return the features of all bars, ``[T, N, F]``; see :data:`windtunnel.features.FEATURES`."""
        key = (self._timeframe, "features")
        values = self._once(key, lambda: features.compute(self._source).values)
        return Features(features.NAMES, values)

    def _field(self, name: str) -> FloatArray:
        if self._longer is None:
            shown: FloatArray = getattr(self._bars, name)
            return shown
        return self._once((self._timeframe, name), lambda: getattr(self._source, name))

    def _indicator(self, function: Callable[..., _Kept], fields: tuple[str, ...], *arguments: Any) -> _Kept:
        key = (self._timeframe, function.__name__, fields, *arguments)
        if self._bars is self._root:
            kept: _Kept | None = self._memo.look(key)
            if kept is not None:
                return kept
        return self._once(key, lambda: function(*map(self._input, fields), *arguments))

    def _input(self, field: str) -> FloatArray:
        if field not in FIELDS:
            hint = nearest(field, FIELDS)
            rule = f"must be one of {', '.join(FIELDS)}" + (f"; did you mean {hint}?" if hint else "")
            raise InvalidValueError("field", rule, field)
        panel: FloatArray = getattr(self._source, field)
        return panel

    def _once(self, key: tuple[Any, ...], compute: Callable[[], _Kept]) -> _Kept:
        """Return what is computed over the whole source, once, on the rows that are shown."""
        longer = self._longer
        whole = self._memo.get(key, compute if longer is None else lambda: longer.spread(compute()))
        if self._bars is self._root:
            return whole
        rows = len(self._bars)
        part: Any = tuple(array[:rows] for array in whole) if isinstance(whole, tuple) else whole[:rows]
        kept: _Kept = part
        return kept
