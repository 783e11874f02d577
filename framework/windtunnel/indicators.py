"""Technical indicators: pure functions from panels to panels.

Every function takes arrays of float64, ``[T, N]`` (bars by symbols) or ``[T]`` (one symbol), and returns
float64 of the same shape, each symbol contiguous. The value at bar t depends on bars up to t only.

NaN in: a bar where any input of a symbol is NaN is missing. Each symbol is computed over its present bars
only, as if the missing ones did not exist, so that a gap never poisons what follows; a window counts present
bars. NaN out: where the bar is missing, in the warm-up, and where the formula divides by zero.

A window that is not a whole number from the function's minimum (in brackets) to 100,000 raises
:class:`~windtunnel.errors.InvalidValueError` with the name of the parameter.

Rolling means, sums and deviations rest on the values of their window alone (:mod:`windtunnel.panels`): equal
values have a deviation of exactly 0, and what came before never shows in the last bits. The rest is TA-Lib.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from windtunnel.errors import InvalidValueError, nearest
from windtunnel.panels import (
    by_symbol,
    check_window,
    many_by_symbol,
    ratio,
    rolling_mean,
    rolling_moments,
    rolling_sum,
    rolling_weighted_mean,
)
from windtunnel.values import FloatArray, IntArray

__all__ = [
    "adx",
    "atr",
    "bollinger",
    "candle",
    "donchian",
    "ema",
    "log_returns",
    "macd",
    "obv",
    "percentile_rank",
    "returns",
    "roc",
    "rolling_volatility",
    "rsi",
    "sma",
    "vwap",
    "wma",
    "zscore",
]

_LOST = 1e-290
"""What is smaller will soon have no digits left (long after the last change of price)."""


def sma(values: FloatArray, window: int) -> FloatArray:
    """Return the simple moving average: the mean of the last ``window`` (≥ 1) values."""
    check_window("window", window, 1)
    return by_symbol(lambda x: rolling_mean(x, window), values)


def ema(values: FloatArray, window: int) -> FloatArray:
    """Return the exponential moving average of ``window`` (≥ 1).

    Notes
    -----
    ``e[t] = e[t-1] + 2 / (window + 1) * (x[t] - e[t-1])``, from the mean of the first ``window`` values.
    """
    check_window("window", window, 1)
    return by_symbol(lambda x: _talib("EMA")(x, window), values)


def wma(values: FloatArray, window: int) -> FloatArray:
    """Return the weighted moving average of ``window`` (≥ 1): weights 1 (oldest) … ``window`` (newest)."""
    check_window("window", window, 1)
    return by_symbol(lambda x: rolling_weighted_mean(x, window), values)


def rsi(values: FloatArray, window: int) -> FloatArray:
    """Return the relative strength index of ``window`` (≥ 2), 0 … 100; NaN until the first change.

    Notes
    -----
    ``100 * up / (up + down)``, where up and down are Wilder's averages of the gains and losses:
    ``a[t] = a[t-1] + (x[t] - a[t-1]) / window``, started with the mean of the first ``window`` changes.
    J. W. Wilder, *New Concepts in Technical Trading Systems*, 1978, section VI.
    """
    check_window("window", window, 2)

    def column(x: FloatArray) -> FloatArray:
        change = np.diff(x)
        up = _talib("RMA")(np.maximum(change, 0.0), window)
        down = _talib("RMA")(np.maximum(-change, 0.0), window)
        total = up + down
        total[total < _LOST] = 0.0
        return np.concatenate(([np.nan], 100.0 * ratio(up, total)))

    return by_symbol(column, values)


def macd(values: FloatArray, fast: int, slow: int, signal: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the moving average convergence divergence, its signal line and their difference, in price units.

    Notes
    -----
    ``macd = ema(fast) - ema(slow)``; the signal is the EMA of ``signal`` (≥ 1) bars of it, the histogram
    what is left. ``2 <= fast < slow``. Both averages start at the same bar, and all three outputs where the
    signal does. G. Appel, *The Moving Average Convergence-Divergence Trading Method*, 1985.
    """
    check_window("fast", fast, 2)
    check_window("slow", slow, 3)
    check_window("signal", signal, 1)
    if slow <= fast:
        raise InvalidValueError("slow", f"must be greater than fast = {fast}", slow)
    line, average, histogram = many_by_symbol(lambda x: _talib("MACD")(x, fast, slow, signal), 3, values)
    return line, average, histogram


