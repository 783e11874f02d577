"""Points drawn at random."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from windtunnel.plugin import Optimizer
from windtunnel.values import Point, Search, SearchSpace
from windtunnel_plugins.optimizers._listed import Listed

__all__ = ["Random"]


class Random(Optimizer):
    """Draws every parameter by itself, evenly over its range."""

    name = "random"
    adaptive = False

    def start(self, space: SearchSpace, seed: int, objectives: int = 1) -> Search:
        """Return the search; it never ends."""
        return Listed(_drawn(space, np.random.default_rng(seed)))


def _drawn(space: SearchSpace, random: np.random.Generator) -> Iterator[Point]:
    while True:
        yield space.at(random.random(len(space)).tolist())
