"""The compiled engine: the rules of :mod:`windtunnel.engine.reference`, at the speed of the machine.

Every array is symbol-major here, ``[N, T]`` in C order, so that a symbol's bars are contiguous.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

__all__ = ["COLUMNS", "run"]

COLUMNS = 8
"""Columns of the fills buffer: bar, symbol, units, price, fee, slippage, position, reason."""

_DUST = 1e-12
_TIE = 1e-9
_SIGNAL, _DELISTED, _LIQUIDATION = 0, 1, 2
_CASH, _ALIVE = 0, 1


@njit(cache=True, nogil=True)
def _fill(
    bar: int,
    symbol: int,
    price: float,
    units: float,
    left: float,
    reason: int,
    costs: Any,
    state: Any,
    held: Any,
    fills: Any,
    count: int,
) -> int:
    fees, fee_fixed, slippage = costs
    paid = price * (1.0 + slippage) if units > 0.0 else price * (1.0 - slippage)
    fee = abs(units) * paid * fees + fee_fixed
    state[_CASH] -= units * paid + fee
    held[symbol] = left
    row = fills[count]
    row[0], row[1], row[2], row[3], row[4] = bar, symbol, units, paid, fee
    row[5], row[6], row[7] = abs(units) * abs(paid - price), left, reason
    return count + 1


@njit(cache=True, nogil=True)
def _cost_rate(units: float, costs: Any) -> float:
    fees, _, slippage = costs
    return float(slippage + fees * (1.0 + slippage if units > 0.0 else 1.0 - slippage))


@njit(cache=True, nogil=True)
def _price(prices: Any, last: Any, symbol: int, bar: int) -> float:
    price = prices[symbol, bar]
    return float(last[symbol] if np.isnan(price) else price)


@njit(cache=True, nogil=True)
def _queue(symbols: Any, notional: Any, n: int) -> None:
    """Sort ``symbols[:n]`` by size, ties by column."""
    for i in range(1, n):
        chosen = symbols[i]
        j = i
        while j > 0 and notional[symbols[j - 1]] > notional[chosen]:
            symbols[j] = symbols[j - 1]
            j -= 1
        symbols[j] = chosen
    start = 0
    while start < n:
        limit = notional[symbols[start]] * (1.0 + _TIE)
        stop = start + 1
        while stop < n and notional[symbols[stop]] <= limit:
            stop += 1
        symbols[start:stop].sort()
        start = stop


@njit(cache=True, nogil=True)
def _split(
    bar: int, prices: Any, equity: float, pending: Any, held: Any, closes: Any, opens: Any, symbols: Any
) -> int:
    """Size the orders that have a price, split them into what closes and what opens; return their count."""
    n = 0
    for i in range(len(pending)):
        weight, price = pending[i], prices[i, bar]
        if np.isnan(weight) or np.isnan(price):
            continue
        pending[i] = np.nan
        target = weight * max(equity, 0.0) / price
        if target != 0.0 and abs(target - held[i]) * price <= _DUST * equity:
            continue
        closes[i] = opens[i] = 0.0
        if held[i] * target < 0.0:
            closes[i], opens[i] = -held[i], target
        elif abs(target) > abs(held[i]):
            opens[i] = target - held[i]
        else:
            closes[i] = target - held[i]
        symbols[n] = i
        n += 1
    return n


@njit(cache=True, nogil=True)
def _room(
    bar: int, prices: Any, last: Any, equity: float, costs: Any, held: Any, closes: Any, symbols: Any
) -> float:
    """Return the equity left, after what closes, for what opens."""
    room = equity
    gross = 0.0
    for i in range(len(held)):
        if held[i] != 0.0:
            gross += abs(held[i]) * _price(prices, last, i, bar)
    for i in symbols:
        if closes[i] != 0.0:
            notional = abs(closes[i]) * prices[i, bar]
            room -= notional * _cost_rate(closes[i], costs) + costs[1]
            gross -= notional
    return float(room - gross)


@njit(cache=True, nogil=True)
def _shrink_together(
    bar: int, prices: Any, room: float, costs: Any, closes: Any, opens: Any, symbols: Any
) -> None:
    need = fixed = 0.0
    for i in symbols:
        if opens[i] != 0.0:
            need += abs(opens[i]) * prices[i, bar] * (1.0 + _cost_rate(opens[i], costs))
            if closes[i] == 0.0:
                fixed += costs[1]
    share = max(0.0, (room - fixed) / need) if need > 0.0 else 1.0
    if share < 1.0:
        for i in symbols:
            opens[i] *= share


@njit(cache=True, nogil=True)
def _fill_smallest_first(
    bar: int, prices: Any, room: float, costs: Any, closes: Any, opens: Any, symbols: Any, notional: Any
) -> None:
    for i in symbols:
        notional[i] = abs(opens[i]) * prices[i, bar]
    _queue(symbols, notional, len(symbols))
    for i in symbols:
        if opens[i] == 0.0:
            continue
        fixed = costs[1] if closes[i] == 0.0 else 0.0
        rate = 1.0 + _cost_rate(opens[i], costs)
        taken = min(notional[i], max(0.0, (room - fixed) / rate))
        if taken < notional[i]:
            opens[i] = np.copysign(taken / prices[i, bar], opens[i])
        if taken > 0.0:
            room -= taken * rate + fixed


@njit(cache=True, nogil=True)
def _settle(
    bar: int,
    prices: Any,
    last: Any,
    costs: Any,
    in_order: bool,
    state: Any,
    held: Any,
    pending: Any,
    work: Any,
    fills: Any,
    count: int,
) -> int:
    """Fill the waiting orders of all symbols that have a price on this bar."""
    closes, opens, notional, queue = work
    equity = state[_CASH]
    for i in range(len(held)):
        if held[i] != 0.0:
            equity += held[i] * _price(prices, last, i, bar)
    n = _split(bar, prices, equity, pending, held, closes, opens, queue)
    symbols = queue[:n]
    opening = False
    for i in symbols:
        opening |= opens[i] != 0.0
    if opening:
        room = _room(bar, prices, last, equity, costs, held, closes, symbols)
        if in_order:
            _fill_smallest_first(bar, prices, room, costs, closes, opens, symbols, notional)
        else:
            _shrink_together(bar, prices, room, costs, closes, opens, symbols)
        for i in symbols:
            if abs(opens[i]) * prices[i, bar] <= _DUST * equity:
                opens[i] = 0.0
    for second in range(2):
        for i in symbols:
            if (opens[i] != 0.0) != (second == 1):
                continue
            kept = held[i] + closes[i]
            left = kept + opens[i] if kept != 0.0 else opens[i]
            if left != held[i]:
                count = _fill(
                    bar, i, prices[i, bar], left - held[i], left, _SIGNAL, costs, state, held, fills, count
                )
    return count


@njit(cache=True, nogil=True)
def _grown(fills: Any, count: int, least: int) -> Any:
    if len(fills) - count >= least:
        return fills
    larger = np.empty((2 * len(fills) + least, COLUMNS))
    larger[:count] = fills[:count]
    return larger


@njit(cache=True, nogil=True)
def run(
    open_: Any,
    close: Any,
    exposure: Any,
    last_bar: Any,
    state: Any,
    held: Any,
    last: Any,
    pending: Any,
    decided: Any,
    lo: int,
    hi: int,
    costs: Any,
    at_close: bool,
    in_order: bool,
    equity: Any,
    cash: Any,
    gross: Any,
) -> Any:
    """Advance an account over the bars ``lo`` to ``hi`` and return its fills, ``[F, COLUMNS]``.

    ``state`` (cash, alive), ``held``, ``last``, ``pending`` and ``decided`` are the account and are updated;
    ``equity``, ``cash`` and ``gross`` receive a value a bar.
    """
    n = len(held)
    fills = np.empty((256 + 2 * n, COLUMNS))
    work = (np.zeros(n), np.zeros(n), np.zeros(n), np.zeros(n, np.int64))
    count = 0
    waiting = 0
    for i in range(n):
        waiting += not np.isnan(pending[i])
    for bar in range(lo, hi):
        fills = _grown(fills, count, 3 * n)
        for i in range(n):
            if bar == last_bar[i] + 1:
                pending[i] = np.nan
                if held[i] != 0.0:
                    count = _fill(bar, i, last[i], -held[i], 0.0, _DELISTED, costs, state, held, fills, count)
        if not at_close and waiting:
            count = _settle(bar, open_, last, costs, in_order, state, held, pending, work, fills, count)
        alive = state[_ALIVE] > 0.0
        value = state[_CASH]
        exposed = 0.0
        waiting = 0
        for i in range(n):
            price = close[i, bar]
            if not np.isnan(price):
                last[i] = price
                wanted = np.float64(exposure[i, bar])
                if alive and not np.isnan(wanted) and wanted != decided[i]:
                    pending[i] = wanted
                decided[i] = wanted
            waiting += not np.isnan(pending[i])
            if held[i] != 0.0:
                value += held[i] * last[i]
                exposed += abs(held[i]) * last[i]
        if at_close and waiting:
            count = _settle(bar, close, last, costs, in_order, state, held, pending, work, fills, count)
            value, exposed = state[_CASH], 0.0
            for i in range(n):
                if held[i] != 0.0:
                    value += held[i] * last[i]
                    exposed += abs(held[i]) * last[i]
        if alive and value <= 0.0:
            state[_ALIVE] = 0.0
            pending[:] = np.nan
            waiting = 0
            for i in range(n):
                if held[i] != 0.0:
                    count = _fill(
                        bar, i, last[i], -held[i], 0.0, _LIQUIDATION, costs, state, held, fills, count
                    )
            value, exposed = state[_CASH], 0.0
        equity[bar - lo], cash[bar - lo], gross[bar - lo] = value, state[_CASH], exposed
    return fills[:count]
