"""The plugins of an experiment, put together with their settings."""

from __future__ import annotations

from typing import Any

from windtunnel.experiment import Loaded
from windtunnel.pipeline import Candidate, Part

__all__ = ["candidate", "stops_of"]


def candidate(loaded: Loaded) -> Candidate:
    """Put the plugins of an experiment together with their settings."""
    experiment = loaded.experiment

    def part(plugin: Any, section: Any) -> Any:
        return None if plugin is None else Part(plugin, section)

    return Candidate(
        strategy=Part(loaded.strategy, experiment.strategy),
        rules=experiment.backtest,
        sizing=experiment.sizing,
        gate=experiment.gate,
        volatility=part(loaded.volatility, experiment.volatility),
        regime=part(loaded.regime, experiment.regime),
        patterns=tuple(map(Part, loaded.patterns, experiment.patterns)),
        reliability=part(loaded.reliability, experiment.reliability),
        scorer=part(loaded.scorer, experiment.scorer),
    )


def stops_of(loaded: Loaded) -> str:
    """Return what the rules of an experiment mean by an ATR."""
    section = loaded.experiment.volatility
    return "atr" if section is None else section.stops
