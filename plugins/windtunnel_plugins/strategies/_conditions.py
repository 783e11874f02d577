"""The state of the market in which a strategy is chosen, and what each candidate came to in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from windtunnel.errors import PluginError
from windtunnel.features import NAMES
from windtunnel.market import Market
from windtunnel.plugin import Strategy
from windtunnel.values import BoolArray, Evaluation, FloatArray, IntArray, Orders, Regimes
from windtunnel_plugins.strategies._holding import last_asked

__all__ = ["WARMUP", "Conditions", "Outcome", "conditions", "decisions", "outcomes", "regimes"]

WARMUP = 273
"""Bars before every feature exists."""
_SCALE = NAMES.index("volatility_24")


@dataclass(frozen=True, eq=False)
class Conditions:
    """What is known at n decisions.

    Parameters
    ----------
    names : tuple of str
        The F conditions: features, ``regime <name>`` for each regime, ``held <place>`` for each candidate.
    values : array of float64, ``[n, F]``
        NaN where one is not known.
    scale : array of float64, ``[n]``
        Volatility a bar, as a fraction: the root of the mean squared log return of 24 bars.
    """

    names: tuple[str, ...]
    values: FloatArray
    scale: FloatArray


@dataclass(frozen=True, eq=False)
class Outcome:
    """What K candidates came to over the bars after n decisions.

    Parameters
    ----------
    known : array of bool, ``[n]``
        Whether so many bars follow.
    returns : array of float64, ``[n, K]``
        Summed net returns; NaN where they are not known.
    """

    known: BoolArray
    returns: FloatArray


def regimes(market: Market) -> Regimes | None:
    """Return what the regime model said; None where none is configured."""
    try:
        return market.regime
    except PluginError:
        return None


def decisions(market: Market, every: int, warmup: int) -> tuple[IntArray, IntArray]:
    """Return bar and symbol of every decision, symbol by symbol: each ``every`` of a symbol's own bars."""
    own = [np.flatnonzero(column)[warmup::every] for column in market.bars.present.T]
    symbol = np.repeat(np.arange(len(own)), [len(rows) for rows in own])
    return np.concatenate([*own, np.empty(0, np.int64)]).astype(np.int64), symbol


def conditions(
    market: Market, features: Sequence[str], wanted: Sequence[Orders], bar: IntArray, symbol: IntArray
) -> Conditions:
    """Return what is known at each decision: features, probabilities of regimes, what candidates hold."""
    known = market.features().values[bar, symbol]
    said = regimes(market)
    columns = [known[:, [NAMES.index(name) for name in features]]]
    names = [*features]
    if said is not None:
        columns.append(said.probabilities[bar, symbol])
        names += [f"regime {name}" for name in said.names]
    columns += [last_asked(orders.exposure.astype(np.float64))[bar, symbol][:, None] for orders in wanted]
    names += [f"held {place}" for place in range(len(wanted))]
    return Conditions(tuple(names), np.concatenate(columns, axis=1), known[:, _SCALE])


def outcomes(
    market: Market,
    candidates: Sequence[Strategy],
    evaluate: Callable[..., Evaluation],
    ahead: int,
    bar: IntArray,
    symbol: IntArray,
) -> Outcome:
    """Backtest every candidate on each symbol alone and sum what it earned over the bars after each decision.

    The bars are the symbol's own; an outcome is known where ``ahead`` of them follow inside ``market``.
    """
    known, returns = np.zeros(len(bar), np.bool_), np.full((len(bar), len(candidates)), np.nan)
    for column in np.unique(symbol):
        alone = market.select([market.symbols[column]])
        own = np.flatnonzero(alone.bars.present[:, 0])
        rows = np.flatnonzero(symbol == column)
        first = np.searchsorted(own, bar[rows])
        inside = first + ahead < len(own)
        rows, first = rows[inside], first[inside]
        known[rows] = True
        for place, candidate in enumerate(candidates):
            earned = np.cumsum(evaluate(candidate, alone).returns)[own]
            returns[rows, place] = earned[first + ahead] - earned[first]
    return Outcome(known & np.isfinite(returns).all(axis=1), returns)
