"""Leaks are planted one by one; each must be found, and blamed on the stage and plugin that leaks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from causality_cases import BARS, Trend, UpDays, blamed, strategy, two_regimes, whole
from clean_catalogue import Clean, clean
from leak_catalogue import Leak, catalogue
from leaks_in_models import Pivots
from leaks_in_strategies import OnTheClass, Wrapping

from windtunnel.market import Market
from windtunnel.pipeline import Candidate
from windtunnel.plugin import RegimeModel, Strategy
from windtunnel.testing import verify
from windtunnel.values import Regimes

LEAKS = {leak.name: leak for leak in catalogue()}
CLEAN = {one.name: one for one in clean()}
WORDS = {
    "shift": (1, 1, "next bar"),
    "centred_window": (2, 2, "centred"),
    "whole_mean": (101, 420, "whole history"),
    "backward_fill": (10, 19, "backward"),
    "before_the_crash": (1, 1, "next bar"),
    "behind_the_view": (101, 420, "whole history"),
    "whole_quantile": (101, 420, "whole history"),
    "rest_of_the_fold": (1, 80, "end with the next fit"),
    "realised_volatility": (5, 5, "centred"),
    "future_pivot": (1, 3, "confirmed"),
    "kept_on_the_class": (0, 0, "remembers other runs"),
    "cached_by_a_function": (0, 0, "remembers other runs"),
    "models_of_other_runs": (0, 0, "remembers other runs"),
    "survivor_filter": (1, 420, "chosen"),
}
"""How far each must be seen to look ahead, and what its cause must be said to be."""


def test_there_are_enough_of_both() -> None:
    assert len(LEAKS) == len(list(catalogue())) >= 25
    assert len(CLEAN) >= 50
    stages = {
        "data",
        "indicators",
        "volatility",
        "regime",
        "patterns",
        "strategy",
        "gate",
        "scorer",
        "sizing",
    }
    assert {leak.stage for leak in LEAKS.values()} == stages | {"engine"}


@pytest.mark.parametrize("leak", LEAKS.values(), ids=lambda leak: leak.name)
def test_a_leak_is_found_and_its_stage_blamed(leak: Leak) -> None:
    findings = leak.found()
    assert [finding.stage for finding in findings] == [leak.stage]
    (finding,) = findings
    assert finding.is_leak
    assert finding.plugin == ("" if leak.patches else leak.plugin)
    least, most, words = WORDS.get(leak.name, (0, 420, ""))
    assert least <= finding.ahead <= most
    assert finding.ahead in (0, finding.cut - finding.bar)
    assert words in finding.cause
    if leak.only:
        assert finding.provoked == leak.only


@pytest.mark.parametrize("one", CLEAN.values(), ids=lambda one: one.name)
def test_what_keeps_to_the_past_raises_no_alarm(one: Clean) -> None:
    verification = one.verified()
    assert verification.clean, str(verification)
    assert set(verification.stages.values()) == {"clean"}


class TestWhatStandsBehindALeak:
    def test_is_not_judged_but_for_the_engine(self) -> None:
        assert LEAKS["whole_mean"].verified().stages == {
            "indicators": "clean",
            "strategy": "leaks",
            "sizing": "unjudged",
            "engine": "clean",
        }

    def test_in_a_pipeline_of_all_kinds(self) -> None:
        plugin = LEAKS["whole_quantile"].candidate
        assert isinstance(plugin, Candidate)
        assert plugin.regime is not None
        stages = verify(BARS, whole(regime=plugin.regime.plugin), cuts=3).stages
        assert (stages["volatility"], stages["regime"]) == ("clean", "leaks")
        assert (stages["strategy"], stages["scorer"], stages["engine"]) == ("unjudged", "unjudged", "clean")


class TestWhoIsBlamed:
    @pytest.mark.parametrize("detectors", [(Pivots(), UpDays()), (UpDays(), Pivots())], ids=["first", "last"])
    def test_of_two_detectors_the_one_that_confirms_too_early(self, detectors: Any) -> None:
        verification = verify(BARS, whole(patterns=detectors), cuts=6)
        assert blamed(verification)[0] == ("patterns", "future_pivot")
        assert verification.findings[0].what == "pattern rise"

    def test_a_plugin_whose_parameter_is_clean_is_not(self) -> None:
        assert verify(BARS, strategy(Wrapping(inner=Trend())), cuts=4).clean

    def test_an_error_of_the_framework_is_laid_at_the_plugin_that_caused_it(self) -> None:
        class Odd(RegimeModel):
            name = "odd"

            def predict(self, market: Market, state: Any) -> Regimes:
                market.sma(50 if len(market.bars) == len(BARS) else -1)
                return two_regimes(market.close, market.close > 0)

        assert blamed(verify(BARS, whole(regime=Odd()), cuts=3)) == [("regime", "odd")]


class TestWhatIsNoLookAhead:
    def test_random_numbers_without_a_seed(self) -> None:
        class Dice(Strategy):
            name = "dice"

            def exposure(self, market: Market) -> Any:
                return np.random.default_rng().random(market.shape) > 0.5

        finding = verify(BARS, strategy(Dice()), cuts=3).findings[0]
        assert "without a seed" in finding.cause
        assert finding.ahead == 0

    def test_failing_without_the_future(self) -> None:
        class Failing(Strategy):
            name = "failing"

            def exposure(self, market: Market) -> Any:
                if market.close[-1, 0] != BARS.close[-1, 0]:
                    raise ValueError("this is not the end that was promised")
                return market.close > market.sma(10)

        verification = verify(BARS, strategy(Failing()), cuts=3)
        finding = verification.findings[0]
        assert blamed(verification) == [("strategy", "failing")]
        assert finding.failed
        assert "not the end that was promised" in str(finding)
        assert "fails when the bars after" in str(finding)


def test_a_verification_leaves_the_state_as_it_was() -> None:
    OnTheClass.means["X",] = 1.0
    verify(BARS, strategy(OnTheClass()), cuts=3)
    assert OnTheClass.means == {("X",): 1.0}
    OnTheClass.means.clear()
