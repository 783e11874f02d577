"""Logistic regression of wins on features."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from annotated_types import Ge, Gt, Le

from windtunnel.plugin import SignalScorer, State
from windtunnel.values import FloatArray, IntArray, Outcomes, Scores, SignalFeatures, Tune
from windtunnel_plugins.scorers._calibration import calibrate
from windtunnel_plugins.scorers._fitting import (
    enough,
    fill,
    libraries,
    medians,
    of_log_odds,
    same_features,
)

__all__ = ["Logistic"]


class Logistic(SignalScorer):
    """Estimates the probability of a win by logistic regression with an L2 penalty.

    Notes
    -----
    Of the training signals alone: a missing feature takes the median of its column (0 where the whole
    column is missing), then each column is standardised by its mean and population deviation (a constant
    one becomes 0). The log-odds of a win are the intercept plus the contributions, coefficient ×
    standardised feature each. On purged blocks of time that a regression did not see, a second one says how
    much of the coefficients holds up, and all shrink to that; with ``folds`` 0 they stay as fitted (Platt
    1999, Probabilistic outputs for support vector machines; López de Prado 2018, Advances in Financial
    Machine Learning, section 7.4). ``confidence`` is abs(2p − 1), the distance of the probability p from a
    coin toss.
    """

    name = "logistic"

    penalty: Annotated[float, Gt(0), Le(1e6), Tune(0.1, 1000.0, log=True)] = 10.0
    """Weight of half the squared coefficients against the summed log loss; high, for signals are few."""
    folds: Annotated[int, Ge(0), Le(20)] = 4
    """Blocks of time for the calibration, each judged by a model that did not see it; 0 for none."""
    min_class: Annotated[int, Ge(1)] = 5
    """Least number of wins, and of losses, to learn from."""

    def fit(self, features: SignalFeatures, outcomes: Outcomes) -> State:
        """Return the coefficients and what standardises the features; None with too few wins or losses."""
        if not enough(features.names, outcomes, self.min_class):
            return None
        median = medians(features.values)
        filled = fill(features.values, median)
        mean, scale = filled.mean(axis=0), filled.std(axis=0)
        scale[scale <= 1e-12 * np.abs(mean)] = 1.0
        standardised = (filled - mean) / scale

        def moves_of(train: IntArray, test: IntArray) -> FloatArray:
            moves: FloatArray = (
                standardised[test] @ self._regress(standardised[train], outcomes.take(train))[0]
            )
            return moves

        with libraries().limit(limits=1):
            coefficients, intercept = self._regress(standardised, outcomes)
            if self.folds:
                intercept, slope = calibrate(moves_of, features.bar, outcomes, self.folds)
                coefficients = slope * coefficients
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
        same_features(self.name, features.names, state)
        standardised = (fill(features.values, state["median"]) - state["mean"]) / state["scale"]
        contributions = standardised * state["coefficients"]
        probability, confidence = of_log_odds(state["intercept"] + contributions.sum(axis=1))
        return Scores(probability, confidence, contributions)

    def _regress(self, standardised: FloatArray, outcomes: Outcomes) -> tuple[FloatArray, float]:
        from sklearn.linear_model import LogisticRegression

        model = LogisticRegression(C=1 / self.penalty, solver="newton-cholesky", tol=1e-8)
        model.fit(standardised, outcomes.won)
        return model.coef_[0], float(model.intercept_[0])
