"""Regimes as runs between change points."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from annotated_types import Ge, Gt, Le

from windtunnel.market import Market
from windtunnel.plugin import RegimeModel, State
from windtunnel.values import Regimes, Tune
from windtunnel_plugins.regimes._dwell import standing
from windtunnel_plugins.regimes._naming import NAMES, TREND, WILD
from windtunnel_plugins.regimes._pool import Scales, own_rows

__all__ = ["ChangePoints"]

_SMOOTH = 20
"""Bars whose volatility the typical one is taken of."""


class ChangePoints(RegimeModel):
    """Notices when drift or volatility change, and judges the current run by its own bars.

    Notes
    -----
    Log returns are normal, with a mean and variance that stay the same until a change point, which may come
    after any bar with probability 1 / ``run``. The posterior of the current run's length, mean and variance
    is updated bar by bar (Adams & MacKay 2007, Bayesian online changepoint detection, algorithm 1). The run
    is ``high_volatility`` with the probability that its volatility is above 1.5 times the typical; what is
    left goes to ``trending_bullish`` and ``trending_bearish`` by the probability that its drift is more than
    0.75 times its volatility, both a year, up or down; and the rest to ``ranging``.

    Only the typical volatility, the geometric mean of that over 20 bars, is learned from the training bars.
    The model abstains on a symbol's first bar, and with fewer than ``least`` bars to learn from, or prices
    that never move. Evidence is the drift and volatility a year that are expected of the run.
    """

    name = "change_points"

    run: Annotated[float, Gt(1), Le(100_000), Tune(30, 300)] = 100.0
    """Bars between change points, on average."""
    drift: Annotated[float, Gt(0), Le(100), Tune(0.5, 3.0)] = 1.5
    """How far drifts of runs spread: their deviation, in volatilities, both a year."""
    doubt: Annotated[float, Gt(0), Le(1000), Tune(1.0, 10.0)] = 2.0
    """How like each other the volatilities of runs are: half the bars that count as seen in every run."""
    longest: Annotated[int, Ge(10), Le(10_000)] = 500
    """Longer runs are judged by their last bars, about so many."""
    dwell: Annotated[int, Ge(1), Le(100_000), Tune(1, 20)] = 5
    """Bars for which a regime stands at least."""
    least: Annotated[int, Ge(30)] = 60
    """Fewest bars to learn from, of all symbols together."""

    @property
    def warmup(self) -> int:
        """The first bar has no return."""
        return 1

    def fit(self, market: Market) -> State:
        """Return the symbols' scales, and the typical volatility in these; None with too few bars."""
        scales = Scales.learned(market)
        year = scales.panel(market.symbols) * np.sqrt(market.periods_per_year)
        moved = market.rolling_volatility(_SMOOTH) / year
        moved = moved[moved > 0]
        if len(moved) < self.least:
            return None
        return {**scales.state(), "typical": float(np.exp(np.log(moved).mean()))}

    def predict(self, market: Market, state: State) -> Regimes:
        """Return the probability of each name, ``[T, N, 4]``."""
        probabilities = np.full((*market.shape, len(NAMES)), np.nan)
        drift, volatility = np.full((2, *market.shape), np.nan)
        regimes = Regimes(NAMES, probabilities, {"drift": drift, "volatility": volatility})
        if state is None:
            return regimes
        from windtunnel_plugins.regimes._runs import runs

        returns, year = market.log_returns(), market.periods_per_year
        flat, trend = year / self.drift**2, TREND / np.sqrt(year)
        for column, scale in enumerate(Scales.of_state(state).panel(market.symbols) * state["typical"]):
            own = own_rows(returns[:, column])
            if np.isnan(scale) or not len(own):
                continue
            values = returns[own, column] / scale
            found = runs(values, 1 / self.run, flat, self.doubt, self.longest, trend, WILD)
            wild, up, down = found[:, :3].T
            calm = 1 - wild
            named = np.column_stack((calm * up, calm * down, calm * np.maximum(1 - up - down, 0.0), wild))
            named /= named.sum(axis=1, keepdims=True)
            probabilities[own, column] = standing(named, self.dwell)
            drift[own, column] = found[:, 3] * scale * year
            volatility[own, column] = np.sqrt(found[:, 4] * year) * scale
        return regimes
