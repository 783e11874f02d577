"""The only place where the kinds of plugin meet."""

from windtunnel.pipeline.candidate import Candidate, Part
from windtunnel.pipeline.decide import Decision, Signals, decide, wishes
from windtunnel.pipeline.result import BenchmarkResult, Effect, Result
from windtunnel.pipeline.run import run
from windtunnel.pipeline.space import Space, SpaceLike
from windtunnel.pipeline.sweep import Sweep, sweep

__all__ = [
    "BenchmarkResult",
    "Candidate",
    "Decision",
    "Effect",
    "Part",
    "Result",
    "Signals",
    "Space",
    "SpaceLike",
    "Sweep",
    "decide",
    "run",
    "sweep",
    "wishes",
]
