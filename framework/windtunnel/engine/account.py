"""The simulated account, whole or piece by piece."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from windtunnel.bars import Bars
from windtunnel.engine.simulation import Fills, Simulation
from windtunnel.errors import InvalidValueError
from windtunnel.values import FloatArray, Orders, Rules

__all__ = ["Account", "Progress", "advance", "simulate"]


@dataclass(frozen=True, eq=False)
class Account:
    """What an account carries from one bar to the next; :func:`advance` updates its arrays.

    Parameters
    ----------
    state : array of float64, ``[2]``
        Cash, and 1 while the account is alive (0 after liquidation).
    held, last_price, pending, decided : array of float64, ``[N]``
        Units held; last price seen; weight of the order that waits for a fill, NaN for none; exposure at
        the symbol's last bar.
    """

    state: FloatArray
    held: FloatArray
    last_price: FloatArray
    pending: FloatArray
    decided: FloatArray

    @classmethod
    def opened(cls, symbols: int, rules: Rules) -> Account:
        """Return a fresh account with the starting cash."""
        nothing = [np.full(symbols, np.nan) for _ in range(3)]
        return cls(np.array([rules.cash, 1.0]), np.zeros(symbols), *nothing)


@dataclass(frozen=True, eq=False)
class Progress:
    """What happened to an account over some bars: a value a bar, and the fills."""

    equity: FloatArray
    cash: FloatArray
    gross: FloatArray
    fills: Fills


def simulate(bars: Bars, orders: Orders, rules: Rules) -> Simulation:
    """Turn orders into fills and equity.

    Parameters
    ----------
    bars : Bars
        T bars of N symbols.
    orders : Orders
        Wanted exposure, ``[T, N]``; on a bar that a symbol does not have nothing is decided for it.
    rules : Rules
        Costs, fills and what happens when cash runs short; each is documented in ``docs/engine.md``.

    Returns
    -------
    Simulation
        Equity at each close, and every fill.

    Raises
    ------
    InvalidValueError
        If the exposure has the wrong shape or type, or is infinite or outside [-1, 1].
    """
    done = advance(Account.opened(bars.shape[1], rules), bars, orders, rules, 0, len(bars))
    return Simulation(bars, rules, done.equity, done.cash, done.gross, done.fills)


def advance(account: Account, bars: Bars, orders: Orders, rules: Rules, lo: int, hi: int) -> Progress:
    """Carry an account over the bars ``lo`` to ``hi`` (exclusive) and return what happened in them.

    Pieces in time order give, bit for bit, what :func:`simulate` gives over all bars.
    """
    from windtunnel.engine import kernel

    if not 0 <= lo <= hi <= len(bars):
        raise InvalidValueError("lo, hi", f"must be in order and within the {len(bars)} bars", (lo, hi))
    if len(account.held) != bars.shape[1]:
        rule = f"must be of as many symbols as the bars, {bars.shape[1]}"
        raise InvalidValueError("account", rule, len(account.held))
    orders.check(bars.shape)
    equity, cash, gross = np.empty((3, hi - lo))
    fills = kernel.run(
        np.ascontiguousarray(bars.open.T),
        np.ascontiguousarray(bars.close.T),
        np.ascontiguousarray(orders.exposure.T),
        bars.last_bar,
        account.state,
        account.held,
        account.last_price,
        account.pending,
        account.decided,
        lo,
        hi,
        (rules.fees, rules.fee_fixed, rules.slippage),
        rules.fill == "close",
        rules.cash_shortage == "in_order",
        equity,
        cash,
        gross,
    )
    return Progress(equity, cash, gross, Fills.of(fills))
