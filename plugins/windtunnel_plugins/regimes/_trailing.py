"""Regimes as clusters of what returns were like over the last bars."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import numpy as np
from annotated_types import Ge, Le

from windtunnel.market import Market
from windtunnel.plugin import RegimeModel, State
from windtunnel.values import FloatArray, IntArray, Regimes, Tune
from windtunnel_plugins.regimes._dwell import standing
from windtunnel_plugins.regimes._naming import NAMES, by_name, codes_of
from windtunnel_plugins.regimes._pool import Scales, own_rows

__all__ = ["Clusters", "TrailingModel"]


@dataclass(frozen=True, eq=False)
class Clusters:
    """A mixture of K Gaussians of two standardised features.

    Parameters
    ----------
    weight : array of float64, ``[K]``
    mean : array of float64, ``[K, 2]``
    factor : array of float64, ``[K, 2, 2]``
        Its product with its transpose is the inverse of the covariance.
    """

    weight: FloatArray
    mean: FloatArray
    factor: FloatArray

    def probabilities(self, features: FloatArray) -> FloatArray:
        """Return the probability of each cluster, ``[T, K]``."""
        logs = np.empty((len(features), len(self.weight)))
        for k, (weight, mean, factor) in enumerate(zip(self.weight, self.mean, self.factor, strict=True)):
            away = np.einsum("td,de->te", features - mean, factor)
            logs[:, k] = np.log(weight) + np.log(np.abs(np.linalg.det(factor))) - (away**2).sum(axis=1) / 2
        shares = np.exp(logs - logs.max(axis=1, keepdims=True))
        return np.asarray(shares / shares.sum(axis=1, keepdims=True))


class TrailingModel(RegimeModel):
    """What K-means and the Gaussian mixture have in common: features, names and the answer."""

    kind: ClassVar[str] = "regime"

    states: Annotated[int, Ge(2), Le(12), Tune(3, 8)] = 6
    """Number of clusters."""
    trend: Annotated[int, Ge(2), Le(10_000), Tune(20, 120)] = 60
    """Bars over which drift is taken."""
    volatility: Annotated[int, Ge(2), Le(10_000), Tune(10, 60)] = 20
    """Bars over which volatility is taken."""
    dwell: Annotated[int, Ge(1), Le(100_000), Tune(1, 20)] = 5
    """Bars for which a regime stands at least."""
    least: Annotated[int, Ge(10)] = 120
    """Fewest bars to learn from, of all symbols together."""
    most: Annotated[int, Ge(1000)] = 50_000
    """Most bars to learn from; beyond, they are drawn by lot."""
    seed: Annotated[int, Ge(0)] = 0
    """The same seed gives the same clusters."""

    @property
    def warmup(self) -> int:
        """Bars before drift and volatility exist."""
        return max(self.trend, self.volatility)

    @abstractmethod
    def _clusters(self, features: FloatArray) -> Clusters:
        """Return the clusters of standardised features, ``[n, 2]``."""

    def fit(self, market: Market) -> State:
        """Return clusters and their names; None with too few bars, or where all are alike."""
        scales = Scales.learned(market)
        found = [features for _, _, features in self._features(market, scales)]
        features = np.concatenate([np.empty((0, 2)), *found])
        if len(features) > self.most:
            features = features[np.random.default_rng(self.seed).permutation(len(features))[: self.most]]
        if len(features) < self.least or len(np.unique(features, axis=0)) < max(self.least // 2, self.states):
            return None
        centre, spread = features.mean(axis=0), features.std(axis=0)
        spread = np.where(spread > 0, spread, 1.0)
        clusters = self._clusters((features - centre) / spread)
        shares = clusters.probabilities((features - centre) / spread)
        weight = np.maximum(shares.mean(axis=0), 1e-12)
        drift, log_volatility = (shares.T @ features / len(features) / weight[:, None]).T
        return {
            **scales.state(),
            "centre": centre,
            "spread": spread,
            "weight": clusters.weight,
            "mean": clusters.mean,
            "factor": clusters.factor,
            "codes": codes_of(drift, np.exp(log_volatility), weight),
        }

    def predict(self, market: Market, state: State) -> Regimes:
        """Return the probability of each name, ``[T, N, 4]``."""
        probabilities = np.full((*market.shape, len(NAMES)), np.nan)
        drift, volatility = np.full((2, *market.shape), np.nan)
        regimes = Regimes(NAMES, probabilities, {"drift": drift, "volatility": volatility})
        if state is None:
            return regimes
        scales = Scales.of_state(state)
        clusters = Clusters(state["weight"], state["mean"], state["factor"])
        for column, own, features in self._features(market, scales):
            shares = clusters.probabilities((features - state["centre"]) / state["spread"])
            probabilities[own, column] = standing(by_name(shares, state["codes"]), self.dwell)
            a_year = scales.panel(market.symbols)[column] * np.sqrt(market.periods_per_year)
            drift[own, column] = features[:, 0] * a_year
            volatility[own, column] = np.exp(features[:, 1]) * a_year
        return regimes

    def _features(self, market: Market, scales: Scales) -> Iterator[tuple[int, IntArray, FloatArray]]:
        """Yield each symbol's column, the rows that it has features on, and these, ``[rows, 2]``.

        They are the drift a year over ``trend`` bars, and the logarithm of the volatility a year over
        ``volatility`` bars, in units of the symbol's volatility a year.
        """
        close, moved, year = market.close, market.rolling_volatility(self.volatility), market.periods_per_year
        for column, scale in enumerate(scales.panel(market.symbols)):
            own = own_rows(close[:, column])[self.warmup :]
            if np.isnan(scale) or not len(own):
                continue
            logs = np.log(close[own_rows(close[:, column]), column])
            change = logs[self.warmup :] - logs[self.warmup - self.trend : len(logs) - self.trend]
            a_year = scale * np.sqrt(year)
            drift = change * (year / self.trend) / a_year
            log_volatility = np.log(np.maximum(moved[own, column] / a_year, 1e-3))
            yield column, own, np.column_stack((drift, log_volatility))


def one_thread() -> Any:
    """Return a context in which numerical libraries use one thread, so that results have the same bits."""
    from threadpoolctl import threadpool_limits

    return threadpool_limits(limits=1)
