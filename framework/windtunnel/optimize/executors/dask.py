"""Trials on many machines."""

from __future__ import annotations

import logging
import pickle
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from hashlib import blake2b
from queue import Empty, SimpleQueue
from time import monotonic
from typing import Any
from uuid import uuid4

from windtunnel.errors import InvalidValueError, MissingExtraError, PluginError, WindtunnelError
from windtunnel.optimize.executors.isolation import Isolation, Job, ended
from windtunnel.optimize.executors.limits import Limits, counted
from windtunnel.optimize.executors.work import Work, told
from windtunnel.values import Point, Trials

__all__ = ["Dask"]

_AHEAD = 2
_LOOK = 1.0
_PATIENCE = 10.0
_ENVELOPE = 1_000_000
_LOST = "the Dask scheduler was lost"


class Dask:
    """Runs chunks on the workers of a Dask scheduler; each evaluates in a process of its own.

    A chunk is a task, named by a hash of the executor, the work and the points. The work is a task as well:
    what it holds goes once to a worker, to one that joins later too, and again where all that had it are
    gone. The chunks of a worker that is lost, and only those, run again on another.

    Parameters
    ----------
    workers : int, optional
        Of a cluster on this machine, which listens on loopback only; default 2.
    address : str, optional
        Of a scheduler, in place of a cluster on this machine. Its workers have the same Windtunnel and
        plugins installed.
    timeout : float, optional
        Seconds that a point may take; a chunk has the sum of its points.
    memory : float, optional
        Megabytes that evaluating may need beyond the prepared work. Linux only.

    Raises
    ------
    InvalidValueError
        If there is no worker, both ``workers`` and ``address`` are given, or a limit is not positive.
    MissingExtraError
        If `distributed` is not installed.
    """

    def __init__(
        self,
        workers: int | None = None,
        address: str | None = None,
        timeout: float | None = None,
        memory: float | None = None,
    ) -> None:
        if address is not None and workers is not None:
            raise InvalidValueError("workers", "is the scheduler's matter where an address is given", workers)
        try:
            import distributed  # noqa: F401
        except ImportError as error:
            raise MissingExtraError("distributed", "distributed") from error
        self._limits, self._workers = Limits(timeout, memory), counted(2 if workers is None else workers)
        self._address, self._name = address, f"windtunnel-{uuid4().hex}"
        self._stack = ExitStack()
        self._client: Any = None
        self._threads, self._counted = 0, -_LOOK

    @property
    def client(self) -> Any:
        """The connection to the scheduler; it, and a cluster on this machine, start when first needed."""
        if self._client is None:
            with ExitStack() as stack:
                client = self._connected(stack)
                self._stack = stack.pop_all()
            self._client = client
        return self._client

    def _connected(self, stack: ExitStack) -> Any:
        from distributed import Client, LocalCluster

        from windtunnel.optimize.executors.dask_worker import Hosting

        where: Any = self._address
        if where is None:
            where = stack.enter_context(
                LocalCluster(  # type: ignore[no-untyped-call]
                    n_workers=self._workers,
                    threads_per_worker=1,
                    host="127.0.0.1",
                    dashboard_address="127.0.0.1:0",
                    scheduler_kwargs={"dashboard": False},
                    memory_limit=0,
                    silence_logs=logging.CRITICAL,
                    local_directory=stack.enter_context(tempfile.TemporaryDirectory()),
                )
            )
        try:
            client: Any = Client(where, timeout=_PATIENCE, set_as_default=False)  # type: ignore[no-untyped-call]
        except OSError as error:
            raise WindtunnelError(f"no Dask scheduler answers at {where}") from error
        stack.enter_context(client)
        client.register_plugin(Hosting(self._name, self._limits, own=self._address is None))
        if self._address is not None:
            stack.callback(self._leave, client)
        return client

    def _leave(self, client: Any) -> None:
        if client.status == "running":
            client.unregister_worker_plugin(self._name)

    def run(self, work: Work, chunks: Iterable[Sequence[Point]]) -> Iterator[Trials]:
        """Yield what each chunk came to; see :class:`~windtunnel.optimize.executors.Executor`.

        Raises
        ------
        WindtunnelError
            If the scheduler is lost, or the workers cannot run the work.
        """
        jobs = Isolation(work, chunks)
        tasks = _Tasks(self.client, work, self._name)
        try:
            while True:
                at_once = _AHEAD * self._capacity()
                while len(tasks) < at_once and (job := jobs.job(at_once)) is not None:
                    tasks.submit(job)
                yield from jobs.finished()
                if jobs.over:
                    return
                tasks.settle(jobs)
        finally:
            tasks.cancel()

    def _capacity(self) -> int:
        """Return how many chunks run at once; asked of the scheduler once a second at most.

        A cluster on this machine does not by itself replace a worker that was killed while it started.
        """
        if monotonic() - self._counted >= _LOOK:
            try:
                self._threads = sum(self.client.nthreads().values()) or self._threads or 1
            except OSError as error:
                raise WindtunnelError(_LOST) from error
            self._counted = monotonic()
            if self.client.cluster is not None:
                self.client.cluster.scale(self._workers)
        return self._threads

    def close(self) -> None:
        """End the processes on the workers, and the cluster if it is on this machine."""
        self._stack.close()
        self._client = None


