"""One combined answer a symbol for the last bar, from everything that an experiment configures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import TypeAdapter, ValidationError

from windtunnel.bars import Bars
from windtunnel.data import Dataset
from windtunnel.experiment import Loaded, from_mapping
from windtunnel.learn import Tick, folds, silent
from windtunnel.market import Market
from windtunnel.periods import spelled
from windtunnel.pipeline import Candidate
from windtunnel.pipeline.decide import Decision, decide
from windtunnel.plugin import Strategy
from windtunnel.reporting.series import clock
from windtunnel.reporting.text import stamp
from windtunnel.runner.keeping import StoreKeeper
from windtunnel.runner.live import log_advice
from windtunnel.runner.manifest import identity
from windtunnel.runner.parts import candidate, stops_of
from windtunnel.runner.sweeping import placed, search
from windtunnel.store import ModelStore, run_id, write_json
from windtunnel.values import ConfigModel
from windtunnel.values.ranking import RankedOrders

__all__ = [
    "USUAL",
    "Advice",
    "PatternAdvice",
    "Ranked",
    "RegimeAdvice",
    "SignalAdvice",
    "Volatility",
    "advise",
    "of_bars",
]

RECENT = 5
"""Bars of the symbol for which a pattern counts as confirmed lately."""
_FACTORS = 3
FOLDER = "advice"
"""Where answers are kept, below the folder of results."""
USUAL: Mapping[str, Any] = {
    "name": "advice",
    "strategy": {"use": "recommended"},
    "regime": {"use": "trend_volatility"},
    "patterns": [{"use": "candlesticks"}],
    "volatility": {"use": "ewma"},
    "scorer": {"use": "logistic", "act": "none", "threshold": "base"},
}
"""What is asked where only bars are given."""


class RegimeAdvice(ConfigModel):
    """The likeliest regime, its probability, that of each, and what the model went by."""

    name: str
    confidence: float
    probabilities: dict[str, float]
    evidence: dict[str, float]


class Ranked(ConfigModel):
    """One of the strategies that are chosen from; fractions, as in a Recommendation."""

    candidate: str
    chosen: bool
    probability: float
    expected: float
    risk: float


class PatternAdvice(ConfigModel):
    """A pattern confirmed lately: how many bars ago, its side, and how sure; levels may be missing."""

    type: str
    direction: int
    bars_ago: int
    confidence: float
    target: float | None
    stop: float | None
    success: float | None
    trials: int
    probability: float | None


class Volatility(ConfigModel):
    """Volatility a year expected over the next ``horizon`` bars, with its interval."""

    mean: float
    low: float | None
    high: float | None
    horizon: int
    coverage: float | None


class SignalAdvice(ConfigModel):
    """An entry on the last bar and the scorer's opinion of it; None where it abstains."""

    direction: int
    probability: float | None
    confidence: float | None
    threshold: float | None
    action: str
    risk: str
    factors: dict[str, float]


class Advice(ConfigModel):
    """What is known of a symbol at the close of its last bar; None or empty where nothing says it.

    ``exposure`` is what the strategy wants to hold, a share of equity, after gate, scorer and sizing, before
    sizing in units or by risk; ``ranked`` are the
    strategies that it chooses from, best first, and ``reason`` says why it follows one of them. ``learned``
    is the time of the last bar that each model that learns was fitted on.
    """

    symbol: str
    time: str
    timeframe: str
    close: float
    strategy: str
    exposure: float
    ranked: tuple[Ranked, ...]
    ahead: int | None
    reason: str
    regime: RegimeAdvice | None
    patterns: tuple[PatternAdvice, ...]
    volatility: Volatility | None
    signal: SignalAdvice | None
    learned: dict[str, str]


def advise(
    loaded: Loaded, dataset: Dataset, *, out: str | Path | None = None, tick: Tick = silent
) -> tuple[Advice, ...]:
    """Return the answer for every symbol that has a bar.

    With ``out`` it is kept there in ``advice``, named by a hash of data, configuration and versions, and
    read from there when asked again; a file that cannot be understood is written anew. What the models
    learned last is kept among the stored models, and what they said in the log of live answers.
    """
    identified = identity(loaded, dataset.bars)
    path = None if out is None else Path(out) / FOLDER / f"{run_id(identified)}.json"
    kept = None if path is None else _kept(path)
    if kept is not None:
        return kept
    parts = candidate(loaded) if loaded.space is None else search(loaded, dataset, tick).candidate
    with placed(loaded):
        benchmark = loaded.experiment.benchmark_of(dataset.bars.symbols)
        keeper = None if out is None else _keeper(loaded, dataset.bars, identified, Path(out))
        decision = decide(Market(dataset.bars), parts, benchmark=benchmark, tick=tick, keeper=keeper)
    answers = tuple(_answers(dataset.bars, parts, decision))
    if path is not None and out is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        log_advice(loaded, dataset.bars, answers, Path(out))
        write_json(path, [answer.model_dump(mode="json") for answer in answers])
    return answers


def _keeper(loaded: Loaded, bars: Bars, identified: Mapping[str, Any], out: Path) -> StoreKeeper:
    store, rules = ModelStore(out / "models"), loaded.experiment.backtest
    versions, stops = identified["versions"], stops_of(loaded)
    return StoreKeeper(store, loaded.host, bars, rules, versions, [], stops=stops)


def of_bars(
    bars: Bars, overrides: Sequence[str] = (), *, out: str | Path | None = None
) -> tuple[Advice, ...]:
    """Return what the usual models say of bars that are already there.

    The source of data that an experiment has to name is never asked.
    """
    loaded = from_mapping({**USUAL, "data": {"use": "synthetic"}}, overrides)
    return advise(loaded, Dataset(bars, {}, None, {}, None), out=out)


