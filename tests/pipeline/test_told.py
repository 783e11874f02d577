"""What the models say reaches the strategy, the scorer and the report as it was learned."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from windtunnel.bars import Bars
from windtunnel.errors import InvalidValueError
from windtunnel.market import Market
from windtunnel.pipeline import Candidate, Part, run
from windtunnel.pipeline.sections import (
    OutcomeSection,
    PatternsSection,
    ReliabilitySection,
    ScorerSection,
    StrategySection,
    VolatilitySection,
)
from windtunnel.plugin import PatternDetector, SignalScorer, State, Strategy, VolatilityModel
from windtunnel.values import (
    Atr,
    Exposure,
    Forecast,
    Orders,
    Outcomes,
    Patterns,
    Rules,
    Scores,
    SignalFeatures,
)

RISING = 20
"""Bars for which the price rises, then falls."""


class Blocks(Strategy):
    """Long for ten bars, flat for ten, with a stop and a target."""

    name = "blocks_told"
    guarded: bool = False
    """Whether orders carry stop and target."""

    def exposure(self, market: Market) -> Exposure | Orders:
        on = np.arange(len(market.time)) % RISING >= RISING // 2
        wanted = np.repeat(on[:, None], market.shape[1], axis=1)
        if not self.guarded:
            return wanted
        return Orders(wanted, exit_stop=market.close * 0.9, exit_target=market.close * 1.3)


class Corners(PatternDetector):
    """Says ``up`` where the price starts to rise, and calls the same ``wrong`` where it starts to fall."""

    name = "corners"

    def detect(self, market: Market, state: State) -> Patterns:
        bar = np.arange(RISING, len(market.bars), RISING)
        rises = (bar // RISING) % 2 == 0
        ones, unknown = np.ones(len(bar), np.int64), np.full(len(bar), np.nan)
        label = np.where(rises, "up", "wrong")
        real = np.full(len(bar), 0.5)
        return Patterns(0 * ones, label, bar - 1, bar, ones, real, unknown, unknown, len(market.bars))


class Share(SignalScorer):
    """Scores every signal by the share of wins that it was taught."""

    name = "share"

    def fit(self, features: SignalFeatures, outcomes: Outcomes) -> State:
        return {"share": float(np.average(outcomes.won, weights=outcomes.weight))}

    def score(self, features: SignalFeatures, state: State) -> Scores:
        assert state is not None
        n, width = features.values.shape
        return Scores(np.full(n, state["share"]), np.ones(n), np.zeros((n, width)))


class Steady(VolatilityModel):
    """Forecasts 10 % a year, whatever comes, and learns for how many bars ahead it is asked."""

    name = "steady"

    def fit(self, market: Market, horizon: int) -> State:
        return {"horizon": horizon}

    def forecast(self, market: Market, state: State, horizon: int) -> Forecast:
        assert state == {"horizon": horizon}
        mean = np.full(market.shape, 0.1)
        return Forecast(mean, mean, mean, horizon)


@pytest.fixture(scope="module")
def bars() -> Bars:
    """A price that rises for 20 bars and falls for 20, with little noise."""
    rng = np.random.default_rng(5)
    way = np.where((np.arange(800) // RISING) % 2 == 0, 0.01, -0.01)
    close = 100 * np.exp(np.cumsum(way + rng.normal(0, 0.002, 800)))[:, None]
    time = np.datetime64("2020-01-01") + np.arange(800)
    return Bars.from_arrays(time, close, symbols=["A"])


def strategy(plugin: Any) -> Part[Any, StrategySection]:
    return Part(plugin, StrategySection(use=plugin.name))


def detector() -> tuple[Part[Any, PatternsSection], ...]:
    return (Part(Corners(), PatternsSection(use="corners")),)


def test_patterns_count_how_earlier_ones_of_their_type_ended(bars: Bars) -> None:
    patterns = run(bars, Candidate(strategy(Blocks()), patterns=detector())).decision.patterns
    assert patterns is not None
    up, wrong = (patterns.take(patterns.type == name) for name in ("up", "wrong"))
    assert up.trials.tolist()[:4] == [0, 1, 2, 3]
    assert np.isnan(up.success[0])
    assert (up.success[1:] == 1.0).all()
    assert (wrong.success[2:] == 0.0).all()


def test_a_scorer_says_how_reliable_patterns_are(bars: Bars) -> None:
    section = ReliabilitySection(
        use="share", first=300, refit=100, min_outcomes=5, outcome=OutcomeSection(target=1, stop=1, horizon=5)
    )
    candidate = Candidate(strategy(Blocks()), patterns=detector(), reliability=Part(Share(), section))
    patterns = run(bars, candidate).decision.patterns
    assert patterns is not None
    before, after = patterns.confirmed < 300, patterns.confirmed >= 300
    assert (patterns.confidence[before] == 0.5).all()
    np.testing.assert_allclose(patterns.confidence[after & (patterns.confirmed < 400)], 7 / 13, atol=0.05)
    with pytest.raises(InvalidValueError, match="reliability"):
        Candidate(strategy(Blocks()), reliability=Part(Share(), section))


def test_a_model_is_fitted_for_the_horizon_it_is_asked_for(bars: Bars) -> None:
    section = VolatilitySection(use="steady", horizon=7, first=100, refit=100, interval="model")
    forecast = run(bars, Candidate(strategy(Blocks()), volatility=Part(Steady(), section))).decision.forecast
    assert forecast is not None
    assert forecast.horizon == 7
    np.testing.assert_array_equal(forecast.low[100:], forecast.mean[100:])


def test_an_interval_rests_on_the_errors_that_were_known(bars: Bars) -> None:
    section = VolatilitySection(use="steady", horizon=5, first=100, refit=100, coverage=0.8)
    forecast = run(bars, Candidate(strategy(Blocks()), volatility=Part(Steady(), section))).decision.forecast
    assert forecast is not None
    told = forecast.low[200:, 0] != forecast.mean[200:, 0]
    assert told.all()
    assert (forecast.low[200:] < forecast.high[200:]).all()
    first = 100 + 50 + 5 - 1
    assert (forecast.low[100:first] == 0.1).all()
    assert forecast.low[first, 0] != 0.1


def test_what_the_models_said_is_told_to_the_scorer(bars: Bars) -> None:
    scorer = ScorerSection(use="share", first=300, refit=100, min_outcomes=5, threshold=0.5)
    candidate = Candidate(
        strategy(Blocks(guarded=True)),
        patterns=detector(),
        volatility=Part(Steady(), VolatilitySection(use="steady", horizon=1)),
        scorer=Part(Share(), scorer),
    )
    signals = run(bars, candidate).decision.signals
    assert signals is not None
    names = list(signals.features.names)
    columns = dict(zip(names, signals.features.values.T, strict=True))
    assert names[-1] == "win_rate"
    np.testing.assert_allclose(columns["reward_risk"], 3.0)
    assert {0.1} == {value for value in columns["forecast"].tolist() if value == value}
    assert set(columns["pattern"].tolist()) <= {0.0, 0.5, -0.5}
    known = ~np.isnan(signals.scores.probability)
    np.testing.assert_array_equal(signals.action == "SKIP", known & (signals.scores.probability < 0.5))
    risk = (1 - signals.scores.probability) * signals.stop
    np.testing.assert_array_equal(signals.risk, risk)
    assert set(signals.risk_level[known]) <= {"low", "medium", "high"}
    assert set(signals.risk_level[~known]) == {""}


def test_a_label_may_be_the_trade_itself(bars: Bars) -> None:
    scorer = ScorerSection(
        use="share", first=300, refit=100, min_outcomes=5, act="none", outcome=OutcomeSection(label="trade")
    )
    result = run(bars, Candidate(strategy(Blocks()), scorer=Part(Share(), scorer)))
    signals, trades = result.decision.signals, result.simulation.trades
    assert signals is not None
    ended = signals.outcomes.known < len(bars)
    closed = trades.exit_bar < len(bars) - 1
    np.testing.assert_allclose(signals.outcomes.returns[ended], trades.returns[closed][: ended.sum()])
    np.testing.assert_array_equal(signals.outcomes.known[ended], trades.exit_bar[closed][: ended.sum()])


def test_stops_may_be_as_wide_as_the_forecast(bars: Bars) -> None:
    rules = Rules(stop_loss=Atr(atr=2.0))
    section = VolatilitySection(use="steady", horizon=4, first=100, refit=100, stops="forecast")
    candidate = Candidate(strategy(Blocks()), rules=rules, volatility=Part(Steady(), section))
    decision = run(bars, candidate).decision
    unit = decision.orders.atr
    assert unit is not None
    deviation = 0.1 * np.sqrt(4 / bars.periods_per_year)
    np.testing.assert_allclose(unit[100:], deviation * bars.close[100:])
    np.testing.assert_array_equal(unit[:100], Market(bars).atr(14)[:100])
