"""How long a point may take, and how much memory it may need."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from windtunnel.errors import InvalidValueError

__all__ = ["Limits", "counted", "data_memory", "limited_memory"]


@dataclass(frozen=True)
class Limits:
    """What a worker process may spend on points.

    Parameters
    ----------
    timeout : float, optional
        Seconds a point; points that run together share the sum.
    memory : float, optional
        Megabytes (10^6 bytes) beyond what the prepared work holds. It is what the process has allocated,
        touched or not, and the system refuses more. Linux only.

    Raises
    ------
    InvalidValueError
        If a limit is not positive, or memory cannot be limited on this system.
    """

    timeout: float | None = None
    memory: float | None = None

    def __post_init__(self) -> None:
        for name, limit in (("timeout", self.timeout), ("memory", self.memory)):
            if limit is not None and not limit > 0:
                raise InvalidValueError(name, "must be greater than 0", limit)
        if self.memory is not None and sys.platform != "linux":
            raise InvalidValueError("memory", "can be limited on Linux only", self.memory)

    @property
    def too_long(self) -> str:
        """What is said of a point that took too long."""
        return f"took longer than {self.timeout:g} s"

    @property
    def too_much(self) -> str:
        """What is said of a point for which memory did not suffice."""
        return "MemoryError" if self.memory is None else f"needed more than {self.memory:g} MB"


def counted(workers: int) -> int:
    """Return a number of workers.

    Raises
    ------
    InvalidValueError
        If there is not a single one.
    """
    if workers < 1:
        raise InvalidValueError("workers", "must be at least 1", workers)
    return workers


def data_memory() -> int:
    """Return the bytes of private writable memory of this process, as RLIMIT_DATA counts them."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmData:"))


@contextmanager
def limited_memory(ceiling: int | None) -> Iterator[None]:
    """Let allocations fail beyond so many bytes of private writable memory; None for no limit."""
    if ceiling is None:
        yield
        return
    import resource

    before = resource.getrlimit(resource.RLIMIT_DATA)
    allowed = [bound for bound in (ceiling, *before) if bound != resource.RLIM_INFINITY]
    resource.setrlimit(resource.RLIMIT_DATA, (min(allowed), before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, before)
