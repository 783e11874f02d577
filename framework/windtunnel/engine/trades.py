"""Fills become trades."""

from __future__ import annotations

from typing import Any

import numpy as np

from windtunnel.engine.compiled import compiled, inner
from windtunnel.engine.simulation import FILL_COLUMNS, REASONS, Simulation, Trades
from windtunnel.engine.terms import DUST

__all__ = ["pair"]

_FIELDS = 11
_POSITION, _COST, _FEES, _CARRY, _ENTRY, _STOP, _LOWEST, _HIGHEST, _NEXT, _COUNT, _LAST = range(_FIELDS)
"""Of each open position: units, what they cost, fees and carry so far, bar of the entry, price of the stop;
lowest and highest price seen, next bar to look at; bars held, last price."""
_MONEY = ("units", "entry_price", "exit_price", "fees", "carry")
_COLUMNS = (
    "symbol",
    "entry_bar",
    "exit_bar",
    "direction",
    *_MONEY,
    "reason",
    "bars",
    "worst",
    "best",
    "r_multiple",
)
_WHOLE = ("symbol", "entry_bar", "exit_bar", "direction", "reason", "bars")
_SPLIT, _END = REASONS.index("split"), REASONS.index("end")


@inner
def _look(book: Any, i: int, upto: int, high: Any, low: Any, close: Any) -> None:
    """Take in the prices of the bars before ``upto`` that have not been looked at."""
    for bar in range(int(book[_NEXT, i]), upto):
        if np.isnan(close[i, bar]):
            continue
        if bar > book[_ENTRY, i]:
            book[_COUNT, i] += 1.0
        book[_LAST, i] = close[i, bar]
        book[_LOWEST, i] = min(book[_LOWEST, i], low[i, bar])
        book[_HIGHEST, i] = max(book[_HIGHEST, i], high[i, bar])
    book[_NEXT, i] = max(book[_NEXT, i], upto)


@inner
def _end(
    book: Any, i: int, row: Any, bar: int, units: float, price: float, fee: float, reason: int, extra: int
) -> None:
    """Write the trade of the ``units`` that are closed, with their share of fees and carry."""
    held = book[_POSITION, i]
    side = 1.0 if held > 0.0 else -1.0
    share = units / abs(held)
    entry = book[_COST, i] / abs(held)
    fees, carry = share * book[_FEES, i] + fee, share * book[_CARRY, i]
    lowest, highest = min(book[_LOWEST, i], price), max(book[_HIGHEST, i], price)
    worst, best = (lowest, highest) if side > 0.0 else (highest, lowest)
    row[0], row[1], row[2], row[3], row[4] = i, book[_ENTRY, i], bar, side, units
    row[5], row[6], row[7], row[8], row[9] = entry, price, fees, carry, reason
    row[10] = book[_COUNT, i] + extra
    row[11], row[12] = side * (worst / entry - 1.0), side * (best / entry - 1.0)
    pnl = side * units * (price - entry) - fees + carry
    row[13] = pnl / (units * abs(entry - book[_STOP, i]))
    for k in (_COST, _FEES, _CARRY):
        book[k, i] *= 1.0 - share


@inner
def _begin(
    book: Any, i: int, bar: int, price: float, stop: float, at_close: bool, inside: bool, close: Any
) -> None:
    """Start a position; of a bar inside which it was opened, only its close counts."""
    book[_COST, i] = book[_FEES, i] = book[_CARRY, i] = book[_COUNT, i] = 0.0
    book[_ENTRY, i], book[_STOP, i] = bar, stop
    book[_LOWEST, i] = book[_HIGHEST, i] = price
    book[_LAST, i] = close[i, bar]
    book[_NEXT, i] = bar + 1 if at_close or inside else bar
    if inside:
        book[_LOWEST, i], book[_HIGHEST, i] = min(price, close[i, bar]), max(price, close[i, bar])


