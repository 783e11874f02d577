"""A warm-up that is too short is found, by how much, and told apart from a leak."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from causality_cases import (
    BARS,
    Ewma,
    Tomorrow,
    Trend,
    UpDays,
    patterns_at,
    random_bars,
    strategy,
    two_regimes,
)
from leaks_in_models import beside

from windtunnel.market import Market
from windtunnel.pipeline import Part
from windtunnel.pipeline.sections import StrategySection
from windtunnel.plugin import RegimeModel, Strategy
from windtunnel.testing import verify
from windtunnel.testing.fits import Fits
from windtunnel.testing.warmup import short, starts
from windtunnel.values import Patterns, Regimes


class Above(Strategy):
    """Needs 49 bars and says that it needs fewer, or more."""

    name = "above"
    stated: int = 49

    @property
    def warmup(self) -> int:
        return self.stated

    def exposure(self, market: Market) -> Any:
        return market.close > market.sma(50)


class Weighted(Above):
    """A weight instead of yes or no."""

    name = "weighted"

    def exposure(self, market: Market) -> Any:
        return np.clip(market.close / market.sma(50) - 0.5, 0, 1)


class Held(Above):
    """Enters on a new high of 50 bars, and leaves on a new low: a position may last for years."""

    name = "held"

    def exposure(self, market: Market) -> Any:
        frame = pd.DataFrame(market.close)
        enter, leave = frame == frame.rolling(50).max(), frame == frame.rolling(50).min()
        said = np.where(enter, 1.0, np.where(leave, 0.0, np.nan))
        return pd.DataFrame(said).ffill().fillna(0.0).to_numpy()


def of(plugin: Strategy, bars: Any = BARS, seed: int = 0) -> Any:
    return short(Part(plugin, StrategySection(use=plugin.name)), Market(bars), None, seed)


class TestHowMuchIsLacking:
    @pytest.mark.parametrize("lacks", [5, 10, 30, 49])
    @pytest.mark.parametrize("rough", [False, True], ids=["whole", "with gaps"])
    def test_of_an_exposure_that_is_yes_or_no(self, lacks: int, rough: bool) -> None:
        bars = random_bars(900, 3, rough=rough)
        assert of(Above(stated=49 - lacks), bars).more == lacks

    @pytest.mark.parametrize("lacks", [1, 2, 30])
    def test_of_a_number_to_the_bar(self, lacks: int) -> None:
        assert of(Weighted(stated=49 - lacks)).more == lacks

    @pytest.mark.parametrize("plugin", [Above(), Above(stated=60), Weighted(), Held(), Held(stated=70)])
    @pytest.mark.parametrize("seed", range(3))
    def test_nothing(self, plugin: Strategy, seed: int) -> None:
        assert of(plugin, random_bars(700, 2, seed=seed), seed) is None

    def test_of_a_position_that_is_carried_over(self) -> None:
        assert of(Held(stated=20), random_bars(1500, 3)).more == 29

    def test_what_never_settles_has_no_warm_up_that_would_do(self) -> None:
        class Monthly(Above):
            name = "monthly"

            def exposure(self, market: Market) -> Any:
                due = np.arange(len(market.bars))[:, None] % 20 == 0
                return np.where(due, market.close > market.sma(5), np.nan)

        assert of(Monthly(stated=5)) is None

    def test_of_a_volatility(self) -> None:
        class Rolling(Ewma):
            name = "too_soon"

            @property
            def warmup(self) -> int:
                return 12

        found = verify(BARS, beside(Rolling()), cuts=3)
        assert found.stages["volatility"] == "warm-up"
        assert [(one.stage, one.lacks) for one in found.findings] == [("volatility", 8)]

    def test_of_a_regime(self) -> None:
        class Calmer(RegimeModel):
            name = "calmer"

            @property
            def warmup(self) -> int:
                return 10

            def predict(self, market: Market, state: Any) -> Regimes:
                volatility = market.rolling_volatility(20)
                return two_regimes(volatility, volatility > 0.24)

        (found,) = verify(BARS, beside(Calmer()), cuts=3).findings
        assert (found.stage, found.lacks, found.after) == ("regime", 10, "unknown")

    def test_of_a_pattern(self) -> None:
        class Highs(UpDays):
            name = "highs"

            @property
            def warmup(self) -> int:
                return 5

            def detect(self, market: Market, state: Any) -> Patterns:
                return patterns_at(market.close > market.sma(30), 0)

        (found,) = verify(BARS, beside(Highs()), cuts=3).findings
        assert (found.stage, found.what, found.lacks) == ("patterns", "pattern", 24)
        assert (found.before, found.after) == ("rise", "none")


class TestHowItIsSaid:
    def test_too_short_is_no_leak_but_no_clean_verification_either(self) -> None:
        verification = verify(BARS, strategy(Above(stated=19)), cuts=3)
        (finding,) = verification.findings
        assert not verification.clean
        assert (finding.is_leak, finding.ahead, finding.warmup, finding.lacks) == (False, 0, 19, 30)
        assert finding.bar >= finding.cut + 19
        text = str(verification)
        assert text.startswith("indicators ✓  strategy ≈  sizing ✓  engine ✓\n")
        assert "nothing said before a cut changes" in text
        assert "instead of" in text
        assert "when the bars begin at" in text
        assert (
            "Its warm-up is 19 bars and needs at least 30 bars more. This is too little past, not a leak."
            in text
        )

    def test_who_states_none_is_told_and_not_blamed(self) -> None:
        verification = verify(BARS, strategy(Trend(window=30)), cuts=3)
        assert verification.clean
        (note,) = verification.notes
        assert (note.plugin, note.warmup, note.lacks) == ("trend", None, 29)
        assert "note: strategy trend" in str(verification)
        assert "states no warm-up and needs at least 29 bars" in str(verification)

    def test_what_leaks_is_not_asked_for_its_warm_up(self) -> None:
        assert verify(BARS, strategy(Tomorrow()), cuts=3).notes == ()


class TestStarts:
    def test_lie_around_the_warm_up_and_everywhere(self) -> None:
        found = starts(1000, 100, 0)
        assert {99, 100, 101} < set(found)
        assert (found[0] < 50, found[-1] > 850) == (True, True)
        assert found != starts(1000, 100, 1)
        assert all(start + 100 + 1 < 1000 for start in found)

    @pytest.mark.parametrize("length", [2, 50, 101, 102])
    def test_there_are_none_where_nothing_would_be_left(self, length: int) -> None:
        assert starts(length, 100, 0) == ()


def test_states_are_told_apart_by_plugin_and_parameters() -> None:
    from windtunnel.learn import Fit, Fold, LearnedSection

    section, fits = LearnedSection(use="x"), Fits()

    def fit(window: int, start: int) -> Fit:
        return Fit(Trend(window=window), section, Fold(0, start, start, start + 10), Market(BARS))

    fits.keep(fit(5, 100), {"a": 1})
    fits.keep(fit(5, 110), {"a": 2})
    fits.keep(fit(6, 100), {"a": 3})
    assert fits.kept(fit(5, 100)) is None
    fits.replays = True
    assert [fits.kept(fit(5, 100)), fits.kept(fit(6, 100)), fits.kept(fit(7, 100))] == [
        {"a": 1},
        {"a": 3},
        None,
    ]
    assert fits.latest(Trend(window=5), section) == {"a": 2}
