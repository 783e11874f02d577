"""What keeps to the past passes; the framework's own leaks are found; what is found is said well."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np
import pytest
from causality_cases import BARS, COSTS, Calm, Tomorrow, Trend, blamed, random_bars, strategy, whole

from windtunnel import indicators
from windtunnel.bars import Bars
from windtunnel.engine import simulate
from windtunnel.errors import InvalidValueError, PluginError
from windtunnel.market import Market
from windtunnel.pipeline import Candidate, Part
from windtunnel.pipeline.sections import (
    RegimeSection,
    StrategySection,
)
from windtunnel.plugin import (
    LearnedStrategy,
    Strategy,
)
from windtunnel.testing import verify
from windtunnel.testing.cuts import cut_points
from windtunnel.values import Orders, Rules


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

        monkeypatch.setattr("windtunnel.testing.trial.simulate", peeking)
        verification = verify(BARS, strategy(Trend()))
        assert blamed(verification) == [("engine", "")]
        assert verification.stages["strategy"] == "clean"

    def test_an_engine_that_departs_from_its_specification(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def free(bars: Bars, orders: Orders, rules: Rules) -> Any:
            return simulate(bars, orders, rules.model_copy(update={"slippage": 0.0}))

        monkeypatch.setattr("windtunnel.testing.trial.simulate", free)
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
        assert verify(BARS, strategy(Tomorrow()), seed=3) == verify(BARS, strategy(Tomorrow()), seed=3)

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
