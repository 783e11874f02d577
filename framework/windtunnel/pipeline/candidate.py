"""Parameters become plugins: everything that decides, in one value."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Generic, TypeVar

from windtunnel.errors import InvalidValueError
from windtunnel.learn import Barriers
from windtunnel.pipeline.sections import (
    GateSection,
    OutcomeSection,
    PatternsSection,
    RegimeSection,
    ReliabilitySection,
    ScorerSection,
    SizingSection,
    StrategySection,
    VolatilitySection,
)
from windtunnel.plugin import (
    LearnedStrategy,
    PatternDetector,
    RegimeModel,
    SignalScorer,
    Strategy,
    VolatilityModel,
)
from windtunnel.values import Rules

__all__ = ["Candidate", "Part"]

P = TypeVar("P")
S = TypeVar("S")


@dataclass(frozen=True)
class Part(Generic[P, S]):
    """A plugin with the framework's settings for it."""

    plugin: P
    section: S


@dataclass(frozen=True)
class Candidate:
    """One complete way to trade: the plugins, how they act together, and the rules of the account."""

    strategy: Part[Strategy | LearnedStrategy, StrategySection]
    rules: Rules = field(default_factory=Rules)
    sizing: SizingSection = field(default_factory=SizingSection)
    gate: GateSection | None = None
    volatility: Part[VolatilityModel, VolatilitySection] | None = None
    regime: Part[RegimeModel, RegimeSection] | None = None
    patterns: tuple[Part[PatternDetector, PatternsSection], ...] = ()
    reliability: Part[SignalScorer, ReliabilitySection] | None = None
    scorer: Part[SignalScorer, ScorerSection] | None = None

    def __post_init__(self) -> None:
        if self.gate is not None and self.gate.regime is not None and self.regime is None:
            raise InvalidValueError("gate.regime", "needs a regime model", self.gate.regime)
        if self.gate is not None and self.gate.pattern is not None and not self.patterns:
            raise InvalidValueError("gate.pattern", "needs a pattern detector", self.gate.pattern)
        if self.reliability is not None and not self.patterns:
            name = self.reliability.plugin.name
            raise InvalidValueError("reliability", "needs a pattern detector", name)
        if self.sizing.target_volatility is not None and self.volatility is None:
            rule = "needs a volatility model"
            raise InvalidValueError("sizing.target_volatility", rule, self.sizing.target_volatility)

    @property
    def pattern_barriers(self) -> Barriers:
        """What says how a pattern ended."""
        outcome = OutcomeSection() if self.reliability is None else self.reliability.section.outcome
        return outcome.barriers

    @property
    def acts_alone(self) -> bool:
        """Whether nothing stands between the strategy and its orders, or could be read by it."""
        return not (self.gate or self.volatility or self.regime or self.patterns or self.scorer)
