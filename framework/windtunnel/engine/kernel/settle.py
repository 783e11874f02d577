"""Waiting orders become fills: sized, split into what closes and what opens, and cut to what there is.

``work`` holds, a row each, what the orders of a bar close and open, their prices, slippage and notional.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from windtunnel.engine.compiled import inner
from windtunnel.engine.kernel.book import (
    AGE,
    ATR,
    BEST,
    BLOCKED,
    FEES,
    LAST,
    LIMIT,
    OWN_TARGET,
    RANK,
    REASON,
    STOP,
    TARGET,
    TRAIL_SHARE,
    TRAIL_WIDTH,
    TRIGGER,
    UNITS,
    WAITED,
    WAITING,
    WEIGHT,
    conditional,
    fee_of,
    fill,
    first_stop,
    fixed_stop,
    level,
    rounded,
    sign,
    signed,
    value,
    volume_left,
)
from windtunnel.engine.terms import DUST, TIE

__all__ = ["CLOSES", "OPENS", "PRICE", "SLIP", "WORK", "settle"]

WORK = 6
CLOSES, OPENS, PRICE, SLIP, NOTIONAL, COLUMN = range(WORK)


@inner
def _target_units(book: Any, terms: Any, i: int, price: float, slip: float, equity: float) -> float:
    """Return the units that an order asks for; NaN where its stop does not say how much is at risk."""
    weight = book[WEIGHT, i]
    side = sign(weight)
    if terms.size == 1 or side == 0.0:
        return float(weight)
    worth = weight * max(equity, 0.0)
    if terms.size == 0:
        return float(worth / price)
    entry = price * (1.0 + slip) if side > 0.0 else price * (1.0 - slip)
    at_risk = side * (entry - first_stop(book, terms, i, side, entry))
    return float(worth / at_risk) if at_risk > 0.0 else np.nan


@inner
def _sized(book: Any, terms: Any, work: Any, i: int, equity: float, inside: Any) -> bool:
    """Size an order and split it into what closes and what opens; say whether anything is to be done."""
    price, slip, held = work[PRICE, i], work[SLIP, i], book[UNITS, i]
    against = held * sign(book[WEIGHT, i]) < 0.0
    by_price = conditional(book, i)
    work[CLOSES, i] = work[OPENS, i] = 0.0
    if by_price and against:
        work[CLOSES, i] = -held
        return not inside
    target = _target_units(book, terms, i, price, slip, equity)
    if by_price and not inside:
        if book[WAITED, i] > 0.0 or not abs(target) < abs(held):
            return False
        by_price = False
        book[LIMIT, i] = book[TRIGGER, i] = np.nan
    book[WAITING, i] = 0.0
    if np.isnan(target) and against:
        target = 0.0
    if np.isnan(target) or (target != 0.0 and abs(target - held) * price <= DUST * equity):
        return False
    if held * target < 0.0:
        work[CLOSES, i], work[OPENS, i] = -held, target
    elif abs(target) > abs(held):
        work[OPENS, i] = target - held
    elif by_price:
        return False
    elif target != 0.0:
        work[CLOSES, i] = rounded(terms, target - held, price)
    else:
        work[CLOSES, i] = -held
    return True


@inner
def _refuse_beyond_most(book: Any, terms: Any, work: Any, symbols: Any, n: Any) -> None:
    """Let the entries of the highest rank take the free places; the others wait for their next signal."""
    held = 0
    for i in range(book.shape[1]):
        held += book[UNITS, i] != 0.0
    entries = 0
    for i in symbols[:n]:
        kept = book[UNITS, i] + work[CLOSES, i]
        if book[UNITS, i] != 0.0 and kept == 0.0:
            held -= 1
        entries += work[OPENS, i] != 0.0 and kept == 0.0
    places = max(0, terms.max_positions - held)
    while entries > places:
        last = -1
        for i in symbols[:n]:
            if work[OPENS, i] == 0.0 or book[UNITS, i] + work[CLOSES, i] != 0.0:
                continue
            if last < 0 or not _before(book[RANK, i], book[RANK, last]):
                last = i
        work[OPENS, last] = 0.0
        book[WAITING, last] = 0.0
        book[BLOCKED, last] = 1.0
        entries -= 1


@inner
def _before(rank: float, other: float) -> bool:
    """Say whether a rank comes before that of a column further left; where there is none it comes last."""
    if np.isnan(rank):
        return False
    return np.isnan(other) or rank > other


@inner
def _cut_to_volume(book: Any, terms: Any, now: Any, work: Any, symbols: Any, n: Any) -> None:
    """Trade no more than a share of the bar's volume; the order goes on waiting for the rest."""
    for i in symbols[:n]:
        room = volume_left(book, terms, now, i)
        closing, opening = abs(work[CLOSES, i]), abs(work[OPENS, i])
        closes, opens = min(closing, room), 0.0
        if closes == closing:
            opens = min(opening, room - closes)
        if closes < closing or opens < opening:
            book[WAITING, i] = 1.0
        work[CLOSES, i] = signed(closes, work[CLOSES, i])
        work[OPENS, i] = signed(opens, work[OPENS, i])