class _Tasks:
    """The chunks that a scheduler has, and the task that carries their work to the workers."""

    def __init__(self, client: Any, work: Work, name: str) -> None:
        import dask

        self._client, self._work, self._name = client, work, name
        self._running: dict[Any, tuple[Any, list[Job]]] = {}
        self._ended: SimpleQueue[Any] = SimpleQueue()
        pickled = pickle.dumps(work, pickle.HIGHEST_PROTOCOL)
        with dask.config.set(
            {"distributed.admin.large-graph-warning-threshold": f"{len(pickled) + _ENVELOPE}B"}
        ):
            self._carried: Any = client.submit(
                pickle.loads, pickled, key=f"windtunnel-work-{work.key}", priority=1
            )

    def __len__(self) -> int:
        return len(self._running)

    def submit(self, job: Job) -> None:
        """Start a job, unless the very same points are on their way already."""
        from windtunnel.optimize.executors.dask_worker import evaluate_hosted

        points = [list(point.items()) for point in job.points]
        said = repr((self._name, self._work.key, points, job.blame))
        key = f"windtunnel-chunk-{blake2b(said.encode(), digest_size=16).hexdigest()}"
        if key in self._running:
            self._running[key][1].append(job)
            return
        future = self._client.submit(evaluate_hosted, self._carried, job.points, self._name, key=key)
        self._running[key] = future, [job]
        future.add_done_callback(self._ended.put)

    def settle(self, jobs: Isolation) -> None:
        """Wait until a task has ended, for a while, and pass on what became of it.

        Where the worker that had the result is lost before it hands it over, the task runs again.

        Raises
        ------
        WindtunnelError
            If the scheduler is lost, or the workers cannot run the work.
        """
        from distributed import KilledWorker
        from distributed.client import FutureCancelledError

        try:
            future = self._ended.get(timeout=_LOOK)
        except Empty:
            if self._client.status == "closed":
                raise WindtunnelError(_LOST) from None
            return
        _, settled = self._running[future.key]
        try:
            trials = future.result(timeout=_LOOK)
        except TimeoutError:
            future.add_done_callback(self._ended.put)
            return
        except KilledWorker:
            if self._carried.status == "error":
                raise PluginError("the workers end while they are sent their work") from None
            for job in settled:
                jobs.failed(job, ended(None))
        except FutureCancelledError:
            if self._client.status != "running":
                raise WindtunnelError(_LOST) from None
            for job in settled:
                jobs.back(job)
        except WindtunnelError:
            raise
        except Exception as error:
            raise PluginError(f"the Dask workers cannot run the work: {told(error)}") from error
        else:
            for job in settled:
                jobs.done(job, trials)
        del self._running[future.key]
        future.release()

    def cancel(self) -> None:
        """Let the scheduler forget what has not begun."""
        self._client.cancel([future for future, _ in self._running.values()])
        self._running.clear()
        self._carried.release()
