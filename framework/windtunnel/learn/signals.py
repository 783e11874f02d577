"""The entries of a strategy, what was known at each, and how each ended."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from windtunnel.market import Market
from windtunnel.values import (
    BoolArray,
    Exposure,
    FloatArray,
    IntArray,
    Outcomes,
    RangeShare,
    Rules,
    SignalFeatures,
)

__all__ = ["Barriers", "entries", "held_direction", "outcomes", "signal_features"]


def held_direction(exposure: Exposure, present: BoolArray) -> IntArray:
    """Return the side that is wanted at each bar, ``[T, N]``: 1, -1 or 0.

    NaN, and a bar that the symbol does not have, keep the side of the bar before.
    """
    number = present & ~np.isnan(exposure)
    row = np.where(number, np.arange(len(exposure))[:, None], -1)
    last = np.maximum.accumulate(row, axis=0)
    side = np.sign(
        np.take_along_axis(np.nan_to_num(exposure.astype(np.float64)), np.maximum(last, 0), axis=0)
    )
    return np.where(last >= 0, side, 0).astype(np.int64)


def entries(exposure: Exposure, present: BoolArray) -> BoolArray:
    """Say where exposure opens or flips, ``[T, N]``."""
    side = held_direction(exposure, present)
    before = np.vstack([np.zeros((1, side.shape[1]), np.int64), side[:-1]])
    return np.asarray((side != 0) & (side != before))


def signal_features(market: Market, entry: BoolArray, side: IntArray) -> SignalFeatures:
    """Collect the features of every entry, in the order of bars, with the entry's direction as one more."""
    bar, symbol = np.nonzero(entry)
    direction = side[bar, symbol]
    features = market.features()
    names = (*features.names, "direction")
    values = np.column_stack([features.values[bar, symbol], direction.astype(np.float64)])
    return SignalFeatures(names, values, bar, symbol, direction)


@dataclass(frozen=True)
class Barriers:
    """Triple barrier: ``target`` and ``stop`` in multiples of the volatility over ``horizon`` bars."""

    target: float
    stop: float
    horizon: int


def outcomes(market: Market, signals: SignalFeatures, barriers: Barriers, rules: Rules) -> Outcomes:
    """Say how each signal would have ended between its barriers, after costs.

    The position opens at the fill that ``rules`` give. It ends at the first bar whose high or low touches
    a barrier (the stop first where both are touched; the open where the bar opens beyond it), else at the
    close of bar ``horizon`` after the signal. Barriers are set from the volatility of the last 20 bars as
    known at the signal. A fixed fee counts as its share of the starting cash. Without a volatility, or when
    the data end first, the outcome stays unknown.

    Source: López de Prado (2018), Advances in Financial Machine Learning, section 3.4.
    """
    count, total = len(signals), len(market.bars)
    won, returns, known = np.zeros(count, np.bool_), np.full(count, np.nan), np.full(count, total)
    width = market.rolling_volatility(20) / np.sqrt(market.periods_per_year) * np.sqrt(barriers.horizon)
    slippage = _slippage(market, rules)
    for k in range(count):
        bar, symbol, side = int(signals.bar[k]), int(signals.symbol[k]), int(signals.direction[k])
        scale = width[bar, symbol]
        ended = _end(market, bar, symbol, side, float(scale), barriers, rules) if scale > 0 else None
        if ended is not None:
            fees = rules.fees_by_symbol.get(market.symbols[symbol], rules.fees)
            costs = 2 * (fees + slippage[bar, symbol] + rules.fee_fixed / rules.cash)
            known[k], returns[k] = ended[0], ended[1] - costs
            won[k] = returns[k] > 0
    return Outcomes(won, returns, known)


def _slippage(market: Market, rules: Rules) -> FloatArray:
    """Return the slippage of a fill as a fraction of the price, ``[T, N]``."""
    if isinstance(rules.slippage, RangeShare):
        return np.asarray(rules.slippage.range * (market.high - market.low) / market.close)
    return np.full(market.shape, rules.slippage)


def _end(
    market: Market, bar: int, symbol: int, side: int, scale: float, barriers: Barriers, rules: Rules
) -> tuple[int, float] | None:
    """Return the bar at which the outcome is known, and the gross return."""
    bars = market.bars
    stop_row = bar + 1 + barriers.horizon
    path = slice(bar + 1, min(stop_row, len(bars)))
    opens, closes = bars.open[path, symbol], bars.close[path, symbol]
    best, worst = (bars.high, bars.low) if side > 0 else (bars.low, bars.high)
    traded = np.flatnonzero(~np.isnan(closes))
    if not len(traded):
        return None
    entry = bars.close[bar, symbol] if rules.fill == "close" else opens[traded[0]]
    target, stop = (entry * (1 + side * sign * scale) for sign in (barriers.target, -barriers.stop))
    for row in traded:
        lost = side * (worst[path, symbol][row] - stop) <= 0
        if lost or side * (best[path, symbol][row] - target) >= 0:
            level = stop if lost else target
            opened_beyond = side * (opens[row] - level) * (-1 if lost else 1) >= 0
            price = opens[row] if opened_beyond else level
            return bar + 1 + int(row), side * (float(price) / float(entry) - 1)
    if stop_row > len(bars):
        return None
    return stop_row - 1, side * (float(closes[traded[-1]]) / float(entry) - 1)
