"""A candidate with some values changed: the same as if they had stood in the YAML."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import pytest
from annotated_types import Ge
from hypothesis import given
from hypothesis import strategies as st
from pydantic import model_validator

from windtunnel.errors import InvalidValueError
from windtunnel.pipeline import Candidate, Part
from windtunnel.pipeline.sections import (
    GateSection,
    NotIn,
    OutcomeSection,
    PatternsSection,
    RegimeSection,
    ReliabilitySection,
    ScorerSection,
    SizingSection,
    StrategySection,
    VolatilitySection,
)
from windtunnel.pipeline.variation import varied
from windtunnel.plugin import PatternDetector, RegimeModel, SignalScorer, Strategy, VolatilityModel
from windtunnel.values import Atr, Calendar, ConfigModel, Drift, Rules


class Costs(ConfigModel):
    rate: float = 0.0


class Pair(Strategy):
    name = "pair"
    fast: Annotated[int, Ge(2)] = 10
    slow: int = 50
    scale: float = 1.0
    since: date | None = None
    levels: tuple[float, ...] = (0.5, 1.0)
    costs: Costs = Costs()

    @model_validator(mode="after")
    def _ordered(self) -> Pair:
        if self.fast >= self.slow:
            raise ValueError("fast must be less than slow")
        return self

    def exposure(self, market):
        raise NotImplementedError


class Outer(Strategy):
    name = "outer"
    inner: Strategy = Pair()

    def exposure(self, market):
        raise NotImplementedError


class Shapes(PatternDetector):
    name = "shapes"
    width: int = 3

    def detect(self, market, state):
        raise NotImplementedError


class Calm(RegimeModel):
    name = "calm"
    window: int = 20

    def predict(self, market, state):
        raise NotImplementedError


class Flat(VolatilityModel):
    name = "flat"

    def forecast(self, market, state, horizon):
        raise NotImplementedError


class Judge(SignalScorer):
    name = "judge"
    penalty: float = 1.0

    def fit(self, features, outcomes):
        raise NotImplementedError

    def score(self, features, state):
        raise NotImplementedError


BARE = Candidate(Part(Pair(), StrategySection(use="pair")))
FULL = Candidate(
    strategy=Part(Pair(), StrategySection(use="pair")),
    rules=Rules(stop_loss=Atr(atr=2.0)),
    gate=GateSection(regime=NotIn(**{"not": ("wild",)}), within=5),
    volatility=Part(Flat(), VolatilitySection(use="flat")),
    regime=Part(Calm(), RegimeSection(use="calm")),
    patterns=(
        Part(Shapes(), PatternsSection(use="shapes")),
        Part(Shapes(width=9), PatternsSection(use="shapes")),
    ),
    reliability=Part(Judge(), ReliabilitySection(use="judge")),
    scorer=Part(Judge(), ScorerSection(use="judge")),
)


def made(candidate: Candidate, **changes) -> Candidate:
    """Return the candidate; dots in the paths are written as __."""
    found = varied(candidate, {path.replace("__", "."): value for path, value in changes.items()})
    assert found is not None
    return found


def test_a_parameter_of_the_strategy_changes_and_nothing_else():
    found = made(FULL, strategy__params__fast=20)
    assert found.strategy.plugin == Pair(fast=20)
    assert found.strategy.section == FULL.strategy.section
    for name in ("rules", "sizing", "gate", "volatility", "regime", "patterns", "reliability", "scorer"):
        assert getattr(found, name) is getattr(FULL, name)
    assert FULL.strategy.plugin == Pair()


def test_every_component_can_change():
    found = made(
        FULL,
        regime__params__window=30,
        regime__of="benchmark",
        volatility__horizon=5,
        patterns__1__params__width=4,
        patterns__1__refit=21,
        reliability__params__penalty=2,
        scorer__threshold="base",
        scorer__outcome__horizon=7,
        sizing__target_volatility=0.1,
        gate__within=2,
        backtest__cash=5.0,
    )
    assert found.regime == Part(Calm(window=30), RegimeSection(use="calm", of="benchmark"))
    assert found.volatility.section.horizon == 5
    assert found.patterns[0] is FULL.patterns[0]
    assert found.patterns[1] == Part(Shapes(width=4), PatternsSection(use="shapes", refit=21))
    assert found.reliability.plugin == Judge(penalty=2.0)
    assert (found.scorer.section.threshold, found.scorer.plugin) == ("base", Judge())
    assert found.scorer.section.outcome == OutcomeSection(horizon=7)
    assert found.sizing == SizingSection(target_volatility=0.1)
    assert found.gate == GateSection(regime=NotIn(**{"not": ("wild",)}), within=2)
    assert found.rules == Rules(cash=5.0, stop_loss=Atr(atr=2.0))


def test_what_a_section_holds_changes_in_part_or_as_a_whole():
    assert made(BARE, backtest__stop_loss__atr=3).rules.stop_loss == Atr(atr=3.0)
    assert made(FULL, backtest__stop_loss__atr=3).rules.stop_loss == Atr(atr=3.0)
    assert made(FULL, backtest__stop_loss=0.1).rules.stop_loss == 0.1
    assert made(FULL, backtest__stop_loss=None).rules.stop_loss is None
    drift = made(BARE, backtest__rebalance__drift=0.1)
    assert drift.rules.rebalance == Drift(drift=0.1)
    assert made(drift, backtest__rebalance__every=5).rules.rebalance == Calendar(every=5)
    assert made(BARE, strategy__params__costs__rate=0.5).strategy.plugin.costs == Costs(rate=0.5)


def test_a_plugin_that_is_a_parameter_changes_too():
    outer = Candidate(Part(Outer(inner=Pair(slow=90)), StrategySection(use="outer")))
    found = made(outer, strategy__params__inner__params__fast=60)
    assert found.strategy.plugin == Outer(inner=Pair(fast=60, slow=90))
    assert varied(outer, {"strategy.params.inner.params.fast": 91}) is None


def test_yaml_s_stand_ins_are_taken():
    found = made(BARE, strategy__params__since="2008-09-15", strategy__params__levels=[1, 0.5])
    assert (found.strategy.plugin.since, found.strategy.plugin.levels) == (date(2008, 9, 15), (1.0, 0.5))
    assert made(BARE, strategy__params__scale=2).strategy.plugin.scale == 2.0


@pytest.mark.parametrize(
    "point",
    [
        {"strategy.params.fast": 50},
        {"strategy.params.fast": 30, "strategy.params.slow": 20},
        {"strategy.params.fast": 1},
        {"strategy.params.fast": "ten"},
        {"strategy.params.fast": True},
        {"strategy.params.since": "2008-02-30"},
        {"backtest.stop_loss": 1.5},
        {"backtest.stop_loss.atr": -1},
        {"scorer.threshold": 1.0},
        {"scorer.threshold": "bse"},
        {"sizing.fraction": 1.5},
        {"sizing.risk": 0.1, "sizing.equal": True},
        {"sizing.fixed_units": 3.0, "backtest.rebalance.drift": 0.1},
        {"volatility.stops": "forecast", "backtest.stop_loss": 0.1},
        {"reliability.outcome.label": "trade"},
    ],
    ids=str,
)
def test_what_a_rule_forbids_is_none(point):
    assert varied(FULL, point) is None


def test_rules_between_sections_allow_what_is_legal_together():
    assert made(FULL, sizing__fraction=1.5, backtest__leverage=2.0).sizing.fraction == 1.5
    assert made(FULL, volatility__stops="forecast").volatility.section.stops == "forecast"
    assert varied(BARE, {"sizing.target_volatility": 0.1}) is None


@pytest.mark.parametrize(
    ("point", "said"),
    [
        ({"strategy.params.fats": 3}, "strategy.params.fats: is not a value of this candidate; did you mean "
         "strategy.params.fast?"),
        ({"strategy.params.fast.x": 3}, "strategy.params.fast.x: is not a value"),
        ({"strategy.params": 3}, "strategy.params: holds several values"),
        ({"strategy.use": "x"}, "strategy.use: cannot be changed"),
        ({"strategy": 3}, "strategy: holds several values"),
        ({"strategi.params.fast": 3}, "strategi: is not a value of this candidate; did you mean strategy?"),
        ({"data.start": 3}, "data: is not a value"),
        ({"backtest.stop_los": 3}, "did you mean backtest.stop_loss?"),
        ({"backtest.stop_loss.art": 3}, "did you mean backtest.stop_loss.atr?"),
        ({"scorer.threshold": 0.5}, "scorer.threshold: needs a scorer section"),
        ({"gate.within": 5}, "gate.within: needs a gate section"),
        ({"patterns.0.params.width": 5}, "patterns.0: is not a value"),
        ({"backtest.stop_loss": 0.1, "backtest.stop_loss.atr": 2}, "cannot be changed together with"),
        ({"backtest.stop_loss.atr": 2, "backtest.stop_loss": 0.1}, "cannot be changed together with"),
    ],
)  # fmt: skip
def test_a_path_that_leads_nowhere_says_so(point, said):
    with pytest.raises(InvalidValueError) as caught:
        varied(BARE, point)
    assert said in str(caught.value)


def test_a_plugin_that_is_a_parameter_needs_its_params_named():
    outer = Candidate(Part(Outer(), StrategySection(use="outer")))
    with pytest.raises(InvalidValueError, match=r"strategy\.params\.inner\.fast: is not a value"):
        varied(outer, {"strategy.params.inner.fast": 3})


@given(st.integers(0, 60), st.integers(0, 60))
def test_it_is_legal_exactly_where_the_plugin_is(fast, slow):
    found = varied(BARE, {"strategy.params.fast": fast, "strategy.params.slow": slow})
    if 2 <= fast < slow:
        assert found is not None
        assert found.strategy.plugin == Pair(fast=fast, slow=slow)
    else:
        assert found is None
