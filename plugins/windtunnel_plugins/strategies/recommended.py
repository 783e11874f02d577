"""The strategy that suits the market."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Literal

import numpy as np
from annotated_types import Ge, Gt, Le, Lt
from pydantic import Field, field_validator

from windtunnel.errors import InvalidValueError, nearest
from windtunnel.features import NAMES
from windtunnel.market import Market
from windtunnel.plugin import LearnedStrategy, State, Strategy
from windtunnel.values import Evaluation, IntArray, Orders, Tune
from windtunnel.values.ranking import RankedOrders, Ranking
from windtunnel_plugins.strategies._conditions import WARMUP, Conditions, conditions, decisions, outcomes
from windtunnel_plugins.strategies._expectation import expect, fit_forest, fit_table
from windtunnel_plugins.strategies._following import follow, held, labels, latest_decision, reasons, spread
from windtunnel_plugins.strategies.bollinger_rsi import BollingerRsi
from windtunnel_plugins.strategies.donchian import Donchian
from windtunnel_plugins.strategies.momentum import Momentum
from windtunnel_plugins.strategies.sma_cross import SmaCross

__all__ = ["Recommended"]


class Recommended(LearnedStrategy):
    r"""Follows, of several strategies, the one from which most is expected in the present market.

    Notes
    -----
    Every ``every`` of a symbol's bars a decision is due. The net return of candidate k over the ``ahead``
    bars after a decision at bar t, from a backtest of the candidate on the symbol alone under the
    experiment's own costs, is measured in deviations:

    .. math:: y_k = \sum_{i=1}^{h} r_{k,t+i} \Big/ \left(\sigma_t \sqrt h\right)

    with σ the root of the mean squared log return of 24 bars. Its mean, given the conditions, is estimated
    from past decisions of all symbols whose outcome is known, and with it the probability that k does best
    (a tie is shared) and that it loses. ``forest``: one random forest (Breiman 2001, Machine Learning 45)
    with all of these as targets; conditions are ``features``, the probabilities of the regimes where a regime
    model is configured, and what each candidate holds; a missing one takes its median. ``table``: the means
    in each regime, weighted by probability. Choosing among algorithms by what is expected of each under given
    features is Rice's (1976) selection problem, Advances in Computers 15.

    The first decision takes the highest expected return; a later one changes only for more than ``margin``.
    Without an opinion (constant prices, a regime not known to the table) what is followed stays. Before the
    first decision the strategy is flat. A candidate that compares symbols is judged on each alone.
    """

    name = "recommended"

    candidates: Annotated[tuple[Strategy, ...], Field(min_length=2)] = (
        SmaCross(),
        Momentum(),
        Donchian(),
        BollingerRsi(),
    )
    """The strategies to choose from, each written as {use, params}."""
    method: Literal["forest", "table"] = "forest"
    """How expectations are learned; ``table`` needs a regime model."""
    ahead: Annotated[int, Ge(1), Le(1_000), Tune(5, 63)] = 21
    """Bars over which a candidate's return counts."""
    every: Annotated[int, Ge(1), Le(1_000), Tune(1, 21)] = 3
    """Bars between two decisions."""
    margin: Annotated[float, Ge(0), Le(1), Tune(0.0, 0.02)] = 0.002
    """Expected return over ``ahead`` bars, as a fraction, that a change must add."""
    features: tuple[str, ...] = (
        "volatility_6",
        "volatility_24",
        "volatility_percentile",
        "range",
        "momentum_21",
        "momentum_63",
        "momentum_126",
        "distance_200",
        "trend_strength",
        "adx_14",
        "bollinger_position",
    )
    """Features of the market to go by, of those in ``market.features()``."""
    trees: Annotated[int, Ge(1), Le(10_000)] = 100
    """Trees of the forest."""
    leaf: Annotated[float, Gt(0), Lt(0.5), Tune(0.005, 0.1, log=True)] = 0.02
    """Least share of the decisions in a leaf."""
    most: Annotated[int, Ge(100)] = 10_000
    """Most decisions to learn from; of more, evenly spaced ones are taken."""
    least: Annotated[int, Ge(2)] = 100
    """Fewest decisions to learn from; with fewer the strategy stays flat."""
    seed: Annotated[int, Ge(0)] = 0
    """The same seed gives the same forest."""

    @field_validator("features")
    @classmethod
    def _exist(cls, features: tuple[str, ...]) -> tuple[str, ...]:
        for name in features:
            if name not in NAMES:
                hint = nearest(name, NAMES)
                meant = f"; did you mean {hint}?" if hint else f": {', '.join(NAMES)}"
                raise InvalidValueError("features", f"must be names of features{meant}", name)
        return features

    @property
    def warmup(self) -> int:
        """Bars before all features, and all candidates' exposures, exist."""
        return max(WARMUP, *(candidate.warmup for candidate in self.candidates))

    def fit(self, market: Market, evaluate: Callable[..., Evaluation]) -> State:
        """Learn from every past decision whose outcome is known; None with fewer than ``least``."""
        bar, symbol = decisions(market, self.every, self.warmup)
        ended = outcomes(market, self.candidates, evaluate, self.ahead, bar, symbol)
        now = self._conditions(market, self._wanted(market), bar, symbol)
        usable = np.flatnonzero(ended.known & (now.scale > 0))
        if len(usable) < self.least:
            return None
        usable = usable[np.linspace(0, len(usable) - 1, min(self.most, len(usable))).astype(np.int64)]
        now, returns = Conditions(now.names, now.values[usable], now.scale[usable]), ended.returns[usable]
        if self.method == "table":
            return fit_table(now, returns, self.ahead)
        return fit_forest(now, returns, self.ahead, trees=self.trees, leaf=self.leaf, seed=self.seed)

    def exposure(self, market: Market, state: State) -> Orders:
        """Return the orders of whichever candidate is followed, with the ranking that says why."""
        wanted = self._wanted(market)
        ranking = self._rank(market, state, wanted)
        return RankedOrders(**held(wanted, ranking.chosen, market.bars.present), ranking=ranking)

    def rank(self, market: Market, state: State) -> Ranking:
        """Return what is expected of each candidate, for every bar and symbol."""
        return self._rank(market, state, self._wanted(market))

    def _rank(self, market: Market, state: State, wanted: tuple[Orders, ...]) -> Ranking:
        names = labels(self.candidates)
        bar, symbol = decisions(market, self.every, self.warmup)
        if state is None or not len(bar):
            return Ranking.unknown(names, self.ahead, wanted)
        now = self._conditions(market, wanted, bar, symbol)
        hoped = expect(now, state, self.ahead)
        chosen = follow(hoped.expected, symbol, self.margin)
        latest = latest_decision((bar, symbol), market.shape)
        return Ranking(
            names=names,
            ahead=self.ahead,
            chosen=np.where(latest >= 0, chosen[latest], -1),
            expected=spread(hoped.expected, latest),
            probability=spread(hoped.probability, latest),
            risk=spread(hoped.risk, latest),
            reasons=reasons(now, hoped, state, chosen, symbol, market.shape[1], names),
            wanted=wanted,
        )

    def _wanted(self, market: Market) -> tuple[Orders, ...]:
        said = [candidate.exposure(market) for candidate in self.candidates]
        wanted = tuple(one if isinstance(one, Orders) else Orders(one) for one in said)
        for orders in wanted:
            if orders.size != wanted[0].size:
                rule = f"must all mean the same by an exposure, such as {wanted[0].size}"
                raise InvalidValueError("candidates", rule, orders.size)
        return wanted

    def _conditions(
        self, market: Market, wanted: Sequence[Orders], bar: IntArray, symbol: IntArray
    ) -> Conditions:
        return conditions(market, self.features, wanted, bar, symbol)
