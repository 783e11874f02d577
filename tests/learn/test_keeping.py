"""A keeper is shown every fit, and what it has kept is not learned again."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import pytest

from windtunnel.bars import Bars
from windtunnel.errors import PluginError
from windtunnel.learn import Fit, LearnedSection, answers, score, silent
from windtunnel.market import Market
from windtunnel.plugin import RegimeModel, SignalScorer, State
from windtunnel.values import Outcomes, Regimes, Scores, SignalFeatures


@dataclass
class Noting:
    """Notes what it is shown; hands out ``has`` for the last fit."""

    has: State = None
    asked: list[tuple[int, int, bool]] = field(default_factory=list)
    got: list[State] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def kept(self, fit: Fit) -> State:
        self.asked.append((fit.fold.train_start, fit.fold.train_stop, fit.last))
        return self.has if fit.last else None

    def keep(self, fit: Fit, state: State) -> None:
        self.got.append(state)

    def failed(self, fit: Fit, error: BaseException) -> None:
        self.errors.append(str(error))


class Length(RegimeModel):
    """Learns how many bars it saw."""

    name = "length"
    fitted: ClassVar[list[int]] = []
    broken: bool = False
    """Whether the fit fails."""

    def fit(self, market: Market) -> State:
        if self.broken:
            raise RuntimeError("no luck")
        self.fitted.append(len(market.bars))
        return {"bars": len(market.bars)}

    def predict(self, market: Market, state: State) -> Regimes:
        assert state is not None
        share = state["bars"] / 100
        return Regimes(("a", "b"), np.tile([share, 1 - share], (*market.shape, 1)))


def asked(keeper: Noting | None, **params: Any) -> Any:
    Length.fitted.clear()
    model = Length(**params)
    market = Market(Bars.from_arrays(np.arange(12).astype("datetime64[D]"), np.arange(12.0) + 1))
    section = LearnedSection(use="length", first=4, refit=3)
    said = answers(model, section, market, model.fit, model.predict, silent, keeper)
    return said.probabilities[:, 0, 0]


def test_every_fit_is_shown_and_only_the_last_is_the_last() -> None:
    keeper = Noting()
    said = asked(keeper)
    assert keeper.asked == [(0, 4, False), (0, 7, False), (0, 10, True)]
    assert keeper.got == [{"bars": 4}, {"bars": 7}, {"bars": 10}]
    np.testing.assert_array_equal(said, asked(None))


def test_a_kept_state_is_used_in_place_of_a_fit() -> None:
    keeper = Noting(has={"bars": 50})
    said = asked(keeper)
    assert Length.fitted == [4, 7]
    assert len(keeper.got) == 2
    np.testing.assert_array_equal(said[4:], [0.04] * 3 + [0.07] * 3 + [0.5] * 2)


def test_a_failure_is_shown_as_the_user_will_read_it() -> None:
    keeper = Noting()
    with pytest.raises(PluginError) as caught:
        asked(keeper, broken=True)
    assert keeper.errors == [str(caught.value)]
    assert "regime model length failed to fit" in keeper.errors[0]


class Share(SignalScorer):
    """Learns the share of wins."""

    name = "share"

    def fit(self, features: SignalFeatures, outcomes: Outcomes) -> State:
        return {"share": float(outcomes.won.mean())}

    def score(self, features: SignalFeatures, state: State) -> Scores:
        assert state is not None
        ones = np.ones(len(features))
        return Scores(ones * state["share"], ones, np.zeros((len(features), 1)))


def test_the_last_fit_of_a_scorer_is_the_last_that_is_made() -> None:
    # Signals on bars 0, 2, 4, 6, 8; of the folds from 6, 9 and 12 only the first has one to judge.
    bar = np.arange(0, 10, 2)
    ones = np.ones(5, np.int64)
    signals = SignalFeatures(("x",), np.zeros((5, 1)), bar, 0 * ones, ones)
    outcomes = Outcomes(np.array([True, False, True, True, True]), np.ones(5), bar + 1)
    section, keeper = LearnedSection(use="share", first=6, refit=3), Noting()
    scored = score(Share(), section, 1, signals, outcomes, 15, silent, keeper=keeper)
    assert keeper.asked == [(0, 6, True)]
    assert scored.fits == 1
    np.testing.assert_allclose(scored.scores.probability[3:], [2 / 3, 2 / 3])
    again = score(Share(), section, 1, signals, outcomes, 15, silent, keeper=Noting(has={"share": 0.25}))
    np.testing.assert_array_equal(again.scores.probability[3:], [0.25, 0.25])
    assert again.fits == 1
