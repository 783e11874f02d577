"""What is known of one symbol's prices before any order: sums and extremes that segments are read from."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from windtunnel.engine.compiled import compiled, inlined

__all__ = ["BLOCK", "Tape", "first_at_most", "hold", "mark", "recorded", "stream"]

BLOCK = 32
"""Bars a block."""


class Tape(NamedTuple):
    """Prices of one symbol, ``[T]``, and where it was recorded for many orders, what is read off at once.

    ``sums``, ``[T + 1, 2]``, add up the simple returns of the closes and their squares. Bars are taken in
    blocks: ``ahead``, ``[T, 5]``, is what happens from a bar to the end of its block, so that the first bar
    of a block has all of it, and ``behind``, ``[T, 3]``, from the beginning of the block to a bar. Columns
    are the highest and the lowest close, the worst fall, as the ratio of a close to the highest before, the
    lowest low, and the highest high turned negative.
    """

    open: Any
    high: Any
    low: Any
    close: Any
    sums: Any
    ahead: Any
    behind: Any


@compiled
def _record(tape: Tape) -> None:
    close, ahead, behind, rows = tape.close, tape.ahead, tape.behind, len(tape.close)
    tape.sums[0, 0] = tape.sums[0, 1] = 0.0
    for t in range(rows):
        change = close[t] / close[t - 1] - 1.0 if t else 0.0
        tape.sums[t + 1, 0] = tape.sums[t, 0] + change
        tape.sums[t + 1, 1] = tape.sums[t, 1] + change * change
        behind[t, 0], behind[t, 1], behind[t, 2] = close[t], close[t], 1.0
        if t % BLOCK:
            behind[t, 0], behind[t, 1] = max(close[t], behind[t - 1, 0]), min(close[t], behind[t - 1, 1])
            behind[t, 2] = min(behind[t - 1, 2], close[t] / behind[t, 0])
    for t in range(rows - 1, -1, -1):
        ahead[t, 0], ahead[t, 1], ahead[t, 2] = close[t], close[t], 1.0
        ahead[t, 3], ahead[t, 4] = tape.low[t], -tape.high[t]
        if (t + 1) % BLOCK and t + 1 < rows:
            after = ahead[t + 1]
            ahead[t, 0], ahead[t, 1] = max(close[t], after[0]), min(close[t], after[1])
            ahead[t, 2] = min(after[2], ahead[t, 1] / close[t])
            ahead[t, 3], ahead[t, 4] = min(ahead[t, 3], after[3]), min(ahead[t, 4], after[4])


def recorded(open_: Any, high: Any, low: Any, close: Any, *, many: bool) -> Tape:
    """Return the tape of one symbol; for a few orders its tables are not worth their cost and stay empty."""
    rows = len(close) if many else 0
    tape = Tape(open_, high, low, close, np.empty((rows + many, 2)), np.empty((rows, 5)), np.empty((rows, 3)))
    if many:
        _record(tape)
    return tape


@inlined
def mark(equity: float, path: Any) -> Any:
    """Add the return of one bar.

    ``path`` is what is known of an account's equity: Σr, Σr², its last value, its peak, and the lowest ratio
    of a value to the peak before it.
    """
    total, squares, before, peak, depth = path
    change = equity / before - 1.0
    if equity > peak:
        peak = equity
    elif equity < depth * peak:
        depth = equity / peak
    return total + change, squares + change * change, equity, peak, depth


@inlined
def stream(close: Any, cash: float, units: float, start: int, stop: int, path: Any) -> Any:
    """Add the returns of a position over the closes from ``start`` to ``stop``.

    Return the bar at whose close equity is gone, which is not added, or ``stop``; and the path.
    """
    total, squares, before, peak, depth = path
    end = stop
    for t in range(start, stop):
        equity = cash + units * close[t]
        if equity <= 0.0:
            end = t
            break
        change = equity / before - 1.0
        total += change
        squares += change * change
        before = equity
        if equity > peak:
            peak = equity
        elif equity < depth * peak:
            depth = equity / peak
    return end, (total, squares, before, peak, depth)


@inlined
def _joined(units: float, part: Any, peak: float, depth: float) -> Any:
    """Carry peak and depth over a stretch of closes: a fall is within it, or from the peak before."""
    lowest = units * part[1]
    if lowest < depth * peak:
        depth = lowest / peak
    return max(peak, units * part[0]), min(depth, part[2])


@inlined
def hold(tape: Tape, units: float, start: int, stop: int, path: Any) -> Any:
    """Do what :func:`stream` does for a position that is all of the equity, by the tables of the tape.

    Its returns are those of the closes: their sums are differences.
    """
    total, squares, _, peak, depth = path
    if stop <= start:
        return path
    close = tape.close
    first, last = start // BLOCK, (stop - 1) // BLOCK
    if first == last:
        for t in range(start, stop):
            equity = units * close[t]
            if equity > peak:
                peak = equity
            elif equity < depth * peak:
                depth = equity / peak
    else:
        peak, depth = _joined(units, tape.ahead[start], peak, depth)
        for block in range(first + 1, last):
            peak, depth = _joined(units, tape.ahead[block * BLOCK], peak, depth)
        peak, depth = _joined(units, tape.behind[stop - 1], peak, depth)
    total += tape.sums[stop, 0] - tape.sums[start, 0]
    squares += tape.sums[stop, 1] - tape.sums[start, 1]
    return total, squares, units * close[stop - 1], peak, depth


@inlined
def first_at_most(tape: Tape, values: Any, column: int, level: float, start: int, stop: int) -> int:
    """Return the first bar from ``start`` to ``stop`` that is at or beyond a level; ``stop`` if none is.

    ``values`` are the lows and ``column`` 3 to find one at most ``level``, or highs, 4 and the level turned
    negative to find one at least as high.
    """
    t, sign = start, 1.0 if column == 3 else -1.0
    if len(tape.ahead) > 0:
        while t < stop and tape.ahead[t, column] > level:
            t = (t // BLOCK + 1) * BLOCK
    while t < stop and sign * values[t] > level:
        t += 1
    return min(t, stop)
