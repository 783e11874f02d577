"""Models that read the future: of volatility, regimes, patterns and signals."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pandas as pd
from causality_cases import COSTS, Calm, Trend, UpDays, WinRate, patterns_at, scores, two_regimes
from leak_catalogue import Leak

from windtunnel.market import Market
from windtunnel.pipeline import Candidate, Part
from windtunnel.pipeline.sections import (
    PatternsSection,
    RegimeSection,
    ScorerSection,
    StrategySection,
    VolatilitySection,
)
from windtunnel.plugin import PatternDetector, RegimeModel, SignalScorer, VolatilityModel
from windtunnel.values import Forecast, Patterns, Regimes, Scores

SCHEDULE: dict[str, Any] = {"first": 100, "refit": 80}


def beside(plugin: Any) -> Candidate:
    """A clean strategy with one model."""
    alone = Candidate(Part(Trend(), StrategySection(use="trend")), rules=COSTS)
    parts: dict[str, Any] = {
        "volatility": lambda: Part(plugin, VolatilitySection(use="v", interval="model", **SCHEDULE)),
        "regime": lambda: Part(plugin, RegimeSection(use="r", **SCHEDULE)),
        "patterns": lambda: (Part(plugin, PatternsSection(use="p", **SCHEDULE)),),
        "scorer": lambda: Part(plugin, ScorerSection(use="s", min_outcomes=3, **SCHEDULE)),
    }
    return Candidate(**{**vars(alone), plugin.kind: parts[plugin.kind]()})


def leak(plugin: Any, **options: Any) -> Leak:
    return Leak(plugin.name, str(type(plugin).__doc__), plugin.kind, beside(plugin), **options)


class Realised(VolatilityModel):
    """Forecasts the volatility that comes."""

    name = "realised_volatility"

    def forecast(self, market: Market, state: Any, horizon: int) -> Forecast:
        mean = np.full(market.shape, np.nan)
        mean[:-5] = market.rolling_volatility(5)[5:]
        return Forecast(mean, mean, mean, horizon)


class WholeLevel(VolatilityModel):
    """Returns to the mean volatility of all bars."""

    name = "whole_level"

    def forecast(self, market: Market, state: Any, horizon: int) -> Forecast:
        now = market.rolling_volatility(20)
        mean = 0.5 * now + 0.5 * np.nanmean(now, axis=0)
        return Forecast(mean, mean, mean, horizon)


class Quantile(RegimeModel):
    """Calls the volatility high that exceeds the median of all bars."""

    name = "whole_quantile"

    def predict(self, market: Market, state: Any) -> Regimes:
        volatility = market.rolling_volatility(20)
        return two_regimes(volatility, volatility > np.nanquantile(volatility, 0.5, axis=0))


class Smoothed(RegimeModel):
    """Smooths the states of a hidden Markov chain forward and backward, instead of filtering them."""

    name = "smoothed_markov"

    def predict(self, market: Market, state: Any) -> Regimes:
        returns = np.nan_to_num(market.log_returns())
        wild = np.stack([smoothed(column) for column in returns.T], axis=1)
        return Regimes(("calm", "wild"), np.stack([1 - wild, wild], axis=2))


def smoothed(returns: Any, low: float = 0.01, high: float = 0.02, stay: float = 0.97) -> Any:
    """Return the probability of the wild one of two states, given all returns."""
    density = np.exp(-0.5 * (returns[:, None] / [low, high]) ** 2) / [low, high]
    moves = np.array([[stay, 1 - stay], [1 - stay, stay]])
    forward, backward = np.ones_like(density), np.ones_like(density)
    for bar in range(1, len(density)):
        forward[bar] = density[bar] * (forward[bar - 1] @ moves)
        forward[bar] /= forward[bar].sum()
    for bar in range(len(density) - 2, -1, -1):
        backward[bar] = moves @ (density[bar + 1] * backward[bar + 1])
        backward[bar] /= backward[bar].sum()
    both = forward * backward
    return both[:, 1] / both.sum(axis=1)


class RestOfTheFold(Calm):
    """Learns on its schedule, and then compares with the last bars of the market that it is asked about."""

    name = "rest_of_the_fold"

    def predict(self, market: Market, state: Any) -> Regimes:
        volatility = market.rolling_volatility(20)
        return two_regimes(volatility, volatility > np.nanmean(volatility[-15:], axis=0))


class BehindTheFit(Calm):
    """Learns from the array that the view of the training bars is cut from."""

    name = "fitted_behind_the_view"

    def fit(self, market: Market) -> Any:
        known = market.close
        whole = known if known.base is None else known.base
        return {"median": 0.24 * (1 + (whole[-1, 0] > whole[0, 0])) / (1 + whole.max() / 500)}


class Clusters(RegimeModel):
    """Clusters all bars at once."""

    name = "kmeans_on_all"

    def predict(self, market: Market, state: Any) -> Regimes:
        volatility = market.rolling_volatility(20)
        known = np.nan_to_num(volatility, nan=0.2)
        low, high = known.min(), known.max()
        for _ in range(20):
            wild = np.abs(known - high) < np.abs(known - low)
            low, high = known[~wild].mean(), known[wild].mean()
        return two_regimes(volatility, wild)


class Drawdown(RegimeModel):
    """Calls wild what is followed by a fall of 5 % within a month."""

    name = "future_drawdown"

    def predict(self, market: Market, state: Any) -> Regimes:
        ahead = pd.DataFrame(market.low)[::-1].rolling(20, min_periods=1).min()[::-1].to_numpy()
        return two_regimes(market.close, ahead < 0.95 * market.close)


class Pivots(PatternDetector):
    """Confirms a low at its own bar, where it is known three bars later."""

    name = "future_pivot"

    def detect(self, market: Market, state: Any) -> Patterns:
        return patterns_at(market.low == pd.DataFrame(market.low).rolling(7, center=True).min().to_numpy(), 3)


class Unfinished(PatternDetector):
    """Confirms three rising closes at the first of them."""

    name = "confirmed_too_early"

    def detect(self, market: Market, state: Any) -> Patterns:
        up = market.returns() > 0
        early = np.zeros_like(up)
        early[:-2] = up[:-2] & up[1:-1] & up[2:]
        return patterns_at(early, 0)


class MovedTarget(UpDays):
    """Moves its target to the highest high that was reached."""

    name = "moved_target"

    def detect(self, market: Market, state: Any) -> Patterns:
        found = super().detect(market, state)
        found.target[:] = market.high.max(axis=0)[found.symbol]
        return found


class Rare(PatternDetector):
    """Drops the patterns that a fall by a third follows, which happens never or once."""

    name = "rare_event"

    def detect(self, market: Market, state: Any) -> Patterns:
        up = market.returns() > 0
        crash = np.zeros_like(up)
        crash[:-1] = market.close[1:] < 0.67 * market.close[:-1]
        return patterns_at(up & ~crash, 0)


class Outcome(SignalScorer):
    """Looks up whether a signal of the same bar won, in what it was given to learn from, and in the bars."""

    name = "outcome_among_features"
    seen: ClassVar[dict[tuple[int, int], float]] = {}

    def fit(self, features: Any, outcomes: Any) -> Any:
        places = zip(features.bar, features.symbol, strict=True)
        self.seen.update(zip(places, outcomes.won * 1.0, strict=True))
        return {"rate": outcomes.won.mean()}

    def score(self, features: Any, state: Any) -> Scores:
        at = zip(features.bar, features.symbol, strict=True)
        return scores(np.array([self.seen.get(place, 0.5) for place in at]), features)


class Ranking(WinRate):
    """Ranks the signals of a fold among each other."""

    name = "rank_within_the_fold"

    def score(self, features: Any, state: Any) -> Scores:
        rank = features.values[:, 0].argsort().argsort()
        return scores(rank / max(len(rank), 1), features)


class Scaled(WinRate):
    """Scales features by mean and deviation of all signals that it is asked about."""

    name = "scaled_within_the_fold"

    def score(self, features: Any, state: Any) -> Scores:
        column = np.nan_to_num(features.values[:, 5])
        return scores(0.5 + 0.2 * (column - column.mean()) / (column.std() + 1e-9), features)


class Hoarding(WinRate):
    """Takes the model that was learned from the most signals, in whatever run."""

    name = "models_of_other_runs"
    models: ClassVar[dict[int, Any]] = {}

    def fit(self, features: Any, outcomes: Any) -> Any:
        self.models[len(features)] = outcomes.won.mean()
        return {"rate": self.models[max(self.models)]}


realised, whole_level = leak(Realised()), leak(WholeLevel())
quantile, smoothed_markov, rest_of_the_fold = leak(Quantile()), leak(Smoothed()), leak(RestOfTheFold())
behind_the_fit, kmeans_on_all, drawdown = leak(BehindTheFit()), leak(Clusters()), leak(Drawdown())
pivots, unfinished, moved_target = leak(Pivots()), leak(Unfinished()), leak(MovedTarget())
rare = leak(Rare(), only="halved")
outcome, ranking, scaled, hoarding = leak(Outcome()), leak(Ranking()), leak(Scaled()), leak(Hoarding())
