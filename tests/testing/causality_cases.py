"""Bars, and plugins of all kinds that keep to the past."""

from __future__ import annotations

from typing import Any

import numpy as np

from windtunnel.bars import Bars
from windtunnel.market import Market
from windtunnel.pipeline import Candidate, Part
from windtunnel.pipeline.sections import (
    GateSection,
    PatternsSection,
    RegimeSection,
    ScorerSection,
    SizingSection,
    StrategySection,
    VolatilitySection,
)
from windtunnel.plugin import (
    PatternDetector,
    RegimeModel,
    SignalScorer,
    Strategy,
    VolatilityModel,
)
from windtunnel.testing import Verification
from windtunnel.values import Forecast, Patterns, Regimes, Rules, Scores

COSTS = Rules(fees=0.001, slippage=0.0005)


def random_bars(rows: int = 420, columns: int = 2, *, seed: int = 5, rough: bool = False) -> Bars:
    """Daily bars of a random walk; rough ones miss some bars, and the last symbol ends early."""
    random = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(random.normal(0.0003, 0.015, (rows, columns)), axis=0))
    open = np.vstack([close[:1], close[:-1]]) * np.exp(random.normal(0, 0.003, close.shape))
    high, low = np.maximum(open, close) * 1.004, np.minimum(open, close) * 0.996
    volume = random.uniform(1e5, 2e5, close.shape)
    if rough:
        missing = random.random(close.shape) < 0.05
        missing[rows * 3 // 4 :, -1] = True
        for field in (open, high, low, close, volume):
            field[missing] = np.nan
    present = ~np.isnan(close)
    time = np.datetime64("2015-01-01", "ns") + np.arange(rows) * np.timedelta64(1, "D")
    fields = (np.asfortranarray(field) for field in (open, high, low, close, volume))
    return Bars(time, tuple("ABCDEF"[:columns]), *fields, rows - 1 - present[::-1].argmax(axis=0))


BARS = random_bars()


class Trend(Strategy):
    """Long above the average: clean."""

    name = "trend"
    window: int = 10

    def exposure(self, market: Market) -> Any:
        return market.close > market.sma(self.window)


class Ewma(VolatilityModel):
    """Rolling volatility: clean."""

    name = "rolling"

    def forecast(self, market: Market, state: Any, horizon: int) -> Forecast:
        mean = market.rolling_volatility(20)
        return Forecast(mean, 0.8 * mean, 1.2 * mean, horizon)


class Calm(RegimeModel):
    """Calm below the median volatility of what it learned from: clean."""

    name = "calm"

    def fit(self, market: Market) -> Any:
        return {"median": np.nanmedian(market.rolling_volatility(20))}

    def predict(self, market: Market, state: Any) -> Regimes:
        volatility = market.rolling_volatility(20)
        return two_regimes(volatility, volatility > state["median"])


class UpDays(PatternDetector):
    """Three rising closes, known at the third: clean."""

    name = "up_days"

    def detect(self, market: Market, state: Any) -> Patterns:
        up = market.returns() > 0
        return patterns_at(up & market.lag(up) & market.lag(up, 2), 2)


class WinRate(SignalScorer):
    """Every signal has the share of wins learned from, moved by its first feature: clean."""

    name = "win_rate"

    def fit(self, features: Any, outcomes: Any) -> Any:
        return {"rate": outcomes.won.mean()}

    def score(self, features: Any, state: Any) -> Scores:
        return scores(state["rate"] + 0.1 * np.nan_to_num(features.values[:, 0]) - 0.05, features)


def two_regimes(known: Any, wild: Any) -> Regimes:
    probabilities = np.stack([~wild, wild], axis=2).astype(float)
    probabilities[np.isnan(known)] = np.nan
    return Regimes(("calm", "wild"), probabilities)


def patterns_at(confirmed: Any, length: int) -> Patterns:
    bar, symbol = np.nonzero(confirmed)
    ones, nothing = np.ones(len(bar)), np.full(len(bar), np.nan)
    label = np.full(len(bar), "rise")
    direction = ones.astype(np.int64)
    first = np.maximum(bar - length, 0)
    return Patterns(symbol, label, first, bar, direction, ones, nothing, nothing, len(confirmed))


def scores(probability: Any, features: Any) -> Scores:
    return Scores(np.clip(probability, 0, 1), np.ones(len(features)), np.zeros(features.values.shape))


def strategy(plugin: Any, **sections: Any) -> Candidate:
    return Candidate(Part(plugin, StrategySection(use=plugin.name)), rules=COSTS, **sections)


def whole(**changed: Any) -> Candidate:
    """A candidate of all kinds, each clean unless changed."""
    chosen = {"volatility": Ewma(), "regime": Calm(), "patterns": (UpDays(),), "strategy": Trend()}
    chosen |= {"scorer": WinRate()} | changed
    short: dict[str, Any] = {"first": 100, "refit": 40}
    return Candidate(
        Part(chosen["strategy"], StrategySection(use="s", **short)),
        rules=COSTS,
        sizing=SizingSection(fraction=0.5, target_volatility=0.15),
        gate=GateSection(regime=("calm",), pattern="bullish", within=5),
        volatility=Part(chosen["volatility"], VolatilitySection(use="v", **short)),
        regime=Part(chosen["regime"], RegimeSection(use="r", **short)),
        patterns=tuple(Part(plugin, PatternsSection(use="p", **short)) for plugin in chosen["patterns"]),
        scorer=chosen["scorer"] and Part(chosen["scorer"], ScorerSection(use="c", min_outcomes=3, **short)),
    )


def blamed(verification: Verification) -> list[tuple[str, str]]:
    return [(finding.stage, finding.plugin) for finding in verification.findings]


class Tomorrow(Strategy):
    """Long where the next close is higher: a leak of one bar."""

    name = "tomorrow"

    def exposure(self, market: Market) -> Any:
        rises = np.zeros(market.shape, bool)
        rises[:-1] = market.close[1:] > market.close[:-1]
        return rises
