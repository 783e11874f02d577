"""Every combination of evenly spaced values."""

from __future__ import annotations

from itertools import product
from typing import Annotated

from annotated_types import Ge, Le

from windtunnel.plugin import Optimizer
from windtunnel.values import Search, SearchSpace
from windtunnel_plugins.optimizers._listed import Listed

__all__ = ["Grid"]


class Grid(Optimizer):
    """Tries every combination of evenly spaced values, the last parameter running first."""

    name = "grid"
    adaptive = False
    ends = True

    points: Annotated[int, Ge(2), Le(10_000)] = 20
    """Most values of each parameter; choices are all tried."""

    def start(self, space: SearchSpace, seed: int, objectives: int = 1) -> Search:
        """Return the search; it is over when every combination has been asked for."""
        axes = [dimension.grid(self.points) for dimension in space.dimensions.values()]
        return Listed(dict(zip(space.dimensions, chosen, strict=True)) for chosen in product(*axes))
