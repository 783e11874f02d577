"""What a plugin sees: bars and what can be read off them, and what other plugins said."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from windtunnel.bars import Bars
from windtunnel.errors import InvalidValueError, PluginError
from windtunnel.memo import Memo
from windtunnel.periods import Timeframe
from windtunnel.readings import Longer, Readings
from windtunnel.values import Forecast, Patterns, Regimes

__all__ = ["Market"]

_Value = TypeVar("_Value")


class Market(Readings):
    """Bars with memoised indicators, features, and what the configured plugins said.

    All arrays are ``[T, N]``, each symbol contiguous, read-only. NaN means warm-up or no bar. A symbol's
    indicators are computed over its own bars, so a gap never poisons what follows; formulas, sources, least
    windows and errors are in :mod:`windtunnel.indicators`. ``field`` is open, high, low, close or volume; any
    other name raises :class:`~windtunnel.errors.InvalidValueError`.

    Parameters
    ----------
    bars : Bars
    memo_bytes : int
        How much may be kept of what was computed; what was kept longest goes first.

    Raises
    ------
    InvalidValueError
        If ``memo_bytes`` is negative.
    """

    def __init__(self, bars: Bars, *, memo_bytes: int = 256 * 2**20) -> None:
        if memo_bytes < 0:
            raise InvalidValueError("memo_bytes", "must be at least 0", memo_bytes)
        super().__init__(bars, bars, Memo(memo_bytes))
        self._longer_bars: dict[Timeframe, Longer] = {}
        self._regime: Regimes | None = None
        self._patterns: Patterns | None = None
        self._volatility: Forecast | None = None

    @property
    def bars(self) -> Bars:
        """The bars themselves."""
        return self._bars

    def at(self, timeframe: str) -> Readings:
        """Return fields, indicators and features of longer bars, as known at each of these.

        ``market.at("1d").sma(50)`` is ``[T, N]``: at each bar, the average of the 50 days before the one that
        the bar is part of. A longer bar is known from the first bar that belongs to a later one, never while
        it may still grow, also where the day was cut short; before the first is known NaN (False, 0).
        Windows, ``lag`` and ``periods_per_year`` count longer bars. A symbol without a bar in the newest
        longer one has NaN.

        Parameters
        ----------
        timeframe : str
            As for :func:`windtunnel.resampling.resample`: ``4h``, ``1d``, ``1w``, ``1M``, …; that of the bars
            themselves gives the bar before.

        Raises
        ------
        InvalidValueError
            If ``timeframe`` is not one, or shorter than the bars.
        """
        key = Timeframe.read(timeframe, "timeframe")
        if key not in self._longer_bars:
            self._longer_bars.setdefault(key, Longer.of(self._root, timeframe))
        return Readings(self._bars, self._root, self._memo, self._longer_bars[key])

    def computed(self) -> dict[str, tuple[npt.NDArray[Any], ...]]:
        """Return what was asked for and is still in the memo, by the call: ``sma(20)``, ``at(1d).sma(20)``.

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
            market._regime = self._regime.of_columns(columns)
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
        market._bars = _without_the_future(self.bars.cut(start, stop))
        market._regime = None if self._regime is None else self._regime.cut(start, stop)
        market._patterns = None if self._patterns is None else self._patterns.cut(start, stop)
        market._volatility = None if self._volatility is None else self._volatility.cut(start, stop)
        return market


def _written(timeframe: str, name: str, fields: tuple[str, ...] = (), *arguments: Any) -> str:
    """Return a key of the memo as the call that it stands for."""
    chosen = [f"field={field}" for field in fields if len(fields) == 1 and field != "close"]
    call = f"{name}({', '.join([*map(str, arguments), *chosen])})" if fields else name
    return f"at({timeframe}).{call}" if timeframe else call


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
