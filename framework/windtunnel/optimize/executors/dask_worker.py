"""What a worker of Dask does with a chunk: it has a process of its own evaluate it."""

from __future__ import annotations

import signal
from collections import deque
from typing import Any

from distributed import WorkerPlugin, get_worker

from windtunnel.optimize.executors.limits import Limits
from windtunnel.optimize.executors.processes import Processes
from windtunnel.optimize.executors.work import Work
from windtunnel.values import Point, Trials

__all__ = ["Hosting", "evaluate_hosted"]


class Hosting(WorkerPlugin):
    """Keeps processes on a worker of Dask, one for each of its threads that is busy.

    A point that ends, hangs or exhausts its process does not touch the worker itself, and a plugin that
    holds the GIL does not silence the worker's heartbeat.

    Parameters
    ----------
    name : str
        By which tasks find it.
    limits : Limits
    own : bool
        Whether the worker belongs to the driver's terminal, whose Ctrl-C is then the driver's matter.
    """

    def __init__(self, name: str, limits: Limits, *, own: bool) -> None:
        self.name = name
        self._limits, self._own = limits, own

    def setup(self, worker: Any) -> None:
        """Start on a worker."""
        self._idle: deque[Processes] = deque()
        self._closed = False
        if self._own:
            signal.signal(signal.SIGINT, signal.SIG_IGN)

    def teardown(self, worker: Any) -> None:
        """End the idle processes; a busy one ends after its chunk."""
        self._closed = True
        while self._idle:
            self._idle.pop().close()

    def evaluate(self, work: Work, points: tuple[Point, ...]) -> Trials:
        """Return the rows of a chunk, or of a part of one."""
        try:
            processes = self._idle.pop()
        except IndexError:
            processes = Processes(1, self._limits.timeout, self._limits.memory)
        try:
            (trials,) = processes.run(work, [points])
        finally:
            self._idle.append(processes)
            if self._closed:
                self.teardown(None)
        return trials


def evaluate_hosted(work: Work, points: tuple[Point, ...], name: str) -> Trials:
    """Evaluate points on the worker of Dask that this task runs on."""
    hosting: Hosting = get_worker().plugins[name]  # type: ignore[assignment]
    return hosting.evaluate(work, points)
