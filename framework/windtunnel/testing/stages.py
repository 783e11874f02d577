"""The stages of the pipeline, and what each of them said."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

import numpy as np

from windtunnel.bars import FIELDS, Bars
from windtunnel.engine import REASONS, Fills
from windtunnel.features import NAMES
from windtunnel.market import Market
from windtunnel.pipeline import Candidate, Decision, Signals
from windtunnel.plugin import Plugin
from windtunnel.testing.differences import Output, Panel, Rows
from windtunnel.values import Forecast, Patterns, Regimes

__all__ = ["Said", "data", "decided", "fills", "indicators", "plugins_of"]

Said: TypeAlias = Mapping[str, Output]
"""What a stage said, by name: a panel or a table each."""


def plugins_of(candidate: Candidate) -> dict[str, tuple[Plugin, ...]]:
    """Return the stages that a candidate has, with their plugins; none where the framework does it alone."""
    found: dict[str, tuple[Plugin, ...]] = dict.fromkeys(("data", "indicators"), ())
    if candidate.volatility is not None:
        found["volatility"] = (candidate.volatility.plugin,)
    if candidate.regime is not None:
        found["regime"] = (candidate.regime.plugin,)
    if candidate.patterns:
        found["patterns"] = tuple(part.plugin for part in candidate.patterns)
    if candidate.reliability is not None:
        found["patterns"] += (candidate.reliability.plugin,)
    found["strategy"] = (candidate.strategy.plugin,)
    if candidate.gate is not None:
        found["gate"] = ()
    if candidate.scorer is not None:
        found["scorer"] = (candidate.scorer.plugin,)
    return found | {"sizing": (), "engine": ()}


def data(bars: Bars) -> Said:
    """Return the bars themselves, and their times."""
    time = {"time": Panel(np.datetime_as_string(bars.time)[:, None])}
    return time | {field: Panel(getattr(bars, field)) for field in FIELDS}


def indicators(market: Market) -> Said:
    """Return every indicator and feature that was asked for and is still in the memo."""
    found: dict[str, Output] = {}
    for call, arrays in market.computed().items():
        if call.endswith("features"):
            names = (f"{call.removesuffix('features')}feature {name}" for name in NAMES)
            found |= dict(zip(names, map(Panel, np.moveaxis(arrays[0], 2, 0)), strict=True))
        else:
            found |= {f"{call}[{place}]" if place else call: Panel(each) for place, each in enumerate(arrays)}
    return found


def decided(decision: Decision) -> dict[str, Said]:
    """Return what the plugins said, and what gate, scorer and sizing made of it, stage by stage."""
    said: dict[str, Said] = {}
    if decision.forecast is not None:
        said["volatility"] = _forecast(decision.forecast)
    if decision.regimes is not None:
        said["regime"] = _regimes(decision.regimes)
    if decision.patterns is not None:
        said["patterns"] = {"pattern": _patterns(decision.patterns)}
    prices = {name.replace("_", " "): Panel(panel) for name, panel in decision.wanted.panels()}
    said["strategy"] = {"exposure": Panel(decision.exposure), **prices}
    said["gate"] = {"gated exposure": Panel(decision.gated)}
    signals = {} if decision.signals is None else {"signal": _signals(decision.signals)}
    said["scorer"] = {**signals, "scored exposure": Panel(decision.scored)}
    said["sizing"] = {"weight": Panel(decision.weights)}
    return said


def _forecast(forecast: Forecast) -> Said:
    names = {"forecast": "mean", "low end of the forecast": "low", "high end of the forecast": "high"}
    return {name: Panel(getattr(forecast, field)) for name, field in names.items()}


def _regimes(regimes: Regimes) -> Said:
    likeliest = np.array((*regimes.names, "unknown"))[regimes.codes]
    said = {"regime": Panel(likeliest)}
    for place, name in enumerate(regimes.names):
        said[f"probability of {name}"] = Panel(regimes.probabilities[:, :, place])
    return said


def _patterns(patterns: Patterns) -> Rows:
    names = ("first", "direction", "confidence", "target", "stop", "success", "trials")
    values = np.column_stack([getattr(patterns, name).astype(np.float64) for name in names])
    return Rows(patterns.confirmed, patterns.symbol, patterns.type, names, values)


def _signals(signals: Signals) -> Rows:
    features, scores = signals.features, signals.scores
    names = ("score", "confidence", "threshold", *(f"contribution of {name}" for name in features.names))
    columns = [scores.probability, scores.confidence, signals.threshold, scores.contributions]
    label = np.full(len(features), "")
    return Rows(features.bar, features.symbol, label, names, np.column_stack(columns))


def fills(filled: Fills) -> Said:
    """Return what the engine bought and sold."""
    names = ("units", "price", "fee", "position", "carry", "stop")
    values = np.column_stack([getattr(filled, name) for name in names])
    label = np.array([f"({reason})" for reason in REASONS])[filled.reason]
    return {"fill": Rows(filled.bar, filled.symbol, label, names, values)}
