"""What the models say of a market, asked in turn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np

from windtunnel.learn import (
    Keeper,
    Tick,
    answers,
    calling,
    conformal,
    pattern_features,
    pattern_outcomes,
    score,
    with_success,
)
from windtunnel.market import Market
from windtunnel.pipeline.candidate import Candidate, Part
from windtunnel.pipeline.sections import PatternsSection, ReliabilitySection
from windtunnel.plugin import Model, SignalScorer, State
from windtunnel.values import Forecast, Patterns, PerBar, Regimes, frozen

__all__ = ["Told", "ask_models"]

M = TypeVar("M", bound=Model)
V = TypeVar("V", bound=PerBar)


@dataclass(frozen=True, eq=False)
class Told:
    """What the models said; None where none is configured."""

    forecast: Forecast | None
    regimes: Regimes | None
    patterns: Patterns | None


def ask_models(
    market: Market,
    candidate: Candidate,
    benchmark: str | None,
    tick: Tick,
    keeper: Keeper | None = None,
) -> tuple[Market, Told]:
    """Ask the models, each seeing what the one before said; return the market with all of it.

    Raises
    ------
    PluginError
        If a model raises or returns something of the wrong shape, type or range.
    """
    forecast = _forecast(market, candidate, tick, keeper)
    market = market.having(volatility=forecast)
    regimes = _regimes(market, candidate, benchmark, tick, keeper)
    market = market.having(regime=regimes)
    patterns = _patterns(market, candidate, tick, keeper)
    return market.having(patterns=patterns), Told(forecast, regimes, patterns)


def _model(
    part: Part[M, Any],
    market: Market,
    fit: Callable[[Market], State],
    ask: Callable[[Market, State], V],
    kind: type[V],
    tick: Tick,
    keeper: Keeper | None,
) -> V:
    """Ask a model, on its schedule if it learns."""
    model, section = part.plugin, part.section

    def asked(view: Market, state: State) -> V:
        value = ask(view, state)
        if not isinstance(value, kind):
            raise TypeError(f"must return {kind.__name__} (got {type(value).__name__})")
        value.check(view.shape)
        return value

    if model.learns:
        return frozen(answers(model, section, market, fit, asked, tick, keeper))
    with calling(model, "predict"):
        return frozen(asked(market, None))


def _forecast(market: Market, candidate: Candidate, tick: Tick, keeper: Keeper | None) -> Forecast | None:
    part = candidate.volatility
    if part is None:
        return None
    model, horizon = part.plugin, part.section.horizon

    def ask(view: Market, state: State) -> Forecast:
        return model.forecast(view, state, horizon)

    forecast = _model(part, market, lambda view: model.fit(view, horizon), ask, Forecast, tick, keeper)
    if part.section.interval == "conformal":
        return frozen(conformal(forecast, market.bars, part.section.coverage))
    return forecast


def _regimes(
    market: Market, candidate: Candidate, benchmark: str | None, tick: Tick, keeper: Keeper | None
) -> Regimes | None:
    part = candidate.regime
    if part is None:
        return None
    if part.section.of == "symbol" or benchmark is None:
        return _model(part, market, part.plugin.fit, part.plugin.predict, Regimes, tick, keeper)
    alone = market.select([benchmark])
    one = _model(part, alone, part.plugin.fit, part.plugin.predict, Regimes, tick, keeper)
    there = alone.bars.present[:, 0]
    row = np.maximum.accumulate(np.where(there, np.arange(len(there)), 0))
    return frozen(one.of_rows(row).of_columns([0] * market.shape[1]))


def _patterns(market: Market, candidate: Candidate, tick: Tick, keeper: Keeper | None) -> Patterns | None:
    if not candidate.patterns:
        return None
    tables = [
        _counted(
            _model(part, market, part.plugin.fit, part.plugin.detect, Patterns, tick, keeper),
            market,
            part,
            candidate,
        )
        for part in candidate.patterns
    ]
    found = Patterns.union(tables, len(market.bars))
    if candidate.reliability is not None:
        found = _judged(found, market, candidate.reliability, candidate, tick, keeper)
    return frozen(found)


def _judged(
    patterns: Patterns,
    market: Market,
    part: Part[SignalScorer, ReliabilitySection],
    candidate: Candidate,
    tick: Tick,
    keeper: Keeper | None,
) -> Patterns:
    """Let a scorer say how likely each pattern is to pay; that is its confidence, where it has an opinion."""
    section = part.section
    directed = patterns.take(patterns.direction != 0)
    ended = pattern_outcomes(directed, market, candidate.pattern_barriers, candidate.rules)[1]
    context = pattern_features(directed, market)
    bars = len(market.bars)
    scored = score(
        part.plugin, section, section.min_outcomes, context, ended, bars, tick, "reliability", keeper
    )
    probability = scored.scores.probability
    confidence = np.where(np.isnan(probability), directed.confidence, probability)
    rest = patterns.take(patterns.direction == 0)
    return Patterns.union(
        [replace(directed, confidence=confidence, probability=probability), rest], patterns.bars
    )


def _counted(
    patterns: Patterns, market: Market, part: Part[Any, PatternsSection], candidate: Candidate
) -> Patterns:
    """Say how often patterns like each one paid before."""
    directed = patterns.take(patterns.direction != 0)
    ended = pattern_outcomes(directed, market, candidate.pattern_barriers, candidate.rules)[1]
    rest = patterns.take(patterns.direction == 0)
    return Patterns.union([with_success(directed, ended), rest], patterns.bars)
