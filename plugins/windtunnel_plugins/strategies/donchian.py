"""Breakout from a price channel."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Ge, Le

from windtunnel.market import Market
from windtunnel.plugin import Strategy
from windtunnel.values import Exposure, Tune
from windtunnel_plugins.strategies._holding import carry, hold

__all__ = ["Donchian"]


class Donchian(Strategy):
    """Buys above the highest high of the bars before, sells below their lowest low."""

    name = "donchian"

    entry: Annotated[int, Ge(1), Le(100_000), Tune(10, 120)] = 20
    """How many bars before this one make the highest high."""
    exit: Annotated[int, Ge(1), Le(100_000), Tune(5, 60)] = 10
    """How many bars before this one make the lowest low."""

    @property
    def warmup(self) -> int:
        """Bars before both channels exist."""
        return max(self.entry, self.exit)

    def exposure(self, market: Market) -> Exposure:
        """Return where to be long, as bool."""
        present = market.bars.present
        highest = carry(market.donchian(self.entry)[0], present)
        lowest = carry(market.donchian(self.exit)[1], present)
        return hold(
            enter=market.close > market.lag(highest),
            leave=market.close < market.lag(lowest),
        )
