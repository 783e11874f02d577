"""Leaks are planted one by one; each must be found, and blamed on the stage and plugin that leaks."""

from __future__ import annotations

from functools import cache
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest
from causality_cases import (
    BARS,
    Calm,
    Tomorrow,
    Trend,
    UpDays,
    WinRate,
    blamed,
    patterns_at,
    random_bars,
    scores,
    strategy,
    two_regimes,
    whole,
)

from windtunnel.market import Market
from windtunnel.plugin import (
    PatternDetector,
    RegimeModel,
    Strategy,
    VolatilityModel,
)
from windtunnel.testing import verify
from windtunnel.values import Forecast, Patterns, Regimes, Scores


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
