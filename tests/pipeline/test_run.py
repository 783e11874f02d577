"""All kinds of plugin act together, and each learns from the past only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import numpy as np
import pytest

from windtunnel.bars import Bars
from windtunnel.errors import InvalidValueError, PluginError
from windtunnel.market import Market
from windtunnel.pipeline import Candidate, Part, run
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
    LearnedStrategy,
    PatternDetector,
    RegimeModel,
    SignalScorer,
    State,
    Strategy,
    VolatilityModel,
)
from windtunnel.values import Exposure, Forecast, Outcomes, Patterns, Regimes, Rules, Scores, SignalFeatures


class Blocks(Strategy):
    """Long for ten bars, flat for ten."""

    name = "blocks"

    def exposure(self, market: Market) -> Exposure:
        on = np.arange(len(market.time)) % 20 >= 10
        return np.repeat(on[:, None], market.shape[1], axis=1)


class Told(Strategy):
    """Returns what the test says."""

    name = "told"
    answer: ClassVar[Any] = None

    def exposure(self, market: Market) -> Exposure:
        if isinstance(self.answer, Exception):
            raise self.answer
        return type(self).answer


class Watching(RegimeModel):
    """Learns the number of bars it was shown, and says wild on odd fits."""

    name = "watching"
    seen: ClassVar[list[tuple[int, int]]] = []

    def fit(self, market: Market) -> State:
        return {"bars": len(market.bars)}

    def predict(self, market: Market, state: State) -> Regimes:
        assert state is not None
        self.seen.append((state["bars"], len(market.bars)))
        wild = (state["bars"] // 50) % 2
        probabilities = np.zeros((*market.shape, 2))
        probabilities[..., wild] = 1.0
        return Regimes(("calm", "wild"), probabilities)


class Constant(VolatilityModel):
    """Always forecasts 40 %."""

    name = "constant"

    def forecast(self, market: Market, state: State, horizon: int) -> Forecast:
        mean = np.full(market.shape, 0.4)
        return Forecast(mean, mean, mean, horizon)


class Remembering(SignalScorer):
    """Scores every signal by the share of wins that it has seen."""

    name = "remembering"
    taught: ClassVar[list[tuple[int, int]]] = []

    def fit(self, features: SignalFeatures, outcomes: Outcomes) -> State:
        self.taught.append((int(features.bar.max()), int(outcomes.known.max())))
        return {"share": float(outcomes.won.mean()), "last": int(outcomes.known.max())}

    def score(self, features: SignalFeatures, state: State) -> Scores:
        assert state is not None
        assert features.bar.min() > state["last"]
        n, width = features.values.shape
        return Scores(np.full(n, state["share"]), np.ones(n), np.zeros((n, width)))


@pytest.fixture(scope="module")
def bars() -> Bars:
    rng = np.random.default_rng(3)
    close = 100 * np.exp(np.cumsum(rng.normal(0.001, 0.01, (400, 2)), axis=0))
    time = np.datetime64("2020-01-01") + np.arange(400)
    return Bars.from_arrays(time, close, symbols=["A", "B"])


def strategy(plugin: Any) -> Part[Any, StrategySection]:
    return Part(plugin, StrategySection(use=plugin.name))


def test_a_model_learns_from_the_past_and_abstains_before(bars: Bars) -> None:
    Watching.seen.clear()
    section = RegimeSection(use="watching", first=100, refit=50, embargo=10)
    candidate = Candidate(strategy(Blocks()), regime=Part(Watching(), section))
    regimes = run(bars, candidate).decision.regimes
    assert Watching.seen == [(90 + 50 * k, min(150 + 50 * k, 400)) for k in range(6)]
    assert regimes is not None
    assert (regimes.codes[:100] == -1).all()
    assert (regimes.codes[100:150] == (90 // 50) % 2).all()


def test_a_window_forgets(bars: Bars) -> None:
    Watching.seen.clear()
    section = RegimeSection(use="watching", first=100, refit=100, window=60)
    run(bars, Candidate(strategy(Blocks()), regime=Part(Watching(), section)))
    assert [learned for learned, _ in Watching.seen] == [60, 60, 60]


def test_a_model_of_the_benchmark_speaks_for_all(bars: Bars) -> None:
    section = RegimeSection(use="watching", first=100, refit=100, of="benchmark")
    result = run(bars, Candidate(strategy(Blocks()), regime=Part(Watching(), section)), benchmark="B")
    assert result.decision.regimes is not None
    assert result.decision.regimes.probabilities.shape == (400, 2, 2)


def test_data_shorter_than_the_first_fit_are_refused(bars: Bars) -> None:
    section = RegimeSection(use="watching", first=400)
    with pytest.raises(InvalidValueError, match=r"regime\.first"):
        run(bars, Candidate(strategy(Blocks()), regime=Part(Watching(), section)))


def test_gate_scorer_and_sizing_act_in_turn(bars: Bars) -> None:
    Remembering.taught.clear()
    candidate = Candidate(
        strategy(Blocks()),
        rules=Rules(fees=0.001),
        gate=GateSection(regime=("calm",)),
        regime=Part(Watching(), RegimeSection(use="watching", first=100, refit=50)),
        volatility=Part(Constant(), VolatilitySection(use="constant")),
        scorer=Part(
            Remembering(),
            ScorerSection(use="remembering", first=200, refit=60, min_outcomes=4, threshold=0.99),
        ),
        sizing=SizingSection(target_volatility=0.1),
    )
    result = run(bars, candidate, benchmark="A")
    decision = result.decision
    assert decision.entries == 40
    assert 0 < decision.refused_by_gate < 40
    assert decision.signals is not None
    assert len(decision.signals.features) == decision.entries - decision.refused_by_gate
    assert decision.abstained + decision.refused_by_scorer <= len(decision.signals.features)
    assert decision.refused_by_scorer > 0
    assert set(np.unique(decision.weights)) == {0.0, 0.25}
    assert [effect.part for effect in result.effects] == ["gate", "scorer", "sizing"]
    assert result.effects[0].after == result.effects[1].before
    assert result.effects[-1].after == result.metrics
    assert all(signal < known for signal, known in Remembering.taught)


def test_few_outcomes_abstain_and_change_nothing(bars: Bars) -> None:
    section = ScorerSection(use="remembering", first=100, min_outcomes=10_000)
    result = run(bars, Candidate(strategy(Blocks()), scorer=Part(Remembering(), section)))
    assert result.decision.abstained == 40
    assert result.decision.scored is result.decision.exposure or np.array_equal(
        result.decision.scored, result.decision.exposure
    )


def test_scaling_by_probability(bars: Bars) -> None:
    section = ScorerSection(use="remembering", first=100, refit=400, min_outcomes=2, act="scale")
    result = run(bars, Candidate(strategy(Blocks()), scorer=Part(Remembering(), section)))
    signals = result.decision.signals
    assert signals is not None
    late = signals.features.bar >= 100
    share = signals.scores.probability[late][0]
    assert 0 < share < 1
    assert set(np.unique(result.decision.weights[130:])) == {0.0, share}


class Chooser(LearnedStrategy):
    """Keeps whichever of two strategies did better in the past."""

    name = "chooser"

    def fit(self, market: Market, evaluate: Callable[[Strategy], Mapping[str, float]]) -> State:
        return {"bars": len(market.bars), "return": evaluate(Blocks())["total_return"]}

    def exposure(self, market: Market, state: State) -> Exposure:
        assert state is not None
        return np.full(market.shape, state["return"] > -1.0)


def test_a_strategy_may_learn(bars: Bars) -> None:
    part = Part(Chooser(), StrategySection(use="chooser", first=150, refit=100))
    exposure = run(bars, Candidate(part)).decision.exposure
    assert not exposure[:150].any()
    assert exposure[150:].all()


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (np.zeros((3, 3)), "one value a bar"),
        (np.full((400, 2), 2.0), "between -1 and 1"),
        (np.full((400, 2), np.inf), "between -1 and 1"),
        (np.zeros((400, 2), np.int64), "bool, int8 or float64"),
        (None, "must return an array or Orders"),
        (ZeroDivisionError("division by zero"), "ZeroDivisionError"),
    ],
)
def test_a_strategy_that_breaks_its_contract_is_named(bars: Bars, answer: Any, message: str) -> None:
    Told.answer = answer
    with pytest.raises(PluginError, match=rf"told.*{message}"):
        run(bars, Candidate(strategy(Told())))


def test_free_trading_is_said(bars: Bars) -> None:
    assert "No costs were charged" in run(bars, Candidate(strategy(Blocks())), benchmark="A").sentence
    paid = run(bars, Candidate(strategy(Blocks()), rules=Rules(fees=0.001)), benchmark="A")
    assert "No costs" not in paid.sentence


def test_the_same_inputs_give_the_same_result(bars: Bars) -> None:
    candidate = Candidate(strategy(Blocks()), rules=Rules(fees=0.001))
    one, two = (run(bars, candidate, benchmark="B", seed=5) for _ in range(2))
    assert one.metrics == two.metrics
    assert one.comparison == two.comparison


class Onlooker(Strategy):
    """Notes what the other plugins said, and may try to change it."""

    name = "onlooker"
    seen: ClassVar[dict[str, Any]] = {}
    tamper: bool = False
    """Whether to write into the regimes."""

    def exposure(self, market: Market) -> Exposure:
        self.seen.update(regime=market.regime.codes, mean=market.volatility.mean, bars=market.patterns.bars)
        if self.tamper:
            market.regime.probabilities[:] = 0.5
        return np.ones(market.shape, np.bool_)


class Nothing(PatternDetector):
    """Finds nothing."""

    name = "nothing"

    def detect(self, market: Market, state: State) -> Patterns:
        return Patterns.empty(len(market.bars))


def with_models(plugin: Strategy) -> Candidate:
    return Candidate(
        strategy(plugin),
        regime=Part(Watching(), RegimeSection(use="watching", first=100, refit=50)),
        volatility=Part(Constant(), VolatilitySection(use="constant")),
        patterns=(Part(Nothing(), PatternsSection(use="nothing")),),
    )


def test_a_strategy_sees_what_the_models_say_and_cannot_change_it(bars: Bars) -> None:
    result = run(bars, with_models(Onlooker()))
    assert result.decision.regimes is not None
    np.testing.assert_array_equal(Onlooker.seen["regime"], result.decision.regimes.codes)
    assert (Onlooker.seen["mean"] == 0.4).all()
    assert Onlooker.seen["bars"] == 400
    with pytest.raises(PluginError, match=r"onlooker.*test_run\.py.*read-only"):
        run(bars, with_models(Onlooker(tamper=True)))


class Rising(RegimeModel):
    """Up where the close is above the first one, else down; of one symbol."""

    name = "rising"

    def predict(self, market: Market, state: State) -> Regimes:
        up = (market.close > market.close[0]).astype(float)
        return Regimes(("down", "up"), np.stack([1 - up, up], axis=2))


def test_the_regime_of_the_benchmark_is_the_benchmarks(bars: Bars) -> None:
    part = Part(Rising(), RegimeSection(use="rising", of="benchmark"))
    regimes = run(bars, Candidate(strategy(Blocks()), regime=part), benchmark="B").decision.regimes
    expected = (bars.close[:, 1] > bars.close[0, 1]).astype(int)
    assert regimes is not None
    np.testing.assert_array_equal(regimes.codes, np.column_stack([expected, expected]))


class Reckoning(LearnedStrategy):
    """Notes what a candidate earned in the past."""

    name = "reckoning"
    earned: ClassVar[list[float]] = []

    def fit(self, market: Market, evaluate: Callable[[Strategy], Mapping[str, float]]) -> State:
        self.earned.append(evaluate(Blocks())["fees"])
        return None

    def exposure(self, market: Market, state: State) -> Exposure:
        return np.zeros(market.shape, np.bool_)


def test_candidates_are_evaluated_under_the_experiments_rules(bars: Bars) -> None:
    Reckoning.earned.clear()
    part = Part(Reckoning(), StrategySection(use="reckoning", first=200, refit=200))
    run(bars, Candidate(part, rules=Rules(fees=0.01)))
    assert len(Reckoning.earned) == 1
    assert Reckoning.earned[0] > 0


def test_a_scorer_that_abstains_scales_nothing(bars: Bars) -> None:
    section = ScorerSection(use="remembering", first=100, min_outcomes=10_000, act="scale")
    result = run(bars, Candidate(strategy(Blocks()), scorer=Part(Remembering(), section)))
    np.testing.assert_array_equal(result.decision.weights, result.decision.exposure)


@pytest.mark.parametrize(
    ("changes", "parameter"),
    [
        ({"gate": GateSection(regime=("calm",))}, "gate.regime"),
        ({"gate": GateSection(pattern="same")}, "gate.pattern"),
        ({"sizing": SizingSection(target_volatility=0.1)}, "sizing.target_volatility"),
    ],
)
def test_a_candidate_without_the_model_it_needs_is_refused(changes: dict[str, Any], parameter: str) -> None:
    with pytest.raises(InvalidValueError) as caught:
        Candidate(strategy(Blocks()), **changes)
    assert caught.value.parameter == parameter
