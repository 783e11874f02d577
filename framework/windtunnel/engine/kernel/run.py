"""One bar after the other: what happens at its open, inside it, and at its close."""

from __future__ import annotations

from typing import Any

import numpy as np

from windtunnel.engine.compiled import compiled, inner
from windtunnel.engine.kernel.book import (
    AGE,
    ALIVE,
    ATR,
    BEST,
    BLOCKED,
    CARRY,
    CASH,
    CLOSE,
    COLUMNS,
    DELISTED,
    HIGH,
    INSIDE,
    LAST,
    LIMIT,
    LIQUIDATION,
    LOW,
    MARGIN_CALL,
    OPEN,
    OWN_STOP,
    OWN_TARGET,
    PAID,
    REST,
    SPLIT,
    STOP,
    TARGET,
    TRADED,
    TRAIL_WIDTH,
    TRIGGER,
    UNITS,
    WAITING,
    WEIGHT,
    fill,
    slip_of,
)
from windtunnel.engine.kernel.decide import decide
from windtunnel.engine.kernel.inside import conditional_entries, stops_and_targets
from windtunnel.engine.kernel.read import AHEAD, read, tiles
from windtunnel.engine.kernel.settle import PRICE, SLIP, WORK, settle
from windtunnel.engine.terms import TIE, Terms

__all__ = ["record", "run"]


_PER_BAR = ("fees", "due")
_RECORD = np.dtype([(name, np.float64) for name in Terms._fields if name not in _PER_BAR])


def record(terms: Terms) -> Any:
    """Return the terms that are numbers as one record, which compiled functions pass by reference."""
    return np.array(tuple(getattr(terms, name) for name in _RECORD.names or ()), _RECORD)[()]


@inner
def _divide(book: Any, i: int, ratio: float, in_units: bool) -> None:
    """State every price of a symbol, and orders in units, after a split."""
    book[LAST, i] /= ratio
    for k in (STOP, TARGET, TRAIL_WIDTH, BEST):
        book[k, i] /= ratio
    for k in (LIMIT, TRIGGER, OWN_STOP, OWN_TARGET, ATR):
        book[k, i] /= ratio
    if in_units:
        book[WEIGHT, i] *= ratio


@inner
def _corporate_actions(
    book: Any, state: Any, terms: Any, panels: Any, now: Any, bar: int, at: int, fills: Any, done: int
) -> tuple[int, int]:
    """Turn units by a split, and every price with them; pay a dividend for each unit of the eve."""
    while at < len(panels.action_bar) and panels.action_bar[at] == bar:
        i, ratio = panels.action_symbol[at], panels.split[at]
        if ratio != 1.0:
            _divide(book, i, ratio, terms.size == 1.0)
            if book[UNITS, i] != 0.0:
                units, carry = book[UNITS, i] * ratio, book[CARRY, i]
                more, book[CARRY, i] = units - book[UNITS, i], 0.0
                fill(
                    book,
                    state,
                    terms,
                    now,
                    fills[done],
                    bar,
                    i,
                    more,
                    0.0,
                    0.0,
                    units,
                    float(SPLIT),
                    np.nan,
                    np.bool_(False),
                )
                book[CARRY, i], book[TRADED, i] = carry, 0.0
                done += 1
        received = book[UNITS, i] * panels.dividend[at]
        state[CASH] += received
        state[PAID] += received
        book[CARRY, i] += received
        at += 1
    return at, done


@inner
def _carrying_costs(book: Any, state: Any, terms: Any) -> None:
    """Charge what was held over the last close: shorts borrow units, debts borrow cash."""
    interest = terms.financing * max(0.0, -state[CASH])
    for i in range(book.shape[1]):
        if book[UNITS, i] < 0.0:
            cost = terms.borrow * -book[UNITS, i] * book[LAST, i]
            state[CASH] -= cost
            state[PAID] -= cost
            book[CARRY, i] -= cost
    state[CASH] -= interest
    state[PAID] -= interest


