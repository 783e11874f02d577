"""Logistic regression of wins on features."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Annotated

import numpy as np
from annotated_types import Ge, Gt, Le

from windtunnel.errors import PluginError
from windtunnel.plugin import SignalScorer, State
from windtunnel.values import FloatArray, Outcomes, Scores, SignalFeatures, Tune

if TYPE_CHECKING:
    from threadpoolctl import ThreadpoolController

__all__ = ["Logistic"]


class Logistic(SignalScorer):
    """Estimates the probability of a win by logistic regression with an L2 penalty.

    Notes
    -----
    Of the training signals alone: a missing feature takes the median of its column (0 where the whole
    column is missing), then each column is standardised by its mean and population deviation (a constant
    one becomes 0). The log-odds of a win are the intercept plus the contributions, coefficient ×
    standardised feature each. ``confidence`` is abs(2p − 1), the distance of the probability p from a coin
    toss.
    """

    name = "logistic"

    penalty: Annotated[float, Gt(0), Le(1e6), Tune(0.1, 1000.0, log=True)] = 10.0
    """Weight of half the squared coefficients against the summed log loss; high, for signals are few."""
    min_class: Annotated[int, Ge(1)] = 5
    """Least number of wins, and of losses, to learn from."""

    def fit(self, features: SignalFeatures, outcomes: Outcomes) -> State:
        """Return the coefficients and what standardises the features; None with too few wins or losses."""
        wins = int(outcomes.won.sum())
        if min(wins, len(outcomes) - wins) < self.min_class or not features.names:
            return None
        median = _medians(features.values)
        filled = _fill(features.values, median)
        mean, scale = filled.mean(axis=0), filled.std(axis=0)
        scale[scale <= 1e-12 * np.abs(mean)] = 1.0
        coefficients, intercept = self._regress((filled - mean) / scale, outcomes)
        return {
            "names": np.array(features.names),
            "median": median,
            "mean": mean,
            "scale": scale,
            "coefficients": coefficients,
            "intercept": intercept,
        }

    def score(self, features: SignalFeatures, state: State) -> Scores:
        """Return the probability of a win of each signal.

        Raises
        ------
        PluginError
            If the features are not those that were fitted, in the same order.
        """
        if state is None:
            return Scores.unknown(len(features), len(features.names))
        if features.names != (fitted := tuple(state["names"].tolist())):
            raise PluginError(f"logistic was fitted on the features {fitted} (got {features.names})")
        standardised = (_fill(features.values, state["median"]) - state["mean"]) / state["scale"]
        contributions = standardised * state["coefficients"]
        log_odds = state["intercept"] + contributions.sum(axis=1)
        twice_less_one = np.tanh(log_odds / 2)
        return Scores((1 + twice_less_one) / 2, np.abs(twice_less_one), contributions)

    def _regress(self, standardised: FloatArray, outcomes: Outcomes) -> tuple[FloatArray, float]:
        from sklearn.linear_model import LogisticRegression

        model = LogisticRegression(C=1 / self.penalty, solver="newton-cholesky", tol=1e-8)
        with _libraries().limit(limits=1):
            model.fit(standardised, outcomes.won)
        return model.coef_[0], float(model.intercept_[0])


@cache
def _libraries() -> ThreadpoolController:
    """Return the numerical libraries that are loaded; looking for them takes longer than a fit."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def _medians(values: FloatArray) -> FloatArray:
    known = [column[~np.isnan(column)] for column in values.T]
    return np.array([np.median(column) if len(column) else 0.0 for column in known])


def _fill(values: FloatArray, median: FloatArray) -> FloatArray:
    return np.where(np.isnan(values), median, values)
