"""Exponentially weighted volatility."""

from __future__ import annotations

from math import ceil, log
from typing import Annotated

import numpy as np
from annotated_types import Ge, Gt, Le, Lt

from windtunnel.market import Market
from windtunnel.plugin import State, VolatilityModel
from windtunnel.values import FloatArray, Forecast, Tune

__all__ = ["Ewma"]

TOLERANCE = 0.01
"""Share of the weights that lies before the first return when the model starts to speak."""


class Ewma(VolatilityModel):
    r"""Weighs squared log returns by how recent they are; the forecast is the same for every horizon.

    Notes
    -----
    With decay λ and log returns r of a symbol's own bars, the variance of the next bar is

    .. math:: \sigma^2_t = \frac{\sum_i \lambda^i r^2_{t-i}}{\sum_i \lambda^i}

    (J.P. Morgan/Reuters, RiskMetrics Technical Document, 4th edition, 1996, section 5.2: zero mean, daily
    λ = 0.94). It takes log 0.01 / log λ returns until all but 1 % of the weights are in (section 5.3);
    before that the model abstains. ``mean`` is √(σ² × periods per year). The interval assumes Gaussian
    returns of constant variance over the horizon of h bars: then h × realised variance / σ² follows a
    chi-square distribution with h degrees of freedom. Real returns have fatter tails, so that it is too
    narrow when markets turn.
    """

    name = "ewma"

    decay: Annotated[float, Ge(0.5), Le(0.999), Tune(0.85, 0.99)] = 0.94
    """Weight of a squared return relative to that of the bar after it (λ)."""
    coverage: Annotated[float, Gt(0), Lt(1)] = 0.8
    """Nominal probability that realised volatility lies between ``low`` and ``high``."""

    @property
    def warmup(self) -> int:
        """Returns until all but 1 % of the weights are in."""
        return ceil(log(TOLERANCE) / log(self.decay))

    def forecast(self, market: Market, state: State, horizon: int) -> Forecast:
        """Return the forecast of every bar; NaN in the warm-up and where there is no bar."""
        mean = np.sqrt(self._variance(market) * market.periods_per_year)
        low, high = self._interval(horizon)
        return Forecast(mean, low * mean, high * mean, horizon)

    def _variance(self, market: Market) -> FloatArray:
        import pandas as pd

        squares = pd.DataFrame(market.log_returns() ** 2)
        weighted = squares.ewm(alpha=1 - self.decay, ignore_na=True, min_periods=self.warmup).mean()
        return np.where(market.bars.present, weighted.to_numpy(), np.nan)

    def _interval(self, horizon: int) -> tuple[float, float]:
        """Return both ends of the interval, as multiples of ``mean``."""
        from scipy.special import gammaincinv

        tails = np.array([1 - self.coverage, 1 + self.coverage]) / 2
        low, high = np.sqrt(2 * gammaincinv(horizon / 2, tails) / horizon)
        return float(low), float(high)
