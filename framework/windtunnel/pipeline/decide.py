"""A market becomes orders: the one way of a bar through all the plugins."""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from windtunnel.bars import Bars
from windtunnel.engine import simulate
from windtunnel.engine.metrics import Performance, compute
from windtunnel.learn import (
    Keeper,
    LearnedSection,
    Tick,
    answers,
    barrier_outcomes,
    calling,
    entries,
    held_direction,
    scale_at,
    score,
    signal_features,
    silent,
    trade_outcomes,
    with_record,
)
from windtunnel.market import Market
from windtunnel.pipeline.candidate import Candidate, Part
from windtunnel.pipeline.refuse import gate_refuses, per_segment, refuse, sized
from windtunnel.pipeline.sections import ScorerSection
from windtunnel.pipeline.told import Told, ask_models
from windtunnel.plugin import LearnedStrategy, SignalScorer, State, Strategy
from windtunnel.values import (
    Evaluation,
    Exposure,
    FloatArray,
    Forecast,
    Orders,
    Outcomes,
    Patterns,
    Regimes,
    Scores,
    SignalFeatures,
)

__all__ = ["Decision", "Signals", "decide", "wishes"]


@dataclass(frozen=True, eq=False)
class Signals:
    """The entries that passed the gate, and what the scorer thought of them; all of length n.

    Parameters
    ----------
    features : SignalFeatures
    outcomes : Outcomes
    scores : Scores
    threshold : array of float64
        Least probability asked of each; NaN where the scorer abstained.
    fits : int
        How often the scorer learned.
    stop : array of float64
        Distance of the lower barrier, as a fraction of the price.
    """

    features: SignalFeatures
    outcomes: Outcomes
    scores: Scores
    threshold: FloatArray
    fits: int
    stop: FloatArray = field(default_factory=lambda: np.empty(0))

    def __len__(self) -> int:
        return len(self.features)

    @property
    def risk(self) -> FloatArray:
        """What is to be lost, weighed by how likely: (1 − probability) × distance of the stop, ``[n]``."""
        return (1 - self.scores.probability) * self.stop

    @property
    def risk_level(self) -> npt.NDArray[np.str_]:
        """``low``, ``medium`` or ``high``, ``[n]``; ``""`` where the scorer abstained.

        By thirds of the risks of this signal and those before it.
        """
        words = np.full(len(self), "", "U6")
        before: list[float] = []
        for row, risk in enumerate(self.risk.tolist()):
            if risk == risk:
                insort(before, risk)
                share = bisect_right(before, risk) / len(before)
                words[row] = "low" if share <= 1 / 3 else "medium" if share <= 2 / 3 else "high"
        return words

    @property
    def action(self) -> npt.NDArray[np.str_]:
        """``EXECUTE`` or ``SKIP`` by the threshold, ``[n]``; abstaining refuses nothing."""
        return np.where(self.scores.probability < self.threshold, "SKIP", "EXECUTE")


@dataclass(frozen=True, eq=False)
class Decision:
    """Everything that was decided on the way from the market to the orders.

    Parameters
    ----------
    wanted, orders : Orders
        What the strategy wanted; what goes to the engine.
    gated, scored : array, ``[T, N]``
        The wanted exposure after the gate; and after the scorer.
    forecast, regimes, patterns
        What the models said; None where none is configured.
    signals : Signals or None
        What the scorer judged; None without a scorer.
    entries, refused_by_gate, refused_by_scorer, abstained : int
        Entries of the strategy, entries refused by each, and entries on which the scorer abstained.
    """

    wanted: Orders
    gated: Exposure
    scored: Exposure
    orders: Orders
    forecast: Forecast | None
    regimes: Regimes | None
    patterns: Patterns | None
    signals: Signals | None
    entries: int
    refused_by_gate: int
    refused_by_scorer: int
    abstained: int

    @property
    def exposure(self) -> Exposure:
        """What the strategy wanted to hold, ``[T, N]``."""
        return self.wanted.exposure

    @property
    def weights(self) -> Exposure:
        """The exposure of the orders that go to the engine, ``[T, N]``."""
        return self.orders.exposure


def decide(
    market: Market,
    candidate: Candidate,
    *,
    benchmark: str | None = None,
    tick: Tick = silent,
    keeper: Keeper | None = None,
    asked: Callable[..., tuple[Market, Told]] = ask_models,
) -> Decision:
    """Ask every plugin in turn and let gate, scorer and sizing act on the strategy's exposure.

    Parameters
    ----------
    market : Market
    candidate : Candidate
    benchmark : str, optional
        Symbol by which a regime model of the benchmark judges.
    tick : callable
        Told after every fit of a model.
    keeper : Keeper, optional
    asked : callable
        Asks the models, or remembers what they said: :func:`~windtunnel.pipeline.told.ask_models`.

    Raises
    ------
    PluginError
        If a plugin raises or returns something of the wrong shape, type or range.
    """
    market, told = asked(market, candidate, benchmark, tick, keeper)
    present = market.bars.present
    wanted = wishes(market, candidate, tick, keeper)
    exposure = wanted.exposure

    gated, refused_by_gate = exposure, 0
    if candidate.gate is not None:
        refused = gate_refuses(candidate.gate, held_direction(exposure, present), told.regimes, told.patterns)
        refused_by_gate = int((refused & entries(exposure, present)).sum())
        gated = refuse(exposure, present, refused)

    signals, scored, refused_by_scorer = None, gated, 0
    if candidate.scorer is not None:
        signals = _judge(
            market, replace(wanted, exposure=gated), told, candidate.scorer, candidate, tick, keeper
        )
        scored, refused_by_scorer = _act(gated, signals, candidate.scorer.section, present)

    return Decision(
        wanted=wanted,
        gated=gated,
        scored=scored,
        orders=sized(replace(wanted, exposure=scored), present, candidate.sizing, told.forecast),
        forecast=told.forecast,
        regimes=told.regimes,
        patterns=told.patterns,
        signals=signals,
        entries=int(entries(exposure, present).sum()),
        refused_by_gate=refused_by_gate,
        refused_by_scorer=refused_by_scorer,
        abstained=0 if signals is None else int(np.isnan(signals.scores.probability).sum()),
    )


