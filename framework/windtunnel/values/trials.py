"""What parameter sets came to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from windtunnel.values.arrays import FloatArray, IntArray
from windtunnel.values.search import Point

__all__ = ["Trial", "Trials"]


@dataclass(frozen=True)
class Trial:
    """One parameter set, evaluated.

    Parameters
    ----------
    number : int
        Among those that a run tried itself, from 0.
    point : mapping of str
        The searched parameters by dotted path.
    metrics : mapping of str to float
        Over all bars; NaN where not defined.
    problem : str
        Why it could not be evaluated; empty where it could.
    """

    number: int
    point: Point
    metrics: Mapping[str, float]
    problem: str = ""


@dataclass(frozen=True, eq=False)
class Trials:
    """Many parameter sets, evaluated; a row each.

    Parameters
    ----------
    parameters : mapping of str to sequence, ``[K]`` each
        The values of each searched parameter, by dotted path; python numbers, text, bool or None.
    objectives : array of float64, ``[K, F, m]``
        Of m objectives, on the bars that each of F folds learns from, in their own sign; NaN where not
        defined, or where the parameters could not be tried.
    metrics : array of float64, ``[K, 5]``
        Over all bars, in the order of :data:`~windtunnel.engine.sweep.SWEEP_METRICS`.
    sums : array of float64, ``[K, B, 3]``
        Number, sum and sum of squares of the returns in each of B blocks of bars.
    problems : tuple of str, ``[K]``
        Why the parameters could not be tried; empty where they could.
    """

    parameters: Mapping[str, Sequence[Any]]
    objectives: FloatArray
    metrics: FloatArray
    sums: FloatArray
    problems: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.problems)

    def point(self, row: int) -> dict[str, Any]:
        """Return the parameters of one row."""
        return {path: values[row] for path, values in self.parameters.items()}

    @property
    def points(self) -> Iterator[dict[str, Any]]:
        """The parameters of every row."""
        paths = tuple(self.parameters)
        for values in zip(*self.parameters.values(), strict=True):
            yield dict(zip(paths, values, strict=True))

    def take(self, rows: Sequence[int] | IntArray) -> Trials:
        """Return some rows, in the order asked for."""
        index = np.asarray(rows, np.int64)
        places = index.tolist()
        return Trials(
            {path: [values[row] for row in places] for path, values in self.parameters.items()},
            self.objectives[index],
            self.metrics[index],
            self.sums[index],
            tuple(self.problems[row] for row in places),
        )

    @classmethod
    def join(cls, parts: Sequence[Trials]) -> Trials:
        """Put rows below each other; all must be of the same parameters, folds and blocks."""
        return cls(
            {path: [v for part in parts for v in part.parameters[path]] for path in parts[0].parameters},
            np.concatenate([part.objectives for part in parts]),
            np.concatenate([part.metrics for part in parts]),
            np.concatenate([part.sums for part in parts]),
            tuple(problem for part in parts for problem in part.problems),
        )

    @classmethod
    def failed(
        cls, points: Sequence[Point], problems: Sequence[str], folds: int, objectives: int, blocks: int
    ) -> Trials:
        """Return rows of parameters that could not be tried."""
        count = len(points)
        return cls(
            {path: [point[path] for point in points] for path in (points[0] if points else ())},
            np.full((count, folds, objectives), np.nan),
            np.full((count, 5), np.nan),
            np.full((count, blocks, 3), np.nan),
            tuple(problems),
        )
