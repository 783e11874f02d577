"""A random forest's volatility."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import numpy as np
from annotated_types import Ge, Gt, Le, Lt

from windtunnel.errors import PluginError
from windtunnel.market import Market
from windtunnel.plugin import State, VolatilityModel
from windtunnel.values import BoolArray, FloatArray, Forecast, Tune
from windtunnel_plugins.volatility._past import (
    FLOOR,
    LEAST,
    Estimator,
    downside,
    level,
    outcomes,
    past_means,
    variances,
)

if TYPE_CHECKING:
    from sklearn.ensemble import RandomForestRegressor

__all__ = ["Forest"]

WINDOWS = (1, 6, 24)
ROWS = 250
"""Least number of known outcomes to learn from."""
FAINT = 1e-4
"""Weight of the variance among what the trees split by: it is carried along, and hardly has a say."""


class Forest(VolatilityModel):
    r"""Learns the volatility of the next bars from everything that is known of a symbol.

    Notes
    -----
    A random forest (Breiman 2001, Random forests, Machine Learning 45) of the mean squared log return of
    the next ``horizon`` bars as a share of the symbol's long-run level, its mean over 252 bars. Trees split
    by the root of that share, which has no wild tail; a leaf answers with the mean share itself, so that no
    correction for the root is due. Predictors are the features of the market, and the mean variance of 1, 6
    and 24 bars, by squared returns and by ``estimator``, and the mean loss of as many, in units
    of the level; a missing one is a value of its own to a tree. All symbols are learned as one.

    The interval holds the share ``coverage`` of the errors that a quarter of the trees, grown without it,
    make on the last fifth of the training bars. With fewer than 250 known outcomes before that, or where
    prices do not move, it abstains.
    """

    name = "forest"

    trees: Annotated[int, Ge(1), Le(2_000), Tune(50, 500)] = 100
    """Number of trees."""
    depth: Annotated[int, Ge(1), Le(64), Tune(3, 20)] = 15
    """Greatest depth of a tree."""
    leaf: Annotated[int, Ge(1), Tune(5, 100, log=True)] = 20
    """Least number of outcomes in a leaf."""
    estimator: Estimator = "garman_klass"
    """Variance of one bar, beside squared returns."""
    rows: Annotated[int, Ge(1_000)] = 20_000
    """Outcomes to learn from, at most; of more, so many are drawn."""
    seed: Annotated[int, Ge(0), Lt(2**32)] = 7
    """Seed of the trees and of what is drawn."""
    coverage: Annotated[float, Gt(0), Lt(1)] = 0.8
    """Nominal probability that realised volatility lies between ``low`` and ``high``."""

    @property
    def warmup(self) -> int:
        """What a level takes, and the first return."""
        return LEAST

    def fit(self, market: Market, horizon: int) -> State:
        """Return the forest and the interval of its errors; None with too few known outcomes."""
        from threadpoolctl import threadpool_limits

        predictors, came = self._predictors(market), outcomes(market, horizon)
        known = ~np.isnan(came) & market.bars.present
        bars = np.flatnonzero(known.any(axis=1))
        if not len(bars):
            return None
        split = int(bars[int(0.8 * len(bars))])
        before, after = known.copy(), known.copy()
        before[max(split - horizon, 0) :] = False
        after[:split] = False
        if before.sum() < ROWS:
            return None
        with threadpool_limits(1):
            trial = self._grow(predictors, came, before, max(self.trees // 4, 1))
            errors = np.sqrt(came[after] / self._expected(trial, predictors[after]))
            forest = self._grow(predictors, came, known, self.trees)
        low, high = np.quantile(errors, [(1 - self.coverage) / 2, (1 + self.coverage) / 2])
        return {"horizon": horizon, "forest": forest, "low": float(low), "high": float(high)}

    def forecast(self, market: Market, state: State, horizon: int) -> Forecast:
        """Return the forecast of every bar; NaN in the warm-up, without a bar and where it abstains.

        Raises
        ------
        PluginError
            If the state was fitted for another horizon.
        """
        mean = np.full(market.shape, np.nan)
        if state is None:
            return Forecast(mean, mean, mean, horizon)
        if state["horizon"] != horizon:
            raise PluginError(f"forest was fitted for a horizon of {state['horizon']} bars (got {horizon})")
        own = level(variances(market, "squared"))
        known = own > 0
        if known.any():
            expected = self._expected(state["forest"], self._predictors(market)[known])
            mean[known] = np.sqrt(expected * own[known] * market.periods_per_year)
        return Forecast(mean, state["low"] * mean, state["high"] * mean, horizon)

    def _predictors(self, market: Market) -> FloatArray:
        """Return what is known, ``[T, N, F]``."""
        columns = [
            *past_means(variances(market, "squared"), WINDOWS),
            *past_means(variances(market, self.estimator), WINDOWS),
            *downside(market, WINDOWS),
        ]
        return np.concatenate([market.features().values, np.stack(columns, axis=2)], axis=2)

    def _grow(
        self, predictors: FloatArray, came: FloatArray, known: BoolArray, trees: int
    ) -> RandomForestRegressor:
        from sklearn.ensemble import RandomForestRegressor

        x, y = predictors[known], came[known]
        if len(y) > self.rows:
            drawn = np.sort(np.random.default_rng(self.seed).choice(len(y), self.rows, replace=False))
            x, y = x[drawn], y[drawn]
        forest = RandomForestRegressor(
            trees,
            max_depth=self.depth,
            min_samples_leaf=self.leaf,
            max_features=1 / 3,
            n_jobs=1,
            random_state=self.seed,
        )
        return forest.fit(x, np.column_stack([np.sqrt(y), FAINT * y]))

    @staticmethod
    def _expected(forest: RandomForestRegressor, predictors: FloatArray) -> FloatArray:
        """Return the variance that is expected, as a share of the level, at least 1 % of it."""
        return np.asarray(np.maximum(forest.predict(predictors)[:, 1] / FAINT, FLOOR))