@inner
def _paid_share(work: Any, i: int) -> float:
    """Return the price paid over the price before slippage."""
    slip = work[SLIP, i]
    return float(1.0 + slip if work[OPENS, i] + work[CLOSES, i] > 0.0 else 1.0 - slip)


@inner
def _closing_fee(terms: Any, now: Any, work: Any, i: int) -> float:
    return fee_of(terms, now, i, abs(work[CLOSES, i]) * work[PRICE, i] * _paid_share(work, i))


@inner
def _opening_cost(terms: Any, now: Any, work: Any, i: int, share: float) -> tuple[float, float]:
    """Return what opening ``share`` of an order costs beyond its closing, and how fast that grows."""
    rate = now[FEES, i] * _paid_share(work, i)
    opening, closing = abs(work[OPENS, i]) * work[PRICE, i], abs(work[CLOSES, i]) * work[PRICE, i]
    linear = rate * (closing + share * opening) + terms.fee_fixed
    slope = rate if linear > terms.fee_min else 0.0
    slip = work[SLIP, i]
    cost = share * opening * slip + max(terms.fee_min, linear) - _closing_fee(terms, now, work, i)
    return cost, slip + slope


@inner
def _shrink_together(terms: Any, now: Any, work: Any, symbols: Any, n: Any, room: float) -> None:
    """Scale all that opens by one factor, found by Newton's steps on a piecewise linear need."""
    share, slopes = 1.0, -1.0
    while True:
        need = slope = steep = 0.0
        for i in symbols[:n]:
            if work[OPENS, i] == 0.0:
                continue
            cost, growth = _opening_cost(terms, now, work, i, share)
            opening = abs(work[OPENS, i]) * work[PRICE, i]
            need += share * opening + terms.leverage * cost
            slope += opening * (1.0 + terms.leverage * growth)
            steep += growth
        if need <= room or steep == slopes:
            break
        slopes = steep
        share -= (need - room) / slope
        if share <= 0.0:
            share = 0.0
            break
    for i in symbols[:n]:
        if work[OPENS, i] != 0.0:
            work[OPENS, i] = rounded(terms, work[OPENS, i] * share, work[PRICE, i])


@inner
def _shrink_one(terms: Any, now: Any, work: Any, i: int, room: float) -> float:
    """Cut one order to the room there is; return the room that it takes."""
    price = work[PRICE, i]
    rate = now[FEES, i] * _paid_share(work, i)
    before = _closing_fee(terms, now, work, i)
    each = 1.0 + terms.leverage * work[SLIP, i]
    closing = abs(work[CLOSES, i]) * price
    by_rate = room - terms.leverage * (rate * closing + terms.fee_fixed - before)
    by_least = room - terms.leverage * (terms.fee_min - before)
    most = max(0.0, min(by_rate / (each + terms.leverage * rate), by_least / each))
    opens = work[OPENS, i]
    if most < abs(opens) * price:
        opens = signed(most / price, opens)
    opens = rounded(terms, opens, price)
    if opens == 0.0:
        work[OPENS, i] = 0.0
        return 0.0
    work[OPENS, i] = opens
    cost, _ = _opening_cost(terms, now, work, i, 1.0)
    return float(abs(opens) * price + terms.leverage * cost)


@inner
def _room(
    book: Any, terms: Any, now: Any, work: Any, symbols: Any, n: Any, prices: Any, equity: float
) -> float:
    """Return how much may be opened, in currency, after what closes."""
    costs = gross = 0.0
    for i in range(book.shape[1]):
        if book[UNITS, i] != 0.0:
            gross += abs(book[UNITS, i]) * (book[LAST, i] if np.isnan(prices[i]) else prices[i])
    for i in symbols[:n]:
        if work[CLOSES, i] != 0.0:
            closing = abs(work[CLOSES, i]) * work[PRICE, i]
            costs += closing * work[SLIP, i] + _closing_fee(terms, now, work, i)
            gross -= closing
    return float(terms.leverage * (equity - costs) - gross)


@inner
def _insert(values: Any, symbols: Any, start: int, stop: int) -> None:
    """Sort ``symbols[start:stop]`` by their values; equal values stay in their order."""
    for k in range(start + 1, stop):
        chosen, j = symbols[k], k
        while j > start and values[symbols[j - 1]] > values[chosen]:
            symbols[j] = symbols[j - 1]
            j -= 1
        symbols[j] = chosen


