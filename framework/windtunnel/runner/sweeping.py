"""The sweep that an experiment asks for, and what is written down about it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from windtunnel.bars import Bars
from windtunnel.data import Dataset
from windtunnel.engine.sweep import SWEEP_METRICS
from windtunnel.errors import ConfigError, InvalidValueError
from windtunnel.experiment import Loaded
from windtunnel.learn import Tick, silent
from windtunnel.optimize.exploring import Keys
from windtunnel.optimize.folds import Folds, block_edges
from windtunnel.optimize.identity import trial_keys
from windtunnel.pipeline import Candidate, Choice, Sweep, choose, combination, sweep
from windtunnel.pipeline.choice import metric_of, written
from windtunnel.runner.family import Opener, study_of, trading
from windtunnel.runner.parts import candidate
from windtunnel.store import Study
from windtunnel.values import FloatArray, Trials

__all__ = ["Found", "placed", "recorded", "search"]

MOST_SUMMED = 100_000
"""Most combinations whose returns are added up in blocks."""


@dataclass(frozen=True)
class Found:
    """A sweep, the best of it, and the candidate that this is."""

    sweep: Sweep
    choice: Choice
    candidate: Candidate


def search(loaded: Loaded, dataset: Dataset, tick: Tick = silent) -> Found:
    """Backtest every combination of an experiment with a sweep.

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
    InvalidValueError
        If there is no sweep.
    PluginError
    """
    if loaded.space is None or loaded.experiment.sweep is None:
        raise InvalidValueError("sweep", "must be a section of the experiment", None)
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


def blocks_of(bars: int, combinations: int) -> tuple[int, ...]:
    """Return the edges of the blocks in which a sweep adds up returns; none for very many combinations."""
    return () if combinations > MOST_SUMMED else block_edges(bars)


def recorded(
    table: Sweep, bars: Bars, around: Candidate, experiment: str, ledger: Opener | None, versions: Any = None
) -> tuple[Study, Keys]:
    """Write all combinations of a sweep to a ledger, if there is one; return what they are known by.

    Parameters
    ----------
    table : Sweep
    bars : Bars
    around : Candidate
        What surrounds the strategy.
    experiment : str
        Its name.
    ledger : callable or None
        Opens it.
    versions : JSON value
        Of all else that decides a row: code, and the benchmark.
    """
    columns, config = table.columns, trading(around)
    study = study_of(
        bars,
        config,
        experiment=experiment,
        strategy=table.space.strategy.name,
        paths=tuple(columns),
        folds=Folds(len(bars), ()),
        edges=table.edges.tolist(),
        versions=versions,
    )
    keys = trial_keys(config, columns)
    if ledger is not None:
        nothing = np.empty((len(table), 0, 0))
        trials = Trials(columns, nothing, table.values, table.sums, ("",) * len(table))
        ledger().append(study, trials, keys)
    return study, keys


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
