"""Run a scorer on its schedule: it learns from signals whose outcome is known by then."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from windtunnel.learn.keeping import Fit, Keeper, fitted
from windtunnel.learn.models import Tick, calling, scheduled
from windtunnel.learn.schedule import Fold, LearnedSection
from windtunnel.learn.weights import uniqueness
from windtunnel.plugin import SignalScorer, State
from windtunnel.values import FloatArray, IntArray, Outcomes, Scores, SignalFeatures

__all__ = ["Scored", "score"]


@dataclass(frozen=True, eq=False)
class Scored:
    """Scores of n signals, and the share of wins that each was judged against.

    Parameters
    ----------
    scores : Scores
    base_rate : array of float64, ``[n]``
        Share of wins among the signals that the scorer had learned from; NaN where it abstained.
    fits : int
        Fits that were made; a step of the schedule with too few outcomes makes none.
    """

    scores: Scores
    base_rate: FloatArray
    fits: int


def score(
    scorer: SignalScorer,
    section: LearnedSection,
    min_outcomes: int,
    signals: SignalFeatures,
    outcomes: Outcomes,
    bars: int,
    tick: Tick,
    slot: str = "scorer",
    keeper: Keeper | None = None,
) -> Scored:
    """Score every signal by a model that learned only from outcomes known before it.

    A fit learns from the signals inside its training bars whose outcome is known before they end. With
    fewer than ``min_outcomes`` of them, or where ``fit`` returns None, the scorer abstains. ``slot`` is the
    section that names it, for ``tick``; ``keeper`` is shown every fit.
    """
    count, width = signals.values.shape
    probability, confidence = np.full(count, np.nan), np.full(count, np.nan)
    contributions, base_rate = np.zeros((count, width)), np.full(count, np.nan)
    fits = scheduled(section, bars, slot)
    rows = [_rows(fold, signals, outcomes) for fold in fits]
    made = [place for place, (asked, past) in enumerate(rows) if len(asked) and len(past) >= min_outcomes]
    for place, fold in enumerate(fits):
        tick(f"{slot} {scorer.name}", place + 1, len(fits))
        if place not in made:
            continue
        asked, learned = rows[place]
        seen, past = signals.take(learned), outcomes.take(learned)
        past = replace(past, weight=uniqueness(seen.bar, past.known, seen.symbol))
        fit = Fit(scorer, section, fold, seen, past, last=place == made[-1])
        state = fitted(keeper, fit, partial(_learn, scorer, seen, past))
        if state is None:
            continue
        with calling(scorer, "score"):
            scores = scorer.score(signals.take(asked), state)
            scores.check(len(asked), width)
        probability[asked], confidence[asked] = scores.probability, scores.confidence
        contributions[asked], base_rate[asked] = scores.contributions, past.won.mean()
    return Scored(Scores(probability, confidence, contributions), base_rate, len(made))


def _rows(fold: Fold, signals: SignalFeatures, outcomes: Outcomes) -> tuple[IntArray, IntArray]:
    """Return which signals a fold judges, and which it learns from."""
    asked = (signals.bar >= fold.start) & (signals.bar < fold.stop)
    learned = (signals.bar >= fold.train_start) & (outcomes.known < fold.train_stop)
    return np.flatnonzero(asked), np.flatnonzero(learned)


def _learn(scorer: SignalScorer, seen: SignalFeatures, past: Outcomes) -> State:
    with calling(scorer, "fit"):
        return scorer.fit(seen, past)
