"""Fills become trades."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from windtunnel.engine.simulation import REASONS, Simulation, Trades

__all__ = ["pair"]


@njit(cache=True, nogil=True)
def _write(
    row: Any,
    symbol: int,
    entry_bar: int,
    exit_bar: int,
    held: float,
    units: float,
    entry: float,
    exit_: float,
    fees: float,
    reason: float,
) -> None:
    row[0], row[1], row[2], row[3], row[4] = symbol, entry_bar, exit_bar, np.sign(held), units
    row[5], row[6], row[7], row[8] = entry, exit_, fees, reason


@njit(cache=True, nogil=True)
def _pair(fills: Any, last_price: Any, last_row: int, open_reason: int) -> Any:
    """Return one row a trade: symbol, entry bar, exit bar, direction, units, entry, exit, fees, reason."""
    n = len(last_price)
    position, cost, fees = np.zeros(n), np.zeros(n), np.zeros(n)
    entry_bar = np.zeros(n, np.int64)
    trades = np.empty((len(fills) + n, 9))
    count = 0
    for k in range(len(fills)):
        bar, symbol, units, price, fee, left, reason = fills[k]
        i = int(symbol)
        held = position[i]
        closed = 0.0
        if held * units < 0.0:
            closed = min(abs(held), abs(held - left)) if held * left >= 0.0 else abs(held)
        opened = abs(left) if held * left <= 0.0 else max(0.0, abs(left) - abs(held))
        exit_fee = fee * closed / (closed + opened) if closed + opened > 0.0 else 0.0
        if closed > 0.0:
            share = closed / abs(held) if left * held > 0.0 else 1.0
            entry = cost[i] / abs(held)
            paid = share * fees[i] + exit_fee
            _write(trades[count], i, entry_bar[i], bar, held, closed, entry, price, paid, reason)
            count += 1
            cost[i] *= 1.0 - share
            fees[i] *= 1.0 - share
        if opened > 0.0:
            if held * left <= 0.0:
                entry_bar[i] = bar
                cost[i] = fees[i] = 0.0
            cost[i] += opened * price
            fees[i] += fee - exit_fee
        position[i] = left
    for i in range(n):
        if position[i] != 0.0:
            units = abs(position[i])
            entry = cost[i] / units
            _write(
                trades[count], i, entry_bar[i], last_row, position[i], units, entry, last_price[i], fees[i],
                open_reason,
            )  # fmt: skip
            count += 1
    return trades[:count]


def pair(simulation: Simulation) -> Trades:
    """Return the round trips of a simulation, ordered by exit, those still open last.

    Notes
    -----
    A fill that reduces a position ends a trade of the units that it closes, at the average price of the
    fills that built the position and with their share of the fees; a fill that turns a position around
    ends one trade and begins another, its fee divided by units.
    """
    fills, bars = simulation.fills, simulation.bars
    table = np.column_stack(
        [fills.bar, fills.symbol, fills.units, fills.price, fills.fee, fills.position, fills.reason]
    ).astype(np.float64)
    last_row = max(len(bars) - 1, 0)
    rows = _pair(table, _last_closes(bars.close), last_row, REASONS.index("end"))
    symbol, entry_bar, exit_bar, direction, units, entry, exit_, fees, reason = rows.T
    pnl = direction * units * (exit_ - entry) - fees
    return Trades(
        symbol=symbol.astype(np.int64),
        entry_bar=entry_bar.astype(np.int64),
        exit_bar=exit_bar.astype(np.int64),
        direction=direction.astype(np.int64),
        units=units,
        entry_price=entry,
        exit_price=exit_,
        fees=fees,
        pnl=pnl,
        returns=pnl / (units * entry),
        reason=reason.astype(np.int64),
    )


def _last_closes(close: Any) -> Any:
    present = ~np.isnan(close)
    row = len(close) - 1 - present[::-1].argmax(axis=0) if len(close) else np.zeros(close.shape[1], int)
    return close[row, np.arange(close.shape[1])] if len(close) else np.full(close.shape[1], np.nan)
