"""How signals ended: between two barriers, or as the engine's own trades."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from windtunnel.bars import Bars
from windtunnel.engine import REASONS, simulate
from windtunnel.market import Market
from windtunnel.panels import by_symbol
from windtunnel.values import FloatArray, Orders, Outcomes, RangeShare, Rules, SignalFeatures

__all__ = ["Barriers", "barrier_outcomes", "realised_volatility", "scale_at", "trade_outcomes"]

VOLATILITY = 20
"""Bars whose volatility sets the barriers."""


@dataclass(frozen=True)
class Barriers:
    """Triple barrier: ``target`` and ``stop`` in multiples of the volatility over ``horizon`` bars."""

    target: float
    stop: float
    horizon: int


def barrier_outcomes(market: Market, signals: SignalFeatures, barriers: Barriers, rules: Rules) -> Outcomes:
    """Say how each signal would have ended between its barriers, after costs.

    The position opens at the fill that ``rules`` give. It ends at the first bar whose high or low touches
    a barrier (the stop first where both are touched; the open where the bar opens beyond it), else at the
    close of bar ``horizon`` after the signal. Barriers are set from the volatility of the last 20 bars as
    known at the signal. A fixed fee counts as its share of the starting cash. Without a volatility, or when
    the data end first, the outcome stays unknown.

    Source: López de Prado (2018), Advances in Financial Machine Learning, section 3.4.
    """
    from windtunnel.engine.barriers import first_touch

    bars, known = market.bars, np.empty(len(signals), np.int64)
    gross = first_touch(
        (bars.open, bars.high, bars.low, bars.close),
        *(signals.bar, signals.symbol, signals.direction),
        scale_at(market, signals, barriers.horizon),
        (barriers.target, barriers.stop, float(barriers.horizon)),
        rules.fill == "close",
        known,
    )
    fees = np.array([rules.fees_by_symbol.get(symbol, rules.fees) for symbol in market.symbols])
    slippage = _slippage(market, rules)[signals.bar, signals.symbol]
    returns = gross - 2 * (fees[signals.symbol] + slippage + rules.fee_fixed / rules.cash)
    return Outcomes(returns > 0, returns, known)


def scale_at(market: Market, signals: SignalFeatures, horizon: int) -> FloatArray:
    """Return the volatility over ``horizon`` bars as known at each signal, as a fraction, ``[n]``."""
    width = market.rolling_volatility(VOLATILITY) / np.sqrt(market.periods_per_year) * np.sqrt(horizon)
    scale: FloatArray = width[signals.bar, signals.symbol]
    return scale


def trade_outcomes(bars: Bars, orders: Orders, signals: SignalFeatures, rules: Rules) -> Outcomes:
    """Say how each signal ended as a trade of an account of its own on its symbol, under the rules.

    An entry that the rules refuse, or a trade that the data end before, stays unknown. What a trade made is
    its profit over what was paid for it.
    """
    count, total = len(signals), len(bars)
    won, returns, known = np.zeros(count, np.bool_), np.full(count, np.nan), np.full(count, total)
    later = 0 if rules.fill == "close" else 1
    for column in np.unique(signals.symbol):
        account = simulate(bars.select([bars.symbols[column]]), orders.of_columns([column]), rules)
        trades = account.trades
        order = np.argsort(trades.entry_bar, kind="stable")
        order = order[trades.reason[order] != REASONS.index("end")]
        rows = np.flatnonzero(signals.symbol == column)
        first = signals.bar[rows] + later
        place = np.searchsorted(trades.entry_bar[order], first)
        entered = np.append(trades.entry_bar[order], total)[place]
        mine = (place < len(order)) & (entered < np.append(first[1:], total))
        rows, ended = rows[mine], order[place[mine]]
        won[rows], returns[rows] = trades.pnl[ended] > 0, trades.returns[ended]
        known[rows] = trades.exit_bar[ended]
    return Outcomes(won, returns, known)


def _slippage(market: Market, rules: Rules) -> FloatArray:
    """Return the slippage of a fill as a fraction of the price, ``[T, N]``."""
    if isinstance(rules.slippage, RangeShare):
        return np.asarray(rules.slippage.range * (market.high - market.low) / market.close)
    return np.full(market.shape, rules.slippage)


def realised_volatility(close: FloatArray, horizon: int, periods_per_year: float) -> FloatArray:
    """Return the volatility over the ``horizon`` bars after each bar, annualised, ``[T, N]`` or ``[T]``.

    The square root of the mean squared log return, over a symbol's own consecutive closes; NaN where fewer
    than ``horizon`` bars follow, and where there is no bar. It is known ``horizon`` bars later.
    """

    def column(closes: FloatArray) -> FloatArray:
        ahead = np.full(len(closes), np.nan)
        if len(closes) > horizon:
            squares = np.concatenate(([0.0], np.cumsum(np.diff(np.log(closes)) ** 2)))
            mean = (squares[horizon:] - squares[:-horizon]) / horizon
            ahead[:-horizon] = np.sqrt(np.maximum(mean, 0.0) * periods_per_year)
        return ahead

    return by_symbol(column, close)
