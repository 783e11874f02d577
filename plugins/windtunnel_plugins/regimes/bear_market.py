"""Bull and bear markets by how far prices have come from their last extreme."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from annotated_types import Ge, Gt, Le

from windtunnel.market import Market
from windtunnel.plugin import RegimeModel, State
from windtunnel.values import FloatArray, IntArray, Regimes, Tune
from windtunnel_plugins.regimes._naming import BEARISH, BULLISH, NAMES
from windtunnel_plugins.regimes._pool import Scales, own_rows

__all__ = ["BearMarket"]

_UNKNOWN = -1

_MOST = 0.9
"""Fall that is a bear market whatever the volatility."""


class BearMarket(RegimeModel):
    """Tells long falls from long rises: a bear market stands until prices have risen far enough, and so on.

    Notes
    -----
    A bear market begins when the close is ``fall`` times a year's volatility below its highest since the
    bull market began, and a bull market when it is ``rise`` times that above its lowest since the bear
    market began: the filter of Lunde & Timmermann (2004), Duration dependence in stock prices, Journal of
    Business & Economic Statistics 22, section 2, with thresholds in units of the symbol's own volatility,
    which is learned on the training bars. With 16 % a year and a ``fall`` of 1.25 it is the rule of 20 %.

    Answers are ``trending_bullish`` and ``trending_bearish``, with certainty; ``ranging`` and
    ``high_volatility`` are never given. The model abstains until prices have first come so far from their
    highest or their lowest, and on symbols with fewer than ``least`` returns to learn from, or prices that
    never moved. Evidence is the ``drawdown``, the
    share of the price lost since its highest of all, and the ``volatility`` a year that was learned.
    """

    name = "bear_market"

    fall: Annotated[float, Gt(0), Le(100), Tune(0.5, 2.0)] = 1.0
    """Fall from the highest close at which a bear market begins, in volatilities a year, as a fraction."""
    rise: Annotated[float, Gt(0), Le(100), Tune(0.5, 2.0)] = 1.0
    """Rise from the lowest close at which a bull market begins, in the same unit."""
    least: Annotated[int, Ge(10)] = 120
    """Fewest returns of a symbol to learn from."""

    def fit(self, market: Market) -> State:
        """Return each symbol's volatility; None where all have too few returns, or never move."""
        returns = market.log_returns()
        columns = {
            symbol: returns[own_rows(returns[:, column]), column]
            for column, symbol in enumerate(market.symbols)
        }
        moved = {name: float(one.std()) for name, one in columns.items() if len(one) >= self.least}
        own = {name: deviation for name, deviation in moved.items() if deviation > 0}
        return Scales(own, np.nan).state() if own else None

    def predict(self, market: Market, state: State) -> Regimes:
        """Return 1 for each bar's regime and 0 for the others, ``[T, N, 4]``."""
        probabilities = np.full((*market.shape, len(NAMES)), np.nan)
        drawdown, volatility = np.full((2, *market.shape), np.nan)
        regimes = Regimes(NAMES, probabilities, {"drawdown": drawdown, "volatility": volatility})
        if state is None:
            return regimes
        scales = Scales.of_state(state).panel(market.symbols) * np.sqrt(market.periods_per_year)
        for column, a_year in enumerate(scales.tolist()):
            own = own_rows(market.close[:, column])
            close = market.close[own, column]
            code = _turns(close, min(self.fall * a_year, _MOST), self.rise * a_year)
            known = code != _UNKNOWN
            probabilities[own[known], column] = np.eye(len(NAMES))[code[known]]
            drawdown[own, column] = 1 - close / np.maximum.accumulate(close)
            volatility[own, column] = a_year
        return regimes


def _turns(close: FloatArray, fall: float, rise: float) -> IntArray:
    """Return the code of each bar; unknown before the first turn."""
    codes: list[int] = []
    code, high, low = _UNKNOWN, 0.0, np.inf
    for price in close.tolist():
        high, low = max(high, price), min(low, price)
        if code != BEARISH and price <= high * (1 - fall):
            code, low = BEARISH, price
        elif code != BULLISH and price >= low * (1 + rise):
            code, high = BULLISH, price
        codes.append(code)
    return np.array(codes, np.int64)