def bollinger(values: FloatArray, window: int, width: float) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the upper, middle and lower Bollinger band, in price units.

    Notes
    -----
    ``sma(window) ± width * population deviation`` of the last ``window`` (≥ 2) values; ``width > 0``.
    J. Bollinger, *Bollinger on Bollinger Bands*, 2001.
    """
    check_window("window", window, 2)
    if not 0 < width < np.inf:
        raise InvalidValueError("width", "must be positive and finite", width)

    def column(x: FloatArray) -> tuple[FloatArray, ...]:
        mean, squares = rolling_moments(x, window)
        reach = width * np.sqrt(squares / window)
        return mean + reach, mean, mean - reach

    upper, middle, lower = many_by_symbol(column, 3, values)
    return upper, middle, lower


def atr(high: FloatArray, low: FloatArray, close: FloatArray, window: int) -> FloatArray:
    """Return the average true range of ``window`` (≥ 1), in price units.

    Notes
    -----
    Wilder's average (see :func:`rsi`) of ``max(high, close[t-1]) - min(low, close[t-1])``; the first bar has
    no true range. J. W. Wilder, *New Concepts in Technical Trading Systems*, 1978, section III.
    """
    check_window("window", window, 1)
    return by_symbol(lambda h, lo, c: _talib("ATR")(h, lo, c, window), high, low, close)


def adx(high: FloatArray, low: FloatArray, close: FloatArray, window: int) -> FloatArray:
    """Return the average directional index of ``window`` (≥ 2), 0 … 100: strength of trend either way.

    Notes
    -----
    Wilder's average of ``100 * abs(+DI - -DI) / (+DI + -DI)``, which counts as 0 before anything has moved.
    J. W. Wilder, *New Concepts in Technical Trading Systems*, 1978, section IV.
    """
    check_window("window", window, 2)

    def column(h: FloatArray, lo: FloatArray, c: FloatArray) -> FloatArray:
        # TA-Lib takes anything under 1e-14 for zero. Scaling by a power of two is exact, and ADX has no unit.
        scale = 2.0 ** (40 - np.frexp(c[0])[1])
        return np.asarray(_talib("ADX")(h * scale, lo * scale, c * scale, window))

    return by_symbol(column, high, low, close)


def donchian(high: FloatArray, low: FloatArray, window: int) -> tuple[FloatArray, FloatArray]:
    """Return the highest high and the lowest low of the last ``window`` (≥ 1) bars, this bar included.

    A breakout strategy compares the close with the channel of the bar before (see
    :func:`windtunnel.panels.lag`). Attributed to R. Donchian (the four-week rule).
    """
    check_window("window", window, 1)

    def column(h: FloatArray, lo: FloatArray) -> tuple[FloatArray, ...]:
        return (h, lo) if window == 1 else (_talib("MAX")(h, window), _talib("MIN")(lo, window))

    upper, lower = many_by_symbol(column, 2, high, low)
    return upper, lower


def roc(values: FloatArray, window: int) -> FloatArray:
    """Return the rate of change over ``window`` (≥ 1) bars, a fraction: ``x[t] / x[t-window] - 1``."""
    check_window("window", window, 1)
    return by_symbol(lambda x: _late(ratio(x[window:], x[:-window]) - 1.0, len(x)), values)


def returns(values: FloatArray) -> FloatArray:
    """Return the simple return of every bar against the symbol's bar before, as a fraction."""
    return roc(values, 1)


def log_returns(values: FloatArray) -> FloatArray:
    """Return the logarithm of every bar's value over the value of the symbol's bar before."""
    return by_symbol(lambda x: _late(_log(ratio(x[1:], x[:-1])), len(x)), values)


