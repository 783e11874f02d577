"""The kinds of plugin: each is one method to write."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, TypeAlias

from windtunnel.market import Market
from windtunnel.plugin.base import Plugin
from windtunnel.values import (
    Evaluation,
    Exposure,
    Forecast,
    Orders,
    Outcomes,
    Patterns,
    Regimes,
    Request,
    Scores,
    Search,
    SearchSpace,
    SignalFeatures,
    Table,
)

__all__ = [
    "KINDS",
    "DataSource",
    "LearnedStrategy",
    "Model",
    "Optimizer",
    "PatternDetector",
    "RegimeModel",
    "SignalScorer",
    "State",
    "Strategy",
    "VolatilityModel",
    "title",
]

State: TypeAlias = Mapping[str, Any] | None
"""What a model has learned: arrays, scalars and allow-listed scikit-learn estimators; None for nothing."""


class Strategy(Plugin):
    """Says what to hold.

    >>> class SmaCross(Strategy):
    ...     '''Long while the fast average is above the slow one.'''
    ...     name = "sma_cross_example"
    ...     def exposure(self, market):
    ...         return market.sma(10) > market.sma(50)
    """

    kind: ClassVar[str] = "strategy"

    @abstractmethod
    def exposure(self, market: Market) -> Exposure | Orders:
        """Return the wanted exposure at the close of every bar, from what is known then.

        Returns
        -------
        array of bool, int8 or float64, ``[T, N]``, or Orders
            1 is fully long, -1 fully short, 0 flat; NaN keeps the units held.
        """


class LearnedStrategy(Plugin):
    """A strategy that learns from the past before it says what to hold; fits the same slot as Strategy."""

    kind: ClassVar[str] = "strategy"

    @abstractmethod
    def fit(self, market: Market, evaluate: Callable[..., Evaluation]) -> State:
        """Learn from ``market``, which ends before the bars that the state will be used on.

        ``evaluate(strategy)`` backtests a candidate on that market under the experiment's own rules;
        ``evaluate(strategy, part)`` on a part of it, such as ``market.select([symbol])``.
        """

    @abstractmethod
    def exposure(self, market: Market, state: State) -> Exposure | Orders:
        """Return the wanted exposure as :meth:`Strategy.exposure` does; only the bars asked for are kept."""


class Model(Plugin):
    """Base of the kinds that may learn from the market: override ``fit`` to do so."""

    kind: ClassVar[str] = ""

    @property
    def learns(self) -> bool:
        """Whether the model overrides ``fit``; one that does not is asked once, with state None."""
        (base,) = KINDS[self.kind]
        return getattr(type(self), "fit", None) is not getattr(base, "fit", None)


class PatternDetector(Model):
    """Finds chart patterns."""

    kind: ClassVar[str] = "patterns"

    def fit(self, market: Market) -> State:
        """Return what is learned from ``market``, which ends before the bars that the state is used on."""
        return None

    @abstractmethod
    def detect(self, market: Market, state: State) -> Patterns:
        """Return the patterns found, each with the bar at whose close it was confirmed."""


class RegimeModel(Model):
    """Names the state of the market."""

    kind: ClassVar[str] = "regime"

    def fit(self, market: Market) -> State:
        """Return what is learned from ``market``, which ends before the bars that the state is used on."""
        return None

    @abstractmethod
    def predict(self, market: Market, state: State) -> Regimes:
        """Return the probability of each regime at every bar, from what is known at its close."""


class VolatilityModel(Model):
    """Forecasts volatility."""

    kind: ClassVar[str] = "volatility"

    def fit(self, market: Market, horizon: int) -> State:
        """Return what is learned from ``market``, which ends before the bars that the state is used on.

        Volatility over ``horizon`` bars is what will be asked for.
        """
        return None

    @abstractmethod
    def forecast(self, market: Market, state: State, horizon: int) -> Forecast:
        """Return the forecast of realised volatility over the ``horizon`` bars after every bar."""


class SignalScorer(Plugin):
    """Judges a strategy's entries."""

    kind: ClassVar[str] = "scorer"

    @abstractmethod
    def fit(self, features: SignalFeatures, outcomes: Outcomes) -> State:
        """Return what is learned from past signals, all of whose outcomes are known.

        None abstains: there is nothing to be learned from these.
        """

    @abstractmethod
    def score(self, features: SignalFeatures, state: State) -> Scores:
        """Return the scores of later signals; never called with a state of None."""


class DataSource(Plugin):
    """Provides market data."""

    kind: ClassVar[str] = "data"

    @abstractmethod
    def load(self, request: Request) -> Table:
        """Return the data as they are; the framework checks, repairs, cuts and resamples them."""


class Optimizer(Plugin):
    """Proposes parameters to try."""

    kind: ClassVar[str] = "optimize"
    adaptive: ClassVar[bool] = True
    """Whether what it asks for depends on what it was told."""
    ends: ClassVar[bool] = False
    """Whether it is over when there is nothing left to ask for."""

    @abstractmethod
    def start(self, space: SearchSpace, seed: int, objectives: int = 1) -> Search:
        """Begin a search for points of ``space`` at which every objective is high.

        The same space and seed, told the same, ask for the same.
        """


KINDS: Mapping[str, tuple[type[Plugin], ...]] = {
    "strategy": (Strategy, LearnedStrategy),
    "patterns": (PatternDetector,),
    "regime": (RegimeModel,),
    "volatility": (VolatilityModel,),
    "scorer": (SignalScorer,),
    "data": (DataSource,),
    "optimize": (Optimizer,),
}
"""The base classes of each kind; the key is the slot in the YAML."""


def title(kind: str) -> str:
    """Return what people call a kind: ``data source`` for ``data``."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", KINDS[kind][0].__name__).lower()
