"""The only place where the kinds of plugin meet."""

from windtunnel.pipeline.candidate import Candidate, Part
from windtunnel.pipeline.decide import Decision, Signals, decide, wishes
from windtunnel.pipeline.result import BenchmarkResult, Effect, Result
from windtunnel.pipeline.run import run

__all__ = [
    "BenchmarkResult",
    "Candidate",
    "Decision",
    "Effect",
    "Part",
    "Result",
    "Signals",
    "decide",
    "run",
    "wishes",
]
