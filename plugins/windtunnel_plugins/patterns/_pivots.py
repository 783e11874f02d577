"""Turning points of a price, each known only once the price has moved back far enough."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from windtunnel.panels import rolling_mean
from windtunnel.values import FloatArray

__all__ = ["Pivot", "typical_move", "upside_down", "zigzag"]

_NORMAL = float(np.sqrt(np.pi / 2))


class Pivot(NamedTuple):
    """A turning point: its bar, the bar at whose close it is known, its price; 1 is a high, -1 a low."""

    bar: int
    known: int
    price: float
    side: int


def typical_move(logs: FloatArray, window: int) -> FloatArray:
    """Return the deviation of one bar's log return over the last ``window`` of them, ``[T]``.

    The mean absolute return times √(π/2), which is the deviation where returns are normal and is moved less
    by a few large ones. NaN in the warm-up.
    """
    moves = np.abs(np.diff(logs, prepend=np.nan))
    result = np.full(len(logs), np.nan)
    result[1:] = _NORMAL * rolling_mean(moves[1:], window) if len(logs) > 1 else np.nan
    return result


def zigzag(logs: FloatArray, turn: FloatArray) -> list[Pivot]:
    """Return the pivots of one symbol's log prices, in order, highs and lows in turn.

    A high is known at the first bar whose price lies ``turn`` of that bar below it, with nothing higher in
    between; a low likewise.

    Parameters
    ----------
    logs, turn : array of float64, ``[T]``
        Log prices, and how far these must move back; where ``turn`` is NaN or 0 nothing turns.
    """
    pivots: list[Pivot] = []
    price, needed = logs.tolist(), turn.tolist()
    high = low = side = 0
    for bar, value in enumerate(price):
        if value > price[high]:
            high = bar
        if value < price[low]:
            low = bar
        if not needed[bar] > 0:
            continue
        if side >= 0 and price[high] - value >= needed[bar]:
            pivots.append(Pivot(high, bar, price[high], 1))
            side, low = -1, high + 1 + int(np.argmin(logs[high + 1 : bar + 1]))
        elif side <= 0 and value - price[low] >= needed[bar]:
            pivots.append(Pivot(low, bar, price[low], -1))
            side, high = 1, low + 1 + int(np.argmax(logs[low + 1 : bar + 1]))
    return pivots


def upside_down(pivots: list[Pivot]) -> list[Pivot]:
    """Return the pivots of the price turned upside down."""
    return [Pivot(p.bar, p.known, -p.price, -p.side) for p in pivots]
