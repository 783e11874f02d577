"""Points that fill the space evenly."""

from __future__ import annotations

from collections.abc import Iterator

from windtunnel.plugin import Optimizer
from windtunnel.values import Point, Search, SearchSpace
from windtunnel_plugins.optimizers._listed import Listed

__all__ = ["Sobol"]

_DRAWN = 256


class Sobol(Optimizer):
    """Fills the space by a scrambled Sobol sequence: more evenly than chance, at any length.

    Notes
    -----
    Source: Owen (1998), Scrambling Sobol' and Niederreiter-Xing points, Journal of Complexity 14. A power of
    two points is most even.
    """

    name = "sobol"
    adaptive = False

    def start(self, space: SearchSpace, seed: int, objectives: int = 1) -> Search:
        """Return the search; it never ends."""
        return Listed(_sequence(space, seed))


def _sequence(space: SearchSpace, seed: int) -> Iterator[Point]:
    from scipy.stats import qmc

    engine = qmc.Sobol(len(space), scramble=True, rng=seed)
    while True:
        for shares in engine.random(_DRAWN).tolist():
            yield space.at(shares)
