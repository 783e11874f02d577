"""Search for a Pareto front."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Ge

from windtunnel.plugin import Optimizer
from windtunnel.values import Search, SearchSpace
from windtunnel_plugins.optimizers._optuna import started

__all__ = ["Nsga2"]


class Nsga2(Optimizer):
    """Breeds points that no other beats in every objective; Optuna's sampler.

    Notes
    -----
    Source: Deb, Pratap, Agarwal & Meyarivan (2002), A fast and elitist multiobjective genetic algorithm,
    IEEE Transactions on Evolutionary Computation 6.
    """

    name = "nsga2"

    population: Annotated[int, Ge(2)] = 50
    """Points a generation."""

    def start(self, space: SearchSpace, seed: int, objectives: int = 1) -> Search:
        """Return the search; it never ends."""
        return started(
            self.name,
            space,
            objectives,
            lambda optuna: optuna.samplers.NSGAIISampler(seed=seed, population_size=self.population),
        )
