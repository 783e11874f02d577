"""What the regimes are called, whatever numbers a model gives them, and what suits each."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from windtunnel.values import FloatArray, IntArray

__all__ = [
    "BEARISH",
    "BULLISH",
    "HIGH_VOLATILITY",
    "NAMES",
    "RANGING",
    "RECOMMENDED",
    "TREND",
    "WILD",
    "by_name",
    "codes_of",
]

NAMES = ("trending_bullish", "trending_bearish", "ranging", "high_volatility")
BULLISH, BEARISH, RANGING, HIGH_VOLATILITY = range(4)

TREND = 0.75
"""A state trends where its drift is at least so many times its volatility, both a year."""
WILD = 1.5
"""Volatility is high from so many times the typical."""

RECOMMENDED: Mapping[str, tuple[str, ...]] = {
    "trending_bullish": ("buy_and_hold", "momentum", "sma_cross", "donchian"),
    "trending_bearish": ("sma_cross", "donchian"),
    "ranging": ("bollinger_rsi",),
    "high_volatility": (),
}
"""Which strategies suit each regime: those that hold or follow a rise; those that leave the market, or go
short, when it falls; those that buy dips and sell rallies; and none where a stop is hit by chance."""


def codes_of(drift: FloatArray, volatility: FloatArray, weight: FloatArray) -> IntArray:
    """Name states by what they were like on the training part; return indices into :data:`NAMES`, ``[K]``.

    The first rule that holds decides:

    1. ``high_volatility``: volatility is at least :data:`WILD` times the typical, the geometric mean of the
       states' by their share of the bars;
    2. ``trending_bullish``, ``trending_bearish``: the drift is at least :data:`TREND` times the volatility,
       up or down;
    3. ``ranging``: neither.

    Several states may have one name, and a name may have no state.

    Parameters
    ----------
    drift, volatility : array of float64, ``[K]``
        Of log returns, a year.
    weight : array of float64, ``[K]``
        Share of the training bars in each state.
    """
    trend, typical = drift / volatility, np.exp(np.average(np.log(volatility), weights=weight))
    rules = [volatility >= WILD * typical, trend >= TREND, trend <= -TREND]
    return np.select(rules, [HIGH_VOLATILITY, BULLISH, BEARISH], RANGING)


def by_name(probabilities: FloatArray, codes: IntArray) -> FloatArray:
    """Add up the probabilities of the states of each name: ``[T, K]`` to ``[T, 4]``."""
    return probabilities @ np.eye(len(NAMES))[codes]
