"""Breaks of support and resistance."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import numpy as np
from annotated_types import Ge, Gt

from windtunnel.market import Market
from windtunnel.plugin import PatternDetector, State
from windtunnel.values import FloatArray, Patterns, Tune
from windtunnel_plugins.patterns._breaks import Break, broken, distinct, table
from windtunnel_plugins.patterns._pivots import Pivot, typical_move, upside_down, zigzag
from windtunnel_plugins.patterns._rules import Line, Shape

__all__ = ["LevelBreaks"]

_MIRROR = {1: "support_break", -1: "resistance_break"}
_MANY = 5


class LevelBreaks(PatternDetector):
    r"""Finds closes beyond a level at which price has turned several times.

    Notes
    -----
    A support is where ``touches`` lows or more, within ``memory`` bars, lie at most ``band`` deviations of
    one bar above the lowest of them. Lows are pivots of the log close, each known at the first bar that
    closes :math:`k\sigma` above it, with k = ``scale`` and :math:`\sigma` as in ``chart_patterns``. It breaks
    at the first close below the lowest of them, at most as many bars after the last touch as lie between the
    first and that; it is void if price first closes above the highest high between, which is the ``stop``.
    ``target`` lies the distance of the two below the level, as a ratio. A resistance is the same upside down.
    ``confidence`` is the geometric mean of how near the touches lie and of their number over 5; it is no
    probability. A level breaks once: breaks of one kind whose spans overlap are the same.
    """

    name = "level_breaks"

    touches: Annotated[int, Ge(2), Tune(2, 5)] = 3
    """Fewest turns at the level."""
    band: Annotated[float, Gt(0), Tune(0.5, 3.0)] = 1.5
    """How far the turns may lie apart, in deviations of one bar."""
    scale: Annotated[float, Gt(0), Tune(1.0, 6.0)] = 2.0
    """How far price must move back to make a turn, in deviations of one bar."""
    window: Annotated[int, Ge(5), Tune(10, 60)] = 20
    """Bars over which that deviation is measured."""
    memory: Annotated[int, Ge(10), Tune(40, 250)] = 120
    """Bars over which a level is remembered."""

    @property
    def warmup(self) -> int:
        """Returns to measure a deviation, before which nothing turns."""
        return self.window

    def detect(self, market: Market, state: State) -> Patterns:
        """Return the breaks of every symbol."""
        found = [self._symbol(market, column) for column in range(market.shape[1])]
        return Patterns.union([Patterns.empty(len(market.bars)), *found], len(market.bars))

    def _symbol(self, market: Market, column: int) -> Patterns:
        own = np.flatnonzero(market.bars.present[:, column])
        logs = np.log(market.close[own, column])
        move = typical_move(logs, self.window)
        pivots = zigzag(logs, self.scale * move)
        below = self._breaks(pivots, logs, move, 1)
        above = self._breaks(upside_down(pivots), -logs, move, -1)
        return table(distinct([*below, *above], 0.0), own, column, len(market.bars))

    def _breaks(self, pivots: list[Pivot], logs: FloatArray, move: FloatArray, sign: int) -> Iterator[Break]:
        """Yield the supports that break; ``logs`` and ``pivots`` are upside down if sign is -1."""
        price = logs.tolist()
        for place, last in enumerate(pivots):
            if last.side > 0:
                continue
            width = self.band * float(move[last.known])
            recent = self._remembered(pivots, place)
            lows = [p for p in recent if p.side < 0 and abs(p.price - last.price) <= width]
            floor, roof = min(p.price for p in lows), max(p.price for p in lows)
            if len(lows) < self.touches or roof - floor > width:
                continue
            if any(p.price < floor for p in recent if p.side < 0 and p.bar > lows[0].bar):
                continue
            between = [p.price for p in recent if p.side > 0 and p.bar > lows[0].bar]
            stop, near = max(between), 1.0 - (roof - floor) / width
            shape = Shape(_MIRROR[1], Line(floor, 0.0), lows[0].bar, stop, stop - floor, near)
            bar = broken(shape, last, price)
            if bar is not None:
                confidence = (near * min(1.0, len(lows) / _MANY)) ** 0.5
                yield Break(bar, sign, _MIRROR[sign], shape, confidence)

    def _remembered(self, pivots: list[Pivot], place: int) -> list[Pivot]:
        """Return the pivots up to ``place`` that are not older than ``memory``."""
        start = place
        while start and pivots[place].bar - pivots[start - 1].bar <= self.memory:
            start -= 1
        return pivots[start : place + 1]
