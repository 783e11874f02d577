"""What the engine returns."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from windtunnel.bars import Bars
from windtunnel.values import FloatArray, IntArray, Rules

__all__ = ["FILL_COLUMNS", "REASONS", "Fills", "Simulation", "Trades"]

REASONS = (
    "signal",
    "rebalance",
    "stop_loss",
    "trailing_stop",
    "take_profit",
    "time",
    "delisted",
    "margin_call",
    "liquidation",
    "split",
    "end",
)
"""Why a fill happened or a trade ended, by code; ``end`` marks a trade still open at the last bar."""

FILL_COLUMNS = (
    "bar",
    "symbol",
    "units",
    "price",
    "fee",
    "slippage",
    "position",
    "reason",
    "carry",
    "stop",
    "at_close",
)


@dataclass(frozen=True, eq=False)
class Fills:
    """What was bought and sold, in the order in which it happened; columns of equal length.

    A split is a row too, with price and fee 0: it changes units, not cash.

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
    carry : array of float64
        Dividends received less borrowing costs paid on the position since its fill before, in currency.
    stop : array of float64
        Price of the stop with which a position was opened; NaN where there was none, and for other fills.
    at_close : array of bool
        Whether the fill was made at the bar's close, rather than at its open or inside it.
    """

    bar: IntArray
    symbol: IntArray
    units: FloatArray
    price: FloatArray
    fee: FloatArray
    slippage: FloatArray
    position: FloatArray
    reason: IntArray
    carry: FloatArray
    stop: FloatArray
    at_close: np.ndarray[tuple[int], np.dtype[np.bool_]]

    @classmethod
    def of(cls, rows: FloatArray) -> Fills:
        """Take the columns of ``rows``, ``[F, 11]``, in the order of :data:`FILL_COLUMNS`."""
        columns = dict(zip(FILL_COLUMNS, np.ascontiguousarray(rows.T), strict=True))
        for name in ("bar", "symbol", "reason"):
            columns[name] = columns[name].astype(np.int64)
        return cls(**columns | {"at_close": columns["at_close"] > 0})

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
        Units closed (positive), average price paid, price received; the last close where still open. After a
        split, in the units and prices of the exit.
    fees : array of float64
        Fees of the exit and the share of the entry's.
    carry : array of float64
        Share of the dividends received less borrowing costs paid, in currency.
    pnl : array of float64
        Net profit in currency: of the prices, less fees, plus carry; 0 for what is rounding noise.
    returns : array of float64
        ``pnl`` over the entry's notional.
    reason : array of int64
        Index into :data:`REASONS`.
    bars : array of int64
        The symbol's bars from the fill that opened to the one that ended.
    worst, best : array of float64
        Maximum adverse and favourable excursion: the lowest and highest gain, before costs, that the prices
        seen while the position was held would have given, as a fraction of the entry price.
    r_multiple : array of float64
        ``pnl`` over what the first stop put at risk: units × its distance from the average entry price; NaN
        without a stop.
    """

    symbol: IntArray
    entry_bar: IntArray
    exit_bar: IntArray
    direction: IntArray
    units: FloatArray
    entry_price: FloatArray
    exit_price: FloatArray
    fees: FloatArray
    carry: FloatArray
    pnl: FloatArray
    returns: FloatArray
    reason: IntArray
    bars: IntArray
    worst: FloatArray
    best: FloatArray
    r_multiple: FloatArray

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
    carry : array of float64, ``[T]``
        Dividends received less borrowing and financing costs paid in each bar, in currency.
    fills : Fills
    unpaid : array of float64, ``[N]``
        Carry of the positions still open, since their last fill; it is in cash already.
    """

    bars: Bars
    rules: Rules
    equity: FloatArray
    cash: FloatArray
    gross: FloatArray
    carry: FloatArray
    fills: Fills
    unpaid: FloatArray

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
