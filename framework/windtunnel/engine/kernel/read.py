"""Bars and orders as the kernel reads them: some bars of all symbols at a time.

A panel keeps each symbol's bars together; the account wants all symbols of one bar. Turning a few bars at a
time touches every line of memory once.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from windtunnel.engine.compiled import inner
from windtunnel.engine.kernel.book import CLOSE, FEES, HIGH, LOW, OPEN, VOLUME
from windtunnel.engine.kernel.decide import (
    ENTRY_LIMIT,
    ENTRY_STOP,
    EXIT_STOP,
    EXIT_TARGET,
    EXPOSURE,
    WISH_ATR,
    WISH_RANK,
    WISHES,
)

__all__ = ["AHEAD", "Panels", "Wishes", "read", "tiles"]

AHEAD = 128
"""Bars that are read at a time."""


class Panels(NamedTuple):
    """The bars: ``[N, T]``, and the corporate actions sorted by bar."""

    open: Any
    high: Any
    low: Any
    close: Any
    volume: Any
    last_bar: Any
    action_bar: Any
    action_symbol: Any
    dividend: Any
    split: Any


class Wishes(NamedTuple):
    """The orders: ``[N, T]``, or ``[N, 0]`` where there is none; exposure ``by_bar`` is ``[T, N]``."""

    by_bar: bool
    exposure: Any
    entry_limit: Any
    entry_stop: Any
    exit_stop: Any
    exit_target: Any
    rank: Any
    atr: Any


@inner
def tiles(fees: Any) -> tuple[Any, Any]:
    """Return room for some bars, and for their orders, of all symbols."""
    n = len(fees)
    bars, orders = np.full((AHEAD, FEES + 1, n), np.nan), np.full((AHEAD, WISHES, n), np.nan)
    for k in range(AHEAD):
        for i in range(n):
            bars[k, FEES, i] = fees[i]
    return bars, orders


@inner
def _turn(panel: Any, tile: Any, row: int, start: int, count: int) -> None:
    if panel.shape[1] == 0:
        return
    for i in range(tile.shape[2]):
        own = panel[i, start : start + count]
        for k in range(count):
            tile[k, row, i] = own[k]


@inner
def _copy(panel: Any, tile: Any, row: int, start: int, count: int) -> None:
    for k in range(count):
        for i in range(tile.shape[2]):
            tile[k, row, i] = panel[start + k, i]


@inner
def read(
    panels: Any, wishes: Any, bars: Any, orders: Any, start: int, count: int, opens: Any, inside: Any
) -> None:
    """Read ``count`` bars from ``start`` on: what fills at the open needs, and what is judged inside."""
    if opens or inside:
        _turn(panels.open, bars, OPEN, start, count)
    _turn(panels.close, bars, CLOSE, start, count)
    if wishes.by_bar:
        _copy(wishes.exposure, orders, EXPOSURE, start, count)
    else:
        _turn(wishes.exposure, orders, EXPOSURE, start, count)
    if not inside:
        return
    _turn(panels.high, bars, HIGH, start, count)
    _turn(panels.low, bars, LOW, start, count)
    _turn(panels.volume, bars, VOLUME, start, count)
    _turn(wishes.entry_limit, orders, ENTRY_LIMIT, start, count)
    _turn(wishes.entry_stop, orders, ENTRY_STOP, start, count)
    _turn(wishes.exit_stop, orders, EXIT_STOP, start, count)
    _turn(wishes.exit_target, orders, EXIT_TARGET, start, count)
    _turn(wishes.rank, orders, WISH_RANK, start, count)
    _turn(wishes.atr, orders, WISH_ATR, start, count)
