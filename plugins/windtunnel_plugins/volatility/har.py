"""Heterogeneous autoregression of volatility."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from annotated_types import Ge, Gt, Lt
from pydantic import model_validator

from windtunnel.errors import PluginError
from windtunnel.market import Market
from windtunnel.plugin import State, VolatilityModel
from windtunnel.values import FloatArray, Forecast, Tune
from windtunnel_plugins.volatility._past import (
    LEAST,
    Estimator,
    downside,
    level,
    outcomes,
    past_means,
    variances,
)

__all__ = ["Har"]

ROWS = 100
"""Least number of known outcomes to learn from."""
FLOOR, RIDGE = 0.05, 1e-4
"""Least forecast of the level form, as a share of the long-run level; penalty on squared coefficients."""


class Har(VolatilityModel):
    r"""Regresses the variance of the next bars on that of the last day, week and month.

    Notes
    -----
    With V the variance of a bar by ``estimator``, V̄ its long-run level (the mean of the symbol's last 252
    bars), and R the mean squared log return of the ``horizon`` bars to come over that of the last 252:

    .. math:: \log E[R_t] = c + \sum_{k \in \{1, week, month\}}
              \left( b_k \log \frac{\bar V^{(k)}_t}{\bar V_t} + d_k \log (1 + \bar l^{(k)}_t) \right)

    Corsi (2009), A simple approximate long-memory model of realized volatility, estimated
    directly for the horizon; the mean loss l (returns below 0 without their sign), in deviations, is the
    leverage effect of Corsi & Renò (2012), here a power law too, so that a crash does not
    explode. The expectation is fitted by the gamma likelihood, which is the QLIKE loss, so that no
    correction for the logarithm is due and a range estimator's missing overnight move is made up for.
    ``form: level`` fits R itself on ratios and losses by least squares, and forecasts at least 5 % of the
    level. All symbols are fitted as one; the level, of bars up to t only, is each one's own. A mean below
    1 % of the level counts as that. The interval holds the share ``coverage`` of the training errors. With
    fewer than 100 known outcomes, or where prices do not move, it abstains.
    """

    name = "har"

    estimator: Estimator = "garman_klass"
    """Variance of one bar: from its range, or the squared return of closes."""
    form: Literal["log", "level"] = "log"
    """Regress in logarithms or in plain ratios."""
    week: Annotated[int, Ge(2), Tune(3, 10)] = 5
    """Bars of the middle window."""
    month: Annotated[int, Ge(3), Tune(15, 44)] = 22
    """Bars of the long window."""
    leverage: bool = True
    """Let past losses speak."""
    coverage: Annotated[float, Gt(0), Lt(1)] = 0.8
    """Nominal probability that realised volatility lies between ``low`` and ``high``."""

    @model_validator(mode="after")
    def _ordered(self) -> Har:
        if self.month <= self.week:
            raise ValueError(f"month must be greater than week = {self.week} (got {self.month})")
        return self

    @property
    def warmup(self) -> int:
        """The long window, or what a level takes, and the first return."""
        return max(self.month, LEAST)

    def fit(self, market: Market, horizon: int) -> State:
        """Return the coefficients, and the interval of the errors; None with too few known outcomes."""
        from threadpoolctl import threadpool_limits

        predictors, came = self._predictors(market), outcomes(market, horizon)
        known = ~(np.isnan(predictors).any(axis=2) | np.isnan(came))
        x, y = predictors[known], came[known]
        if len(y) < ROWS:
            return None
        with threadpool_limits(1):
            coefficients = self._regress(x, y)
            errors = np.sqrt(y / self._expected(x, coefficients))
        low, high = np.quantile(errors, [(1 - self.coverage) / 2, (1 + self.coverage) / 2])
        return {"horizon": horizon, "coefficients": coefficients, "low": float(low), "high": float(high)}

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
            raise PluginError(f"har was fitted for a horizon of {state['horizon']} bars (got {horizon})")
        predictors, squares = self._predictors(market), variances(market, "squared")
        known = ~np.isnan(predictors).any(axis=2)
        expected = self._expected(predictors[known], state["coefficients"])
        mean[known] = np.sqrt(expected * level(squares)[known] * market.periods_per_year)
        return Forecast(mean, state["low"] * mean, state["high"] * mean, horizon)

    def _predictors(self, market: Market) -> FloatArray:
        """Return what is regressed on, ``[T, N, K]``."""
        windows = (1, self.week, self.month)
        means = past_means(variances(market, self.estimator), windows)
        losses = downside(market, windows) if self.leverage else []
        if self.form == "log":
            means, losses = [np.log(mean) for mean in means], [np.log1p(loss) for loss in losses]
        return np.stack([*means, *losses], axis=2)

    def _regress(self, x: FloatArray, y: FloatArray) -> FloatArray:
        """Return the intercept and the coefficients."""
        from sklearn.linear_model import GammaRegressor, Ridge

        if self.form == "log":
            model = GammaRegressor(alpha=RIDGE, solver="newton-cholesky", tol=1e-8)
            model.fit(x, np.maximum(y, 1e-6))
        else:
            model = Ridge(alpha=RIDGE * len(y)).fit(x, y)
        return np.append(model.intercept_, model.coef_)

    def _expected(self, x: FloatArray, coefficients: FloatArray) -> FloatArray:
        """Return the variance that is expected, as a share of the level."""
        linear = coefficients[0] + (x * coefficients[1:]).sum(axis=1)
        return np.asarray(np.exp(linear) if self.form == "log" else np.maximum(linear, FLOOR))
