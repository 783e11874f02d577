"""Optuna's samplers behind our ask and tell."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib import import_module
from typing import Any

import numpy as np

from windtunnel.errors import PluginError
from windtunnel.values import Choices, Dimension, FloatArray, Point, Search, SearchSpace

__all__ = ["started"]


def started(
    name: str, space: SearchSpace, objectives: int, sampler: Callable[[Any], Any], *needs: str
) -> Search:
    """Return a search by a sampler of Optuna.

    Parameters
    ----------
    name : str
        Of the optimizer, for messages.
    space : SearchSpace
    objectives : int
    sampler : callable
        Takes the module ``optuna`` and returns the sampler.
    needs : str
        Further modules that the sampler imports.

    Raises
    ------
    PluginError
        If Optuna, or what the sampler needs, is not installed.
    """
    for module in ("optuna", *needs):
        try:
            import_module(module)
        except ImportError as error:
            extra = "rl" if module == "torch" else "optimize"
            raise PluginError(f"{name} needs {module}: pip install 'windtunnel[{extra}]'") from error
    optuna = import_module("optuna")
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(sampler=sampler(optuna), directions=["maximize"] * objectives)
    return _Study(optuna, study, space)


class _Study:
    """A study that is asked and told; each point is known by the trial that proposed it."""

    def __init__(self, optuna: Any, study: Any, space: SearchSpace) -> None:
        self._optuna, self._study, self._space = optuna, study, space
        self._distributions = {
            path: _distribution(optuna, dimension) for path, dimension in space.dimensions.items()
        }
        self._open: dict[tuple[Any, ...], list[Any]] = {}

    def ask(self, count: int) -> Sequence[Point]:
        """Return what the sampler proposes."""
        points = []
        for _ in range(count):
            trial = self._study.ask(self._distributions)
            point = {path: self._value(path, trial.params[path]) for path in self._space.dimensions}
            self._open.setdefault(tuple(point.values()), []).append(trial)
            points.append(point)
        return points

    def tell(self, points: Sequence[Point], values: FloatArray) -> None:
        """Tell the sampler what points came to; one that could not be tried has failed."""
        failed = self._optuna.trial.TrialState.FAIL
        for point, row in zip(points, values, strict=True):
            open_ = self._open.get(tuple(point[path] for path in self._space.dimensions))
            if not open_:
                self._learn(point, row)
                continue
            trial = open_.pop(0)
            if np.isnan(row).any():
                self._study.tell(trial, state=failed)
            else:
                self._study.tell(trial, row.tolist())

    def _learn(self, point: Point, row: FloatArray) -> None:
        """Tell the sampler of a point that it did not ask for; what failed or lies outside says nothing."""
        if np.isnan(row).any():
            return
        with suppress(ValueError):
            trial = self._optuna.trial.create_trial(
                params={path: self._raw(path, point[path]) for path in self._space.dimensions},
                distributions=self._distributions,
                values=row.tolist(),
            )
            self._study.add_trial(trial)

    def _raw(self, path: str, value: Any) -> Any:
        dimension = self._space.dimensions[path]
        return dimension.values.index(value) if isinstance(dimension, Choices) else value

    def _value(self, path: str, raw: Any) -> Any:
        dimension = self._space.dimensions[path]
        if isinstance(dimension, Choices):
            return dimension.values[raw]
        return int(raw) if dimension.whole else float(f"{raw:.12g}")


def _distribution(optuna: Any, dimension: Dimension) -> Any:
    if isinstance(dimension, Choices):
        return optuna.distributions.CategoricalDistribution(list(range(len(dimension.values))))
    tune, high = dimension.tune, dimension.at(1.0)
    if dimension.whole:
        step = 1 if tune.step is None else int(tune.step)
        return optuna.distributions.IntDistribution(int(tune.low), high, log=tune.log, step=step)
    return optuna.distributions.FloatDistribution(tune.low, high, log=tune.log, step=tune.step)
