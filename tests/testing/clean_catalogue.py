"""Plugins that keep to the past: all that ship, and ways of computing that look like leaks and are none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from causality_cases import (
    BARS,
    Calm,
    Ewma,
    Trend,
    UpDays,
    WinRate,
    patterns_at,
    random_bars,
    strategy,
    whole,
)
from leak_catalogue import CUTS, HOST
from leaks_in_models import beside

from windtunnel.bars import Bars
from windtunnel.market import Market
from windtunnel.pipeline import Candidate, Part
from windtunnel.pipeline.sections import StrategySection
from windtunnel.plugin import LearnedStrategy, Model, Strategy
from windtunnel.testing import Verification, verify
from windtunnel.values import Orders, Rules

__all__ = ["Clean", "clean"]

ROUGH = random_bars(columns=3, rough=True)
SHORT = random_bars(300, 2, seed=8)
KINDS = ("strategy", "volatility", "regime", "patterns", "scorer")
SMALLER: dict[str, dict[str, Any]] = {
    "boosting": {"folds": 2},
    "forest": {"trees": 10},
    "ensemble": {"members": (HOST.plugin("volatility", "ewma")(), HOST.plugin("volatility", "har")())},
    "hidden_markov": {"restarts": 2, "steps": 20},
}
"""Parameters that make a plugin fast, where they exist."""


@dataclass(frozen=True)
class Clean:
    """A pipeline that must raise no alarm."""

    name: str
    candidate: Candidate
    bars: Bars = BARS

    def verified(self) -> Verification:
        """Verify it."""
        return verify(self.bars, self.candidate, cuts=CUTS, host=HOST, benchmark="A")


def shipped() -> Iterator[Clean]:
    """Yield every plugin that ships, with its default parameters but for the size of what is learned."""
    for kind in KINDS:
        for name in HOST.names(kind):
            cls = HOST.plugin(kind, name)
            if "windtunnel_plugins" not in cls.__module__:
                continue
            given = {key: value for key, value in SMALLER.get(name, {}).items() if key in cls.model_fields}
            plugin = cls(**given) if given else cls.example()
            if kind == "strategy":
                section = StrategySection(use=name, first=200, refit=200)
                yield Clean(f"{kind} {name}", Candidate(Part(plugin, section)), BARS)
            else:
                learns = isinstance(plugin, Model) and plugin.learns
                yield Clean(f"{kind} {name}", beside(plugin), SHORT if learns or kind == "scorer" else BARS)


CAUSAL: dict[str, Callable[[Market], Any]] = {}


def causal(function: Callable[[Market], Any]) -> Callable[[Market], Any]:
    CAUSAL[function.__name__] = function
    return function


@causal
def expanding_mean(market: Market) -> Any:
    return market.close > pd.DataFrame(market.close).expanding().mean().to_numpy()


@causal
def expanding_rank(market: Market) -> Any:
    return pd.DataFrame(market.close).expanding().rank(pct=True).to_numpy() > 0.7


@causal
def expanding_scale(market: Market) -> Any:
    frame = pd.DataFrame(market.returns())
    return ((frame - frame.expanding().mean()) / frame.expanding().std() > 1).to_numpy()


@causal
def highest_so_far(market: Market) -> Any:
    return market.close >= 0.97 * np.maximum.accumulate(market.close, axis=0)


@causal
def shifted_back(market: Market) -> Any:
    return pd.DataFrame(market.close).shift(1).to_numpy() > market.sma(10)


@causal
def forward_filled(market: Market) -> Any:
    monthly = np.where(np.arange(len(market.bars))[:, None] % 20 == 0, market.close, np.nan)
    return market.close > pd.DataFrame(monthly).ffill().to_numpy()


@causal
def exponential(market: Market) -> Any:
    return market.close > market.ema(20)


@causal
def recursive_filter(market: Market) -> Any:
    from scipy.signal import lfilter

    return market.close > lfilter([0.1], [1.0, -0.9], market.close, axis=0)


@causal
def longer_bars(market: Market) -> Any:
    return market.close > market.at("1w").sma(4)


@causal
def across_symbols(market: Market) -> Any:
    change = market.roc(20)
    return change >= np.max(np.nan_to_num(change, nan=-1.0), axis=1, keepdims=True)


@causal
def integers(market: Market) -> Any:
    return np.sign(np.nan_to_num(market.close - market.sma(10))).astype(np.int8)


@causal
def keeping(market: Market) -> Any:
    return np.where(np.arange(len(market.bars))[:, None] % 5 == 0, market.close > market.sma(10), np.nan)


@causal
def weights(market: Market) -> Any:
    return np.nan_to_num(np.clip(0.1 / market.rolling_volatility(20), 0, 1))


@causal
def with_stops(market: Market) -> Any:
    return Orders(
        market.close > market.sma(10), exit_stop=0.95 * market.close, exit_target=1.1 * market.close
    )


@causal
def with_limits(market: Market) -> Any:
    return Orders(market.close < market.sma(10), entry_limit=0.99 * market.close)


@causal
def risk_sized(market: Market) -> Any:
    return Orders(0.01 * (market.close > market.sma(10)), size="risk", exit_stop=0.95 * market.close)


@causal
def calendar(market: Market) -> Any:
    month = market.bars.time.astype("datetime64[M]").astype(int) % 12
    return np.repeat((month > 5)[:, None], market.shape[1], axis=1)


@causal
def counted_from_the_start(market: Market) -> Any:
    return np.repeat((np.arange(len(market.bars)) % 7 < 3)[:, None], market.shape[1], axis=1)


@causal
def seeded_lots(market: Market) -> Any:
    return np.random.default_rng(3).random(market.shape) > 0.5


@causal
def feature(market: Market) -> Any:
    names = market.features().names
    return market.features().values[:, :, names.index("rsi_14")] < 0.5


@causal
def confirmed_pivots(market: Market) -> Any:
    low = pd.DataFrame(market.low)
    return (low.shift(3) == low.rolling(7).min()).to_numpy()


@causal
def loop(market: Market) -> Any:
    held, exposure = np.zeros(market.shape[1], bool), np.zeros(market.shape, bool)
    average = market.sma(10)
    for bar in range(len(market.bars)):
        held = np.where(
            market.close[bar] > 1.01 * average[bar], True, held & (market.close[bar] > average[bar])
        )
        exposure[bar] = held
    return exposure


class Choosing(LearnedStrategy):
    """The window that did best on the training bars."""

    name = "choosing"

    def fit(self, market: Market, evaluate: Any) -> Any:
        return {"window": int(max((5, 20), key=lambda w: evaluate(Trend(window=w))["sharpe"]))}

    def exposure(self, market: Market, state: Any) -> Any:
        return market.close > market.sma(state["window"])


class Stated(Strategy):
    """Above the average, from when there is one."""

    name = "stated"
    window: int = 50

    @property
    def warmup(self) -> int:
        return self.window - 1

    def exposure(self, market: Market) -> Any:
        return market.close > market.sma(self.window)


class Confirmed(UpDays):
    """Lows, known when three higher ones have followed."""

    name = "confirmed"

    def detect(self, market: Market, state: Any) -> Any:
        low = pd.DataFrame(market.low)
        return patterns_at((low.shift(3) == low.rolling(7).min()).to_numpy(), 3)


def clean() -> Iterator[Clean]:
    """Yield all pipelines that must raise no alarm."""
    yield from shipped()
    for name, exposure in CAUSAL.items():
        body: dict[str, Any] = {"name": name, "__module__": __name__}
        plugin = type(
            name, (Strategy,), body | {"exposure": lambda self, market, rule=exposure: rule(market)}
        )
        yield Clean(name, strategy(plugin()), ROUGH)
    section = StrategySection(use="choosing", first=100, refit=100)
    yield Clean("learned on schedule", Candidate(Part(Choosing(), section)))
    yield Clean("a warm-up that is stated", strategy(Stated()), ROUGH)
    for model in (Ewma(), Calm(), UpDays(), Confirmed(), WinRate()):
        yield Clean(f"{model.kind} {model.name}", beside(model), ROUGH)
    yield Clean("all kinds together", whole(), ROUGH)
    yield Clean("filled at the close", Candidate(**{**vars(whole()), "rules": Rules(fill="close")}), SHORT)
    yield Clean("stopped in ATRs", Candidate(**{**vars(strategy(Trend())), "rules": Rules(stop_loss=0.05)}))
