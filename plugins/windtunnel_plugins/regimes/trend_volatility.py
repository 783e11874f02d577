"""Regimes by rules on trend and volatility."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from annotated_types import Ge, Gt, Le, Lt

from windtunnel.market import Market
from windtunnel.plugin import RegimeModel, State
from windtunnel.values import BoolArray, FloatArray, IntArray, Regimes, Tune
from windtunnel_plugins.regimes._dwell import UNKNOWN, settle
from windtunnel_plugins.regimes._naming import BEARISH, BULLISH, HIGH_VOLATILITY, NAMES, RANGING

__all__ = ["TrendVolatility"]

TIE = 1e-9
"""Volatility that exceeds its quantile by no more than this share is equal to it, but for rounding."""


class TrendVolatility(RegimeModel):
    """Tells rising, falling, ranging and highly volatile markets apart by fixed rules.

    Notes
    -----
    Each bar is judged by its symbol's own bars up to it, by the first rule that holds:

    1. ``high_volatility``: rolling volatility exceeds its own ``quantile`` of the last ``lookback`` bars;
    2. ``trending_bullish``: the close is above its moving average, and the average has risen over the
       last ``slope`` bars;
    3. ``trending_bearish``: the close is below its moving average, and the average has fallen;
    4. ``ranging``: none of these.

    A regime stands for at least ``dwell`` bars, whatever the rules say of these; then the rules decide anew.
    Probabilities are 1 for the regime and 0 for the others; NaN in the warm-up and where there is no bar.
    """

    name = "trend_volatility"

    trend: Annotated[int, Ge(2), Le(100_000), Tune(50, 250)] = 100
    """Window of the moving average, in bars."""
    slope: Annotated[int, Ge(1), Le(100_000), Tune(5, 60)] = 20
    """Bars over which the average must rise or fall."""
    volatility: Annotated[int, Ge(2), Le(100_000), Tune(10, 60)] = 20
    """Window of the rolling volatility, in bars."""
    lookback: Annotated[int, Ge(2), Le(100_000), Tune(126, 504)] = 252
    """Bars, this one included, that volatility is compared with."""
    quantile: Annotated[float, Gt(0), Lt(1), Tune(0.7, 0.95)] = 0.8
    """Quantile of past volatility above which it is high."""
    dwell: Annotated[int, Ge(1), Le(100_000), Tune(1, 20)] = 5
    """Bars for which a regime stands at least."""

    @property
    def warmup(self) -> int:
        """Bars before average, rise and quantile of volatility exist."""
        trend_known = self.trend - 1 + self.slope
        volatility_known = self.volatility + self.lookback - 1
        return max(trend_known, volatility_known)

    def predict(self, market: Market, state: State) -> Regimes:
        """Return 1 for each bar's regime and 0 for the others, ``[T, N, 4]``."""
        average, volatility = market.sma(self.trend), market.rolling_volatility(self.volatility)
        probabilities = np.full((*market.shape, len(NAMES)), np.nan)
        for column in range(market.shape[1]):
            own = np.flatnonzero(market.bars.present[:, column])
            raw = self._judge(*(field[own, column] for field in (market.close, average, volatility)))
            regime = settle(raw, self.dwell)
            known = regime != UNKNOWN
            probabilities[own[known], column] = np.eye(len(NAMES))[regime[known]]
        return Regimes(NAMES, probabilities)

    def _judge(self, close: FloatArray, average: FloatArray, volatility: FloatArray) -> IntArray:
        """Return the code of the first rule that holds on each bar, ``[own bars]``."""
        import pandas as pd

        high = pd.Series(volatility).rolling(self.lookback).quantile(self.quantile).to_numpy()
        rise = np.full(len(average), np.nan)
        rise[self.slope :] = average[self.slope :] - average[: -self.slope]
        rules: list[BoolArray] = [
            np.isnan(rise) | np.isnan(high),
            volatility > high * (1 + TIE),
            (close > average) & (rise > 0),
            (close < average) & (rise < 0),
        ]
        return np.select(rules, [UNKNOWN, HIGH_VOLATILITY, BULLISH, BEARISH], RANGING)
