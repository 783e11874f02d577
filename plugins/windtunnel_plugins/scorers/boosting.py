"""Gradient boosting of wins on features."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import numpy as np
from annotated_types import Ge, Gt, Le

from windtunnel.values import FloatArray, Outcomes, Tune
from windtunnel_plugins.scorers._trees import Grown, _TreeScorer

__all__ = ["Boosting"]


class Boosting(_TreeScorer):
    """Estimates the probability of a win by stochastic gradient boosting, calibrated.

    Notes
    -----
    Each tree is fitted to the gradient of the log loss of those before it, on a random half of the outcomes,
    these weighted by their uniqueness, and added with the learning rate (Friedman 2002, Stochastic gradient
    boosting, Computational Statistics & Data Analysis 38). A missing feature takes the median of its column
    in training. A leaf's value is its step in log-odds, an inner node's the mean of its leaves. The log-odds
    of a win are a + b × the sum over the trees of the value at the leaf less that at the root, with a and b
    from purged blocks of time (Platt 1999, Probabilistic outputs for support vector machines; López de Prado
    2018, Advances in Financial Machine Learning, section 7.4), b no larger than what exceeds chance.
    Contributions are what each feature adds to the log-odds on the way from root to leaf (Saabas 2014,
    Interpreting random forests); with the intercept a they sum to them. ``confidence`` is abs(2p − 1).
    """

    name = "boosting"

    trees: Annotated[int, Ge(1), Le(2000), Tune(30, 300)] = 100
    """Trees that are added."""
    depth: Annotated[int, Ge(1), Le(10), Tune(1, 5)] = 3
    """Splits between the root and a leaf, at most."""
    leaf: Annotated[int, Ge(1), Tune(5, 200, log=True)] = 20
    """Signals in a leaf, at least."""
    rate: Annotated[float, Gt(0), Le(1), Tune(0.01, 0.3, log=True)] = 0.05
    """Share of each tree's step that is taken."""
    share: Annotated[float, Gt(0), Le(1), Tune(0.1, 1.0)] = 0.2
    """Share of the features that each split chooses from."""

    def _grow(self, values: FloatArray, outcomes: Outcomes) -> Sequence[Grown]:
        from sklearn.ensemble import GradientBoostingClassifier

        model = GradientBoostingClassifier(
            n_estimators=self.trees,
            learning_rate=self.rate,
            subsample=0.5,
            max_depth=self.depth,
            min_samples_leaf=self.leaf,
            max_features=self.share,
            random_state=self.seed,
        )
        model.fit(values, outcomes.won, outcomes.weight)
        return [Grown(tree.tree_, self.rate * _means(tree.tree_)) for tree in model.estimators_[:, 0]]


def _means(nodes: Any) -> FloatArray:
    """Return the value of each leaf, and at the inner nodes the weighted mean of those below."""
    value: FloatArray = nodes.value[:, 0, 0].copy()
    weight = nodes.weighted_n_node_samples
    for node in np.flatnonzero(nodes.children_left >= 0)[::-1]:
        below = [nodes.children_left[node], nodes.children_right[node]]
        value[node] = np.average(value[below], weights=weight[below])
    return value
