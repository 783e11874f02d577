"""When a model learns, and from what."""

from windtunnel.learn.intervals import conformal
from windtunnel.learn.keeping import Fit, Keeper
from windtunnel.learn.labels import (
    Barriers,
    barrier_outcomes,
    realised_volatility,
    scale_at,
    trade_outcomes,
)
from windtunnel.learn.models import Tick, answers, calling, silent
from windtunnel.learn.purged import purged_folds
from windtunnel.learn.reliability import pattern_features, pattern_outcomes, with_success
from windtunnel.learn.schedule import Fold, LearnedSection, folds
from windtunnel.learn.scoring import Scored, score
from windtunnel.learn.signals import entries, held_direction, signal_features, with_record
from windtunnel.learn.weights import uniqueness

__all__ = [
    "Barriers",
    "Fit",
    "Fold",
    "Keeper",
    "LearnedSection",
    "Scored",
    "Tick",
    "answers",
    "barrier_outcomes",
    "calling",
    "conformal",
    "entries",
    "folds",
    "held_direction",
    "pattern_features",
    "pattern_outcomes",
    "purged_folds",
    "realised_volatility",
    "scale_at",
    "score",
    "signal_features",
    "silent",
    "trade_outcomes",
    "uniqueness",
    "with_record",
    "with_success",
]
