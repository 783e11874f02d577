"""The sweep that an experiment asks for, and what is written down about it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from windtunnel.data import Dataset
from windtunnel.engine.sweep import SWEEP_METRICS
from windtunnel.errors import ConfigError, InvalidValueError
from windtunnel.experiment import Loaded
from windtunnel.learn import Tick, silent
from windtunnel.optimize import blocks_of
from windtunnel.pipeline import Candidate, Choice, Sweep, choose, combination, sweep
from windtunnel.pipeline.choice import metric_of, why_left_out, written
from windtunnel.pipeline.rule_grid import PREFIX
from windtunnel.runner.parts import candidate
from windtunnel.values import FloatArray

__all__ = ["Found", "best_of", "config_of", "described", "placed", "search", "write_table"]


@dataclass(frozen=True)
class Found:
    """A sweep, the best of it, and the candidate that this is."""

    sweep: Sweep
    choice: Choice
    candidate: Candidate


def search(loaded: Loaded, dataset: Dataset, tick: Tick = silent) -> Found | None:
    """Backtest every combination of an experiment; None where it has no sweep.

    Parameters
    ----------
    loaded : Loaded
    dataset : Dataset
    tick : callable
        Told now and then of ``sweep`` how many combinations are done, and how many there are.

    Raises
    ------
    ConfigError
        If no combination is legal, or none has the metric.
    PluginError
    """
    if loaded.space is None or loaded.experiment.sweep is None:
        return None
    around, bars, best = candidate(loaded), dataset.bars, _Best(loaded.experiment.sweep.metric)
    with placed(loaded):
        table = sweep(
            bars,
            around,
            loaded.space,
            benchmark=loaded.experiment.benchmark_of(bars.symbols),
            tick=lambda done, total: tick(f"sweep{best.said}", done, total),
            seen=best.see,
            edges=blocks_of(len(bars), len(loaded.space)),
        )
        choice = choose(table, loaded.experiment.sweep.metric)
    return Found(table, choice, combination(around, table, choice))


class _Best:
    """The best so far of one metric."""

    def __init__(self, metric: str) -> None:
        self._metric, self._column = metric_of(metric), SWEEP_METRICS.index(metric)
        self._value = math.nan

    def see(self, metrics: FloatArray) -> None:
        extreme = np.fmax if self._metric.higher_is_better else np.fmin
        self._value = float(extreme.reduce(metrics[:, self._column], initial=self._value))

    @property
    def said(self) -> str:
        if math.isnan(self._value):
            return ""
        return f", best {self._metric.title} {written(self._metric, self._value)}"


@contextmanager
def placed(loaded: Loaded) -> Iterator[None]:
    """Let a value that turns out to be wrong be told as a mistake with its place."""
    try:
        yield
    except InvalidValueError as error:
        key, message = error.parameter, f"{error.rule} (got {error.value!r})"
        if key == "space":
            key, message = "sweep.space", f"{loaded.strategy.name} forbids every combination"
        elif key == "metric":
            key, message = "sweep.metric", f"no combination has it, for none traded (got {error.value!r})"
        raise ConfigError([loaded.mistake(key, message)]) from error


def config_of(loaded: Loaded, found: Found | None) -> dict[str, Any]:
    """Return the resolved configuration, with what a sweep chose in its place."""
    config = loaded.resolved()
    if found is not None:
        config["strategy"]["params"] |= found.candidate.strategy.plugin.params()
        config["backtest"] = found.candidate.rules.model_dump(mode="json", by_alias=True)
    return config


def best_of(choice: Choice) -> dict[str, Any]:
    """Return the chosen values as JSON, by the dotted paths that ``--set`` takes."""
    return {
        name if name.startswith(PREFIX) else f"strategy.params.{name}": _json(value)
        for name, value in choice.parameters.items()
    }


def _json(value: Any) -> Any:
    return value if isinstance(value, bool | int | float | str | None) else str(value)


def described(found: Found) -> dict[str, Any]:
    """Return what a manifest says of a sweep; the best by the dotted paths that ``--set`` takes."""
    table, choice = found.sweep, found.choice
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


def write_table(table: Sweep, path: Path) -> None:
    """Write every combination with its metrics; values of several types in one column as text."""
    frame = table.frame
    for name in frame.columns:
        kinds = {type(value) for value in frame[name] if value is not None}
        if frame[name].dtype == object and len(kinds) > 1 and not kinds <= {int, float}:
            frame[name] = frame[name].astype("str")
    frame.to_parquet(path)
