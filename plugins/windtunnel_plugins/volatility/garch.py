"""GARCH volatility."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import numpy as np
from annotated_types import Ge, Gt, Lt

from windtunnel.market import Market
from windtunnel.plugin import State, VolatilityModel
from windtunnel.values import Forecast
from windtunnel_plugins.volatility._garch import likeliest, mean_variance, multiples

__all__ = ["Garch"]


class Garch(VolatilityModel):
    r"""Lets the variance of a symbol's log returns answer to shocks and return to its mean.

    Notes
    -----
    .. math:: r_t = \mu + \sigma_t z_t, \qquad
              \sigma^2_{t+1} = \omega + \alpha (r_t - \mu)^2 + \beta \sigma^2_t

    (Bollerslev 1986, Generalized autoregressive conditional heteroskedasticity, with p = q = 1; z is
    Student's t as in Bollerslev 1987). The parameters are those of greatest likelihood on the training bars
    alone; the recursion then runs over all bars from arch's weighted mean of the first squares. ``mean`` is
    the root of μ² plus the variance that is expected on average over the horizon, annualised. A fit that
    does not converge falls back to ω = 0, α = 0.06, β = 0.94 (RiskMetrics). The interval is exact for one
    bar; over more it takes the fat tails to be those of the whole horizon, which errs on the wide side.
    """

    name = "garch"
    asymmetric: ClassVar[bool] = False
    """Whether a loss adds more variance than a gain."""

    innovations: Literal["t", "normal"] = "t"
    """Distribution of the standardised returns: Student's t, or the normal."""
    least: Annotated[int, Ge(100)] = 250
    """Returns of a symbol below which it is not fitted, and the model abstains on it."""
    coverage: Annotated[float, Gt(0), Lt(1)] = 0.8
    """Nominal probability that realised volatility lies between ``low`` and ``high``."""

    @property
    def warmup(self) -> int:
        """The first return."""
        return 1

    def fit(self, market: Market, horizon: int) -> State:
        """Return the parameters of each symbol that has enough returns and moves; None if there is none."""
        fitted = {}
        for symbol, returns in zip(market.symbols, market.log_returns().T, strict=True):
            known = returns[~np.isnan(returns)]
            if len(known) >= self.least and known.std() > 1e-12:
                fitted[symbol] = likeliest(known, self.asymmetric, self.innovations)
        if not fitted:
            return None
        return {"symbols": np.array([*fitted]), "parameters": np.array([*fitted.values()])}

    def forecast(self, market: Market, state: State, horizon: int) -> Forecast:
        """Return the forecast of every bar; NaN before a symbol's first return, and where it has no fit."""
        mean, low, high = (np.full(market.shape, np.nan) for _ in range(3))
        if state is not None:
            own = dict(zip(state["symbols"].tolist(), state["parameters"], strict=True))
            for column, symbol in enumerate(market.symbols):
                if symbol in own:
                    returns = market.log_returns()[:, column]
                    rows = np.flatnonzero(~np.isnan(returns))
                    variance = mean_variance(own[symbol], returns[rows], horizon)
                    mean[rows, column] = np.sqrt(variance * market.periods_per_year)
                    least, most = multiples(own[symbol][5], horizon, self.coverage)
                    low[:, column], high[:, column] = least * mean[:, column], most * mean[:, column]
        return Forecast(mean, low, high, horizon)
