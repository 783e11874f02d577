"""What the engine returns."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from windtunnel.bars import Bars
from windtunnel.values import FloatArray, IntArray, Rules

__all__ = ["REASONS", "Fills", "Simulation", "Trades"]

REASONS = ("signal", "delisted", "liquidation", "end")
"""Why a fill happened or a trade ended, by code; ``end`` marks a trade still open at the last bar."""


@dataclass(frozen=True, eq=False)
class Fills:
    """What was bought and sold, in the order in which it happened; columns of equal length.

    Parameters
    ----------
    bar, symbol : array of int64
        Row and column of the bars.
    units : array of float64
        Bought (positive) or sold (negative).
    price : array of float64
        Price paid or received, slippage included.
    fee : array of float64
        In currency.
    slippage : array of float64
        What the price moved against the account, in currency.
    position : array of float64
        Units held afterwards.
    reason : array of int64
        Index into :data:`REASONS`.
    """

    bar: IntArray
    symbol: IntArray
    units: FloatArray
    price: FloatArray
    fee: FloatArray
    slippage: FloatArray
    position: FloatArray
    reason: IntArray

    @classmethod
    def of(cls, rows: FloatArray) -> Fills:
        """Take the columns of ``rows``, ``[F, 8]``, in the order of the parameters."""
        bar, symbol, units, price, fee, slippage, position, reason = rows.T
        whole = (column.astype(np.int64) for column in (bar, symbol, reason))
        bar, symbol, reason = whole
        return cls(
            bar, symbol, units.copy(), price.copy(), fee.copy(), slippage.copy(), position.copy(), reason
        )

    def __len__(self) -> int:
        return len(self.bar)


@dataclass(frozen=True, eq=False)
class Trades:
    """Round trips: every fill that reduces a position ends one, at the position's average entry price.

    Parameters
    ----------
    symbol, entry_bar, exit_bar : array of int64
        Column, bar of the fill that opened the position, bar of the fill that ended the trade (the last
        bar where it is still open).
    direction : array of int64
        1 long, -1 short.
    units, entry_price, exit_price : array of float64
        Units closed (positive), average price paid, price received; the last close where still open.
    fees : array of float64
        Fees of the exit and the share of the entry's.
    pnl : array of float64
        Net profit in currency.
    returns : array of float64
        ``pnl`` over the entry's notional.
    reason : array of int64
        Index into :data:`REASONS`.
    """

    symbol: IntArray
    entry_bar: IntArray
    exit_bar: IntArray
    direction: IntArray
    units: FloatArray
    entry_price: FloatArray
    exit_price: FloatArray
    fees: FloatArray
    pnl: FloatArray
    returns: FloatArray
    reason: IntArray

    def __len__(self) -> int:
        return len(self.symbol)


@dataclass(frozen=True, eq=False)
class Simulation:
    """One account over all bars.

    Parameters
    ----------
    bars : Bars
    rules : Rules
    equity, cash, gross : array of float64, ``[T]``
        At each close: cash plus positions; cash; the sum of absolute positions, in currency.
    fills : Fills
    """

    bars: Bars
    rules: Rules
    equity: FloatArray
    cash: FloatArray
    gross: FloatArray
    fills: Fills

    @cached_property
    def returns(self) -> FloatArray:
        """Simple returns, ``[T]``, the first against the starting cash; 0 once equity is gone."""
        before = np.concatenate(([self.rules.cash], self.equity[:-1]))
        alive = before > 0
        return np.where(alive, self.equity / np.where(alive, before, 1.0) - 1.0, 0.0)

    @cached_property
    def units(self) -> FloatArray:
        """Units held at each close, ``[T, N]``."""
        held = np.full(self.bars.shape, np.nan, order="F")
        held[self.fills.bar, self.fills.symbol] = self.fills.position
        row = np.where(np.isnan(held), 0, np.arange(len(held))[:, None])
        known = np.take_along_axis(held, np.maximum.accumulate(row, axis=0), axis=0)
        return np.asarray(np.nan_to_num(known), np.float64)

    @cached_property
    def trades(self) -> Trades:
        """The round trips, ordered by exit."""
        from windtunnel.engine.trades import pair

        return pair(self)
