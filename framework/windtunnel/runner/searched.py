"""What a search leaves behind in a run's folder: facts for its manifest, tables, the configuration chosen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from windtunnel.engine.sweep import SWEEP_METRICS
from windtunnel.experiment import Loaded
from windtunnel.pipeline import Choice, Result, Sweep, combination
from windtunnel.pipeline.choice import why_left_out
from windtunnel.pipeline.rule_grid import PREFIX
from windtunnel.runner.parts import candidate
from windtunnel.values import Optimized, TimeArray

__all__ = ["best_of", "config_of", "described", "plain_values", "searched", "trials_table", "write_table"]


def searched(result: Result, time: TimeArray) -> dict[str, Any]:
    """Return what a manifest says of the search that a result comes from; nothing where there was none.

    ``time`` is that of all bars of the data, ``[T]``, in the clock of their exchange.
    """
    facts: dict[str, Any] = {}
    if result.sweep is not None and result.choice is not None:
        facts["sweep"] = described(result.sweep, result.choice)
    if result.optimized is not None:
        from windtunnel.reporting.optimized import described as told

        facts["optimized"] = told(result.optimized, time)
    if result.verdict is not None:
        facts["verdict"] = {**asdict(result.verdict), "sentence": result.verdict.sentence}
    return facts


def config_of(loaded: Loaded, result: Result) -> dict[str, Any]:
    """Return the resolved configuration, with what a sweep chose in its place."""
    config = loaded.resolved()
    if result.sweep is not None and result.choice is not None:
        chosen = combination(candidate(loaded), result.sweep, result.choice)
        config["strategy"]["params"] |= chosen.strategy.plugin.params()
        config["backtest"] = chosen.rules.model_dump(mode="json", by_alias=True)
    return config


def trials_table(optimized: Optimized) -> pd.DataFrame:
    """Return every trial as a row: parameters, metrics over all bars, objectives on them, and problems."""
    trials = optimized.trials
    columns: dict[str, Any] = {path: list(values) for path, values in trials.parameters.items()}
    columns |= dict(zip(SWEEP_METRICS, trials.metrics.T, strict=True))
    for place, metric in enumerate(optimized.objectives):
        columns[f"objective {metric.name}"] = trials.objectives[:, -1, place]
    return pd.DataFrame(columns | {"problem": list(trials.problems)})


def best_of(choice: Choice) -> dict[str, Any]:
    """Return the chosen values as JSON, by the dotted paths that ``--set`` takes."""
    paths = (name if name.startswith(PREFIX) else f"strategy.params.{name}" for name in choice.parameters)
    return plain_values(dict(zip(paths, choice.parameters.values(), strict=True)))


def plain_values(point: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of a point as JSON."""
    plain = bool | int | float | str | None
    return {path: value if isinstance(value, plain) else str(value) for path, value in point.items()}


def described(table: Sweep, choice: Choice) -> dict[str, Any]:
    """Return what a manifest says of a sweep; the best by the dotted paths that ``--set`` takes."""
    return {
        "parameters": list(table.space.names),
        "combinations": len(table),
        "left_out": table.illegal,
        "why": why_left_out(table),
        "metric": choice.metric,
        "best": best_of(choice),
        "value": choice.value,
        "metrics": dict(zip(SWEEP_METRICS, table.values[choice.row].tolist(), strict=True)),
        "neighbours": choice.neighbours,
        "neighbours_mean": choice.around,
        "standing": choice.standing,
        "edges": list(choice.edges),
        "sentence": choice.sentence,
    }


def write_table(frame: pd.DataFrame, path: Path) -> None:
    """Write a table as Parquet; values of several types in one column as text."""
    for name in frame.columns:
        kinds = {type(value) for value in frame[name] if value is not None}
        if frame[name].dtype == object and len(kinds) > 1 and not kinds <= {int, float}:
            frame[name] = frame[name].astype("str")
    frame.to_parquet(path)
