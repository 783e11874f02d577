"""How often patterns like this one paid before."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from windtunnel.learn.labels import Barriers, barrier_outcomes
from windtunnel.market import Market
from windtunnel.values import Outcomes, Patterns, Rules, SignalFeatures

__all__ = ["pattern_features", "pattern_outcomes", "with_success"]


def pattern_outcomes(
    patterns: Patterns, market: Market, barriers: Barriers, rules: Rules
) -> tuple[SignalFeatures, Outcomes]:
    """Take every pattern with a direction as an entry at its confirmation; return these and their ends."""
    bar, symbol, direction = patterns.confirmed, patterns.symbol, patterns.direction
    entries = SignalFeatures((), np.empty((len(bar), 0)), bar, symbol, direction)
    return entries, barrier_outcomes(market, entries, barriers, rules)


def pattern_features(patterns: Patterns, market: Market) -> SignalFeatures:
    """Collect what was known of each pattern at the close of the bar that confirmed it.

    Beside the features of the market these are ``direction``, ``confidence`` (of its geometry), ``success``
    and ``trials`` (of its type so far), ``span`` in bars, and ``reward_risk``, the distance to its target
    over that to its stop.
    """
    at = patterns.confirmed, patterns.symbol
    close, features = market.close[at], market.features()
    risk = patterns.direction * (close - patterns.stop)
    reward = patterns.direction * (patterns.target - close)
    ratio = np.divide(reward, risk, out=np.full(len(patterns), np.nan), where=risk > 0)
    columns = {
        "direction": patterns.direction.astype(np.float64),
        "confidence": patterns.confidence,
        "success": patterns.success,
        "trials": patterns.trials,
        "span": (patterns.confirmed - patterns.first).astype(np.float64),
        "reward_risk": ratio,
    }
    values = np.column_stack([features.values[at], *columns.values()])
    return SignalFeatures((*features.names, *columns), values, *at, patterns.direction)


def with_success(patterns: Patterns, outcomes: Outcomes) -> Patterns:
    """Count, for each pattern, the earlier ones of its type whose outcome was known, and how many paid.

    Parameters
    ----------
    patterns : Patterns
        All with a direction, ordered by confirmation.
    outcomes : Outcomes
        Of each.
    """
    success, trials = np.full(len(patterns), np.nan), np.zeros(len(patterns))
    for name in np.unique(patterns.type):
        rows = np.flatnonzero(patterns.type == name)
        order = rows[np.argsort(outcomes.known[rows], kind="stable")]
        wins = np.concatenate(([0.0], np.cumsum(outcomes.won[order])))
        count = np.searchsorted(outcomes.known[order], patterns.confirmed[rows], side="right")
        trials[rows] = count
        np.divide(wins[count], count, out=(rate := np.full(len(rows), np.nan)), where=count > 0)
        success[rows] = rate
    return replace(patterns, success=success, trials=trials)
