"""Trials in several processes on this machine."""

from __future__ import annotations

import pickle
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from multiprocessing.connection import wait

from windtunnel.errors import PluginError
from windtunnel.optimize.executors.child import Child
from windtunnel.optimize.executors.isolation import Failure, Isolation
from windtunnel.optimize.executors.limits import Limits, counted
from windtunnel.optimize.executors.work import Work
from windtunnel.values import Point, Trials

__all__ = ["Processes"]

_AHEAD = 2
_LOOK = 1.0
_FALSE_STARTS = 10


class Processes:
    """Runs chunks in processes of its own, and starts another where one ends.

    For plugins that hold the GIL, and for points that may end, hang or exhaust their process. The pools of
    `concurrent.futures` and `joblib` give up a whole batch when one worker ends.

    Parameters
    ----------
    workers : int
    timeout : float, optional
        Seconds that a point may take; a chunk has the sum of its points.
    memory : float, optional
        Megabytes that evaluating may need beyond the prepared work. Linux only.

    Raises
    ------
    InvalidValueError
        If there is no worker, or a limit is not positive or cannot be kept here.
    """

    def __init__(self, workers: int, timeout: float | None = None, memory: float | None = None) -> None:
        self._limits, self._workers = Limits(timeout, memory), counted(workers)
        self._children: list[Child] = []
        self._false_starts = 0
        self._end = weakref.finalize(self, _end, self._children)

    @property
    def pids(self) -> tuple[int, ...]:
        """The process ids of the workers that are there now."""
        return tuple(child.pid for child in self._children)

    def run(self, work: Work, chunks: Iterable[Sequence[Point]]) -> Iterator[Trials]:
        """Yield what each chunk came to; see :class:`~windtunnel.optimize.executors.Executor`."""
        if not self._end.alive:
            raise RuntimeError("the executor is closed")
        jobs = Isolation(work, chunks)

        @cache
        def pickled() -> bytes:
            return pickle.dumps(work, pickle.HIGHEST_PROTOCOL)

        try:
            while True:
                self._staff()
                self._hand_out(work.key, jobs)
                yield from jobs.finished()
                if jobs.over:
                    return
                for child in self._speaking():
                    self._hear(child, jobs, pickled)
                self._watch(jobs)
        finally:
            self._dismiss([child for child in self._children if child.job is not None])

    def close(self) -> None:
        """End all workers."""
        self._end()

    def _staff(self) -> None:
        while len(self._children) < self._workers:
            self._children.append(Child())

    def _dismiss(self, children: Iterable[Child]) -> None:
        for child in children:
            self._children.remove(child)
            child.end()

    def _hand_out(self, key: str, jobs: Isolation) -> None:
        for child in self._children:
            if child.ready and child.job is None:
                job = jobs.job(_AHEAD * self._workers)
                if job is None:
                    return
                child.give(job, key, self._limits)

    def _speaking(self) -> list[Child]:
        """Wait until a worker says something, hangs up or runs out of time."""
        patience = min(_LOOK, *(child.left for child in self._children))
        heard = wait([child.connection for child in self._children], max(patience, 0.0))
        return [child for child in self._children if child.connection in heard]

    def _hear(self, child: Child, jobs: Isolation, pickled: Callable[[], bytes]) -> None:
        answer = child.hear()
        if answer is None:
            self._bury(child, jobs)
            return
        word, said = answer
        if word == "ready":
            child.ready = True
        elif word == "want":
            child.send(pickled())
        elif word == "unprepared":
            raise said
        elif word == "begun":
            self._false_starts = 0
            child.begin(self._limits)
        elif (job := child.take()) is not None:
            if word == "done":
                jobs.done(job, said)
            else:
                jobs.failed(job, Failure(said))

    def _watch(self, jobs: Isolation) -> None:
        """End the workers whose time is up, and bury those that hung up without a word."""
        for child in list(self._children):
            if child.gone:
                self._bury(child, jobs)
            elif child.left <= 0 and not child.connection.poll() and (job := child.take()) is not None:
                self._dismiss([child])
                jobs.failed(job, Failure(self._limits.too_long))

    def _bury(self, child: Child, jobs: Isolation) -> None:
        """Part with a worker that has ended; its job goes back, as its fault if it had begun with it.

        Raises
        ------
        PluginError
            If workers end again and again before they begin with anything.
        """
        self._children.remove(child)
        failure, begun, job = child.failure(), child.begun, child.take()
        if begun and job is not None:
            jobs.failed(job, failure)
            return
        if job is not None:
            jobs.back(job)
        if job is not None or not child.ready:
            self._false_starts += failure.blame
            if self._false_starts > _FALSE_STARTS:
                raise PluginError("the worker processes end before they begin with their work")


def _end(children: list[Child]) -> None:
    while children:
        children.pop().end()
