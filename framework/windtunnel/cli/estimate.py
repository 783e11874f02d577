"""How long a run would take and how much memory, from a measured sample of it."""

from __future__ import annotations

import sys
import tracemalloc
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from math import prod
from time import perf_counter
from typing import TYPE_CHECKING, Any

from windtunnel.cli.header import learning
from windtunnel.errors import ConfigError

if TYPE_CHECKING:
    from windtunnel.data import Dataset
    from windtunnel.experiment import Loaded
    from windtunnel.pipeline import Space

__all__ = ["Estimate", "estimate"]

_FEWEST = 1_000
_FEW, _MORE, _RULES = 16, 256, 64
"""Of a sweep: how many points of the strategy's parameters are tried, and under how many rules."""
_ROW = 150
"""Bytes that a combination takes, with its place in the table that is written."""


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
    tried : int
        Combinations of a sweep that were tried, on all bars.
    """

    least: float
    most: float
    memory: float
    sample: int
    tried: int


def estimate(loaded: Loaded, dataset: Dataset) -> Estimate:
    """Run the experiment on its first bars and scale by size; the report is not in it.

    The sample is run three times: to load what is loaded once, to take the time, to take the memory. Of a
    sweep some combinations are tried on all bars, and the time is scaled by their number.
    """
    from windtunnel.runner import compute

    searching = _searching(loaded, dataset)
    rows = 0 if loaded.space is None else len(loaded.space)
    loaded = loaded.alone
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
        least=searching[0] + once + warm * times,
        most=searching[1] + once + warm * max(times, learned),
        memory=_resident() + peak * (times - 1) + rows * _ROW,
        sample=sample,
        tried=searching[2],
    )


def _searching(loaded: Loaded, dataset: Dataset) -> tuple[float, float, int]:
    """Return the least and the most seconds that a search would take, and how much of it was tried for that.

    An optimisation's time is taken to grow with its trials, a sweep's with the strategy's parameters as it
    does between a small and a larger part; where there are many rules, at most as it would if each took as
    long as a whole combination.
    """
    from windtunnel.runner import search
    from windtunnel.runner.optimizing import rehearsed, trials_in_all

    if loaded.search is not None:
        each, tried = rehearsed(loaded, dataset)
        seconds_in_all = each * trials_in_all(loaded, dataset)
        return seconds_in_all, seconds_in_all, tried
    if loaded.space is None:
        return 0.0, 0.0, 0

    def seconds(part: Space) -> float:
        start = perf_counter()
        with suppress(ConfigError):
            search(replace(loaded, space=part), dataset)
        return perf_counter() - start

    small, larger = (_part(loaded.space, most) for most in (_FEW, _MORE))
    seconds(small)
    short, long = seconds(small), seconds(larger)
    few, more, every = (len(space) / space.rules.rows for space in (small, larger, loaded.space))
    each = long / more if more == few else max(long - short, 0.0) / (more - few)
    least = long + each * (every - more)
    return least, least * loaded.space.rules.rows / larger.rules.rows, len(larger)


def _part(space: Space, most: int) -> Space:
    """Return a space with the strategy's parameters thinned to so many points, and fewer rules."""
    from windtunnel.pipeline import Space

    own = {name: space.values[name] for name in space.parameters}
    rules = {name: given for name, given in space.values.items() if name not in own}
    thinned = _thinned(own, most) | _thinned(rules, _RULES)
    fixed = space.strategy(**space.fixed)
    return Space.of(fixed, {name: thinned[name] for name in space.names}, space.rules.base)


def _thinned(values: dict[str, list[Any]], most: int) -> dict[str, list[Any]]:
    """Return about so many combinations, evenly over all."""
    if not values:
        return {}
    share = min(1.0, (most / prod(map(len, values.values()))) ** (1 / len(values)))
    kept = {name: max(1, round(len(given) * share)) for name, given in values.items()}
    return {
        name: [given[place * (len(given) - 1) // max(kept[name] - 1, 1)] for place in range(kept[name])]
        for name, given in values.items()
    }


def _sample(loaded: Loaded, whole: int) -> int:
    """Return how many bars to measure: enough for every plugin to warm up and every model to learn."""
    sections = [part.section for _, part in learning(loaded)]
    needed: list[int] = [section.first + section.embargo + 4 * section.refit for section in sections]
    return min(whole, max(_FEWEST, 3 * loaded.strategy.warmup, *needed))


def _learned_from(loaded: Loaded, bars: int) -> Iterator[int]:
    """Yield the bars that each fit learns from."""
    from windtunnel.learn import folds

    for _, part in learning(loaded):
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
