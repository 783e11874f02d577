"""When a model learns, and from what."""

from windtunnel.learn.models import Tick, answers, calling, silent
from windtunnel.learn.schedule import Fold, LearnedSection, folds
from windtunnel.learn.scoring import Scored, score
from windtunnel.learn.signals import Barriers, entries, held_direction, outcomes, signal_features

__all__ = [
    "Barriers",
    "Fold",
    "LearnedSection",
    "Scored",
    "Tick",
    "answers",
    "calling",
    "entries",
    "folds",
    "held_direction",
    "outcomes",
    "score",
    "signal_features",
    "silent",
]
