"""The sections of an experiment that say how the plugins act together."""

from __future__ import annotations

from typing import Annotated, Literal

from annotated_types import Ge, Gt, Lt
from pydantic import Field, model_validator

from windtunnel.learn.labels import Barriers
from windtunnel.learn.schedule import LearnedSection
from windtunnel.values import ConfigModel

__all__ = [
    "GateSection",
    "NotIn",
    "OutcomeSection",
    "PatternsSection",
    "RegimeSection",
    "ReliabilitySection",
    "ScorerSection",
    "SizingSection",
    "StrategySection",
    "VolatilitySection",
]


class OutcomeSection(ConfigModel):
    """What says how a signal ended: the triple barrier of López de Prado (2018, chapter 3), or the trade."""

    label: Literal["barriers", "trade"] = "barriers"
    """By the barriers below, or as the trade that the engine makes of the signal under the rules."""
    target: Annotated[float, Gt(0)] = 2.0
    """Upper barrier, in multiples of the volatility over the horizon as known at the signal."""
    stop: Annotated[float, Gt(0)] = 2.0
    """Lower barrier, in the same unit."""
    horizon: Annotated[int, Ge(1)] = 20
    """Bars until the outcome is taken as it stands."""

    @property
    def barriers(self) -> Barriers:
        """The barriers."""
        return Barriers(self.target, self.stop, self.horizon)


class StrategySection(LearnedSection):
    """What to hold; the schedule matters only to a strategy that learns."""


class RegimeSection(LearnedSection):
    """Which state the market is in."""

    of: Literal["symbol", "benchmark"] = "symbol"
    """Judge each symbol by its own bars, or all by the benchmark's."""


class PatternsSection(LearnedSection):
    """Which chart patterns there are."""


class VolatilitySection(LearnedSection):
    """How volatile the next bars will be."""

    horizon: Annotated[int, Ge(1)] = 1
    """Bars ahead."""
    interval: Literal["conformal", "model"] = "conformal"
    """Where low and high come from: the forecast's own past errors, or what the model says."""
    coverage: Annotated[float, Gt(0), Lt(1)] = 0.8
    """How often realised volatility should lie between low and high, where the interval is conformal."""
    stops: Literal["atr", "forecast"] = "atr"
    """What the rules mean by an ATR: the average true range, or the volatility that is forecast over the
    horizon, in price units; where the forecast abstains the former."""


class JudgedSection(LearnedSection):
    """What a scorer learns from."""

    min_outcomes: Annotated[int, Ge(2)] = 30
    """Least number of known outcomes to learn from; with fewer the scorer abstains."""
    outcome: OutcomeSection = OutcomeSection()
    """What counts as a win."""


class ReliabilitySection(JudgedSection):
    """Which patterns can be relied on: a scorer that learns from what patterns came to.

    Its barriers say, too, how earlier patterns of a type are counted to have ended.
    """


class ScorerSection(JudgedSection):
    """Which entries are worth taking."""

    threshold: Annotated[float, Ge(0), Lt(1)] | Literal["base"] = 0.6
    """Least probability of a win; ``base`` is the share of wins among the signals learned from."""
    act: Literal["skip", "scale", "none"] = "skip"
    """What to do with an entry: skip it below the threshold, scale every entry by its probability, or only
    report the scores."""


class NotIn(ConfigModel):
    """Any value but these."""

    not_: Annotated[tuple[str, ...], Field(alias="not", min_length=1)]
    """The values that are refused."""


class GateSection(ConfigModel):
    """Which entries are let through; a gate never closes a position."""

    regime: Annotated[tuple[str, ...], Field(min_length=1)] | NotIn | None = None
    """Regimes in which to enter, or ``{not: […]}``."""
    pattern: Literal["bullish", "bearish", "same", "not_opposite"] | None = None
    """Ask for a pattern confirmed within the last bars: bullish or bearish; one in the direction of the
    entry (same); or none against it (not_opposite)."""
    within: Annotated[int, Ge(0)] = 5
    """How many bars back a pattern counts."""

    @model_validator(mode="after")
    def _says_something(self) -> GateSection:
        if self.regime is None and self.pattern is None:
            raise ValueError("needs regime or pattern")
        return self


class SizingSection(ConfigModel):
    """How large a position is: weight = exposure × fraction × min(1, target ÷ forecast volatility)."""

    fraction: Annotated[float, Gt(0)] = 1.0
    """Weight of a full exposure, as a share of equity; at most ``backtest.leverage``."""
    equal: bool = False
    """Divide the weight by the number of symbols wanted on each bar."""
    target_volatility: Annotated[float, Gt(0)] | None = None
    """Annualised volatility to aim at; needs ``volatility``. Left out, the forecast has no say."""
    fixed_units: Annotated[float, Gt(0)] | None = None
    """Hold so many units for a full exposure, whatever they are worth."""
    risk: Annotated[float, Gt(0), Lt(1)] | None = None
    """Share of equity that a full exposure loses when its stop is hit; needs a stop."""

    @model_validator(mode="after")
    def _sizes_once(self) -> SizingSection:
        chosen = [name for name in ("equal", "fixed_units", "risk") if getattr(self, name)]
        if len(chosen) > 1:
            raise ValueError(f"takes only one of {' and '.join(chosen)}")
        return self

    @property
    def own_size(self) -> str | None:
        """Which setting says what a full exposure means; None where it stays a weight."""
        return "fixed_units" if self.fixed_units is not None else "risk" if self.risk is not None else None

    @property
    def is_default(self) -> bool:
        """Whether exposure is the weight as it is."""
        return self == SizingSection()
