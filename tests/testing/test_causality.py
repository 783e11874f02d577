"""Leaks are planted one by one; each must be found, and blamed on the stage and plugin that leaks."""

from __future__ import annotations

import re
from functools import cache
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest

from windtunnel import indicators
from windtunnel.bars import Bars
from windtunnel.engine import simulate
from windtunnel.errors import InvalidValueError, PluginError
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
    LearnedStrategy,
    PatternDetector,
    RegimeModel,
    SignalScorer,
    Strategy,
    VolatilityModel,
)
from windtunnel.testing import Verification, verify
from windtunnel.testing.cuts import cut_points
from windtunnel.values import Forecast, Orders, Patterns, Regimes, Rules, Scores

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
        scorer=Part(chosen["scorer"], ScorerSection(use="c", min_outcomes=3, **short)),
    )


def blamed(verification: Verification) -> list[tuple[str, str]]:
    return [(finding.stage, finding.plugin) for finding in verification.findings]


class TestCleanPipelines:
    @pytest.mark.parametrize("rough", [False, True], ids=["whole", "with gaps and a delisting"])
    @pytest.mark.parametrize("fill", ["next_open", "close"])
    def test_all_kinds_together_pass(self, rough: bool, fill: str) -> None:
        candidate = whole()
        bars = random_bars(columns=3, rough=rough)
        rules = Rules(fees=0.001, fill=fill)
        verification = verify(bars, Candidate(**{**vars(candidate), "rules": rules}), benchmark="A")
        assert verification.clean, str(verification)
        assert set(verification.stages.values()) == {"clean"}
        assert list(verification.stages) == [
            "indicators",
            "volatility",
            "regime",
            "patterns",
            "strategy",
            "gate",
            "scorer",
            "sizing",
            "engine",
        ]

    def test_the_models_have_a_say_in_it(self) -> None:
        from windtunnel.pipeline import decide

        decision = decide(Market(BARS), whole())
        assert decision.refused_by_gate > 0
        assert decision.refused_by_scorer > 0
        assert decision.abstained < decision.entries - decision.refused_by_gate

    def test_a_learned_strategy_passes(self) -> None:
        class Choosing(LearnedStrategy):
            name = "choosing"

            def fit(self, market: Market, evaluate: Any) -> Any:
                windows = np.array([5, 10, 20])
                return {"window": int(max(windows, key=lambda w: evaluate(Trend(window=int(w)))["sharpe"]))}

            def exposure(self, market: Market, state: Any) -> Any:
                return market.close > market.sma(state["window"])

        section = StrategySection(use="choosing", first=60, refit=30)
        assert verify(BARS, Candidate(Part(Choosing(), section), rules=COSTS)).clean

    def test_what_depends_on_the_benchmark_passes(self) -> None:
        candidate = whole()
        regime = Part(Calm(), RegimeSection(use="r", of="benchmark", first=100, refit=40))
        assert verify(BARS, Candidate(**{**vars(candidate), "regime": regime}), benchmark="B").clean

    @pytest.mark.parametrize("rows", [2, 3, 15, 102, 112])
    def test_short_data_are_no_finding(self, rows: int) -> None:
        candidate = strategy(Trend()) if rows < 100 else whole()
        assert verify(random_bars(rows), candidate).clean

    def test_a_plugin_that_needs_more_bars_than_are_left_is_no_finding(self) -> None:
        class Demanding(Strategy):
            name = "demanding"

            def exposure(self, market: Market) -> Any:
                if len(market.bars) < 300:
                    raise ValueError("needs 300 bars")
                long = market.close > market.sma(10)
                long[:300] = False
                return long

        assert verify(BARS, strategy(Demanding())).clean

    def test_a_cache_that_is_keyed_by_content_is_no_finding(self) -> None:
        class Caching(Strategy):
            name = "caching"
            kept: ClassVar[dict[str, Any]] = {}

            def exposure(self, market: Market) -> Any:
                return self.kept.setdefault(market.bars.hash, market.close > market.sma(10))

        assert verify(BARS, strategy(Caching())).clean


class Tomorrow(Strategy):
    name = "tomorrow"

    def exposure(self, market: Market) -> Any:
        rises = np.zeros(market.shape, bool)
        rises[:-1] = market.close[1:] > market.close[:-1]
        return rises


class Centred(Strategy):
    name = "centred"

    def exposure(self, market: Market) -> Any:
        smooth = pd.DataFrame(market.close).rolling(5, center=True).mean().to_numpy()
        return market.close < smooth


class WholeSample(Strategy):
    name = "whole_sample"

    def exposure(self, market: Market) -> Any:
        return market.close < np.nanmean(market.close, axis=0)


