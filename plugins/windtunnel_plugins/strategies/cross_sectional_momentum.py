"""Momentum across symbols."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from annotated_types import Ge, Le

from windtunnel.market import Market
from windtunnel.plugin import Strategy
from windtunnel.values import Exposure, Tune
from windtunnel_plugins.strategies._holding import postpone

__all__ = ["CrossSectionalMomentum"]


class CrossSectionalMomentum(Strategy):
    """Holds the ``top`` symbols that rose most, in equal parts, and chooses anew every so many bars.

    After Jegadeesh and Titman (1993), "Returns to Buying Winners and Selling Losers", long side alone.
    Symbols are ranked by their rate of change, ties in the order of the columns. Each one chosen gets
    1 / ``top`` of the equity, also where fewer have a rate of change; the rest stays in cash. A symbol
    without a bar on the day of choice is not chosen, and sold at its next bar if held.
    """

    name = "cross_sectional_momentum"

    window: Annotated[int, Ge(1), Le(100_000), Tune(20, 252)] = 126
    """Bars over which the rate of change is taken; the first choice is made at the close of the next one."""
    top: Annotated[int, Ge(1), Le(100_000), Tune(1, 10)] = 3
    """How many symbols to hold."""
    every: Annotated[int, Ge(1), Le(100_000), Tune(5, 63)] = 21
    """Bars between two choices. With 1 a weight is ordered only when it changes, and drifts until then."""

    @property
    def warmup(self) -> int:
        """Bars before the first choice."""
        return self.window

    def exposure(self, market: Market) -> Exposure:
        """Return 1 / ``top`` or 0 where a choice is made, 0 on the first bar, NaN (keep) elsewhere."""
        exposure = np.full(market.shape, np.nan, order="F")
        exposure[:1] = 0.0
        change = market.roc(self.window)[self.window :: self.every]
        best = np.argsort(-change, axis=1, kind="stable")[:, : self.top]
        weights = np.zeros(change.shape)
        np.put_along_axis(weights, best, 1 / self.top, axis=1)
        exposure[self.window :: self.every] = np.where(np.isnan(change), 0.0, weights)
        return postpone(exposure, market.bars.present)
