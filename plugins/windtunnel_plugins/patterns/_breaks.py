"""Shapes whose line has broken, and the table that is made of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from windtunnel.values import IntArray, Patterns
from windtunnel_plugins.patterns._pivots import Pivot
from windtunnel_plugins.patterns._rules import Shape

__all__ = ["Break", "broken", "distinct", "table"]


class Break(NamedTuple):
    """A shape of the price (sign 1) or of the price upside down (-1), and the bar at which its line broke."""

    bar: int
    sign: int
    type: str
    shape: Shape
    confidence: float


def broken(shape: Shape, last: Pivot, price: list[float]) -> int | None:
    """Return the first bar that closes under the line once the last pivot is known; None if void before.

    It waits as long as the shape took.
    """
    for bar in range(last.known, min(len(price), 2 * last.bar - shape.first + 1)):
        if price[bar] > shape.stop:
            return None
        if price[bar] < shape.line.at(bar):
            return bar
    return None


def distinct(found: Sequence[Break], overlap: float) -> list[Break]:
    """Return the breaks in order, without those that an earlier one of the type covers.

    One covers another if they share more than ``overlap`` of the longer span.
    """
    kept: list[Break] = []
    spans: dict[tuple[str, int], list[tuple[int, int]]] = {}
    for one in sorted(found, key=lambda b: (b.bar, -b.confidence, b.type, b.shape.first)):
        first, last = one.shape.first, one.bar
        earlier = spans.setdefault((one.type, one.sign), [])
        shares = (
            (end - max(begin, first) + 1) / (max(end - begin, last - first) + 1)
            for begin, end in earlier
            if end >= first
        )
        if all(share <= overlap for share in shares):
            earlier.append((first, last))
            kept.append(one)
    return kept


def table(found: Sequence[Break], own: IntArray, column: int, bars: int) -> Patterns:
    """Return the patterns of one symbol; ``own`` are its bars among all."""
    if not found:
        return Patterns.empty(bars)
    sign = np.array([one.sign for one in found], np.int64)
    line = np.array([one.shape.line.at(one.bar) for one in found])
    height = np.array([one.shape.height for one in found])
    return Patterns(
        symbol=np.full(len(found), column, np.int64),
        type=np.array([one.type for one in found]),
        first=own[[one.shape.first for one in found]],
        confirmed=own[[one.bar for one in found]],
        direction=-sign,
        confidence=np.array([one.confidence for one in found]),
        target=np.exp(sign * (line - height)),
        stop=np.exp(sign * np.array([one.shape.stop for one in found])),
        bars=bars,
        neckline=np.exp(sign * line),
    )
