"""The simulated account, whole or piece by piece."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from windtunnel.bars import FIELDS, Bars
from windtunnel.engine.simulation import Fills, Simulation
from windtunnel.engine.terms import check, terms
from windtunnel.errors import InvalidValueError
from windtunnel.values import Actions, FloatArray, Orders, Rules

__all__ = ["Account", "Progress", "advance", "simulate"]


@dataclass(frozen=True, eq=False)
class Account:
    """What an account carries from one bar to the next; :func:`advance` updates its arrays.

    Parameters
    ----------
    state : array of float64
        Cash, whether equity is left, carry of the last bar.
    book : array of float64, ``[F, N]``
        A row a field, a column a symbol; :mod:`windtunnel.engine.kernel.book` names the rows.
    """

    state: FloatArray
    book: FloatArray

    @classmethod
    def opened(cls, symbols: int, rules: Rules) -> Account:
        """Return a fresh account with the starting cash."""
        from windtunnel.engine.kernel import book as field

        book = np.zeros((field.FIELDS, symbols))
        unknown = [
            field.LAST,
            field.DECIDED,
            field.PRICED,
            field.STOP,
            field.TARGET,
            field.TRAIL_WIDTH,
            field.BEST,
        ]
        book[[*unknown, *range(field.LIMIT, field.WAITED)]] = np.nan
        return cls(np.array([rules.cash, 1.0, 0.0]), book)


@dataclass(frozen=True, eq=False)
class Progress:
    """What happened to an account over some bars: a value a bar, and the fills."""

    equity: FloatArray
    cash: FloatArray
    gross: FloatArray
    carry: FloatArray
    fills: Fills


def simulate(bars: Bars, orders: Orders, rules: Rules) -> Simulation:
    """Turn orders into fills and equity.

    Parameters
    ----------
    bars : Bars
        T bars of N symbols.
    orders : Orders
        Wanted exposure and prices, ``[T, N]``; on a bar that a symbol lacks nothing is decided for it.
    rules : Rules
        Costs, fills, exits and what happens when cash runs short; each is documented in ``docs/engine.md``.

    Returns
    -------
    Simulation
        Equity at each close, and every fill.

    Raises
    ------
    InvalidValueError
        If the orders have the wrong shape, type or range, or the rules do not fit them or the bars.
    """
    from windtunnel.engine.kernel.book import CARRY

    account = Account.opened(bars.shape[1], rules)
    done = advance(account, bars, orders, rules, 0, len(bars))
    return Simulation(
        bars, rules, done.equity, done.cash, done.gross, done.carry, done.fills, account.book[CARRY].copy()
    )


def advance(account: Account, bars: Bars, orders: Orders, rules: Rules, lo: int, hi: int) -> Progress:
    """Carry an account over the bars ``lo`` to ``hi`` (exclusive) and return what happened in them.

    Pieces in time order give, bit for bit, what :func:`simulate` gives over all bars.
    """
    from windtunnel.engine import kernel

    if not 0 <= lo <= hi <= len(bars):
        raise InvalidValueError("lo, hi", f"must be in order and within the {len(bars)} bars", (lo, hi))
    if account.book.shape[1] != bars.shape[1]:
        rule = f"must be of as many symbols as the bars, {bars.shape[1]}"
        raise InvalidValueError("account", rule, account.book.shape[1])
    check(bars, orders, rules)
    series = np.empty((4, hi - lo))
    told = terms(bars, orders, rules)
    fills = kernel.run(
        panels(bars),
        wishes(orders),
        kernel.record(told),
        told.fees,
        told.due,
        account.state,
        account.book,
        lo,
        hi,
        series,
    )
    equity, cash, gross, carry = series
    return Progress(equity, cash, gross, carry, Fills.of(fills))


def panels(bars: Bars) -> Any:
    """Return the bars as the kernel reads them; copies only what is not contiguous by symbol."""
    from windtunnel.engine.kernel import Panels

    fields = {name: np.ascontiguousarray(getattr(bars, name).T) for name in FIELDS}
    actions = Actions.empty() if bars.actions is None else bars.actions
    return Panels(
        **fields,
        last_bar=bars.last_bar,
        action_bar=actions.bar,
        action_symbol=actions.symbol,
        dividend=actions.dividend,
        split=actions.split,
    )


def wishes(orders: Orders) -> Any:
    """Return the orders as the kernel reads them."""
    from windtunnel.engine.kernel import Wishes

    panels: dict[str, Any] = dict.fromkeys(Wishes._fields, np.empty((orders.exposure.shape[1], 0)))
    panels |= {name: np.ascontiguousarray(panel.T) for name, panel in orders.panels()}
    exposure: Any = np.asarray(orders.exposure, np.float64)
    by_bar = not exposure.flags.f_contiguous
    panels["exposure"] = np.ascontiguousarray(exposure if by_bar else exposure.T)
    return Wishes(**panels | {"by_bar": by_bar})
