"""A worker process as its driver sees it."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress
from multiprocessing import Pipe
from time import monotonic
from typing import Any

from windtunnel.optimize.executors.isolation import Failure, Job, ended
from windtunnel.optimize.executors.limits import Limits
from windtunnel.optimize.executors.worker import Answer, Order

__all__ = ["Child"]

_PROGRAM = (
    "import sys; sys.path[:] = sys.argv[2:]; from windtunnel.optimize.executors.worker import main; "
    "main(int(sys.argv[1]))"
)
_ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"), "1"
)
_LEAVING = 1.0


class Child:
    """A process that is started at once, and ends by itself when this process does.

    Ctrl-C does not reach it. It is no process of `multiprocessing`: workers of Dask may not have any of
    those, and the program that was started is not run again in it.

    Attributes
    ----------
    job : Job or None
        What it was given.
    ready : bool
        Whether it has started.
    begun : bool
        Whether it has begun with the job: what happens from then on is the job's matter.
    """

    def __init__(self) -> None:
        self.connection, theirs = Pipe()
        descriptor = theirs.fileno()
        self._process = subprocess.Popen(  # noqa: S603 - this very interpreter
            [sys.executable, "-c", _PROGRAM, str(descriptor), *sys.path],
            stdin=subprocess.DEVNULL,
            pass_fds=[descriptor],
            process_group=0,
            env=os.environ | _ONE_THREAD,
        )
        theirs.close()
        self.job: Job | None = None
        self.ready = self.begun = False
        self._deadline = float("inf")

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def give(self, job: Job, key: str, limits: Limits) -> None:
        """Send a job; where the process is gone already, listening to it will say so."""
        self.job, self.begun = job, False
        self.send(Order(key, job.points, limits))

    def send(self, what: Any) -> None:
        """Send bytes as they are, and anything else pickled."""
        with suppress(OSError):
            self.connection.send_bytes(what) if isinstance(what, bytes) else self.connection.send(what)

    def hear(self) -> Answer | None:
        """Return what it says; None where it is gone."""
        try:
            answer: Answer = self.connection.recv()
        except (EOFError, OSError):
            return None
        return answer

    def begin(self, limits: Limits) -> None:
        """Note that it has begun with its job: time runs."""
        self.begun = True
        if limits.timeout is not None and self.job is not None:
            self._deadline = monotonic() + limits.timeout * len(self.job.points)

    def take(self) -> Job | None:
        """Take the job away."""
        job, self.job = self.job, None
        self.begun, self._deadline = False, float("inf")
        return job

    @property
    def left(self) -> float:
        """Seconds until its time is up."""
        return self._deadline - monotonic()

    @property
    def gone(self) -> bool:
        """Whether the process has ended and everything that it said was heard."""
        return self._process.poll() is not None and not self.connection.poll()

    def failure(self) -> Failure:
        """Wait for the process, which has hung up, and return why it ended."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_LEAVING)
        code = self._process.poll()
        self.end()
        return ended(code)

    def end(self) -> None:
        """Kill the process, and wait until it is gone."""
        self._process.kill()
        self._process.wait()
        self.connection.close()