@inner
def _delist(
    book: Any, state: Any, terms: Any, now: Any, last_bar: Any, bar: int, fills: Any, done: int
) -> int:
    """Close the positions of symbols whose last bar was the one before."""
    for i in range(book.shape[1]):
        if bar == last_bar[i] + 1:
            book[WAITING, i] = 0.0
            if book[UNITS, i] != 0.0:
                fill(
                    book, state, terms, now, fills[done], bar, i, -book[UNITS, i], book[LAST, i],
                    terms.slippage, 0.0, float(DELISTED), np.nan, np.bool_(False),
                )  # fmt: skip
                done += 1
    return done


@inner
def _market_orders(
    book: Any,
    state: Any,
    terms: Any,
    now: Any,
    work: Any,
    symbols: Any,
    prices: Any,
    bar: int,
    fills: Any,
    done: int,
) -> int:
    """Fill what waits at these prices."""
    count = np.int64(0)
    for i in range(book.shape[1]):
        if book[WAITING, i] != 0.0 and not np.isnan(prices[i]):
            work[PRICE, i] = prices[i]
            work[SLIP, i] = slip_of(terms, now, i, prices[i])
            symbols[count] = i
            count += 1
    if count == 0:
        return done
    return settle(book, state, terms, now, work, symbols, count, prices, bar, np.bool_(False), fills, done)


@inner
def _mark(book: Any, now: Any) -> None:
    """Take the close as the last price; a position is a bar older and may have seen a better price."""
    for i in range(book.shape[1]):
        price = now[CLOSE, i]
        if np.isnan(price):
            continue
        book[LAST, i] = price
        units = book[UNITS, i]
        if units != 0.0:
            book[AGE, i] += 1.0
            seen = price if book[INSIDE, i] != 0.0 else now[HIGH, i] if units > 0.0 else now[LOW, i]
            if seen > book[BEST, i] if units > 0.0 else seen < book[BEST, i]:
                book[BEST, i] = seen


@inner
def _totals(book: Any, state: Any) -> tuple[float, float]:
    """Return equity and gross exposure at the last prices."""
    equity, gross = state[CASH], 0.0
    for i in range(book.shape[1]):
        if book[UNITS, i] != 0.0:
            equity += book[UNITS, i] * book[LAST, i]
            gross += abs(book[UNITS, i]) * book[LAST, i]
    return equity, gross


@inner
def _close_out(
    book: Any, state: Any, terms: Any, now: Any, bar: int, equity: float, fills: Any, done: int
) -> int:
    """Close everything at the close: equity is gone, or no longer covers the margin."""
    reason = float(MARGIN_CALL)
    if equity <= 0.0:
        state[ALIVE] = 0.0
        reason = float(LIQUIDATION)
    for i in range(book.shape[1]):
        book[WAITING, i] = 0.0
        if book[UNITS, i] != 0.0:
            fill(
                book, state, terms, now, fills[done], bar, i, -book[UNITS, i], book[LAST, i],
                terms.slippage, 0.0, reason, np.nan, np.bool_(True),
            )  # fmt: skip
            book[BLOCKED, i] = 1.0
            done += 1
    return done


@inner
def _waits(book: Any) -> bool:
    """Say whether any order waits."""
    waiting = False
    for i in range(book.shape[1]):
        waiting |= book[WAITING, i] != 0.0
    return waiting


@inner
def _begin(book: Any) -> None:
    """Forget what was traded and entered inside the bar before."""
    for i in range(book.shape[1]):
        book[TRADED, i] = book[INSIDE, i] = 0.0


@inner
def _rest(book: Any, now: Any) -> None:
    """Let the bar count towards each symbol's cooldown."""
    for i in range(book.shape[1]):
        if book[REST, i] > 0.0 and not np.isnan(now[CLOSE, i]):
            book[REST, i] -= 1.0


