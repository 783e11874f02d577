"""What a plugin sees: bars, indicators and features computed once, and what other plugins said."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from windtunnel import features, indicators, panels
from windtunnel.bars import FIELDS, Bars
from windtunnel.errors import InvalidValueError, PluginError, nearest
from windtunnel.features import Features
from windtunnel.memo import Memo, read_only
from windtunnel.values import FloatArray, Forecast, IntArray, Patterns, Regimes, TimeArray

__all__ = ["Market"]

_Array = TypeVar("_Array", bound=npt.NDArray[Any])
_Kept = TypeVar("_Kept", bound="npt.NDArray[Any] | tuple[npt.NDArray[Any], ...]")
_Value = TypeVar("_Value")


class Market:
    """Bars with memoised indicators, features, and what the configured plugins said.

    All arrays are ``[T, N]``, each symbol contiguous, read-only. NaN means warm-up or no bar. A symbol's
    indicators are computed over its own bars, so a gap never poisons what follows; formulas, sources, least
    windows and errors are in :mod:`windtunnel.indicators`. ``field`` is open, high, low, close or volume; any
    other name raises :class:`~windtunnel.errors.InvalidValueError`.

    Parameters
    ----------
    bars : Bars
    memo_bytes : int
        How much may be kept of what was computed; the least recently used goes first.

    Raises
    ------
    InvalidValueError
        If ``memo_bytes`` is negative.
    """

    def __init__(self, bars: Bars, *, memo_bytes: int = 256 * 2**20) -> None:
        if memo_bytes < 0:
            raise InvalidValueError("memo_bytes", "must be at least 0", memo_bytes)
        self.bars = bars
        self._root = bars
        self._memo = Memo(memo_bytes)
        self._regime: Regimes | None = None
        self._patterns: Patterns | None = None
        self._volatility: Forecast | None = None

    @property
    def periods_per_year(self) -> float:
        """Bars in a year, by which figures are annualised."""
        return self.bars.periods_per_year

    @property
    def symbols(self) -> tuple[str, ...]:
        """The N columns."""
        return self.bars.symbols

    @property
    def time(self) -> TimeArray:
        """When each bar is stamped, ``[T]``."""
        return self.bars.time

    @property
    def shape(self) -> tuple[int, int]:
        """``(T, N)``."""
        return self.bars.shape

    @property
    def open(self) -> FloatArray:
        """Opening prices."""
        return self.bars.open

    @property
    def high(self) -> FloatArray:
        """Highest prices."""
        return self.bars.high

    @property
    def low(self) -> FloatArray:
        """Lowest prices."""
        return self.bars.low

    @property
    def close(self) -> FloatArray:
        """Closing prices."""
        return self.bars.close

    @property
    def volume(self) -> FloatArray:
        """Volume; NaN where the source has none."""
        return self.bars.volume

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
        return read_only(panels.lag(values, bars))

    def features(self) -> Features:
        """Return the features of all bars, ``[T, N, F]``; see :data:`windtunnel.features.FEATURES`."""
        values = self._once(("features",), lambda: features.compute(self._root).values)
        return Features(features.NAMES, values)

    def computed(self) -> dict[str, tuple[npt.NDArray[Any], ...]]:
        """Return what was asked for and is still in the memo, by the call that asked: ``sma(20)``.

        One array each, several for MACD, Bollinger and Donchian; ``features`` is ``[T, N, F]``. A view shows
        its own bars only.
        """
        stop = len(self.bars)
        return {
            _written(*key): tuple(array[:stop] for array in arrays)
            for key, arrays in self._memo.kept().items()
        }

    @property
    def regime(self) -> Regimes:
        """What the regime model said.

        Raises
        ------
        PluginError
            If the experiment configures none.
        """
        return _configured(self._regime, "regime", "regime model")

    @property
    def patterns(self) -> Patterns:
        """What the pattern detectors found; the error is as for :attr:`regime`."""
        return _configured(self._patterns, "patterns", "pattern detector")

    @property
    def volatility(self) -> Forecast:
        """What the volatility model forecast; the error is as for :attr:`regime`."""
        return _configured(self._volatility, "volatility", "volatility model")

    def until(self, stop: int) -> Market:
        """Return a view of the bars before ``stop``, with one memo for both.

        What the view computes is computed over all bars and then cut, which gives the same values because
        indicators are causal.
        """
        return self._cut_into(copy(self), 0, stop)

    def window(self, start: int, stop: int) -> Market:
        """Return the bars ``start`` to ``stop`` (exclusive) as a market of its own: indicators start anew."""
        return self._cut_into(self._anew(self.bars.cut(start, stop)), start, stop)

    def having(
        self,
        *,
        regime: Regimes | None = None,
        patterns: Patterns | None = None,
        volatility: Forecast | None = None,
    ) -> Market:
        """Return the same market and memo with what plugins said attached; None keeps what there is."""
        market = copy(self)
        market._regime = self._regime if regime is None else regime
        market._patterns = self._patterns if patterns is None else patterns
        market._volatility = self._volatility if volatility is None else volatility
        return market

    def select(self, symbols: Sequence[str]) -> Market:
        """Return a market of the chosen symbols, in that order, with a memo of its own."""
        columns = [self.bars.column(symbol) for symbol in symbols]
        market = self._anew(self.bars.select(symbols))
        if self._regime is not None:
            market._regime = Regimes(self._regime.names, self._regime.probabilities[:, columns])
        if self._volatility is not None:
            mean, low, high = (
                getattr(self._volatility, name)[:, columns] for name in ("mean", "low", "high")
            )
            market._volatility = Forecast(mean, low, high, self._volatility.horizon)
        if self._patterns is not None:
            market._patterns = _of_columns(self._patterns, columns)
        return market

    def __repr__(self) -> str:
        return f"Market({self.bars!r})"

    def _anew(self, bars: Bars) -> Market:
        return Market(bars, memo_bytes=self._memo.budget)

    def _cut_into(self, market: Market, start: int, stop: int) -> Market:
        start, stop, _ = slice(start, stop).indices(len(self.bars))
        stop = max(start, stop)
        market.bars = _without_the_future(self.bars.cut(start, stop))
        market._regime = None if self._regime is None else self._regime.cut(start, stop)
        market._patterns = None if self._patterns is None else self._patterns.cut(start, stop)
        market._volatility = None if self._volatility is None else self._volatility.cut(start, stop)
        return market

    def _indicator(self, function: Callable[..., _Kept], fields: tuple[str, ...], *arguments: Any) -> _Kept:
        for field in fields:
            if field not in FIELDS:
                hint = nearest(field, FIELDS)
                rule = f"must be one of {', '.join(FIELDS)}" + (f"; did you mean {hint}?" if hint else "")
                raise InvalidValueError("field", rule, field)
        inputs = [getattr(self._root, field) for field in fields]
        return self._once((function.__name__, fields, *arguments), lambda: function(*inputs, *arguments))

    def _once(self, key: tuple[Any, ...], compute: Callable[[], _Kept]) -> _Kept:
        whole = self._memo.get(key, compute)
        rows = len(self.bars)
        if rows == len(self._root):
            return whole
        part: Any = tuple(array[:rows] for array in whole) if isinstance(whole, tuple) else whole[:rows]
        kept: _Kept = part
        return kept


def _written(name: str, fields: tuple[str, ...] = (), *arguments: Any) -> str:
    """Return a key of the memo as the call that it stands for."""
    chosen = [f"field={field}" for field in fields if len(fields) == 1 and field != "close"]
    return f"{name}({', '.join([*map(str, arguments), *chosen])})" if fields else name


def _configured(value: _Value | None, name: str, what: str) -> _Value:
    if value is None:
        raise PluginError(f"market.{name} is not there: the experiment configures no {what}")
    return value


def _without_the_future(bars: Bars) -> Bars:
    """Hide that a symbol's last bar lies beyond the end."""
    return replace(bars, last_bar=np.minimum(bars.last_bar, len(bars) - 1))


def _of_columns(patterns: Patterns, columns: Sequence[int]) -> Patterns:
    """Keep the patterns of the chosen columns and count the columns anew."""
    place = {old: new for new, old in enumerate(columns)}
    kept = patterns.take(np.isin(patterns.symbol, columns))
    symbol = np.array([place[int(old)] for old in kept.symbol], np.int64)
    return replace(kept, symbol=symbol)
