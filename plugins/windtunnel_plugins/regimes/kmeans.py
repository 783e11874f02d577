"""Regimes as clusters found by K-means."""

from __future__ import annotations

import numpy as np

from windtunnel.values import FloatArray
from windtunnel_plugins.regimes._trailing import Clusters, TrailingModel, one_thread

__all__ = ["KMeans"]


class KMeans(TrailingModel):
    """Groups bars by their trailing drift and volatility into clusters of like bars.

    Notes
    -----
    Features are the drift over ``trend`` bars and the logarithm of the volatility over ``volatility`` bars,
    each in units of the symbol's volatility, standardised on the training bars of all symbols. Clusters
    minimise the squared distance to their means (Lloyd 1982, IEEE Transactions on Information Theory 28; the
    best of four starts). The probability of a cluster is that under Gaussians around the means, equally
    likely and all of the same variance: of which K-means is the limit (Bishop 2006, Pattern Recognition and
    Machine Learning, section 9.3.2). Clusters are named by their mean drift and volatility, as ``_naming``
    says; those of one name add up.

    The model abstains in its warm-up, and where there are fewer than ``least`` bars to learn from, or fewer
    than half as many that differ. Evidence is the trailing drift and volatility a year.
    """

    name = "kmeans"

    def _clusters(self, features: FloatArray) -> Clusters:
        from sklearn.cluster import KMeans as Lloyd

        with one_thread():
            found = Lloyd(self.states, n_init=4, random_state=self.seed).fit(features)
        deviation = np.sqrt(found.inertia_ / features.size)
        factor = np.eye(2) / max(deviation, 1e-6)
        weight = np.full(self.states, 1 / self.states)
        return Clusters(weight, np.asarray(found.cluster_centers_), np.tile(factor, (self.states, 1, 1)))
