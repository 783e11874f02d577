"""Which points to run next, and which of them to blame when a worker fails."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from signal import SIGKILL, SIGTERM, Signals

from windtunnel.optimize.executors.work import QUARANTINED, Work
from windtunnel.values import Point, Trials

__all__ = ["Failure", "Isolation", "Job", "ended"]

_BLAME = 4
"""A point is given up at so much blame: twice what is its own fault, four times what may not be."""


@dataclass(frozen=True)
class Failure:
    """Why points did not come back.

    Parameters
    ----------
    reason : str
        In words; the same in every run.
    blame : int
        2 where only the points can be at fault, 1 where the worker may have been ended from outside.
    """

    reason: str
    blame: int = 2


def ended(code: int | None) -> Failure:
    """Return what a worker's exit code says: only a kill or a termination may come from outside."""
    if code is not None and code >= 0:
        return Failure(f"ended the worker that ran it (exit code {code})")
    if code is None or -code in (SIGKILL, SIGTERM):
        return Failure("the worker that ran it was killed each time", blame=1)
    try:
        name = Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    return Failure(f"ended the worker that ran it ({name})")


@dataclass(frozen=True)
class Job:
    """Points that are run together: a chunk or a part of one.

    Parameters
    ----------
    chunk : int
        Number of the chunk.
    first : int
        Place of the first point in the chunk.
    points : tuple of Point
    blame : int
        Of its failures so far, where it is a single point.
    """

    chunk: int
    first: int
    points: tuple[Point, ...]
    blame: int = 0


@dataclass
class _Chunk:
    points: tuple[Point, ...]
    parts: dict[int, Trials] = field(default_factory=dict)
    missing: int = 0


class Isolation:
    """Hands out jobs, takes what became of them and puts the rows back into the order of the chunks.

    Parameters
    ----------
    work : Work
    chunks : iterable of sequence of Point
        Drawn as they are needed.
    """

    def __init__(self, work: Work, chunks: Iterable[Sequence[Point]]) -> None:
        self._work = work
        self._chunks = enumerate(chunks)
        self._again: deque[Job] = deque()
        self._open: dict[int, _Chunk] = {}
        self._next = 0
        self._drawn = False

    @property
    def over(self) -> bool:
        """Whether all chunks were drawn and their rows taken."""
        return self._drawn and not self._open

    def job(self, ahead: int) -> Job | None:
        """Return what to run next; None where nothing can start before some job has ended.

        Parameters
        ----------
        ahead : int
            How many chunks may be drawn before their rows are taken.
        """
        if self._again:
            return self._again.popleft()
        while not self._drawn and len(self._open) < ahead:
            number, chunk = next(self._chunks, (-1, ()))
            self._drawn = number < 0
            if not self._drawn:
                points = tuple(chunk)
                self._open[number] = _Chunk(points, missing=len(points))
                if points:
                    return Job(number, 0, points)
        return None

    def back(self, job: Job) -> None:
        """Take back a job that had not begun."""
        self._again.appendleft(job)

    def done(self, job: Job, trials: Trials) -> None:
        """Take the rows of a job."""
        chunk = self._open[job.chunk]
        chunk.parts[job.first] = trials
        chunk.missing -= len(job.points)

    def failed(self, job: Job, failure: Failure) -> None:
        """Take a failure: run the job in halves, or a single point again, or give the point up."""
        count = len(job.points)
        if count > 1:
            half = count // 2
            self._again.append(Job(job.chunk, job.first, job.points[:half]))
            self._again.append(Job(job.chunk, job.first + half, job.points[half:]))
        elif (blame := job.blame + failure.blame) < _BLAME:
            self._again.append(Job(job.chunk, job.first, job.points, blame))
        else:
            self.done(job, Trials.failed(job.points, [QUARANTINED + failure.reason], *self._work.shape))

    def finished(self) -> Iterator[Trials]:
        """Yield the rows of the chunks whose turn has come."""
        while (chunk := self._open.get(self._next)) is not None and not chunk.missing:
            del self._open[self._next]
            self._next += 1
            parts = [chunk.parts[first] for first in sorted(chunk.parts)]
            yield Trials.join(parts) if parts else Trials.failed((), (), *self._work.shape)
