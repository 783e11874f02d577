"""What an executor is given, and what it promises."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from windtunnel.errors import InvalidValueError, PluginError, WindtunnelError
from windtunnel.values import Point, Trials

__all__ = ["QUARANTINED", "Evaluate", "Executor", "Prepared", "Work", "evaluated", "told"]

Evaluate = Callable[[Sequence[Point]], Trials]
"""A row for each point, in their order; the same row whatever the other points are."""

QUARANTINED = "quarantined: "
"""How the problem of a point begins that was given up: another time, under other limits, it may do."""
_KEPT = 2


@dataclass(frozen=True)
class Work:
    """What is to be done with points.

    Parameters
    ----------
    key : str
        Hash of all that ``prepare`` is given. Workers keep what they prepared by it.
    prepare : callable
        Makes the function that evaluates points, once a worker. It stands at the top of a module that
        workers can import.
    arguments : tuple
        What ``prepare`` is called with; travels once a worker. It can be pickled.
    shape : tuple of int
        Folds, objectives and blocks of a row, for points that could not be tried.

    Raises
    ------
    InvalidValueError
        If ``prepare`` stands in the program that was started, which workers do not import.
    """

    key: str
    prepare: Callable[..., Evaluate]
    arguments: tuple[Any, ...]
    shape: tuple[int, int, int]

    def __post_init__(self) -> None:
        if self.prepare.__module__ == "__main__":
            raise InvalidValueError("prepare", "must stand in a module that workers can import", "__main__")


class Executor(Protocol):
    """Runs chunks of points.

    The rows are the same on every executor and any number of workers. A point that ends its worker, takes
    too long, needs too much memory or raises is isolated: its chunk is tried again in halves, and where it
    fails alone as well its row says why. All other points come out as if it had not been there.
    """

    def run(self, work: Work, chunks: Iterable[Sequence[Point]]) -> Iterator[Trials]:
        """Yield what each chunk came to, in the order of the chunks.

        Chunks are drawn as they are needed, at most two a worker before their results. Closing the iterator
        abandons what runs. One executor runs one iterator at a time.

        Raises
        ------
        PluginError
            If the work cannot be prepared.
        """

    def close(self) -> None:
        """End all workers; the executor cannot be used again."""


class Prepared:
    """What was prepared in this process; of several works the last two are kept."""

    def __init__(self) -> None:
        self._kept: dict[str, Evaluate] = {}

    def get(self, key: str) -> Evaluate | None:
        """Return what was prepared, if it is still kept."""
        return self._kept.get(key)

    def make(self, work: Work) -> Evaluate:
        """Return what was prepared for a work, now or earlier.

        Raises
        ------
        PluginError
            If the work cannot be prepared, unless it says why by an error of its own.
        """
        found = self._kept.pop(work.key, None) or _made(work)
        self._kept[work.key] = found
        for key in list(self._kept)[:-_KEPT]:
            del self._kept[key]
        return found


def _made(work: Work) -> Evaluate:
    try:
        return work.prepare(*work.arguments)
    except WindtunnelError:
        raise
    except Exception as error:
        raise PluginError(f"the work cannot be prepared: {told(error)}") from error


def told(error: BaseException) -> str:
    """Return an error's type and message."""
    return f"{type(error).__name__}: {error}".rstrip(": ")


def evaluated(evaluate: Evaluate, points: Sequence[Point]) -> Trials:
    """Return the rows of points.

    Raises
    ------
    PluginError
        If there is not one row for each point.
    """
    trials = evaluate(points)
    if len(trials) != len(points):
        raise PluginError(f"{len(trials)} rows came out for {len(points)} points")
    return trials
