"""Mean reversion by Bollinger bands and the relative strength index."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Ge, Gt, Le, Lt

from windtunnel.market import Market
from windtunnel.plugin import Strategy
from windtunnel.values import Exposure, Tune
from windtunnel_plugins.strategies._holding import hold

__all__ = ["BollingerRsi"]


class BollingerRsi(Strategy):
    """Buys when the close is below the lower Bollinger band and the RSI is low; sells above the middle band.

    The bands lie ``width`` population deviations of the closes around their moving average.
    """

    name = "bollinger_rsi"

    window: Annotated[int, Ge(2), Le(100_000), Tune(10, 60)] = 20
    """Window of the bands, in bars."""
    width: Annotated[float, Gt(0), Le(10), Tune(1.0, 3.0)] = 2.0
    """Distance of the bands from the average, in deviations."""
    rsi_window: Annotated[int, Ge(2), Le(100_000), Tune(5, 30)] = 14
    """Window of the relative strength index, in bars."""
    oversold: Annotated[float, Gt(0), Lt(100), Tune(15.0, 45.0)] = 35.0
    """Relative strength index, 0 to 100, below which to buy."""

    @property
    def warmup(self) -> int:
        """Bars before both bands and index exist."""
        return max(self.window - 1, self.rsi_window)

    def exposure(self, market: Market) -> Exposure:
        """Return where to be long, as bool."""
        _, middle, lower = market.bollinger(self.window, self.width)
        enter = (market.close < lower) & (market.rsi(self.rsi_window) < self.oversold)
        return hold(enter, leave=market.close > middle)
