"""Gaps."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from annotated_types import Ge, Gt

from windtunnel import indicators
from windtunnel.market import Market
from windtunnel.plugin import PatternDetector, State
from windtunnel.values import Patterns, Tune

__all__ = ["Gaps"]


class Gaps(PatternDetector):
    """Finds gaps: bars that have no price in common with the one before.

    Notes
    -----
    A gap up is a low above the high before (Edwards & Magee 1948, *Technical Analysis of Stock Trends*, the
    chapter on gaps) by ``least`` average true ranges or more, as these were at the bar before. ``stop`` is
    the edge whose touch would close it, and the ``neckline``; ``target`` lies its size beyond the close,
    as a ratio.
    ``confidence`` is size / (size + average true range). Both bars are the symbol's own, so a suspension may
    lie between. Prices that never move have no range, and no gap is found.
    """

    name = "gaps"

    least: Annotated[float, Gt(0), Tune(0.1, 2.0)] = 0.5
    """Least size, in average true ranges."""
    window: Annotated[int, Ge(2), Tune(5, 50)] = 14
    """Bars of the average true range."""

    @property
    def warmup(self) -> int:
        """Bars of the average, and one more."""
        return self.window + 1

    def detect(self, market: Market, state: State) -> Patterns:
        """Return every gap, at the bar after it."""
        found = [self._symbol(market, column) for column in range(market.shape[1])]
        return Patterns.union([Patterns.empty(len(market.bars)), *found], len(market.bars))

    def _symbol(self, market: Market, column: int) -> Patterns:
        own = np.flatnonzero(market.bars.present[:, column])
        high, low, close = (getattr(market, name)[own, column] for name in ("high", "low", "close"))
        usual = indicators.atr(high, low, close, self.window)[:-1] if len(own) > self.window else np.empty(0)
        bar = np.arange(1, len(usual) + 1)
        size = np.maximum(low[bar] - high[bar - 1], low[bar - 1] - high[bar])
        wide = np.flatnonzero((size >= self.least * usual) & (usual > 0))
        bar, size, usual = bar[wide], size[wide], usual[wide]
        direction = np.where(low[bar] > high[bar - 1], 1, -1)
        edge = np.where(direction > 0, high[bar - 1], low[bar - 1])
        return Patterns(
            symbol=np.full(len(bar), column, np.int64),
            type=np.where(direction > 0, "gap_up", "gap_down"),
            first=own[bar - 1],
            confirmed=own[bar],
            direction=direction,
            confidence=size / (size + usual),
            target=close[bar] * np.where(direction > 0, low[bar], high[bar]) / edge,
            stop=edge,
            bars=len(market.bars),
            neckline=edge.copy(),
        )
