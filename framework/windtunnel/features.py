"""What is known about every symbol at every bar, for scoring signals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from windtunnel import indicators
from windtunnel.bars import Bars
from windtunnel.panels import by_symbol, ratio, rolling_mean, rolling_sum
from windtunnel.values import FloatArray

__all__ = ["FEATURES", "NAMES", "Feature", "Features", "compute"]


@dataclass(frozen=True)
class Feature:
    """One feature: its name, its definition with the unit, and the function that computes it from bars."""

    name: str
    definition: str
    formula: Callable[[Bars], FloatArray]


@dataclass(frozen=True, eq=False)
class Features:
    """The features of all bars, as known at each bar's close.

    Parameters
    ----------
    names : tuple of str
        The F features.
    values : array of float64, ``[T, N, F]``
        NaN in the warm-up, where a symbol has no bar, and where a feature is not defined.
    """

    names: tuple[str, ...]
    values: FloatArray

    def cut(self, start: int, stop: int) -> Features:
        """Return the bars ``start`` to ``stop`` (exclusive), without copying."""
        return Features(self.names, self.values[start:stop])


def compute(bars: Bars) -> Features:
    """Return all of :data:`FEATURES`: causal, without unit of price or volume, one plane a feature."""
    values = np.empty((*bars.shape, len(FEATURES)), order="F")
    for plane, feature in enumerate(FEATURES):
        values[:, :, plane] = feature.formula(bars)
    return Features(NAMES, values)


def _macd_histogram(bars: Bars) -> FloatArray:
    return indicators.macd(bars.close, 12, 26, 9)[2] / bars.close


def _bollinger_position(bars: Bars) -> FloatArray:
    return 0.5 + indicators.zscore(bars.close, 20) / 4.0


def _atr(bars: Bars) -> FloatArray:
    return indicators.atr(bars.high, bars.low, bars.close, 14) / bars.close


def _adx(bars: Bars) -> FloatArray:
    return indicators.adx(bars.high, bars.low, bars.close, 14) / 100.0


def _volatility_percentile(bars: Bars) -> FloatArray:
    return indicators.percentile_rank(indicators.rolling_volatility(bars.close, 21, 1.0), 252)


def _gap(bars: Bars) -> FloatArray:
    def column(open_: FloatArray, close: FloatArray) -> FloatArray:
        return np.concatenate(([np.nan], open_[1:] / close[:-1] - 1.0))

    return by_symbol(column, bars.open, bars.close)


def _realised(window: int) -> Callable[[Bars], FloatArray]:
    def formula(bars: Bars) -> FloatArray:
        squares = indicators.log_returns(bars.close) ** 2
        return np.sqrt(by_symbol(lambda column: rolling_mean(column, window), squares))

    return formula


def _efficiency(bars: Bars) -> FloatArray:
    """Kaufman (1995), Smarter Trading, chapter 8: net change over the sum of all changes, with its sign."""

    def column(moves: FloatArray) -> FloatArray:
        return ratio(rolling_sum(moves, 21), rolling_sum(np.abs(moves), 21))

    return by_symbol(column, indicators.log_returns(bars.close))


def _jump(bars: Bars) -> FloatArray:
    """Barndorff-Nielsen & Shephard (2004), Journal of Financial Econometrics 2, equation 6."""

    def column(moves: FloatArray) -> FloatArray:
        size = np.abs(moves)
        smooth = np.full(len(moves), np.nan)
        pairs = size[1:] * size[:-1]
        if len(pairs):
            smooth[1:] = np.pi / 2 * rolling_sum(pairs, 23) * 24 / 23
        return np.clip(1.0 - ratio(smooth, rolling_sum(moves**2, 24)), 0.0, 1.0)

    return by_symbol(column, indicators.log_returns(bars.close))


def _of_clock(bars: Bars, values: FloatArray) -> FloatArray:
    """Give every symbol that has a bar the value of its time; NaN where bars last a day or longer."""
    intraday = 0.0 < bars.spacing < 23 * 3600.0
    return np.where(bars.present & intraday, values[:, None], np.nan)


def _time_of_day(bars: Bars) -> FloatArray:
    day = bars.time.astype("datetime64[D]")
    return _of_clock(bars, (bars.time - day) / np.timedelta64(1, "D"))


def _day_of_week(bars: Bars) -> FloatArray:
    days = bars.time.astype("datetime64[D]").astype(np.int64)
    return _of_clock(bars, (days + 3) % 7 / 6.0)


FEATURES: tuple[Feature, ...] = (
    Feature(
        "rsi_14",
        "Relative strength index over 14 bars, divided by 100: 0 … 1.",
        lambda bars: indicators.rsi(bars.close, 14) / 100.0,
    ),
    Feature(
        "macd_histogram",
        "MACD (12, 26) less its signal line (9), as a fraction of the close.",
        _macd_histogram,
    ),
    Feature(
        "bollinger_position",
        "Place of the close between the Bollinger bands (20 bars, 2 deviations): 0 lower band, 1 upper band.",
        _bollinger_position,
    ),
    Feature("atr_14", "Average true range over 14 bars, as a fraction of the close.", _atr),
    Feature("adx_14", "Average directional index over 14 bars, divided by 100: 0 … 1.", _adx),
    Feature("momentum_5", "Return over 5 bars, as a fraction.", lambda bars: indicators.roc(bars.close, 5)),
    Feature(
        "momentum_21", "Return over 21 bars, as a fraction.", lambda bars: indicators.roc(bars.close, 21)
    ),
    Feature(
        "momentum_63", "Return over 63 bars, as a fraction.", lambda bars: indicators.roc(bars.close, 63)
    ),
    Feature(
        "volatility_percentile",
        "Rank of the 21-bar volatility among its last 252 values: 0 lowest, 1 highest.",
        _volatility_percentile,
    ),
    Feature(
        "volume_ratio",
        "Volume over its mean of the last 20 bars; NaN without volume.",
        lambda bars: ratio(bars.volume, indicators.sma(bars.volume, 20)),
    ),
    Feature("gap", "Open against the close of the symbol's bar before, as a fraction.", _gap),
    Feature(
        "distance_200",
        "Distance of the close from its 200-bar average, as a fraction of the average.",
        lambda bars: bars.close / indicators.sma(bars.close, 200) - 1.0,
    ),
    Feature(
        "macd_state",
        "1 while the MACD is above its signal line, -1 while it is below.",
        lambda bars: np.sign(_macd_histogram(bars)),
    ),
    Feature(
        "momentum_126", "Return over 126 bars, as a fraction.", lambda bars: indicators.roc(bars.close, 126)
    ),
    Feature(
        "trend_strength",
        "Net log return of 21 bars over the sum of their absolute ones: -1 straight down … 1 straight up.",
        _efficiency,
    ),
    Feature("volatility_1", "Absolute log return of the bar.", _realised(1)),
    Feature("volatility_6", "Root of the mean squared log return of 6 bars.", _realised(6)),
    Feature("volatility_24", "Root of the mean squared log return of 24 bars.", _realised(24)),
    Feature(
        "range",
        "High less low, as a fraction of the close.",
        lambda bars: (bars.high - bars.low) / bars.close,
    ),
    Feature(
        "jump", "Share of jumps in the squared log returns of 24 bars, from bipower variation: 0 … 1.", _jump
    ),
    Feature("time_of_day", "Of the bar's time stamp, 0 … 1; NaN for bars of a day or longer.", _time_of_day),
    Feature("day_of_week", "0 Monday … 1 Sunday; NaN for bars of a day or longer.", _day_of_week),
)
"""Every feature, declared once; the order is the order of :attr:`Features.names`."""

NAMES = tuple(feature.name for feature in FEATURES)