def wishes(market: Market, candidate: Candidate, tick: Tick = silent, keeper: Keeper | None = None) -> Orders:
    """Ask the strategy, and add the average true range where the rules state distances in it."""
    strategy = candidate.strategy.plugin
    if isinstance(strategy, LearnedStrategy):
        wanted = _learned(strategy, candidate.strategy.section, market, candidate, tick, keeper)
    else:
        with calling(strategy, "state its exposure"):
            wanted = _checked(strategy.exposure(market), market.bars)
    return _measured(wanted, market, candidate)


def _measured(wanted: Orders, market: Market, candidate: Candidate) -> Orders:
    if not candidate.rules.in_atr or wanted.atr is not None:
        return wanted
    unit, part = market.atr(candidate.rules.atr_window), candidate.volatility
    if part is not None and part.section.stops == "forecast":
        forecast = market.volatility
        expected = forecast.mean * np.sqrt(forecast.horizon / market.periods_per_year) * market.close
        unit = np.where(expected > 0, expected, unit)
    return replace(wanted, atr=unit)


def _learned(
    strategy: LearnedStrategy,
    section: LearnedSection,
    market: Market,
    candidate: Candidate,
    tick: Tick,
    keeper: Keeper | None,
) -> Orders:
    def fit(view: Market) -> State:
        def evaluate(trial: Strategy, part: Market = view) -> Evaluation:
            orders = _measured(_checked(trial.exposure(part), part.bars), part, candidate)
            simulation = simulate(part.bars, orders, candidate.rules)
            metrics = compute(Performance(simulation, part.periods_per_year, None))
            return Evaluation(metrics, simulation.returns)

        return strategy.fit(view, evaluate)

    def predict(view: Market, state: State) -> Orders:
        return _checked(strategy.exposure(view, state), view.bars)

    return answers(strategy, section, market, fit, predict, tick, keeper)


def _checked(wanted: Any, bars: Bars) -> Orders:
    """Return a strategy's answer as orders.

    Raises
    ------
    TypeError, InvalidValueError
        If it is of the wrong type or shape, or outside its bounds.
    """
    orders = wanted if isinstance(wanted, Orders) else Orders(wanted)
    if not isinstance(orders.exposure, np.ndarray):
        raise TypeError(f"must return an array or Orders (got {type(orders.exposure).__name__})")
    orders.check(bars.shape)
    return orders


def _judge(
    market: Market,
    gated: Orders,
    told: Told,
    part: Part[SignalScorer, ScorerSection],
    candidate: Candidate,
    tick: Tick,
    keeper: Keeper | None,
) -> Signals:
    present, section = market.bars.present, part.section
    exposure = gated.exposure
    features = signal_features(
        market,
        entries(exposure, present),
        held_direction(exposure, present),
        orders=gated,
        regimes=told.regimes,
        patterns=told.patterns,
        forecast=told.forecast,
    )
    if section.outcome.label == "trade":
        ended = trade_outcomes(market.bars, gated, features, candidate.rules)
    else:
        ended = barrier_outcomes(market, features, section.outcome.barriers, candidate.rules)
    features = with_record(features, ended)
    bars = len(market.bars)
    scored = score(part.plugin, section, section.min_outcomes, features, ended, bars, tick, keeper=keeper)
    level = scored.base_rate
    if section.threshold != "base":
        level = np.where(np.isnan(level), np.nan, float(section.threshold))
    stop = section.outcome.stop * scale_at(market, features, section.outcome.horizon)
    return Signals(features, ended, scored.scores, level, scored.fits, stop)


def _act(exposure: Exposure, signals: Signals, section: ScorerSection, present: Any) -> tuple[Exposure, int]:
    """Skip or scale the entries by their scores; return the exposure and the number of those skipped."""
    at = signals.features.bar, signals.features.symbol
    probability = signals.scores.probability
    if section.act == "skip":
        low = probability < signals.threshold
        refused = np.zeros(exposure.shape, np.bool_)
        refused[at] = low
        return refuse(exposure, present, refused), int(low.sum())
    if section.act == "scale":
        scale = np.ones(exposure.shape)
        scale[at] = np.where(np.isnan(probability), 1.0, probability)
        return np.asarray(exposure * per_segment(exposure, present, scale)), 0
    return exposure, 0
