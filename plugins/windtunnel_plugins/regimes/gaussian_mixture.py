"""Regimes as a mixture of Gaussians."""

from __future__ import annotations

import numpy as np

from windtunnel.values import FloatArray
from windtunnel_plugins.regimes._trailing import Clusters, TrailingModel, one_thread

__all__ = ["GaussianMixture"]


class GaussianMixture(TrailingModel):
    """Describes bars by their trailing drift and volatility as a mixture of Gaussians.

    Notes
    -----
    Features are the drift over ``trend`` bars and the logarithm of the volatility over ``volatility`` bars,
    each in units of the symbol's volatility, standardised on the training bars of all symbols. The mixture
    has full covariances and is learned by expectation-maximisation (Bishop 2006, Pattern Recognition and
    Machine Learning, section 9.2), from the means of K-means, the best of two starts. Each bar is judged by
    itself: unlike ``hidden_markov`` there is no memory but that of the features. Components are named by
    their mean drift and volatility, as ``_naming`` says; those of one name add up.

    The model abstains in its warm-up, and where there are fewer than ``least`` bars to learn from, or fewer
    than half as many that differ. Evidence is the trailing drift and volatility a year.
    """

    name = "gaussian_mixture"

    def _clusters(self, features: FloatArray) -> Clusters:
        import warnings

        from sklearn.exceptions import ConvergenceWarning
        from sklearn.mixture import GaussianMixture as Mixture

        model = Mixture(self.states, n_init=2, max_iter=200, reg_covar=1e-3, random_state=self.seed)
        with one_thread(), warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(features)
        weight = np.maximum(model.weights_, 1e-12)
        return Clusters(weight, np.asarray(model.means_), np.asarray(model.precisions_cholesky_))
