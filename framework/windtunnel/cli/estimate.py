"""How long a run would take and how much memory, from a measured sample of it."""

from __future__ import annotations

import sys
import tracemalloc
from collections.abc import Iterator
from dataclasses import dataclass, replace
from time import perf_counter
from typing import TYPE_CHECKING

from windtunnel.cli.header import learning

if TYPE_CHECKING:
    from windtunnel.data import Dataset
    from windtunnel.experiment import Loaded

__all__ = ["Estimate", "estimate"]

_FEWEST = 1_000


@dataclass(frozen=True)
class Estimate:
    """What a run would need.

    Parameters
    ----------
    least, most : float
        Seconds: as if all work grew with the bars, and as if it grew with what the models learn from.
    memory : float
        Bytes, the process as a whole.
    sample : int
        Bars that were measured, the first of the data.
    """

    least: float
    most: float
    memory: float
    sample: int


def estimate(loaded: Loaded, dataset: Dataset) -> Estimate:
    """Run the experiment on its first bars and scale by size; the report is not in it.

    The sample is run three times: to load what is loaded once, to take the time, to take the memory.
    """
    from windtunnel.runner import compute

    whole = len(dataset.bars)
    sample = _sample(loaded, whole)
    first_bars = replace(dataset, bars=dataset.bars.cut(0, sample))

    def seconds() -> float:
        start = perf_counter()
        compute(loaded, first_bars)
        return perf_counter() - start

    cold, warm = seconds(), seconds()
    tracemalloc.start()
    compute(loaded, first_bars)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    once, times = max(cold - warm, 0.0), whole / sample
    learned = sum(_learned_from(loaded, whole)) / max(sum(_learned_from(loaded, sample)), 1)
    return Estimate(
        least=once + warm * times,
        most=once + warm * max(times, learned),
        memory=_resident() + peak * (times - 1),
        sample=sample,
    )


def _sample(loaded: Loaded, whole: int) -> int:
    """Return how many bars to measure: enough for every plugin to warm up and every model to learn."""
    sections = [part.section for part in learning(loaded)]
    needed: list[int] = [section.first + section.embargo + 4 * section.refit for section in sections]
    return min(whole, max(_FEWEST, 3 * loaded.strategy.warmup, *needed))


def _learned_from(loaded: Loaded, bars: int) -> Iterator[int]:
    """Yield the bars that each fit learns from."""
    from windtunnel.learn import folds

    for part in learning(loaded):
        for fold in folds(part.section, bars):
            yield fold.train_stop - fold.train_start


def _resident() -> float:
    """Return the most memory that this process has held, in bytes; 0 where the system does not tell."""
    try:
        import resource
    except ImportError:
        return 0.0
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return float(held if sys.platform == "darwin" else held * 1024)
