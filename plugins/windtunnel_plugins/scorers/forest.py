"""Random forest of wins on features."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from annotated_types import Ge, Gt, Le

from windtunnel.values import FloatArray, Outcomes, Tune
from windtunnel_plugins.scorers._trees import Grown, _TreeScorer

__all__ = ["Forest"]


class Forest(_TreeScorer):
    """Estimates the probability of a win by a random forest, calibrated.

    Notes
    -----
    Each tree is grown on a bootstrap sample, in which outcomes are drawn in proportion to their uniqueness,
    each split chosen among a random share of the features by the Gini impurity; its nodes hold the share of
    wins, and the forest is the mean of its trees (Breiman 2001, Random forests, Machine Learning 45; López de
    Prado 2018, Advances in Financial Machine Learning, section 4.5). A missing feature takes the median of
    its column in training. The log-odds of a win are a + b × (the forest's share of wins − that at its
    roots), with a and b from purged blocks of time (Platt 1999, Probabilistic outputs for support vector
    machines; López de Prado 2018, section 7.4), b no larger than what exceeds chance.
    Contributions are what each feature adds to the log-odds on the way from root to leaf (Saabas 2014,
    Interpreting random forests); with the intercept a they sum to them. ``confidence`` is abs(2p − 1).
    """

    name = "forest"

    trees: Annotated[int, Ge(1), Le(2000), Tune(50, 300)] = 100
    """Trees in the forest."""
    depth: Annotated[int, Ge(1), Le(30), Tune(3, 15)] = 10
    """Splits between the root and a leaf, at most."""
    leaf: Annotated[int, Ge(1), Tune(5, 200, log=True)] = 20
    """Signals in a leaf, at least."""
    share: Annotated[float, Gt(0), Le(1), Tune(0.1, 1.0)] = 0.2
    """Share of the features that each split chooses from."""

    def _grow(self, values: FloatArray, outcomes: Outcomes) -> Sequence[Grown]:
        from sklearn.ensemble import RandomForestClassifier

        model = RandomForestClassifier(
            self.trees,
            max_depth=self.depth,
            min_samples_leaf=self.leaf,
            max_features=self.share,
            random_state=self.seed,
            n_jobs=1,
        )
        model.fit(values, outcomes.won, outcomes.weight)
        nodes = [tree.tree_ for tree in model.estimators_]
        return [Grown(tree, tree.value[:, 0, 1] / self.trees) for tree in nodes]
