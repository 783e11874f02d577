"""What a worker makes of an optimisation: a function that evaluates points."""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Sequence
from pathlib import Path
from time import perf_counter

from windtunnel.engine.metrics import METRICS
from windtunnel.errors import PluginError
from windtunnel.optimize.evaluate import Evaluator
from windtunnel.optimize.executors import Evaluate, Executor, Work
from windtunnel.plugin import build_host
from windtunnel.plugin.files import load_file
from windtunnel.runner import guests
from windtunnel.values import Metric, Point, Trials

__all__ = ["Chunks", "metrics_by_name", "prepare", "work_of"]

_AIM = 0.3
"""Seconds that a chunk should take."""
_FIRST = 16


def prepare(files: tuple[str, ...], allow: tuple[str, ...] | None, content: bytes) -> Evaluate:
    """Return what evaluates points.

    Parameters
    ----------
    files : tuple of str
        Plugin files, which must be there.
    allow : tuple of str or None
        Packages whose plugins may be imported.
    content : bytes
        The pickled content of an evaluator.

    Raises
    ------
    PluginError
        If a plugin is not to be found here.
    """
    for file in files:
        load_file(Path(file))
    bars, candidate, folds, names, benchmark = pickle.loads(content)  # noqa: S301 - from our own driver
    known = {metric.name: metric for metric in METRICS}
    if not set(names) <= known.keys():
        known = metrics_by_name(guests.metrics(build_host(files=files, allow=allow), []))
    evaluator = Evaluator(bars, candidate, folds, [known[name] for name in names], benchmark, threads=1)
    evaluator.warm()
    return evaluator


def metrics_by_name(extra: Sequence[Metric]) -> dict[str, Metric]:
    """Return the built-in metrics and some more, by name."""
    return {metric.name: metric for metric in (*METRICS, *extra)}


def work_of(
    key: str, evaluator: Evaluator, files: tuple[str, ...], allow: tuple[str, ...] | None, *, here: bool
) -> Work:
    """Return the work of an optimisation.

    Parameters
    ----------
    key : str
        Of its study.
    evaluator : Evaluator
    files, allow
        Where plugins come from.
    here : bool
        Whether it is done in this process, by this very evaluator.

    Raises
    ------
    PluginError
        If a plugin cannot be sent to other processes.
    """
    if here:
        return Work(key, lambda: evaluator, (), evaluator.shape)
    try:
        content = pickle.dumps(evaluator.content)
    except Exception as error:
        raise PluginError(f"the experiment cannot be sent to other processes: {error}") from error
    return Work(key, prepare, (files, allow, content), evaluator.shape)


class Chunks:
    """Hands points to an executor in chunks that take a moment each.

    Parameters
    ----------
    executor : Executor
    work : Work
    workers : int
    most : int
        Points a chunk at most.
    """

    def __init__(self, executor: Executor, work: Work, workers: int, most: int = 2_048) -> None:
        self._executor, self._work, self._workers, self._most = executor, work, workers, most
        self._done, self._seconds = 0, 0.0

    def __call__(self, points: Sequence[Point]) -> Iterator[Trials]:
        """Yield the rows of points, in order."""
        start = perf_counter()
        for trials in self._executor.run(self._work, self._cut(points)):
            now = perf_counter()
            self._done, self._seconds = self._done + len(trials), self._seconds + now - start
            yield trials
            start = perf_counter()

    def _cut(self, points: Sequence[Point]) -> Iterator[Sequence[Point]]:
        at = 0
        while at < len(points):
            size = min(self._size, -(-len(points) // self._workers))
            yield points[at : at + size]
            at += size

    @property
    def _size(self) -> int:
        if not self._done:
            return min(_FIRST, self._most)
        rate = self._done / max(self._seconds, 1e-6) / self._workers
        return max(1, min(self._most, round(rate * _AIM)))
