"""A scorer learns from outcomes that were known by then, and from nothing else."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pytest

from windtunnel.errors import PluginError
from windtunnel.learn import LearnedSection, score
from windtunnel.plugin import SignalScorer, State
from windtunnel.values import Outcomes, Scores, SignalFeatures


class Noting(SignalScorer):
    """Notes the signals it is taught."""

    name = "noting"
    taught: ClassVar[list[list[int]]] = []
    mute: bool = False
    """Whether to learn nothing."""
    extra: int = 0
    """Scores too many."""

    def fit(self, features: SignalFeatures, outcomes: Outcomes) -> State:
        self.taught.append(features.bar.tolist())
        return None if self.mute else {"share": float(outcomes.won.mean())}

    def score(self, features: SignalFeatures, state: State) -> Scores:
        assert state is not None
        n = len(features) + self.extra
        return Scores(np.full(n, state["share"]), np.ones(n), np.zeros((n, 1)))


def silent(what: str, done: int, total: int) -> None:
    """Report no progress."""


def asked(scorer: SignalScorer, **schedule: Any) -> Any:
    """Score six signals, on bars 0, 2, … 10, each known four bars later; the first three won."""
    Noting.taught.clear()
    bar = np.arange(0, 12, 2)
    ones = np.ones(6, np.int64)
    signals = SignalFeatures(("x",), np.zeros((6, 1)), bar, 0 * ones, ones)
    won = np.array([True, True, True, False, False, False])
    outcomes = Outcomes(won, np.where(won, 0.1, -0.1), bar + 4)
    section = LearnedSection(use="noting", **schedule)
    return score(scorer, section, 2, signals, outcomes, 12, silent)


def test_only_outcomes_known_before_the_training_ends_are_learned() -> None:
    scored = asked(Noting(), first=8, refit=2)
    assert Noting.taught == [[0, 2], [0, 2, 4]]
    assert scored.fits == 2
    np.testing.assert_array_equal(scored.scores.probability, [np.nan] * 4 + [1.0, 1.0])


def test_an_outcome_known_on_the_first_bar_to_answer_comes_too_late() -> None:
    asked(Noting(), first=6, refit=6)
    assert Noting.taught == []
    asked(Noting(), first=7, refit=6)
    assert Noting.taught == [[0, 2]]


def test_the_base_rate_is_that_of_what_was_learned() -> None:
    assert asked(Noting(), first=11, refit=1).base_rate[-1:].tolist() != [0.5]
    np.testing.assert_array_equal(asked(Noting(), first=10, refit=2).base_rate, [np.nan] * 5 + [1.0])


def test_a_window_forgets_signals() -> None:
    asked(Noting(), first=10, refit=2, window=8)
    assert Noting.taught == [[2, 4]]


def test_a_scorer_that_learns_nothing_is_not_asked() -> None:
    assert np.isnan(asked(Noting(mute=True), first=8, refit=2).scores.probability).all()


def test_the_wrong_number_of_scores_is_named() -> None:
    with pytest.raises(PluginError, match="noting failed to score"):
        asked(Noting(extra=1), first=8, refit=2)
