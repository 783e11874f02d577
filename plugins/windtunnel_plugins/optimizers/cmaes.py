"""Search by covariance matrix adaptation."""

from __future__ import annotations

from windtunnel.errors import InvalidValueError
from windtunnel.plugin import Optimizer
from windtunnel.values import Search, SearchSpace
from windtunnel_plugins.optimizers._optuna import started

__all__ = ["CmaEs"]


class CmaEs(Optimizer):
    """Draws from a normal distribution that moves and stretches towards what did well; Optuna's sampler.

    Choices, which have no order, are drawn at random.

    Notes
    -----
    Source: Hansen & Ostermeier (2001), Completely derandomized self-adaptation in evolution strategies,
    Evolutionary Computation 9.
    """

    name = "cmaes"

    def start(self, space: SearchSpace, seed: int, objectives: int = 1) -> Search:
        """Return the search; it never ends.

        Raises
        ------
        InvalidValueError
            If there is more than one objective.
        """
        if objectives > 1:
            raise InvalidValueError("objective", "must be one; nsga2 takes several", objectives)
        return started(
            self.name,
            space,
            objectives,
            lambda optuna: optuna.samplers.CmaEsSampler(
                seed=seed,
                warn_independent_sampling=False,
                independent_sampler=optuna.samplers.RandomSampler(seed=seed),
            ),
            "cmaes",
        )