class BackFilled(Strategy):
    name = "back_filled"

    def exposure(self, market: Market) -> Any:
        monthly = np.where(np.arange(len(market.bars))[:, None] % 20 == 0, market.close, np.nan)
        return market.close < pd.DataFrame(monthly).bfill().to_numpy()


class BeforeTheCrash(Strategy):
    """Leaves before a fall of more than 30 %, which never comes: only a changed future shows it."""

    name = "before_the_crash"

    def exposure(self, market: Market) -> Any:
        long = np.ones(market.shape, bool)
        long[:-1] = market.close[1:] > 0.7 * market.close[:-1]
        return long


class BeforeTheEnd(Strategy):
    name = "before_the_end"

    def exposure(self, market: Market) -> Any:
        return np.arange(len(market.bars))[:, None] < market.bars.last_bar - 5


class BehindTheView(Strategy):
    """Looks through a view at the array that it is cut from."""

    name = "behind_the_view"

    def exposure(self, market: Market) -> Any:
        known = market.until(len(market.bars) // 2).close
        whole = known if known.base is None else known.base
        return market.close < whole[-1]


class Remembering(Strategy):
    """The mean of all bars, kept by the class from the first call on."""

    name = "remembering"
    means: ClassVar[dict[tuple[str, ...], Any]] = {}

    def exposure(self, market: Market) -> Any:
        mean = self.means.setdefault(market.symbols, np.nanmean(market.close, axis=0))
        return market.close < mean


@cache
def cached_mean(symbols: tuple[str, ...], market: Market) -> Any:
    return np.nanmean(market.close, axis=0)


class Keyed(Market):
    """A market that equals every other."""

    def __hash__(self) -> int:
        return 0

    def __eq__(self, other: object) -> bool:
        return True


class RememberingByFunction(Strategy):
    """The same, kept by a function of the module."""

    name = "remembering_by_function"

    def exposure(self, market: Market) -> Any:
        view = Keyed(market.bars)
        return market.close < cached_mean(market.symbols, view)


class TestLeaksOfStrategies:
    @pytest.mark.parametrize(
        ("plugin", "least", "most", "words"),
        [
            (Tomorrow(), 1, 1, "next bar"),
            (Centred(), 2, 2, "centred"),
            (WholeSample(), 101, 420, "whole history"),
            (BackFilled(), 10, 19, "backward"),
            (BeforeTheCrash(), 1, 1, "next bar"),
            (BehindTheView(), 101, 420, "whole history"),
        ],
        ids=lambda value: getattr(value, "name", ""),
    )
    def test_is_found_with_how_far_it_sees(self, plugin: Any, least: int, most: int, words: str) -> None:
        verification = verify(BARS, strategy(plugin))
        assert blamed(verification) == [("strategy", plugin.name)]
        finding = verification.findings[0]
        assert least <= finding.ahead <= most
        assert finding.ahead == finding.cut - finding.bar
        assert words in finding.cause
        assert verification.stages == {
            "indicators": "clean",
            "strategy": "leaks",
            "sizing": "unjudged",
            "engine": "clean",
        }

    def test_only_a_changed_future_shows_what_rarely_happens(self) -> None:
        assert verify(BARS, strategy(BeforeTheCrash())).findings[0].provoked == "halved"

    def test_a_delisting_that_is_not_known_yet(self) -> None:
        verification = verify(random_bars(columns=3, rough=True), strategy(BeforeTheEnd()))
        assert blamed(verification) == [("strategy", "before_the_end")]

    @pytest.mark.parametrize("plugin", [Remembering(), RememberingByFunction()], ids=lambda p: p.name)
    def test_state_outside_the_instance(self, plugin: Any) -> None:
        verification = verify(BARS, strategy(plugin))
        assert blamed(verification) == [("strategy", plugin.name)]
        assert "remembers other runs" in verification.findings[0].cause

    def test_a_verification_leaves_the_state_as_it_was(self) -> None:
        Remembering.means["X",] = 1.0
        verify(BARS, strategy(Remembering()))
        assert Remembering.means == {("X",): 1.0}
        Remembering.means.clear()

    def test_random_numbers_without_a_seed(self) -> None:
        class Dice(Strategy):
            name = "dice"

            def exposure(self, market: Market) -> Any:
                return np.random.default_rng().random(market.shape) > 0.5

        finding = verify(BARS, strategy(Dice())).findings[0]
        assert "without a seed" in finding.cause
        assert finding.ahead == 0

    def test_failing_without_the_future(self) -> None:
        class Failing(Strategy):
            name = "failing"

            def exposure(self, market: Market) -> Any:
                if market.close[-1, 0] != BARS.close[-1, 0]:
                    raise ValueError("this is not the end that was promised")
                return market.close > market.sma(10)

        verification = verify(BARS, strategy(Failing()))
        finding = verification.findings[0]
        assert blamed(verification) == [("strategy", "failing")]
        assert finding.failed
        assert "not the end that was promised" in str(finding)
        assert "fails when the bars after" in str(finding)

    def test_an_error_of_the_framework_is_laid_at_the_plugin_that_caused_it(self) -> None:
        class Odd(RegimeModel):
            name = "odd"

            def predict(self, market: Market, state: Any) -> Regimes:
                market.sma(50 if len(market.bars) == len(BARS) else -1)
                return two_regimes(market.close, market.close > 0)

        assert blamed(verify(BARS, whole(regime=Odd()))) == [("regime", "odd")]


class TestLeaksOfModels:
    def test_a_regime_by_the_quantile_of_all_bars(self) -> None:
        class Quantile(RegimeModel):
            name = "quantile"

            def predict(self, market: Market, state: Any) -> Regimes:
                volatility = market.rolling_volatility(20)
                return two_regimes(volatility, volatility > np.nanquantile(volatility, 0.5, axis=0))

        verification = verify(BARS, whole(regime=Quantile()))
        assert blamed(verification)[0] == ("regime", "quantile")
        assert "whole history" in verification.findings[0].cause
        assert verification.stages["volatility"] == "clean"
        assert verification.stages["strategy"] == "unjudged"
        assert verification.stages["engine"] == "clean"

    def test_a_learned_regime_that_reads_the_rest_of_its_fold(self) -> None:
        class Smoothed(Calm):
            name = "smoothed"

            def predict(self, market: Market, state: Any) -> Regimes:
                volatility = market.rolling_volatility(20)
                smooth = np.nanmean(volatility[-15:], axis=0)
                return two_regimes(volatility, volatility > smooth)

        verification = verify(BARS, whole(regime=Smoothed()))
        assert blamed(verification)[0] == ("regime", "smoothed")
        assert verification.findings[0].ahead <= 40
        assert "end with the next fit" in verification.findings[0].cause

    def test_a_volatility_that_is_still_to_come(self) -> None:
        class Realised(VolatilityModel):
            name = "realised"

            def forecast(self, market: Market, state: Any, horizon: int) -> Forecast:
                mean = np.full(market.shape, np.nan)
                mean[:-5] = market.rolling_volatility(5)[5:]
                return Forecast(mean, mean, mean, horizon)

        verification = verify(BARS, whole(volatility=Realised()))
        assert blamed(verification)[0] == ("volatility", "realised")
        assert verification.findings[0].ahead == 5
        assert verification.stages["scorer"] == "unjudged"

    def test_of_two_detectors_the_one_that_confirms_too_early(self) -> None:
        class Pivots(PatternDetector):
            name = "pivots"

            def detect(self, market: Market, state: Any) -> Patterns:
                low = market.low == pd.DataFrame(market.low).rolling(7, center=True).min().to_numpy()
                return patterns_at(low, 3)

        for detectors in ((Pivots(), UpDays()), (UpDays(), Pivots())):
            verification = verify(BARS, whole(patterns=detectors))
            assert blamed(verification)[0] == ("patterns", "pivots")
            finding = verification.findings[0]
            assert finding.what == "pattern rise"
            assert "confirmed" in finding.cause
            assert finding.ahead <= 3

    def test_a_pattern_whose_target_is_moved_later(self) -> None:
        class Target(UpDays):
            name = "target"

            def detect(self, market: Market, state: Any) -> Patterns:
                found = super().detect(market, state)
                found.target[:] = market.high.max(axis=0)[found.symbol]
                return found

        finding = verify(BARS, whole(patterns=(Target(),))).findings[0]
        assert (finding.stage, finding.what) == ("patterns", "target of pattern rise")

    def test_a_scorer_that_remembers_the_models_of_other_runs(self) -> None:
        class Hoarding(WinRate):
            name = "hoarding"
            models: ClassVar[dict[int, Any]] = {}

            def fit(self, features: Any, outcomes: Any) -> Any:
                self.models[len(features)] = outcomes.won.mean()
                return {"rate": self.models[max(self.models)]}

        verification = verify(BARS, whole(scorer=Hoarding()))
        assert blamed(verification)[0] == ("scorer", "hoarding")
        assert verification.findings[0].what == "score"
        assert "remembers other runs" in verification.findings[0].cause
        assert verification.stages["sizing"] == "unjudged"

    def test_a_scorer_that_ranks_the_signals_of_a_fold(self) -> None:
        class Ranking(WinRate):
            name = "ranking"

            def score(self, features: Any, state: Any) -> Scores:
                rank = features.values[:, 0].argsort().argsort()
                return scores(rank / max(len(rank), 1), features)

        assert blamed(verify(BARS, whole(scorer=Ranking())))[0] == ("scorer", "ranking")

    def test_a_plugin_that_is_a_parameter_of_another(self) -> None:
        class Wrapping(Strategy):
            name = "wrapping"
            inner: Strategy

            def exposure(self, market: Market) -> Any:
                return self.inner.exposure(market)

        assert blamed(verify(BARS, strategy(Wrapping(inner=Remembering())))) == [("strategy", "wrapping")]
        assert verify(BARS, strategy(Wrapping(inner=Trend()))).clean


class TestLeaksOfTheFramework:
    def test_an_indicator(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def sma(values: Any, window: int) -> Any:
            return np.broadcast_to(np.nanmean(values, axis=0), values.shape).copy()

        monkeypatch.setattr(indicators, "sma", sma)
        verification = verify(BARS, strategy(Trend()))
        assert blamed(verification) == [("indicators", "")]
        assert verification.findings[0].what == "sma(10)"
        assert verification.stages["strategy"] == "unjudged"

    def test_the_account(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def peeking(bars: Bars, orders: Orders, rules: Rules) -> Any:
            rises = bars.close[-1] > bars.close[0]
            return simulate(bars, Orders(orders.exposure & rises), rules)

        monkeypatch.setattr("windtunnel.testing.causality.simulate", peeking)
        verification = verify(BARS, strategy(Trend()))
        assert blamed(verification) == [("engine", "")]
        assert verification.stages["strategy"] == "clean"

    def test_an_engine_that_departs_from_its_specification(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def free(bars: Bars, orders: Orders, rules: Rules) -> Any:
            return simulate(bars, orders, rules.model_copy(update={"slippage": 0.0}))

        monkeypatch.setattr("windtunnel.testing.causality.simulate", free)
        finding = verify(BARS, strategy(Trend())).findings[0]
        assert (finding.stage, finding.provoked) == ("engine", "replayed")


class TestHowItIsSaid:
    def test_a_leak(self) -> None:
        verification = verify(BARS, strategy(Tomorrow()))
        text = str(verification)
        assert text.startswith("indicators ✓  strategy ✗  sizing –  engine ✓\nstrategy tomorrow (")
        assert re.search(
            r"the exposure of [AB] at 201\d-\d\d-\d\d changes from True to False "
            r"when the bars after that bar are cut off\. ",
            text,
        )
        assert "It sees at least 1 bar ahead. Likely cause: the next bar is read" in text

    def test_no_leak(self) -> None:
        verification = verify(BARS, strategy(Trend()), cuts=8)
        assert str(verification).startswith("indicators ✓  strategy ✓  sizing ✓  engine ✓\n25 runs, 8 cuts")

    def test_the_same_seed_says_the_same(self) -> None:
        assert verify(BARS, strategy(Centred()), seed=3) == verify(BARS, strategy(Centred()), seed=3)

    def test_progress_is_told(self) -> None:
        told: list[tuple[int, int]] = []
        verify(BARS, strategy(Trend()), cuts=4, tick=lambda what, done, total: told.append((done, total)))
        assert told == [(done, 12) for done in range(1, 13)]


class TestCuts:
    def test_twenty_with_neighbours_and_the_last_bar_behind_the_first_fit(self) -> None:
        cuts = cut_points(5000, whole(), 20, 0)
        assert len(cuts) == 20
        assert cuts[-1] == 4999
        assert min(cuts) >= 111
        assert sum(later - cut == 1 for cut, later in pairwise(cuts)) >= 3
        assert np.mean(cuts) < 2500

    @pytest.mark.parametrize("length", [2, 3, 10, 101, 102, 120])
    def test_lie_within_the_bars(self, length: int) -> None:
        cuts = cut_points(length, whole(), 20, 1)
        assert cuts[-1] == length - 1
        assert cuts[0] >= 1

    def test_refuses_none(self) -> None:
        with pytest.raises(InvalidValueError, match="cuts: must be at least 1"):
            verify(BARS, strategy(Trend()), cuts=0)

    def test_refuses_a_single_bar(self) -> None:
        with pytest.raises(InvalidValueError, match="bars: must be at least 2"):
            verify(random_bars(1), strategy(Trend()))


def test_what_fails_with_all_bars_is_an_error_not_a_finding() -> None:
    class Broken(Strategy):
        name = "broken"

        def exposure(self, market: Market) -> Any:
            raise ValueError("always")

    with pytest.raises(PluginError, match="strategy broken failed"):
        verify(BARS, strategy(Broken()))
