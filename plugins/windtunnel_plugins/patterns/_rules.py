"""The geometry of chart patterns, as rules on pivots.

Every rule is written for the pattern whose lower line breaks; the mirror is found in the price turned upside
down. Prices are logs, and lines straight in logs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from windtunnel_plugins.patterns._pivots import Pivot

__all__ = ["RULES", "TYPES", "Line", "Shape", "through"]

Pivots: TypeAlias = Sequence[Pivot]
Prices: TypeAlias = Sequence[float]

_STEEP = 0.2
"""How far a line must rise or fall to be no level, as a share of the pattern's height."""


class Line(NamedTuple):
    """A straight line: its level at bar 0, and its rise a bar."""

    level: float
    slope: float

    def at(self, bar: float) -> float:
        """Return its level at a bar."""
        return self.level + self.slope * bar


class Shape(NamedTuple):
    """A pattern that waits for its break.

    Parameters
    ----------
    type : str
        The name of the pattern whose lower line breaks.
    line : Line
        Whose break downwards confirms it.
    first : int
        Its first bar.
    stop : float
        The price above which it is void.
    height : float
        How far below the line its target lies.
    fit : float
        How near it comes to the ideal, 0 … 1.
    """

    type: str
    line: Line
    first: int
    stop: float
    height: float
    fit: float


TYPES: Mapping[str, str] = {
    "double_top": "double_bottom",
    "head_and_shoulders": "inverse_head_and_shoulders",
    "descending_triangle": "ascending_triangle",
    "symmetric_triangle": "symmetric_triangle",
    "rising_wedge": "falling_wedge",
    "bear_flag": "bull_flag",
    "channel": "channel",
}
"""Each pattern whose lower line breaks, and its mirror."""


def through(pivots: Pivots) -> Line:
    """Return the line of least squares through at least two pivots."""
    bar = price = 0.0
    for p in pivots:
        bar += p.bar
        price += p.price
    bar, price = bar / len(pivots), price / len(pivots)
    spread = slope = 0.0
    for p in pivots:
        off = p.bar - bar
        spread += off * off
        slope += off * (p.price - price)
    slope /= spread
    return Line(price - slope * bar, slope)


def double_top(run: Pivots, price: Prices, tolerance: float) -> Shape | None:
    """Two highs of one level after a rise; the low between them breaks."""
    base, left, valley, right = run
    height = (left.price + right.price) / 2 - valley.price
    level = _nearness(right.price - left.price, tolerance * height)
    rhythm = _evenness(valley.bar - left.bar, right.bar - valley.bar)
    if base.price > valley.price + tolerance * height or min(level, rhythm) <= 0:
        return None
    first = _rise_through(valley.price, base, left, price)
    stop = max(left.price, right.price)
    return Shape("double_top", Line(valley.price, 0.0), first, stop, height, (level + rhythm) / 2)


def head_and_shoulders(run: Pivots, price: Prices, tolerance: float) -> Shape | None:
    """Three highs after a rise, the outer ones of one level, the middle one higher; the neckline breaks."""
    base, left, low, head, other_low, right = run
    line = through((low, other_low))
    height = head.price - line.at(head.bar)
    if height <= 0 or base.price > line.at(base.bar) + tolerance * height:
        return None
    shoulders = [p.price - line.at(p.bar) for p in (left, right)]
    lower_by = head.price - max(left.price, right.price)
    if min(shoulders) < 0.1 * height or lower_by < 0.1 * height:
        return None
    level = _nearness(shoulders[1] - shoulders[0], tolerance * height)
    flat = _nearness(other_low.price - low.price, tolerance * height)
    rhythm = _evenness(head.bar - left.bar, right.bar - head.bar)
    if min(level, flat, rhythm) <= 0:
        return None
    first = _rise_through(line.at(left.bar), base, left, price)
    return Shape("head_and_shoulders", line, first, head.price, height, (level + flat + rhythm) / 3)


def bear_flag(run: Pivots, price: Prices, tolerance: float) -> Shape | None:
    """Fall, the pole, and a rally that wins some of it back in at most thrice the time; the low breaks."""
    top, end, rally = run
    height = top.price - end.price
    back = (rally.price - end.price) / height
    if not 0.05 < back < 0.7 or rally.bar - end.bar > 3 * (end.bar - top.bar):
        return None
    line, fit = Line(end.price, 0.0), _nearness(back - 0.375, 0.33)
    return Shape("bear_flag", line, top.bar, rally.price, height, fit)


def between_lines(run: Pivots, price: Prices, tolerance: float) -> Shape | None:
    """Triangle, wedge or channel: highs along one line, and lows along another, which breaks."""
    highs, lows = run[-1::-2][::-1], run[-2::-2][::-1]
    upper, lower = through(highs), through(lows)
    first, last = run[0].bar, run[-1].bar
    apart, opening = upper.level - lower.level, upper.slope - lower.slope
    wide, narrow = apart + opening * first, apart + opening * last
    if min(wide, narrow) <= 0:
        return None
    floor, roof = min([p.price for p in lows]), max([p.price for p in highs])
    height = roof - floor
    astray = max(_astray(upper, highs), _astray(lower, lows))
    touch = _nearness(astray, 0.5 * tolerance * height)
    if touch <= 0:
        return None
    above = upper.slope * (highs[-1].bar - highs[0].bar) / height
    below = lower.slope * (lows[-1].bar - lows[0].bar) / height
    closing, flat = narrow / wide, _nearness(below, 0.5 * tolerance)
    if above < -_STEEP and flat > 0 and closing < 0.9:
        line = Line(floor, 0.0)
        return Shape("descending_triangle", line, first, run[-1].price, height, (touch + flat) / 2)
    if above < -_STEEP and below > _STEEP:
        return Shape("symmetric_triangle", lower, first, run[-1].price, height, touch)
    if min(above, below) > 0.5 * _STEEP and closing < 0.85:
        return Shape("rising_wedge", lower, first, roof, height, touch)
    if 0.8 < closing < 1.25:
        return Shape("channel", lower, first, roof, height, touch)
    return None


def _astray(line: Line, pivots: Pivots) -> float:
    """Return how far the pivots stray from their line at most."""
    level, slope = line
    return max([abs(p.price - level - slope * p.bar) for p in pivots])


def _nearness(off: float, tolerance: float) -> float:
    """Return 1 where there is no difference, 0 where it reaches the tolerance, less beyond."""
    return 1.0 - abs(off) / tolerance if tolerance > 0 else -1.0


def _evenness(before: int, after: int) -> float:
    """Return 1 where two spans are equal, 0 where one is four times the other, less beyond."""
    return 1.0 - (max(before, after) / min(before, after) - 1.0) / 3.0


def _rise_through(level: float, base: Pivot, top: Pivot, price: Prices) -> int:
    """Return the last bar between ``base`` and ``top`` that is not above a level; ``base`` if all are."""
    bars = range(top.bar, base.bar, -1)
    return next((bar for bar in bars if price[bar] <= level), base.bar)


RULES: Mapping[int, tuple[Callable[[Pivots, Prices, float], Shape | None], ...]] = {
    3: (bear_flag,),
    4: (double_top, between_lines),
    5: (between_lines,),
    6: (head_and_shoulders, between_lines),
    7: (between_lines,),
    8: (between_lines,),
    9: (between_lines,),
}
"""The rules on so many pivots, the last of which is a high."""
