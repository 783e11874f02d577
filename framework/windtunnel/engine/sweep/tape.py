"""What is known of one symbol's prices before any order: sums and extremes that segments are read from."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from windtunnel.engine.compiled import compiled, inlined

__all__ = ["BLOCK", "Tape", "first_at_most", "hold", "mark", "recorded", "stream"]

BLOCK = 16
"""Bars a block."""


class Tape(NamedTuple):
    """Prices of one symbol, ``[T]``, and where it was recorded for many orders, what blocks of them hold.

    ``sums`` and ``squares``, ``[T + 1]``, add up the simple returns of the closes and their squares. Of each
    block, ``highest`` and ``lowest`` are the extreme closes and ``depth`` is the worst fall inside it, as the
    ratio of a close to the highest before; ``dip`` and ``rise`` are the extremes of lows, and of highs turned
    negative.
    """

    open: Any
    high: Any
    low: Any
    close: Any
    sums: Any
    squares: Any
    highest: Any
    lowest: Any
    depth: Any
    dip: Any
    rise: Any


@compiled
def _record(tape: Tape) -> None:
    close, rows = tape.close, len(tape.close)
    tape.sums[0] = tape.squares[0] = 0.0
    for t in range(rows):
        change = close[t] / close[t - 1] - 1.0 if t else 0.0
        tape.sums[t + 1] = tape.sums[t] + change
        tape.squares[t + 1] = tape.squares[t] + change * change
    for block in range(len(tape.highest)):
        first = block * BLOCK
        top = bottom = close[first]
        depth, dip, rise = 1.0, tape.low[first], -tape.high[first]
        for t in range(first, min(first + BLOCK, rows)):
            top, bottom = max(top, close[t]), min(bottom, close[t])
            depth = min(depth, close[t] / top)
            dip, rise = min(dip, tape.low[t]), min(rise, -tape.high[t])
        tape.highest[block], tape.lowest[block], tape.depth[block] = top, bottom, depth
        tape.dip[block], tape.rise[block] = dip, rise


def recorded(open_: Any, high: Any, low: Any, close: Any, *, many: bool) -> Tape:
    """Return the tape of one symbol; for a few orders its blocks are not worth their cost and stay empty."""
    rows = len(close) if many else -1
    sums, squares = np.empty(rows + 1), np.empty(rows + 1)
    blocks = [np.empty((max(rows, 0) + BLOCK - 1) // BLOCK) for _ in range(5)]
    tape = Tape(open_, high, low, close, sums, squares, *blocks)
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
    first = (start + BLOCK - 1) // BLOCK
    last = max(first, stop // BLOCK)
    for t in range(start, min(stop, first * BLOCK)):
        equity = units * close[t]
        if equity > peak:
            peak = equity
        elif equity < depth * peak:
            depth = equity / peak
    for block in range(first, last):
        lowest = units * tape.lowest[block]
        if lowest < depth * peak:
            depth = lowest / peak
        depth = min(depth, tape.depth[block])
        peak = max(peak, units * tape.highest[block])
    for t in range(max(start, last * BLOCK), stop):
        equity = units * close[t]
        if equity > peak:
            peak = equity
        elif equity < depth * peak:
            depth = equity / peak
    total += tape.sums[stop] - tape.sums[start]
    squares += tape.squares[stop] - tape.squares[start]
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
