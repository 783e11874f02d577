"""Several volatility models as one."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np
from annotated_types import Ge
from pydantic import Field

from windtunnel.learn import realised_volatility
from windtunnel.learn.losses import qlike
from windtunnel.market import Market
from windtunnel.plugin import State, VolatilityModel
from windtunnel.values import FloatArray, Forecast
from windtunnel_plugins.volatility.forest import Forest
from windtunnel_plugins.volatility.gjr_garch import GjrGarch
from windtunnel_plugins.volatility.har import Har

__all__ = ["Ensemble"]

LEAST = 50
"""With fewer outcomes that all members forecast, they weigh the same."""


class Ensemble(VolatilityModel):
    r"""Averages the variances that several models forecast.

    Notes
    -----
    .. math:: \sigma^2 = \sum_i w_i \sigma^2_i \Big/ \sum_i w_i

    over the members that have an opinion; ``low`` and ``high`` likewise. ``weights: equal`` are all 1.
    ``weights: loss`` are 1 / L_i, with L the mean of v / h - log(v / h) - 1 (QLIKE less what a perfect
    forecast would lose; a v of 0 is left out) on the last ``past`` bars of the training market, at most half
    of it, which are forecast by members fitted on the bars before; then all are fitted on the whole. Inverse
    past losses as in Stock & Watson (2004), Combination forecasts of output growth; that equal
    weights are hard to beat is theirs too.
    """

    name = "ensemble"

    members: Annotated[tuple[VolatilityModel, ...], Field(min_length=1)] = (GjrGarch(), Har(), Forest())
    """The models, each written as {use, params}."""
    weights: Literal["equal", "loss"] = "equal"
    """Whether a member that was further off counts less."""
    past: Annotated[int, Ge(50)] = 504
    """Bars at the end of the training market that judge the members."""

    @property
    def warmup(self) -> int:
        """Until all members speak."""
        return max(member.warmup for member in self.members)

    def fit(self, market: Market, horizon: int) -> State:
        """Return the weights and each member's state; a member that learns nothing has none."""
        states = self._fitted(market, horizon)
        weights = np.ones(len(self.members))
        if self.weights == "loss" and len(self.members) > 1:
            weights = self._judged(market, horizon)
        return {"weights": weights, "states": states}

    def forecast(self, market: Market, state: State, horizon: int) -> Forecast:
        """Return the forecast of every bar; NaN where no member has one."""
        states = state["states"] if state is not None else {}
        said = self._said(market, states, horizon)
        weights = state["weights"] if state is not None else np.ones(len(said))
        mean, low, high = (
            _root_mean([getattr(one, name) for one in said], weights) for name in ("mean", "low", "high")
        )
        return Forecast(mean, low, high, horizon)

    def _fitted(self, market: Market, horizon: int) -> dict[str, Any]:
        states = {str(i): member.fit(market, horizon) for i, member in enumerate(self.members)}
        return {place: state for place, state in states.items() if state is not None}

    def _said(self, market: Market, states: dict[str, Any], horizon: int) -> list[Forecast]:
        return [
            member.forecast(market, states.get(str(place)), horizon)
            for place, member in enumerate(self.members)
        ]

    def _judged(self, market: Market, horizon: int) -> FloatArray:
        """Return one over each member's past loss; ones where there are too few outcomes."""
        bars = len(market.bars)
        start = bars - min(self.past, bars // 2)
        said = self._said(market, self._fitted(market.until(start), horizon), horizon)
        came = realised_volatility(market.close, horizon, market.periods_per_year)[start:] ** 2
        losses = np.stack([qlike(came, one.mean[start:] ** 2) for one in said])
        known = ~np.isnan(losses).any(axis=0) & (came > 0)
        if known.sum() < LEAST:
            return np.ones(len(said))
        regret = (losses[:, known] - np.log(came[known]) - 1).mean(axis=1)
        return np.asarray(1 / np.maximum(regret, 1e-12))


def _root_mean(values: list[FloatArray], weights: FloatArray) -> FloatArray:
    """Return the root of the weighted mean square of what is not NaN."""
    squares = np.stack(values) ** 2
    known = ~np.isnan(squares)
    shares = known * weights[:, None, None]
    total = shares.sum(axis=0)
    mean = np.full(total.shape, np.nan)
    np.divide((np.where(known, squares, 0.0) * shares).sum(axis=0), total, out=mean, where=total > 0)
    return np.sqrt(mean)
