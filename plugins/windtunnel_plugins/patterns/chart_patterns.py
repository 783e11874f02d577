"""Chart patterns."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Annotated

import numpy as np
from annotated_types import Ge, Gt, Le, MinLen
from pydantic import field_validator, model_validator

from windtunnel.errors import InvalidValueError, nearest
from windtunnel.market import Market
from windtunnel.plugin import PatternDetector, State
from windtunnel.values import FloatArray, Patterns, Tune
from windtunnel_plugins.patterns._breaks import Break, broken, distinct, table
from windtunnel_plugins.patterns._pivots import Pivot, typical_move, upside_down, zigzag
from windtunnel_plugins.patterns._rules import RULES, TYPES, Shape

__all__ = ["ChartPatterns"]

_STRONG = 4.0
"""Strength that gives full confidence."""
_NAMES = tuple(dict.fromkeys((*TYPES, *TYPES.values())))


class ChartPatterns(PatternDetector):
    r"""Finds double tops, heads and shoulders, triangles, wedges, flags and channels, and their mirrors.

    Notes
    -----
    The definitions stand on pivots, as in Lo, Mamaysky & Wang (2000), "Foundations of Technical Analysis",
    Journal of Finance 55, section II.A, but pivots are known late, not smoothed from both sides: a high of
    the log close is a pivot at the first bar that closes :math:`k\sigma` below it, where :math:`\sigma` is
    the deviation of one bar's return, :math:`\sqrt{\pi/2}` times its mean size over ``window`` bars.
    Each k of ``scales`` gives pivots of its own, so that small and large patterns are found.

    With height H, from the highest high to the line that breaks (between lines: to the lowest low), and
    tolerance c:

    - *double top*: low, high, low, high; the highs differ by less than cH, and the first low lies at most cH
      above the second.
    - *head and shoulders*: a low, then three highs; the middle one is higher by 0.1 H or more, the others
      stand 0.1 H or more above the neckline and differ by less than cH, and so do the lows between.
    - *between lines*, 4 to 9 pivots that stray from two lines of least squares by less than cH/2: a
      *descending triangle* has falling highs and lows that differ by less than cH/2, a *symmetric triangle*
      falling highs and rising lows, a *rising wedge* both rising and converging, a *channel* parallel ones.
    - *bear flag*: a fall, then a rally that wins back 5 to 70 % of it in at most three times its bars.

    Their mirrors are the same rules on the price upside down. A pattern is confirmed by the first close
    beyond its line once all its pivots are known, and void if price first closes beyond ``stop``, the highest
    high (of flags and triangles the last one), or if it waits for longer than it took. ``target`` lies H
    beyond the line, as a ratio.

    The strength of a pattern is the root mean square of its legs, each over the root of its bars, in
    deviations of one bar as they were before it; a stretch of a random walk that nobody chose has 1.
    ``confidence`` is the geometric mean of two shares: how near levels, lines and rhythm come to the ideal,
    and strength / 4. It is no probability. Random walks are full of such patterns, most of them of a strength
    below 2.4. Where nothing moves there are no pivots, and so no patterns.
    """

    name = "chart_patterns"

    patterns: Annotated[tuple[str, ...], MinLen(1)] = _NAMES
    """What to look for, such as ``double_top``."""
    scales: Annotated[tuple[Annotated[float, Gt(0)], ...], MinLen(1)] = (1.5, 2.0, 3.0, 4.0, 5.5, 7.5)
    """How far price must move back to make a pivot, in deviations of one bar; each gives its own pivots."""
    window: Annotated[int, Ge(5), Tune(10, 60)] = 20
    """Bars over which the deviation of one bar is measured."""
    tolerance: Annotated[float, Gt(0), Le(1), Tune(0.2, 0.6)] = 0.5
    """How far what should be level may differ, as a share of the pattern's height."""
    clear: Annotated[float, Ge(0), Tune(1.0, 3.0)] = 1.6
    """Least strength of the legs, in what a random walk does over as many bars."""
    shortest: Annotated[int, Ge(4), Tune(8, 30)] = 15
    """Fewest bars from the first bar to the break."""
    longest: Annotated[int, Ge(5), Tune(40, 200)] = 120
    """Most bars from the first bar to the last pivot."""
    overlap: Annotated[float, Ge(0), Le(1)] = 0.6
    """Share of the longer span from which a pattern is the same as an earlier one of its type."""

    @field_validator("patterns")
    @classmethod
    def _known_once(cls, patterns: tuple[str, ...]) -> tuple[str, ...]:
        for name in patterns:
            if name not in _NAMES:
                hint = nearest(name, _NAMES)
                known = f"did you mean {hint}?" if hint else f"known: {', '.join(_NAMES)}"
                raise ValueError(f"{name!r} is no chart pattern; {known}")
        if len(set(patterns)) < len(patterns):
            raise ValueError(f"must name each pattern once (got {', '.join(patterns)})")
        return patterns

    @model_validator(mode="after")
    def _in_order(self) -> ChartPatterns:
        if self.shortest > self.longest:
            raise InvalidValueError("shortest", f"must be at most longest ({self.longest})", self.shortest)
        return self

    @property
    def warmup(self) -> int:
        """Returns to measure a deviation, before which nothing turns."""
        return self.window

    def detect(self, market: Market, state: State) -> Patterns:
        """Return the patterns of every symbol, each at the bar that confirms it."""
        found = [self._symbol(market, column) for column in range(market.shape[1])]
        return Patterns.union([Patterns.empty(len(market.bars)), *found], len(market.bars))

    def _symbol(self, market: Market, column: int) -> Patterns:
        own = np.flatnonzero(market.bars.present[:, column])
        logs = np.log(market.close[own, column])
        move = typical_move(logs, self.window)
        found: list[Break] = []
        for scale in self.scales:
            pivots = zigzag(logs, scale * move)
            found += self._breaks(pivots, logs, move, 1)
            found += self._breaks(upside_down(pivots), -logs, move, -1)
        return table(distinct(found, self.overlap), own, column, len(market.bars))

    def _breaks(self, pivots: list[Pivot], logs: FloatArray, move: FloatArray, sign: int) -> Iterator[Break]:
        """Yield the shapes whose lower line breaks; ``logs`` and ``pivots`` are upside down if sign is -1."""
        price = logs.tolist()
        for shape, run in self._shapes(pivots, price):
            name = shape.type if sign > 0 else TYPES[shape.type]
            bar = broken(shape, run[-1], price) if name in self.patterns else None
            if bar is None or bar - shape.first < self.shortest:
                continue
            usual = float(move[max(shape.first, self.window)])
            strength = _strength(shape, run, bar, price) / usual if usual else 0.0
            if strength >= self.clear:
                yield Break(bar, sign, name, shape, (shape.fit * min(1.0, strength / _STRONG)) ** 0.5)

    def _shapes(self, pivots: list[Pivot], price: list[float]) -> Iterator[tuple[Shape, list[Pivot]]]:
        """Yield every shape with its pivots, the last of which is a high."""
        for place, last in enumerate(pivots):
            if last.side < 0:
                continue
            for count, rules in RULES.items():
                start = place + 1 - count
                if start < 0 or last.bar - pivots[start + 1].bar > self.longest:
                    break
                run = pivots[start : place + 1]
                for rule in rules:
                    shape = rule(run, price, self.tolerance)
                    if shape is not None and last.bar - shape.first <= self.longest:
                        yield shape, run


def _strength(shape: Shape, run: list[Pivot], bar: int, price: list[float]) -> float:
    """Return the root mean square of the legs, each over the root of its bars."""
    bars = [shape.first, *(p.bar for p in run if p.bar > shape.first), bar]
    squares = [(price[b] - price[a]) ** 2 / (b - a) for a, b in pairwise(bars) if b > a]
    return float((sum(squares) / len(squares)) ** 0.5)
