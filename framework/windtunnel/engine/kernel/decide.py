"""The exposure of a bar becomes waiting orders."""

from __future__ import annotations

from typing import Any

import numpy as np

from windtunnel.engine.compiled import inner
from windtunnel.engine.kernel.book import (
    AGE,
    ALIVE,
    ATR,
    BLOCKED,
    CLOSE,
    DECIDED,
    LAST,
    LIMIT,
    OWN_STOP,
    OWN_TARGET,
    PRICED,
    RANK,
    REBALANCE,
    REST,
    SIGNAL,
    STOP,
    TARGET,
    TIME,
    TRIGGER,
    UNITS,
    WAITING,
    WEIGHT,
    sign,
    value,
    wait,
)
from windtunnel.engine.terms import FOREVER

__all__ = ["WISHES", "decide"]

_FOREVER = float(FOREVER)

WISHES = 7
EXPOSURE, ENTRY_LIMIT, ENTRY_STOP, EXIT_STOP, EXIT_TARGET, WISH_RANK, WISH_ATR = range(WISHES)
"""Rows of ``wish``, the orders of a bar for all symbols; NaN where there is none."""


@inner
def _move_levels(book: Any, wish: Any, i: int) -> None:
    """Let the strategy tighten the stop and replace the target of what is held."""
    stop, target = wish[EXIT_STOP, i], wish[EXIT_TARGET, i]
    if not np.isnan(stop) and not sign(book[UNITS, i]) * (book[STOP, i] - stop) >= 0.0:
        book[STOP, i] = stop
    if not np.isnan(target):
        book[TARGET, i] = target


@inner
def _renewed(book: Any, wish: Any, i: int) -> bool:
    """Say whether the entry price of a symbol that is flat is another than the bar before."""
    price = wish[ENTRY_STOP, i] if np.isnan(wish[ENTRY_LIMIT, i]) else wish[ENTRY_LIMIT, i]
    before = book[PRICED, i]
    book[PRICED, i] = price
    return bool(book[UNITS, i] == 0.0 and not np.isnan(price) and price != before)


@inner
def _due(book: Any, terms: Any, i: int, due: bool, wanted: float, equity: float) -> bool:
    """Say whether the calendar, or its drift, asks to rebalance a position."""
    if np.isnan(wanted) or wanted == 0.0 or book[BLOCKED, i] != 0.0 or equity <= 0.0:
        return False
    share = book[UNITS, i] * book[LAST, i] / equity
    drifted = book[UNITS, i] != 0.0 and abs(share - wanted) > terms.drift
    return bool(due or drifted)


@inner
def _decide_one(
    book: Any, terms: Any, wish: Any, i: int, due: bool, equity: float, alive: bool, special: bool
) -> None:
    wanted = wish[EXPOSURE, i]
    if wanted < terms.least:
        wanted = terms.least
    if wanted > terms.most:
        wanted = terms.most
    before = book[DECIDED, i]
    book[DECIDED, i] = wanted
    if not alive:
        return
    units = book[UNITS, i]
    if special and units != 0.0:
        _move_levels(book, wish, i)
    renewed = special and _renewed(book, wish, i)
    is_order = not np.isnan(wanted) and (wanted != before or (renewed and wanted != 0.0))
    reason = float(SIGNAL)
    if is_order and wanted != 0.0 and not before * wanted > 0.0:
        book[BLOCKED, i] = 0.0
    opens = is_order and wanted != 0.0 and units * wanted <= 0.0
    if opens and terms.needs_atr != 0.0 and np.isnan(wish[WISH_ATR, i]):
        book[BLOCKED, i] = 1.0
    if not is_order and _due(book, terms, i, due, wanted, equity):
        is_order, reason = True, float(REBALANCE)
    if is_order and wanted != 0.0 and units == 0.0 and book[REST, i] > 0.0:
        book[BLOCKED, i] = 1.0
    if terms.never != 0.0 and units * wanted > 0.0:
        if is_order and book[BLOCKED, i] == 0.0 and units * book[WEIGHT, i] <= 0.0:
            book[WAITING, i] = 0.0
        is_order = False
    if is_order and not (book[BLOCKED, i] != 0.0 and wanted != 0.0):
        wait(book, i, wanted, reason)
        if special:
            book[LIMIT, i] = wish[ENTRY_LIMIT, i]
            book[TRIGGER, i] = wish[ENTRY_STOP, i]
            book[OWN_STOP, i] = wish[EXIT_STOP, i]
            book[OWN_TARGET, i] = wish[EXIT_TARGET, i]
            book[RANK, i] = wish[WISH_RANK, i]
            book[ATR, i] = wish[WISH_ATR, i]
    elif is_order and units * wanted < 0.0:
        wait(book, i, 0.0, reason)
    elif is_order and units == 0.0:
        book[WAITING, i] = 0.0
    closing = book[WAITING, i] != 0.0 and units * book[WEIGHT, i] <= 0.0
    if units != 0.0 and book[AGE, i] >= terms.max_bars and not closing:
        wait(book, i, 0.0, float(TIME))
        book[BLOCKED, i] = 1.0


@inner
def decide(book: Any, state: Any, terms: Any, now: Any, wish: Any, due: bool, special: bool) -> bool:
    """Turn the exposure of this bar into waiting orders; on a bar that a symbol lacks, into nothing.

    Return whether any may wait.
    """
    alive = state[ALIVE] != 0.0
    by_drift = terms.drift < np.inf
    equity = value(book, state, now[CLOSE]) if due or by_drift else 0.0
    watched = special or due or by_drift or terms.max_bars < _FOREVER
    asked = False
    for i in range(book.shape[1]):
        if np.isnan(now[CLOSE, i]):
            continue
        wanted = wish[EXPOSURE, i]
        if not watched and (np.isnan(wanted) or wanted == book[DECIDED, i]):
            book[DECIDED, i] = wanted
            continue
        _decide_one(book, terms, wish, i, due, equity, alive, special)
        asked = True
    return asked
