"""Trend following by the rate of change."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Ge, Gt, Le

from windtunnel.market import Market
from windtunnel.plugin import Strategy
from windtunnel.values import Exposure, Tune

__all__ = ["Momentum"]


class Momentum(Strategy):
    """Long while the price has risen by more than a threshold."""

    name = "momentum"

    window: Annotated[int, Ge(1), Le(100_000), Tune(20, 252)] = 126
    """Bars over which the rate of change is taken."""
    threshold: Annotated[float, Gt(-1), Le(10), Tune(-0.05, 0.15)] = 0.0
    """Rate of change to exceed, as a fraction (0.05 is 5 %)."""

    @property
    def warmup(self) -> int:
        """Bars before the rate of change exists."""
        return self.window

    def exposure(self, market: Market) -> Exposure:
        """Return where to be long, as bool."""
        return market.roc(self.window) > self.threshold
