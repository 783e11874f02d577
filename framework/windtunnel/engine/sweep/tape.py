"""What is known of one symbol's prices before any order: sums and extremes that segments are read from."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from windtunnel.engine.compiled import compiled, inlined

__all__ = ["BLOCK", "Tape", "first_at_most", "hold", "mark", "recorded", "stream"]

BLOCK = 16
"""Bars a block."""
_SHORT = 3 * BLOCK
"""Positions this short are walked bar by bar: going by blocks pays later."""


class Tape(NamedTuple):
    """Prices of one symbol, ``[T]``, and where it was recorded for many orders, what blocks of them hold.

    ``sums``, ``[T + 1, 2]``, add up the simple returns of the closes and their squares. Of each block, the
    columns of ``blocks`` are the highest and the lowest close, and the worst fall inside it as the ratio of a
    close to the highest before; ``dip`` and ``rise`` are the extremes of lows, and of highs turned negative.
    """

    open: Any
    high: Any
    low: Any
    close: Any
    sums: Any
    blocks: Any
    dip: Any
    rise: Any


@compiled
def _record(tape: Tape) -> None:
    close, rows = tape.close, len(tape.close)
    tape.sums[0, 0] = tape.sums[0, 1] = 0.0
    for t in range(rows):
        change = close[t] / close[t - 1] - 1.0 if t else 0.0
        tape.sums[t + 1, 0] = tape.sums[t, 0] + change
        tape.sums[t + 1, 1] = tape.sums[t, 1] + change * change
    for block in range(len(tape.blocks)):
        first = block * BLOCK
        top = bottom = close[first]
        depth, dip, rise = 1.0, tape.low[first], -tape.high[first]
        for t in range(first, min(first + BLOCK, rows)):
            top, bottom = max(top, close[t]), min(bottom, close[t])
            depth = min(depth, close[t] / top)
            dip, rise = min(dip, tape.low[t]), min(rise, -tape.high[t])
        tape.blocks[block, 0], tape.blocks[block, 1], tape.blocks[block, 2] = top, bottom, depth
        tape.dip[block], tape.rise[block] = dip, rise


def recorded(open_: Any, high: Any, low: Any, close: Any, *, many: bool) -> Tape:
    """Return the tape of one symbol; for a few orders its blocks are not worth their cost and stay empty."""
    rows = len(close) if many else -1
    count = (max(rows, 0) + BLOCK - 1) // BLOCK
    room = np.empty((rows + 1, 2)), np.empty((count, 3)), np.empty(count), np.empty(count)
    tape = Tape(open_, high, low, close, *room)
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
def hold(tape: Tape, units: float, start: int, stop: int, path: Any) -> Any:
    """Do what :func:`stream` does for a position that is all of the equity, block by block.

    Its returns are those of the closes: their sums are differences. A fall from the peak shows in the lowest
    close of a block against the peak before it, or inside the block.
    """
    total, squares, _, peak, depth = path
    if stop <= start:
        return path
    close = tape.close
    first = last = stop // BLOCK + 1
    if stop - start > _SHORT:
        first, last = (start + BLOCK - 1) // BLOCK, stop // BLOCK
    for t in range(start, min(stop, first * BLOCK)):
        equity = units * close[t]
        if equity > peak:
            peak = equity
        elif equity < depth * peak:
            depth = equity / peak
    for block in range(first, last):
        lowest = units * tape.blocks[block, 1]
        if lowest < depth * peak:
            depth = lowest / peak
        depth = min(depth, tape.blocks[block, 2])
        peak = max(peak, units * tape.blocks[block, 0])
    for t in range(max(start, last * BLOCK), stop):
        equity = units * close[t]
        if equity > peak:
            peak = equity
        elif equity < depth * peak:
            depth = equity / peak
    total += tape.sums[stop, 0] - tape.sums[start, 0]
    squares += tape.sums[stop, 1] - tape.sums[start, 1]
    return total, squares, units * close[stop - 1], peak, depth


@inlined
def first_at_most(values: Any, blocks: Any, sign: float, level: float, start: int, stop: int) -> int:
    """Return the first bar from ``start`` to ``stop`` whose ``sign × value`` is at most ``level``; else stop.

    ``blocks`` hold the least of each block, or nothing.
    """
    t = start
    while t < stop:
        edge = min(stop, (t // BLOCK + 1) * BLOCK)
        while t < edge and sign * values[t] > level:
            t += 1
        if t < edge:
            return t
        block = t // BLOCK
        while block < len(blocks) and block * BLOCK < stop and blocks[block] > level:
            block += 1
        t = max(t, block * BLOCK)
    return stop
