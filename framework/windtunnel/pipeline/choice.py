"""The combination that a sweep ends with, and how much of a coincidence it looks."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any, Literal

import numpy as np
from pydantic import ValidationError

from windtunnel.engine.metrics import METRICS
from windtunnel.pipeline.grid import Grid
from windtunnel.pipeline.rule_grid import PREFIX
from windtunnel.pipeline.sweep import Sweep
from windtunnel.values import Metric

__all__ = ["Choice", "Standing", "choose", "metric_of", "why_left_out", "written"]

Standing = Literal["plateau", "lone spike", "alone", "undecided"]

_SPIKE = 0.5
"""With neighbours below this share of the best, it is a spike."""


@dataclass(frozen=True)
class Choice:
    """The best combination of a sweep by one metric.

    Parameters
    ----------
    metric : str
    row : int
        Of the sweep.
    parameters : mapping of str
        Its values, by the names of the space.
    value : float
        Its metric.
    neighbours : int
        Legal combinations beside it in the grid.
    around : float
        Their mean metric; NaN where none of them has it.
    edges : tuple of str
        Parameters that stand at an end of what was tried.
    """

    metric: str
    row: int
    parameters: Mapping[str, Any]
    value: float
    neighbours: int
    around: float
    edges: tuple[str, ...]

    @property
    def standing(self) -> Standing:
        """What the neighbours make of it.

        A *lone spike* where they average less than half of it, else a *plateau*; *undecided* where it is
        not positive, for then a half says nothing; *alone* without neighbours.
        """
        if math.isnan(self.around):
            return "alone"
        if self.value <= 0:
            return "undecided"
        return "lone spike" if self.around < _SPIKE * self.value else "plateau"

    @property
    def by(self) -> str:
        """The metric's title within a sentence."""
        title = metric_of(self.metric).title
        return title if self.metric == "sharpe" else title.lower()

    @property
    def sentence(self) -> str:
        """What the neighbours average beside it, and what that makes of it."""
        own, around = self.shown(self.value), self.shown(self.around)
        said = {
            "plateau": f"Its neighbours average {around} of its {own}: a plateau, not a lone spike.",
            "lone spike": f"Its neighbours average {around} of its {own}: a lone spike, as luck makes them.",
            "undecided": f"Its neighbours average {around}, it has {own}.",
            "alone": "It has no neighbours in the grid to judge it by.",
        }[self.standing]
        if not self.edges:
            return said
        names = " and ".join(name.removeprefix(PREFIX) for name in self.edges)
        return f"{said} It stands at the edge of what was tried ({names}): there may be better ones outside."

    def shown(self, value: float) -> str:
        """Return a value of the metric as text."""
        return written(metric_of(self.metric), value)


def choose(sweep: Sweep, metric: str) -> Choice:
    """Return the best combination, the first of equals.

    Raises
    ------
    InvalidValueError
        If the metric is undefined for all combinations, or neither direction of it is better.
    """
    row, grid, column = sweep.best_row(metric), Grid(sweep), sweep.metric(metric)
    beside = grid.around(row)
    known = column[beside & ~np.isnan(column)]
    return Choice(
        metric=metric,
        row=row,
        parameters=grid.values(row),
        value=float(column[row]),
        neighbours=int(beside.sum()),
        around=float(known.mean()) if len(known) else math.nan,
        edges=tuple(grid.edges(row)),
    )


def metric_of(name: str) -> Metric:
    """Return the metric of a name."""
    return next(metric for metric in METRICS if metric.name == name)


def written(metric: Metric, value: float) -> str:
    """Return a value of a metric as text."""
    text = f"{value:z.1%}" if metric.unit == "fraction" else f"{value:z.2f}"
    return text.replace("-", "−")


def why_left_out(sweep: Sweep) -> str:
    """Return what the strategy said to the first combination that it forbids; empty where there is none."""
    space = sweep.space
    if not sweep.illegal:
        return ""
    points = space.points or prod(len(space.values[name]) for name in space.parameters)
    legal = np.zeros(points, np.bool_)
    legal[sweep.place] = True
    point = space.params(int(np.argmin(legal)))
    try:
        space.strategy(**{**space.fixed, **point})
    except ValidationError as error:
        message = error.errors()[0]["msg"].removeprefix("Value error, ")
        return re.sub(r" \(got .*\)$", "", " ".join(message.split()))
    return ""
