"""The only place where the kinds of plugin meet."""

from windtunnel.pipeline.best import combination, run_best
from windtunnel.pipeline.candidate import Candidate, Part
from windtunnel.pipeline.choice import Choice, choose
from windtunnel.pipeline.decide import Decision, Signals, decide, wishes
from windtunnel.pipeline.result import BenchmarkResult, Effect, Result
from windtunnel.pipeline.run import concluded, held_benchmark, run
from windtunnel.pipeline.space import Space, SpaceLike
from windtunnel.pipeline.sweep import Sweep, sweep

__all__ = [
    "BenchmarkResult",
    "Candidate",
    "Choice",
    "Decision",
    "Effect",
    "Part",
    "Result",
    "Signals",
    "Space",
    "SpaceLike",
    "Sweep",
    "choose",
    "combination",
    "concluded",
    "decide",
    "held_benchmark",
    "run",
    "run_best",
    "sweep",
    "wishes",
]
