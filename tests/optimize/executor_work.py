"""Work for executors under test: worker processes import this module."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from windtunnel.errors import InvalidValueError, PluginError
from windtunnel.optimize.executors import Evaluate, Work
from windtunnel.values import Point, Trials

SHAPE = (2, 1, 3)


def row(seed: float) -> np.ndarray:
    return np.random.default_rng(int(seed * 1000)).normal(size=2 + 5 + 9)


def misbehave(point: Point) -> None:
    match point.get("does"):
        case "raises":
            raise ValueError("boom")
        case "leaves":
            raise SystemExit(3)
        case "exits":
            os._exit(7)
        case "crashes":
            os.kill(os.getpid(), signal.SIGSEGV)
        case "is killed":
            os.kill(os.getpid(), signal.SIGKILL)
        case "hangs":
            while True:
                pass
        case "swells":
            np.ones(50_000_000)


def trials_of(points: Sequence[Point]) -> Trials:
    rows = np.array([row(point["x"]) for point in points])
    return Trials(
        {path: [point[path] for point in points] for path in points[0]},
        rows[:, :2].reshape(-1, 2, 1),
        rows[:, 2:7],
        rows[:, 7:].reshape(-1, 3, 3),
        ("",) * len(points),
    )


def leave(log: str | None, what: str) -> None:
    if log is not None:
        Path(log, f"{what}-{os.getpid()}-{time.monotonic_ns()}").touch()


def prepare(pause: float = 0.0, log: str | None = None) -> Evaluate:
    """Return what evaluates points; each preparation and each point leaves a file in the folder ``log``."""
    leave(log, "prepared")

    def evaluate(points: Sequence[Point]) -> Trials:
        for point in points:
            leave(log, f"point{point['x']:g}")
            misbehave(point)
            time.sleep(pause)
        return trials_of(points)

    return evaluate


def prepare_busy(iterations: int) -> Evaluate:
    """Return an evaluation that holds the GIL for each point."""

    def evaluate(points: Sequence[Point]) -> Trials:
        for _ in points:
            total = 0
            for number in range(iterations):
                total += number
        return trials_of(points)

    return evaluate


def prepare_short() -> Evaluate:
    return lambda points: trials_of(points).take(range(len(points) - 1))


def prepare_wrongly() -> Evaluate:
    raise InvalidValueError("folds", "must be at least 2", 1)


def prepare_badly() -> Evaluate:
    raise KeyError("nothing")


def prepare_and_die() -> Evaluate:
    os._exit(5)


def prepare_slowly(seconds: float) -> Evaluate:
    time.sleep(seconds)
    return trials_of


def prepare_to_tell() -> Evaluate:
    """Return an evaluation that says how its process is set up, in the place of a problem."""
    name = "OPENBLAS_NUM_THREADS"
    told = f"{name}={os.environ.get(name)}, leads its group: {os.getpgid(0) == os.getpid()}"
    return lambda points: Trials.failed(points, [told] * len(points), *SHAPE)


class FragileError(PluginError):
    """It cannot be unpickled: it is made of two values and keeps one."""

    def __init__(self, first: str, second: str) -> None:
        super().__init__(first + second)


def prepare_fragile() -> Evaluate:
    raise FragileError("one ", "two")


def work(*arguments: Any, prepare: Any = prepare, key: str = "") -> Work:
    return Work(key or f"{prepare.__name__}{arguments!r}", prepare, arguments, SHAPE)


def points(count: int, **does: Any) -> list[dict[str, Any]]:
    """Return points by number; ``does`` gives the misbehaviour of some: ``p3="hangs"``."""
    return [{"x": float(number), "does": does.get(f"p{number}", "")} for number in range(count)]


def chunks(points: Sequence[Point], size: int) -> list[Sequence[Point]]:
    return [points[first : first + size] for first in range(0, len(points), size)]


def same(one: Trials, other: Trials) -> bool:
    """Whether two tables are the same, bit for bit."""
    arrays = ("objectives", "metrics", "sums")
    return (
        one.parameters == other.parameters
        and one.problems == other.problems
        and all(getattr(one, name).tobytes() == getattr(other, name).tobytes() for name in arrays)
    )
