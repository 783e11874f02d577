"""Run a scorer on its schedule: it learns from signals whose outcome is known by then."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from windtunnel.learn.models import Tick, calling, scheduled
from windtunnel.learn.schedule import LearnedSection
from windtunnel.learn.weights import uniqueness
from windtunnel.plugin import SignalScorer
from windtunnel.values import FloatArray, Outcomes, Scores, SignalFeatures

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
) -> Scored:
    """Score every signal by a model that learned only from outcomes known before it.

    A fit learns from the signals inside its training bars whose outcome is known before they end. With
    fewer than ``min_outcomes`` of them, or where ``fit`` returns None, the scorer abstains. ``slot`` is the
    section that names it, for ``tick``.
    """
    count, width = signals.values.shape
    probability, confidence = np.full(count, np.nan), np.full(count, np.nan)
    contributions, base_rate = np.zeros((count, width)), np.full(count, np.nan)
    fits = scheduled(section, bars, slot)
    fitted = 0
    for done, fold in enumerate(fits, start=1):
        tick(f"{slot} {scorer.name}", done, len(fits))
        asked = np.flatnonzero((signals.bar >= fold.start) & (signals.bar < fold.stop))
        learned = (signals.bar >= fold.train_start) & (outcomes.known < fold.train_stop)
        if not len(asked) or learned.sum() < min_outcomes:
            continue
        past = outcomes.take(learned)
        weight = uniqueness(signals.bar[learned], past.known, signals.symbol[learned])
        past = replace(past, weight=weight)
        with calling(scorer, "fit"):
            state = scorer.fit(signals.take(learned), past)
        fitted += 1
        if state is None:
            continue
        with calling(scorer, "score"):
            scores = scorer.score(signals.take(asked), state)
            scores.check(len(asked), width)
        probability[asked], confidence[asked] = scores.probability, scores.confidence
        contributions[asked], base_rate[asked] = scores.contributions, past.won.mean()
    return Scored(Scores(probability, confidence, contributions), base_rate, fitted)
