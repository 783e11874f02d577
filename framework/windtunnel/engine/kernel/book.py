"""The fields of an account, and what a fill does to them."""

from __future__ import annotations

from typing import Any

import numpy as np

from windtunnel.engine.compiled import inner
from windtunnel.engine.simulation import FILL_COLUMNS, REASONS
from windtunnel.engine.terms import TIE

FIELDS = 25
"""Rows of the book."""
UNITS, LAST, DECIDED, BLOCKED, REST, AGE = range(6)
"""Units held; last price; exposure at the symbol's last bar; whether it stays flat until the next signal;
bars of cooldown left; bars the position has been held."""
STOP, TARGET, TRAIL_SHARE, TRAIL_WIDTH, BEST, INSIDE = range(6, 12)
"""Levels of the position (NaN for none); best price seen; whether it was opened inside this bar."""
CARRY, TRADED = range(12, 14)
"""Carry since the last fill; units traded in this bar."""
WAITING, WEIGHT, REASON, LIMIT, TRIGGER, OWN_STOP, OWN_TARGET, RANK, ATR, WAITED = range(14, 24)
"""The order that waits: whether there is one; its weight and reason; entry prices; exit prices; rank; average
true range; bars it has waited."""
PRICED = 24
"""Entry price at the symbol's last bar."""
OPEN, HIGH, LOW, CLOSE, VOLUME, FEES = range(6)
"""Rows of ``now``, the bar of all symbols; the last one is their proportional fees."""
STATE = 3
"""Length of the state."""
CASH, ALIVE, PAID = range(3)
"""Cash; 1 until equity is gone; carry of this bar."""
COLUMNS = len(FILL_COLUMNS)

SIGNAL, REBALANCE = REASONS.index("signal"), REASONS.index("rebalance")
STOP_LOSS, TRAILING = REASONS.index("stop_loss"), REASONS.index("trailing_stop")
TAKE_PROFIT, TIME = REASONS.index("take_profit"), REASONS.index("time")
DELISTED, MARGIN_CALL = REASONS.index("delisted"), REASONS.index("margin_call")
LIQUIDATION, SPLIT = REASONS.index("liquidation"), REASONS.index("split")


@inner
def sign(value: float) -> float:
    """Return 1, -1 or 0."""
    return 1.0 if value > 0.0 else -1.0 if value < 0.0 else 0.0


@inner
def signed(size: float, like: float) -> float:
    """Give a size the sign of a number."""
    return size if like >= 0.0 else -size


@inner
def slip_of(terms: Any, now: Any, i: int, price: float) -> float:
    """Return how far the price moves, as a fraction of it."""
    if terms.range_share == 0.0:
        return float(terms.slippage)
    return float(min(1.0, terms.slippage + terms.range_share * (now[HIGH, i] - now[LOW, i]) / price))


@inner
def fee_of(terms: Any, now: Any, i: int, notional: float) -> float:
    """Return the fee of a fill of ``notional``, slippage included."""
    if notional == 0.0:
        return 0.0
    return float(max(terms.fee_min, now[FEES, i] * notional + terms.fee_fixed))


@inner
def rounded(terms: Any, units: float, price: float) -> float:
    """Round units towards zero to whole lots; nothing where that is worth too little."""
    size = abs(units)
    if terms.lot > 0.0:
        size = np.floor(size / terms.lot + TIE) * terms.lot
    return signed(size, units) if size * price >= terms.min_notional else 0.0


@inner
def volume_left(book: Any, terms: Any, now: Any, i: int) -> float:
    """Return how many units, in whole lots, may still be traded in a bar."""
    if terms.participation == 0.0:
        return np.inf
    most = terms.participation * now[VOLUME, i]
    room = most - book[TRADED, i]
    if room <= TIE * most:
        room = 0.0
    return float(np.floor(room / terms.lot + TIE) * terms.lot if terms.lot > 0.0 else room)


@inner
def value(book: Any, state: Any, prices: Any) -> float:
    """Return cash plus positions, at ``prices`` or, where there is none, at the last price."""
    total = state[CASH]
    for i in range(book.shape[1]):
        if book[UNITS, i] != 0.0:
            price = prices[i]
            total += book[UNITS, i] * (book[LAST, i] if np.isnan(price) else price)
    return float(total)


@inner
def fill(
    book: Any,
    state: Any,
    terms: Any,
    now: Any,
    row: Any,
    bar: int,
    i: int,
    units: float,
    price: float,
    slip: float,
    left: float,
    reason: float,
    stop: float,
    at_close: Any,
) -> None:
    """Trade ``units`` at ``price`` moved by the fraction ``slip``, and write the row of the fill."""
    paid = price * (1.0 + slip) if units > 0.0 else price * (1.0 - slip)
    fee = fee_of(terms, now, i, abs(units) * paid)
    state[CASH] -= units * paid + fee
    row[0], row[1], row[2], row[3], row[4] = bar, i, units, paid, fee
    row[5], row[6], row[7] = abs(units) * abs(paid - price), left, reason
    row[8], row[9], row[10] = book[CARRY, i], stop, at_close
    book[UNITS, i] = left
    book[CARRY, i] = 0.0
    book[TRADED, i] += abs(units)
    if left == 0.0:
        book[STOP, i] = book[TARGET, i] = book[TRAIL_WIDTH, i] = book[BEST, i] = np.nan
        book[TRAIL_SHARE, i] = 0.0
        book[REST, i] = terms.cooldown
        book[AGE, i] = 0.0


@inner
def level(share: float, ranges: float, entry: float, direction: float, atr: float) -> float:
    """Return the price at a distance from the entry; NaN where the rule is off."""
    if share == 0.0 and ranges == 0.0:
        return np.nan
    return float(entry + direction * (share * entry + (ranges * atr if ranges > 0.0 else 0.0)))


@inner
def fixed_stop(book: Any, terms: Any, i: int, side: float, entry: float) -> float:
    """Return the stop-loss of a new position; the strategy's own comes before that of the rules."""
    own = book[OWN_STOP, i]
    if not np.isnan(own):
        return float(own)
    return level(terms.stop_share, terms.stop_ranges, entry, -side, book[ATR, i])


@inner
def first_stop(book: Any, terms: Any, i: int, side: float, entry: float) -> float:
    """Return the stop with which a position begins, the tighter of stop-loss and trailing stop."""
    stop = fixed_stop(book, terms, i, side, entry)
    trail = level(terms.trail_share, terms.trail_ranges, entry, -side, book[ATR, i])
    return trail if np.isnan(stop) or side * (trail - stop) > 0.0 else stop


@inner
def wait(book: Any, i: int, weight: float, reason: float) -> None:
    """Let a market order wait."""
    book[WAITING, i] = 1.0
    book[WEIGHT, i] = weight
    book[REASON, i] = reason
    book[WAITED, i] = 0.0
    for k in range(LIMIT, WAITED):
        book[k, i] = np.nan


@inner
def conditional(book: Any, i: int) -> bool:
    """Say whether the order that waits opens by a limit or a stop price, inside a bar."""
    return not (np.isnan(book[LIMIT, i]) and np.isnan(book[TRIGGER, i]))