@inner
def _queue(work: Any, symbols: Any, n: Any) -> None:
    """Sort orders by size, those within TIE of the smallest of their group by column."""
    _insert(work[NOTIONAL], symbols, 0, n)
    start = 0
    while start < n:
        limit = work[NOTIONAL, symbols[start]] * (1.0 + TIE)
        stop = start + 1
        while stop < n and work[NOTIONAL, symbols[stop]] <= limit:
            stop += 1
        _insert(work[COLUMN], symbols, start, stop)
        start = stop


@inner
def _cut_to_cash(
    book: Any, terms: Any, now: Any, work: Any, symbols: Any, n: Any, prices: Any, equity: float
) -> None:
    """Shrink what opens so that gross exposure stays within leverage × equity after the bar's costs."""
    room = _room(book, terms, now, work, symbols, n, prices, equity)
    if terms.in_order != 0.0:
        for i in symbols[:n]:
            work[NOTIONAL, i] = abs(work[OPENS, i]) * work[PRICE, i]
            work[COLUMN, i] = i
        _queue(work, symbols, n)
        for i in symbols[:n]:
            if work[OPENS, i] != 0.0:
                room -= _shrink_one(terms, now, work, i, room)
    else:
        _shrink_together(terms, now, work, symbols, n, room)
    for i in symbols[:n]:
        if abs(work[OPENS, i]) * work[PRICE, i] <= DUST * equity:
            work[OPENS, i] = 0.0


@inner
def _enter(book: Any, terms: Any, i: int, side: float, entry: float) -> None:
    """Set the levels of a position that has just been opened."""
    atr, own = book[ATR, i], book[OWN_TARGET, i]
    by_rule = level(terms.target_share, terms.target_ranges, entry, side, atr)
    share, ranges = terms.trail_share, terms.trail_ranges
    book[AGE, i] = 0.0
    book[STOP, i] = fixed_stop(book, terms, i, side, entry)
    book[TARGET, i] = by_rule if np.isnan(own) else own
    book[TRAIL_SHARE, i] = share
    book[BEST, i] = entry
    if share == 0.0 and ranges == 0.0:
        book[TRAIL_WIDTH, i] = np.nan
    else:
        book[TRAIL_WIDTH, i] = ranges * atr if ranges > 0.0 else 0.0


@inner
def _carry_out(
    book: Any, state: Any, terms: Any, now: Any, work: Any, row: Any, bar: int, i: int, at_close: Any
) -> int:
    """Make a fill: return 0 if there is none, 1, or 2 if it opened a position."""
    held = book[UNITS, i]
    kept = held + work[CLOSES, i]
    left = kept + work[OPENS, i] if kept != 0.0 else work[OPENS, i]
    if left == held:
        return 0
    enters = kept == 0.0 and work[OPENS, i] != 0.0
    side = sign(left)
    price, slip = work[PRICE, i], work[SLIP, i]
    entry = price * _paid_share(work, i)
    stop = first_stop(book, terms, i, side, entry) if enters else np.nan
    fill(
        book, state, terms, now, row, bar, i, left - held, price, slip, left, book[REASON, i], stop, at_close
    )
    if enters:
        _enter(book, terms, i, side, entry)
    return 2 if enters else 1


@inner
def settle(
    book: Any,
    state: Any,
    terms: Any,
    now: Any,
    work: Any,
    symbols: Any,
    count: Any,
    prices: Any,
    bar: int,
    inside: Any,
    fills: Any,
    done: int,
) -> int:
    """Fill the waiting orders of ``symbols[:count]``, their prices and slippage in ``work``.

    ``prices`` value the account. Symbols that were opened are left in ``symbols``, the others become -1.
    Return the number of fills.
    """
    equity = value(book, state, prices)
    at_close = terms.at_close != 0.0 and not inside
    n = np.int64(0)
    opening = False
    for k in range(count):
        i = symbols[k]
        if _sized(book, terms, work, i, equity, inside):
            symbols[n] = i
            n += 1
    if terms.participation > 0.0:
        _cut_to_volume(book, terms, now, work, symbols, n)
    if terms.max_positions < book.shape[1]:
        _refuse_beyond_most(book, terms, work, symbols, n)
    for i in symbols[:n]:
        opening |= work[OPENS, i] != 0.0
    if opening:
        _cut_to_cash(book, terms, now, work, symbols, n, prices, equity)
    for second in range(2):
        for k in range(n):
            i = symbols[k]
            if i < 0 or (work[OPENS, i] != 0.0) != (second == 1):
                continue
            made = _carry_out(book, state, terms, now, work, fills[done], bar, i, at_close)
            done += made > 0
            if made != 2:
                symbols[k] = -1
    for k in range(n, count):
        symbols[k] = -1
    return done
