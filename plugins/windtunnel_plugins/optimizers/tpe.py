"""Search by the tree-structured Parzen estimator."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Ge

from windtunnel.plugin import Optimizer
from windtunnel.values import Search, SearchSpace
from windtunnel_plugins.optimizers._optuna import started

__all__ = ["Tpe"]


class Tpe(Optimizer):
    """Proposes what is likelier among the good points than among the others; Optuna's sampler.

    Notes
    -----
    Parameters are modelled together. Points that are still being tried count as bad, so that many may be
    tried at once. Source: Bergstra, Bardenet, Bengio & Kégl (2011), Algorithms for hyper-parameter
    optimization, section 4.
    """

    name = "tpe"

    start_up: Annotated[int, Ge(1)] = 20
    """Points drawn at random first."""

    def start(self, space: SearchSpace, seed: int, objectives: int = 1) -> Search:
        """Return the search; it never ends."""
        return started(
            self.name,
            space,
            objectives,
            lambda optuna: optuna.samplers.TPESampler(
                seed=seed, n_startup_trials=self.start_up, multivariate=True, constant_liar=True
            ),
        )
