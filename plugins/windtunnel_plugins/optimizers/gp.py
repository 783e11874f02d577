"""Search by a Gaussian process."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Ge

from windtunnel.plugin import Optimizer
from windtunnel.values import Search, SearchSpace
from windtunnel_plugins.optimizers._optuna import started

__all__ = ["Gp"]


class Gp(Optimizer):
    """Models the objective by a Gaussian process and proposes where it may improve most; Optuna's sampler.

    Slow beyond a few hundred points, and good with few.

    Notes
    -----
    Source: Jones, Schonlau & Welch (1998), Efficient global optimization of expensive black-box functions,
    Journal of Global Optimization 13.
    """

    name = "gp"

    start_up: Annotated[int, Ge(1)] = 10
    """Points drawn at random first."""

    def start(self, space: SearchSpace, seed: int, objectives: int = 1) -> Search:
        """Return the search; it never ends."""
        return started(
            self.name,
            space,
            objectives,
            lambda optuna: optuna.samplers.GPSampler(seed=seed, n_startup_trials=self.start_up),
            "torch",
        )
