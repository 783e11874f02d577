"""What happens inside a bar: stops, targets, limit and stop entries."""

from __future__ import annotations

from typing import Any

import numpy as np

from windtunnel.engine.compiled import inner
from windtunnel.engine.kernel.book import (
    BEST,
    BLOCKED,
    CLOSE,
    HIGH,
    INSIDE,
    LIMIT,
    LOW,
    OPEN,
    STOP,
    STOP_LOSS,
    TAKE_PROFIT,
    TARGET,
    TRAIL_SHARE,
    TRAIL_WIDTH,
    TRAILING,
    TRIGGER,
    UNITS,
    WAITED,
    WAITING,
    WEIGHT,
    conditional,
    fill,
    sign,
    slip_of,
    volume_left,
    wait,
)
from windtunnel.engine.kernel.settle import PRICE, SLIP, settle

__all__ = ["conditional_entries", "stops_and_targets"]


@inner
def _tighter(book: Any, i: int, side: float) -> tuple[float, float]:
    """Return the stop nearest to the price, NaN without any, and its reason."""
    trail = book[BEST, i] - side * (book[TRAIL_SHARE, i] * book[BEST, i] + book[TRAIL_WIDTH, i])
    if np.isnan(book[STOP, i]) or side * (trail - book[STOP, i]) > 0.0:
        return trail, float(TRAILING)
    return float(book[STOP, i]), float(STOP_LOSS)


@inner
def _worse(side: float, one: float, other: float) -> float:
    """Return the price at which who is on this side gets less for closing."""
    return min(one, other) if side > 0.0 else max(one, other)


@inner
def _leave(
    book: Any, state: Any, terms: Any, now: Any, row: Any, bar: int, i: int, price: float, reason: float
) -> int:
    """Close a position inside the bar; what the volume does not allow is left to the next open."""
    slip = 0.0 if reason == TAKE_PROFIT else slip_of(terms, now, i, price)
    held = book[UNITS, i]
    units = min(abs(held), volume_left(book, terms, now, i))
    left = 0.0 if units == abs(held) else held - sign(held) * units
    book[WAITING, i] = 0.0
    if left != 0.0:
        wait(book, i, 0.0, reason)
    book[BLOCKED, i] = 1.0
    if left == held:
        return 0
    fill(
        book, state, terms, now, row, bar, i, left - held, price, slip, left, reason, np.nan, np.bool_(False)
    )
    return 1


@inner
def _judge(book: Any, state: Any, terms: Any, now: Any, row: Any, bar: int, i: int) -> int:
    """Close what touches its stop or its target; the stop first, unless the bar opens beyond the target."""
    open_, high, low = now[OPEN, i], now[HIGH, i], now[LOW, i]
    side, target = sign(book[UNITS, i]), book[TARGET, i]
    worst, best = (low, high) if side > 0.0 else (high, low)
    stop, reason = _tighter(book, i, side)
    if side * (open_ - target) >= 0.0:
        return _leave(book, state, terms, now, row, bar, i, open_, float(TAKE_PROFIT))
    if side * (worst - stop) <= 0.0:
        return _leave(book, state, terms, now, row, bar, i, _worse(side, open_, stop), reason)
    if side * (best - target) >= 0.0:
        return _leave(book, state, terms, now, row, bar, i, target, float(TAKE_PROFIT))
    return 0


@inner
def stops_and_targets(book: Any, state: Any, terms: Any, now: Any, bar: int, fills: Any, done: int) -> int:
    """Judge every position; return the number of fills."""
    for i in range(book.shape[1]):
        if book[UNITS, i] != 0.0 and not np.isnan(now[CLOSE, i]):
            done += _judge(book, state, terms, now, fills[done], bar, i)
    return done


@inner
def _reached(book: Any, now: Any, i: int) -> float:
    """Return the price at which a limit or stop entry fills in this bar; NaN if it does not."""
    open_, high, low = now[OPEN, i], now[HIGH, i], now[LOW, i]
    long, limit, trigger = book[WEIGHT, i] > 0.0, book[LIMIT, i], book[TRIGGER, i]
    if np.isnan(trigger):
        reached = low <= limit if long else high >= limit
        better = min(open_, limit) if long else max(open_, limit)
        return float(better) if reached else np.nan
    reached = high >= trigger if long else low <= trigger
    return _worse(-1.0 if long else 1.0, open_, trigger) if reached else np.nan


@inner
def _judge_new(book: Any, state: Any, terms: Any, now: Any, row: Any, bar: int, i: int, price: float) -> int:
    """Judge a position opened in this bar: inside it, the stop counts (at worst) and the target does not."""
    open_, high, low = now[OPEN, i], now[HIGH, i], now[LOW, i]
    if price == open_:
        return _judge(book, state, terms, now, row, bar, i)
    book[INSIDE, i] = 1.0
    side = sign(book[UNITS, i])
    stop, reason = _tighter(book, i, side)
    worst = low if side > 0.0 else high
    if side * (worst - stop) <= 0.0:
        return _leave(book, state, terms, now, row, bar, i, _worse(side, price, stop), reason)
    return 0


@inner
def conditional_entries(
    book: Any,
    state: Any,
    terms: Any,
    work: Any,
    symbols: Any,
    prices: Any,
    now: Any,
    bar: int,
    fills: Any,
    done: int,
) -> int:
    """Fill the limit and stop entries that the bar reached, and let the others grow older."""
    count = np.int64(0)
    for i in range(book.shape[1]):
        prices[i] = now[OPEN, i]
        if book[WAITING, i] == 0.0 or np.isnan(now[CLOSE, i]) or not conditional(book, i):
            continue
        book[WAITED, i] += 1.0
        price = _reached(book, now, i)
        if not np.isnan(price):
            prices[i] = price
            work[PRICE, i] = price
            work[SLIP, i] = 0.0 if np.isnan(book[TRIGGER, i]) else slip_of(terms, now, i, price)
            symbols[count] = i
            count += 1
    if count:
        done = settle(book, state, terms, now, work, symbols, count, prices, bar, np.bool_(True), fills, done)
    for k in range(count):
        i = symbols[k]
        if i >= 0:
            done += _judge_new(book, state, terms, now, fills[done], bar, i, prices[i])
    for i in range(book.shape[1]):
        if book[WAITING, i] != 0.0 and conditional(book, i) and book[WAITED, i] >= terms.valid:
            book[WAITING, i] = 0.0
    return done