@inner
def _grown(fills: Any, count: Any, least: int) -> Any:
    if len(fills) - count >= least:
        return fills
    larger = np.empty((2 * len(fills) + least, COLUMNS))
    for k in range(count):
        for column in range(COLUMNS):
            larger[k, column] = fills[k, column]
    return larger


@compiled
def run(
    panels: Any,
    wishes: Any,
    terms: Any,
    fees: Any,
    due: Any,
    state: Any,
    book: Any,
    lo: int,
    hi: int,
    series: Any,
) -> Any:
    """Advance an account over the bars ``lo`` to ``hi`` and return its fills, ``[F, COLUMNS]``.

    ``state`` and ``book`` are the account and are updated; ``series``, ``[4, hi - lo]``, receives equity,
    cash, gross exposure and carry.
    """
    n = book.shape[1]
    bars, orders = tiles(fees)
    work, symbols, prices = np.empty((WORK, n)), np.empty(n, np.int64), np.empty(n)
    stops = terms.stop_share + terms.stop_ranges + terms.target_share + terms.target_ranges > 0.0
    stops |= terms.trail_share + terms.trail_ranges > 0.0
    entries = wishes.entry_limit.shape[1] > 0 or wishes.entry_stop.shape[1] > 0
    stops |= wishes.exit_stop.shape[1] > 0 or wishes.exit_target.shape[1] > 0
    special = stops or entries or wishes.rank.shape[1] > 0
    inside = special or terms.range_share > 0.0 or terms.participation > 0.0
    carries = terms.borrow > 0.0 or terms.financing > 0.0
    ends = hi
    for i in range(n):
        ends = min(ends, panels.last_bar[i] + 1)
    fills, done = np.empty((256 + 4 * n, COLUMNS)), 0
    at, pending = 0, True
    while at < len(panels.action_bar) and panels.action_bar[at] < lo:
        at += 1
    for bar in range(lo, hi):
        place = (bar - lo) % AHEAD
        if place == 0:
            read(panels, wishes, bars, orders, bar, min(AHEAD, hi - bar), terms.at_close == 0.0, inside)
        now, wish = bars[place], orders[place]
        fills = _grown(fills, done, 6 * n)
        state[PAID] = 0.0
        if inside:
            _begin(book)
        at, done = _corporate_actions(book, state, terms, panels, now, bar, at, fills, done)
        if carries and state[ALIVE] != 0.0:
            _carrying_costs(book, state, terms)
        if bar >= ends:
            done = _delist(book, state, terms, now, panels.last_bar, bar, fills, done)
        if terms.at_close == 0.0 and pending:
            done = _market_orders(book, state, terms, now, work, symbols, now[OPEN], bar, fills, done)
            pending = _waits(book)
        if stops:
            done = stops_and_targets(book, state, terms, now, bar, fills, done)
        if entries:
            done = conditional_entries(book, state, terms, work, symbols, prices, now, bar, fills, done)
        pending |= inside
        _mark(book, now)
        if terms.at_close != 0.0:
            pending |= decide(book, state, terms, now, wish, due[bar], special)
            if pending:
                done = _market_orders(book, state, terms, now, work, symbols, now[CLOSE], bar, fills, done)
                pending = _waits(book)
        equity, gross = _totals(book, state)
        if state[ALIVE] != 0.0 and (equity <= 0.0 or equity < terms.maintenance_margin * gross * (1.0 - TIE)):
            done = _close_out(book, state, terms, now, bar, equity, fills, done)
            equity, gross = _totals(book, state)
        if terms.at_close == 0.0:
            pending |= decide(book, state, terms, now, wish, due[bar], special)
        if terms.cooldown > 0.0:
            _rest(book, now)
        series[0, bar - lo], series[1, bar - lo] = equity, state[CASH]
        series[2, bar - lo], series[3, bar - lo] = gross, state[PAID]
    return fills[:done]