@compiled
def _pair(fills: Any, unpaid: Any, open_: Any, high: Any, low: Any, close: Any) -> Any:
    """Return one row a trade, of the columns that :data:`_COLUMNS` names."""
    n, rows = close.shape
    book = np.zeros((_FIELDS, n))
    trades = np.empty((len(fills) + n, len(_COLUMNS)))
    count = 0
    for k in range(len(fills)):
        bar, i = int(fills[k, 0]), int(fills[k, 1])
        units, price, fee, left = fills[k, 2], fills[k, 3], fills[k, 4], fills[k, 6]
        reason, stop, at_close = int(fills[k, 7]), fills[k, 9], fills[k, 10] > 0.0
        held = book[_POSITION, i]
        if held != 0.0:
            _look(book, i, min(bar + at_close, rows), high, low, close)
        if reason == _SPLIT:
            for field in (_STOP, _LOWEST, _HIGHEST):
                book[field, i] *= held / left
            book[_POSITION, i] = left
            continue
        book[_CARRY, i] += fills[k, 8]
        closed = 0.0
        if held * units < 0.0:
            closed = abs(held) - abs(left) if held * left > 0.0 else abs(held)
        opened = abs(left) if held * left <= 0.0 else max(0.0, abs(left) - abs(held))
        exit_fee = fee * closed / (closed + opened)
        if closed > 0.0:
            waits = not at_close and bar < rows and not np.isnan(close[i, bar]) and bar > book[_ENTRY, i]
            _end(book, i, trades[count], bar, closed, price, exit_fee, reason, int(waits))
            count += 1
        if opened > 0.0:
            if held * left <= 0.0:
                quoted = price - fills[k, 5] / units
                inside = not at_close and abs(quoted - open_[i, bar]) > 1e-12 * quoted
                _begin(book, i, bar, price, stop, at_close, inside, close)
            book[_COST, i] += opened * price
            book[_FEES, i] += fee - exit_fee
        book[_POSITION, i] = left
    for i in range(n):
        if book[_POSITION, i] != 0.0:
            _look(book, i, rows, high, low, close)
            book[_CARRY, i] += unpaid[i]
            units = abs(book[_POSITION, i])
            _end(book, i, trades[count], rows - 1, units, book[_LAST, i], 0.0, _END, 0)
            count += 1
    return trades[:count]


def pair(simulation: Simulation) -> Trades:
    """Return the round trips of a simulation, ordered by exit, those still open last.

    Notes
    -----
    A fill that reduces a position ends a trade of the units that it closes, at the average price of the
    fills that built the position and with their share of its fees and carry; a fill that turns a position
    around ends one trade and begins another, its fee divided by units.

    Excursions take in the range of every bar through which the position was held, and the price of the exit;
    of the bar in which a limit or stop entry filled, its close. Sweeney, *Maximum Adverse Excursion*, 1997.
    The R multiple is that of Tharp, *Trade Your Way to Financial Freedom*, 1998.
    """
    fills, bars = simulation.fills, simulation.bars
    table = np.column_stack([getattr(fills, name) for name in FILL_COLUMNS]).astype(np.float64)
    panels = (np.ascontiguousarray(getattr(bars, name).T) for name in ("open", "high", "low", "close"))
    rows = np.ascontiguousarray(_pair(table, simulation.unpaid, *panels).T)
    columns: dict[str, Any] = dict(zip(_COLUMNS, rows, strict=True))
    for name in _WHOLE:
        columns[name] = columns[name].astype(np.int64)
    gain = columns["direction"] * columns["units"] * (columns["exit_price"] - columns["entry_price"])
    pnl = gain - columns["fees"] + columns["carry"]
    notional = columns["units"] * columns["entry_price"]
    pnl = np.where(np.abs(pnl) > DUST * notional, pnl, 0.0)
    return Trades(**columns, pnl=pnl, returns=pnl / notional)
