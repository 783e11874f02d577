"""What stands around the chosen point of an optimisation: a plateau, or nothing like it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from windtunnel.pipeline.choice import Standing
from windtunnel.reporting.landscape import Landscape, listed
from windtunnel.values import BoolArray, Choices, FloatArray, IntArray

__all__ = ["Neighbours"]

_SPIKE = 0.5
"""With neighbours below this share of the chosen point, it is a spike."""
_NEAR = 0.1
"""Of the range searched, each way."""


@dataclass(frozen=True, eq=False)
class Neighbours:
    """The trials beside the one that was chosen on all bars.

    Words and null have no neighbours: a neighbour has the same. Where the trials fill a grid, at least half
    of it, neighbours are at most one step of it away in every number. Else they are the trials within a
    tenth of the range searched in every number, and at least the nearest 2 D of D numbers, by Euclidean
    distance with every range as long as any other.
    """

    landscape: Landscape

    @property
    def chosen(self) -> int:
        """The trial that was chosen."""
        return self.landscape.optimized.final.chosen

    @property
    def own(self) -> float:
        """Its objective on all bars."""
        return float(self.landscape.value[self.chosen])

    @cached_property
    def rows(self) -> IntArray:
        """The trials beside it that have the objective."""
        land = self.landscape
        ordered = np.array(land.ordered, np.bool_)
        same = land.known.copy()
        same[self.chosen] = False
        for place in np.flatnonzero(~ordered):
            column = land.shares[:, place]
            same &= column == column[self.chosen]
        shares = land.shares[:, ordered]
        if not ordered.any() or np.isnan(shares[self.chosen]).any():
            return np.empty(0, np.int64)
        steps = _grid_steps(land)
        if steps is not None:
            return np.flatnonzero(same & (np.abs(steps).max(axis=1) <= 1))
        return _nearest(shares - shares[self.chosen], same)

    @cached_property
    def around(self) -> float:
        """Their mean objective; NaN where there are none."""
        return float(self.landscape.value[self.rows].mean()) if len(self.rows) else math.nan

    @property
    def standing(self) -> Standing:
        """What they make of it; see :attr:`windtunnel.pipeline.choice.Choice.standing`."""
        if math.isnan(self.around) or math.isnan(self.own):
            return "alone"
        if self.own <= 0 or self.landscape.sign() < 0:
            return "undecided"
        return "lone spike" if self.around < _SPIKE * self.own else "plateau"

    @cached_property
    def edges(self) -> tuple[str, ...]:
        """The numbers, by their short names, that stand at an end of the range searched."""
        land = self.landscape
        found = []
        for name, one, ordered, share in zip(
            land.names, land.dimensions, land.ordered, land.shares[self.chosen].tolist(), strict=True
        ):
            ends = ordered and not (isinstance(one, Choices) and len(one.values) < 3)
            if ends and (share <= 1e-9 or share >= 1 - 1e-9):
                found.append(name)
        return tuple(found)

    @property
    def sentence(self) -> str:
        """What they average beside it, and what that makes of it."""
        own, around = self.landscape.shown(self.own), self.landscape.shown(self.around)
        said = {
            "plateau": f"The chosen point stands on a plateau: its neighbours average {around} of its {own}.",
            "lone spike": f"The chosen point is a lone spike: its neighbours average {around} of its {own}.",
            "undecided": f"The neighbours of the chosen point average {around}, it has {own}.",
            "alone": "The chosen point has no neighbours to judge it by.",
        }[self.standing]
        if not self.edges:
            return said
        names = listed(self.edges)
        return f"{said} It stands at the edge of what was searched ({names}): better ones may lie outside."


def _nearest(away: FloatArray, same: BoolArray) -> IntArray:
    """Return the trials near the chosen one, by how far each stands ``away``, ``[K, numbers]``."""
    near = same & (np.abs(away) <= _NEAR).all(axis=1)
    distance = np.where(same, np.linalg.norm(away, axis=1), np.inf)
    distance[np.isnan(distance)] = np.inf
    closest = np.argsort(distance, kind="stable")[: 2 * away.shape[1]]
    return np.union1d(np.flatnonzero(near), closest[np.isfinite(distance[closest])])


def _grid_steps(land: Landscape) -> IntArray | None:
    """Return how many steps of the grid each trial stands from the chosen one, ``[K, numbers]``.

    None where the trials do not fill half of a grid.
    """
    points, columns = 1, []
    for column, ordered in zip(land.shares.T, land.ordered, strict=True):
        distinct, position = np.unique(column, return_inverse=True)
        points *= len(distinct)
        if ordered:
            columns.append(position - position[land.optimized.final.chosen])
    return np.column_stack(columns) if points <= 2 * len(land.known) else None
