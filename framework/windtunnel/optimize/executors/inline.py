"""Trials in this process."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from windtunnel.optimize.executors.isolation import Failure, Isolation
from windtunnel.optimize.executors.work import Prepared, Work, evaluated, told
from windtunnel.values import Point, Trials

__all__ = ["Inline"]


class Inline:
    """Runs chunks one by one in this process; threads are inside the kernels.

    Nothing is between a point and this process: a point that ends it, or never returns, is not isolated.
    """

    def __init__(self) -> None:
        self._prepared = Prepared()

    def run(self, work: Work, chunks: Iterable[Sequence[Point]]) -> Iterator[Trials]:
        """Yield what each chunk came to; see :class:`~windtunnel.optimize.executors.Executor`."""
        evaluate = self._prepared.make(work)
        jobs = Isolation(work, chunks)
        while not jobs.over:
            job = jobs.job(ahead=1)
            if job is not None:
                try:
                    jobs.done(job, evaluated(evaluate, job.points))
                except Exception as error:  # noqa: BLE001 - whatever a plugin raises becomes the row's reason
                    jobs.failed(job, Failure(told(error)))
            yield from jobs.finished()

    def close(self) -> None:
        """Forget what was prepared."""
        self._prepared = Prepared()
