"""What is known about every symbol at every bar, for scoring signals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from windtunnel import indicators
from windtunnel.bars import Bars
from windtunnel.panels import by_symbol, ratio
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
)
"""Every feature, declared once; the order is the order of :attr:`Features.names`."""

NAMES = tuple(feature.name for feature in FEATURES)