def rolling_volatility(values: FloatArray, window: int, periods_per_year: float) -> FloatArray:
    """Return the annualised volatility: the sample deviation of the last ``window`` (≥ 2) log returns.

    Notes
    -----
    ``sqrt(periods_per_year * sum((r - mean(r)) ** 2) / (window - 1))``; 0.15 is 15 % a year.
    """
    check_window("window", window, 2)

    def column(r: FloatArray) -> FloatArray:
        _, squares = rolling_moments(r, window)
        return np.asarray(np.sqrt(squares * (periods_per_year / (window - 1))))

    return by_symbol(column, log_returns(values))


def zscore(values: FloatArray, window: int) -> FloatArray:
    """Return how many population deviations a value lies above the mean of the last ``window`` (≥ 2).

    NaN where all values of the window are equal.
    """
    check_window("window", window, 2)

    def column(x: FloatArray) -> FloatArray:
        mean, squares = rolling_moments(x, window)
        return ratio(x - mean, np.sqrt(squares / window))

    return by_symbol(column, values)


def obv(close: FloatArray, volume: FloatArray) -> FloatArray:
    """Return the on-balance volume, in units of volume.

    Volume is added on a rising close and taken off on a falling one, starting with the first bar's.
    J. Granville, *Granville's New Key to Stock Market Profits*, 1963.
    """
    return by_symbol(lambda c, v: _talib("OBV")(c, v), close, volume)


def vwap(high: FloatArray, low: FloatArray, close: FloatArray, volume: FloatArray, window: int) -> FloatArray:
    """Return the volume-weighted mean of the typical price over the last ``window`` (≥ 1) bars.

    Notes
    -----
    The typical price is ``(high + low + close) / 3``. NaN where volume is missing or the window traded none.
    """
    check_window("window", window, 1)

    def column(h: FloatArray, lo: FloatArray, c: FloatArray, v: FloatArray) -> FloatArray:
        turnover = rolling_sum((h + lo + c) / 3.0 * v, window)
        return ratio(turnover, rolling_sum(v, window))

    return by_symbol(column, high, low, close, volume)


def percentile_rank(values: FloatArray, window: int) -> FloatArray:
    """Return the rank of a value among the last ``window`` (≥ 2): 0 lowest, 1 highest, ties count half."""
    check_window("window", window, 2)

    def column(x: FloatArray) -> FloatArray:
        newest = x[window - 1 :]
        above = np.zeros_like(newest)
        for back in range(1, window if len(newest) else 1):
            above += np.sign(newest - x[window - 1 - back : len(x) - back])
        return _late(0.5 + 0.5 * above / (window - 1), len(x))

    return by_symbol(column, values)


def candle(open: FloatArray, high: FloatArray, low: FloatArray, close: FloatArray, name: str) -> IntArray:
    """Return what a TA-Lib candlestick function says, as int64, ``[T, N]``: 0 where nothing or no bar.

    100 is bullish, -100 bearish; ±200 where the pattern is confirmed, ±80 where it is weaker.

    Parameters
    ----------
    name : str
        Such as ``CDLENGULFING``, or ``engulfing`` for short.

    Raises
    ------
    InvalidValueError
        If TA-Lib has no such function; names the most similar one.
    """
    import talib

    known: list[str] = talib.get_function_groups()["Pattern Recognition"]  # type: ignore[no-untyped-call]
    function = "CDL" + name.upper().removeprefix("CDL")
    if function not in known:
        hint = nearest(function, known) or "CDLENGULFING"
        raise InvalidValueError(
            "name", f"must be a candlestick function of TA-Lib; did you mean {hint}?", name
        )
    found = by_symbol(lambda o, h, lo, c: _talib(function)(o, h, lo, c), open, high, low, close)
    return np.nan_to_num(found).astype(np.int64)


def _talib(name: str) -> Callable[..., Any]:
    import talib

    function: Callable[..., Any] = getattr(talib, name)
    return function


def _late(values: FloatArray, length: int) -> FloatArray:
    """Put NaN before ``values`` to make ``length``."""
    return np.concatenate((np.full(length - len(values), np.nan), values))


def _log(values: FloatArray) -> FloatArray:
    """Take the logarithm; NaN where there is none."""
    return np.log(values, out=np.full_like(values, np.nan), where=values > 0)
