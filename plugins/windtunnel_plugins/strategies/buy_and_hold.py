"""The alternative to trading."""

from __future__ import annotations

import numpy as np

from windtunnel.market import Market
from windtunnel.plugin import Strategy
from windtunnel.values import Exposure

__all__ = ["BuyAndHold"]


class BuyAndHold(Strategy):
    """Long in every symbol from its first bar on.

    Symbols that start together share the cash; one that starts later finds none left, unless the sizing
    leaves some (``sizing: {fraction: …}``).
    """

    name = "buy_and_hold"

    def exposure(self, market: Market) -> Exposure:
        """Return where to be long, as bool."""
        return np.maximum.accumulate(market.bars.present, axis=0)
