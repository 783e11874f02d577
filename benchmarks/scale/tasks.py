"""Work that is measured; worker processes import this module."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from windtunnel.optimize.executors import Evaluate, Work
from windtunnel.values import Point, Trials

FOLDS, OBJECTIVES, BLOCKS = 10, 1, 16
SHAPE = (FOLDS, OBJECTIVES, BLOCKS)


def rows(points: Sequence[Point]) -> Trials:
    count = len(points)
    return Trials(
        {path: [point[path] for point in points] for path in points[0]},
        np.zeros((count, FOLDS, OBJECTIVES)),
        np.zeros((count, 5)),
        np.zeros((count, BLOCKS, 3)),
        ("",) * count,
    )


def prepare(seconds: float, iterations: int, ballast: Any) -> Evaluate:
    """Return an evaluation that sleeps, then counts in a loop that holds the GIL, once a chunk."""

    def evaluate(points: Sequence[Point]) -> Trials:
        time.sleep(seconds)
        total = 0
        for number in range(iterations):
            total += number
        return rows(points)

    return evaluate


def work(name: str, seconds: float = 0.0, iterations: int = 0, ballast: Any = None) -> Work:
    return Work(name, prepare, (seconds, iterations, ballast), SHAPE)


def chunks(count: int, points: int = 1) -> list[list[dict[str, float]]]:
    return [[{"x": float(chunk * points + number)} for number in range(points)] for chunk in range(count)]
