"""The entries of a strategy, and what was known at each."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from windtunnel.market import Market
from windtunnel.values import (
    BoolArray,
    Exposure,
    FloatArray,
    Forecast,
    IntArray,
    Orders,
    Outcomes,
    Patterns,
    Regimes,
    SignalFeatures,
)

__all__ = ["entries", "held_direction", "signal_features", "with_record"]

RECORD = 20
"""Outcomes of a strategy that its recent win rate is taken from."""
PATTERN_AGE = 5
"""Bars for which a pattern speaks for or against an entry."""


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


def signal_features(
    market: Market,
    entry: BoolArray,
    side: IntArray,
    *,
    orders: Orders | None = None,
    regimes: Regimes | None = None,
    patterns: Patterns | None = None,
    forecast: Forecast | None = None,
) -> SignalFeatures:
    """Collect what was known at the close of every entry's bar, in the order of bars.

    Beside the features of the market these are ``direction``; of orders with stop and target
    ``reward_risk``, the distance to the target over that to the stop; the probability of each regime as
    ``regime.<name>``; ``forecast``, the volatility a year that is expected; and ``pattern``, the confidence
    of the latest pattern of the last 5 bars, negative where it points against the entry, 0 without one.
    """
    bar, symbol = np.nonzero(entry)
    direction = side[bar, symbol]
    features = market.features()
    columns = {"direction": direction.astype(np.float64)}
    if orders is not None and orders.exit_stop is not None and orders.exit_target is not None:
        close, stop, target = (
            panel[bar, symbol] for panel in (market.close, orders.exit_stop, orders.exit_target)
        )
        risk = direction * (close - stop)
        columns["reward_risk"] = np.where(
            risk > 0, direction * (target - close) / np.where(risk > 0, risk, 1), np.nan
        )
    if regimes is not None:
        for place, name in enumerate(regimes.names):
            columns[f"regime.{name}"] = regimes.probabilities[bar, symbol, place]
    if forecast is not None:
        columns["forecast"] = forecast.mean[bar, symbol]
    if patterns is not None:
        columns["pattern"] = _pattern(patterns, bar, symbol, direction)
    values = np.column_stack([features.values[bar, symbol], *columns.values()])
    return SignalFeatures((*features.names, *columns), values, bar, symbol, direction)


def _pattern(patterns: Patterns, bar: IntArray, symbol: IntArray, direction: IntArray) -> FloatArray:
    found = np.zeros(len(bar))
    rows = patterns.take(patterns.direction != 0)
    for column in np.unique(symbol):
        own, asked = rows.take(rows.symbol == column), np.flatnonzero(symbol == column)
        last = np.searchsorted(own.confirmed, bar[asked], side="right") - 1
        asked, last = asked[last >= 0], last[last >= 0]
        fresh = bar[asked] - own.confirmed[last] < PATTERN_AGE
        said = own.confidence[last] * own.direction[last] * direction[asked]
        found[asked] = np.where(fresh, said, 0.0)
    return found


def with_record(signals: SignalFeatures, outcomes: Outcomes) -> SignalFeatures:
    """Add ``win_rate``: the share of wins among the strategy's last 20 outcomes that were known by then.

    NaN before the first is known.
    """
    order = np.argsort(outcomes.known, kind="stable")
    wins = np.concatenate(([0.0], np.cumsum(outcomes.won[order])))
    known = np.searchsorted(outcomes.known[order], signals.bar, side="right")
    first = np.maximum(known - RECORD, 0)
    rate = np.full(len(signals), np.nan)
    np.divide(wins[known] - wins[first], known - first, out=rate, where=known > 0)
    return replace(
        signals, names=(*signals.names, "win_rate"), values=np.column_stack([signals.values, rate])
    )