def _kept(path: Path) -> tuple[Advice, ...] | None:
    try:
        return TypeAdapter(tuple[Advice, ...]).validate_json(path.read_bytes())
    except (FileNotFoundError, ValidationError):
        return None


def _answers(bars: Bars, parts: Candidate, decision: Decision) -> list[Advice]:
    answers = []
    for column, symbol in enumerate(bars.symbols):
        own = np.flatnonzero(bars.present[:, column])
        if len(own):
            answers.append(_answer(bars, parts, decision, symbol, column, own))
    return answers


def _answer(
    bars: Bars, parts: Candidate, decision: Decision, symbol: str, column: int, own: np.ndarray[Any, Any]
) -> Advice:
    bar = int(own[-1])
    wanted = decision.wanted
    ranking = wanted.ranking if isinstance(wanted, RankedOrders) else None
    return Advice(
        symbol=symbol,
        time=stamp(clock(bars)[bar]),
        timeframe=spelled(bars.spacing),
        close=float(bars.close[bar, column]),
        strategy=parts.strategy.plugin.name,
        exposure=_last_asked(_asked(decision)[: bar + 1, column]),
        ranked=() if ranking is None else tuple(Ranked(**vars(one)) for one in ranking.at(column, bar)),
        ahead=None if ranking is None else ranking.ahead,
        reason="" if ranking is None else ranking.reasons[column],
        regime=_regime(decision, bar, column),
        patterns=_patterns(decision, own, column),
        volatility=_volatility(parts, decision, bar, column),
        signal=_signal(decision, bar, column),
        learned=dict(_learned(bars, parts)),
    )


def _learned(bars: Bars, parts: Candidate) -> Iterator[tuple[str, str]]:
    """Yield each model that learns, and the time of the last bar that it was fitted on."""
    models = (
        parts.volatility,
        parts.regime,
        *parts.patterns,
        parts.strategy,
        parts.reliability,
        parts.scorer,
    )
    for part in models:
        if part is None or not getattr(part.plugin, "learns", not isinstance(part.plugin, Strategy)):
            continue
        fits = list(folds(part.section, len(bars)))
        if fits:
            time = stamp(clock(bars)[fits[-1].train_stop - 1])
            yield f"{part.plugin.kind} {part.plugin.name}", time


def _asked(decision: Decision) -> np.ndarray[Any, Any]:
    """Return the weights that go to the engine; what is wanted where they are no weights."""
    return decision.weights if decision.orders.size == "weight" else decision.scored


def _last_asked(exposure: np.ndarray[Any, Any]) -> float:
    asked = exposure[~np.isnan(exposure)]
    return float(asked[-1]) if len(asked) else 0.0


def _regime(decision: Decision, bar: int, column: int) -> RegimeAdvice | None:
    regimes = decision.regimes
    if regimes is None or (code := int(regimes.codes[bar, column])) < 0:
        return None
    shares = regimes.probabilities[bar, column].tolist()
    evidence = {name: float(panel[bar, column]) for name, panel in regimes.evidence.items()}
    return RegimeAdvice(
        name=regimes.names[code],
        confidence=shares[code],
        probabilities=dict(zip(regimes.names, shares, strict=True)),
        evidence={name: value for name, value in evidence.items() if np.isfinite(value)},
    )


def _patterns(decision: Decision, own: np.ndarray[Any, Any], column: int) -> tuple[PatternAdvice, ...]:
    if decision.patterns is None:
        return ()
    table = decision.patterns
    ago = len(own) - 1 - np.searchsorted(own, table.confirmed)
    lately = np.flatnonzero((table.symbol == column) & (ago < RECENT))
    return tuple(
        PatternAdvice(
            type=str(table.type[row]),
            direction=int(table.direction[row]),
            bars_ago=int(ago[row]),
            confidence=float(table.confidence[row]),
            target=_known(table.target[row]),
            stop=_known(table.stop[row]),
            success=_known(table.success[row]),
            trials=int(table.trials[row]),
            probability=_known(table.probability[row]),
        )
        for row in lately[np.argsort(ago[lately], kind="stable")]
    )


def _volatility(parts: Candidate, decision: Decision, bar: int, column: int) -> Volatility | None:
    forecast, part = decision.forecast, parts.volatility
    if forecast is None or part is None or np.isnan(forecast.mean[bar, column]):
        return None
    return Volatility(
        mean=float(forecast.mean[bar, column]),
        low=_known(forecast.low[bar, column]),
        high=_known(forecast.high[bar, column]),
        horizon=forecast.horizon,
        coverage=part.section.coverage if part.section.interval == "conformal" else None,
    )


def _signal(decision: Decision, bar: int, column: int) -> SignalAdvice | None:
    signals = decision.signals
    if signals is None:
        return None
    rows = np.flatnonzero((signals.features.bar == bar) & (signals.features.symbol == column))
    if not len(rows):
        return None
    row = int(rows[0])
    moved = signals.scores.contributions[row]
    counted = [place for place in np.argsort(-np.abs(moved), kind="stable")[:_FACTORS] if moved[place]]
    return SignalAdvice(
        direction=int(signals.features.direction[row]),
        probability=_known(signals.scores.probability[row]),
        confidence=_known(signals.scores.confidence[row]),
        threshold=_known(signals.threshold[row]),
        action=str(signals.action[row]),
        risk=str(signals.risk_level[row]),
        factors={signals.features.names[place]: float(moved[place]) for place in counted},
    )


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
