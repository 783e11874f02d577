"""Every combination of parameters, backtested: one row of metrics each."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from windtunnel.bars import Bars
from windtunnel.engine.metrics import METRICS
from windtunnel.engine.sweep import SWEEP_METRICS, Figures
from windtunnel.errors import InvalidValueError
from windtunnel.pipeline.batches import Batch, Batches
from windtunnel.pipeline.candidate import Candidate
from windtunnel.pipeline.rule_grid import PREFIX
from windtunnel.pipeline.space import Space
from windtunnel.values import FloatArray, IntArray

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Sweep", "cores", "sweep"]

Tick = Callable[[int, int], None]


@dataclass(frozen=True, eq=False)
class Sweep:
    """What a sweep found: one row a legal combination, in the order of the space.

    Parameters
    ----------
    space : Space
    place, rule : array of int64, ``[K]``
        Of each row: which point of the space, and which row of its rules.
    values : array of float64, ``[K, 5]``
        The metrics, in the order of :data:`~windtunnel.engine.sweep.SWEEP_METRICS`; NaN where undefined.
    illegal : int
        Combinations that a rule between the strategy's parameters forbids.
    edges : array of int64, ``[S + 1]``
        First bar of each of S blocks, and one past the last; empty where none were asked for.
    sums : array of float64, ``[K, S, 3]``
        Number, sum and sum of squares of the returns of each combination in each block.
    """

    space: Space
    place: IntArray
    rule: IntArray
    values: FloatArray
    illegal: int
    edges: IntArray = field(default_factory=lambda: np.empty(0, np.int64))
    sums: FloatArray = field(default_factory=lambda: np.empty((0, 0, 3)))

    def __len__(self) -> int:
        return len(self.place)

    @cached_property
    def parameters(self) -> dict[str, Any]:
        """The value of each searched parameter, ``[K]``."""
        return self.space.columns(self.place, self.rule)

    def point(self, row: int) -> dict[str, Any]:
        """Return the parameters of one combination by the dotted paths that ``--set`` takes."""
        positions = self.space.positions(self.place[[row]], self.rule[[row]])
        return {_path(name): self.space.values[name][int(at[0])] for name, at in positions.items()}

    @property
    def columns(self) -> dict[str, list[Any]]:
        """The value of each searched parameter, ``[K]``, by the dotted paths that ``--set`` takes."""
        return {_path(name): column.tolist() for name, column in self.parameters.items()}

    def metric(self, name: str) -> FloatArray:
        """Return one metric of all combinations, ``[K]``.

        Raises
        ------
        InvalidValueError
            If a sweep does not compute it.
        """
        if name not in SWEEP_METRICS:
            raise InvalidValueError("metric", f"must be one of {', '.join(SWEEP_METRICS)}", name)
        column: FloatArray = self.values[:, SWEEP_METRICS.index(name)]
        return column

    @property
    def frame(self) -> pd.DataFrame:
        """Parameters and metrics as columns, one row a combination."""
        import pandas as pd

        metrics = dict(zip(SWEEP_METRICS, self.values.T, strict=True))
        frame = pd.DataFrame(self.parameters | metrics)
        frame["trades"] = frame["trades"].astype(np.int64)
        return frame

    def best(self, metric: str = "sharpe") -> dict[str, Any]:
        """Return the combination with the best metric: its parameters and metrics.

        Raises
        ------
        InvalidValueError
            If the metric is undefined for all combinations, or neither direction of it is better.
        """
        row = self.best_row(metric)
        found = {name: column[row] for name, column in self.parameters.items()}
        found |= dict(zip(SWEEP_METRICS, self.values[row].tolist(), strict=True))
        return {
            name: value.item() if isinstance(value, np.generic) else value for name, value in found.items()
        }

    def best_row(self, metric: str = "sharpe") -> int:
        """Return the row with the best metric, the first of equals; errors as :meth:`best`."""
        column = self.metric(metric)
        higher = next(one.higher_is_better for one in METRICS if one.name == metric)
        if higher is None or np.isnan(column).all():
            raise InvalidValueError("metric", "must have a best combination", metric)
        return int(np.nanargmax(column if higher else -column))

    def __repr__(self) -> str:
        names = ", ".join(self.space.names)
        return f"Sweep({self.space.strategy.name}: {len(self):,} combinations of {names})"


def sweep(
    bars: Bars,
    candidate: Candidate,
    space: Space,
    *,
    benchmark: str | None = None,
    threads: int | None = None,
    edges: Sequence[int] = (),
    tick: Tick | None = None,
    seen: Callable[[FloatArray], None] | None = None,
    many: bool | None = None,
) -> Sweep:
    """Backtest every legal combination.

    The market's indicators are computed once for each distinct argument. Where nothing but exposure decides
    (no gate, scorer or sizing, an all-in account on one symbol), batches of exposures go to compiled threads
    that walk from order to order; everything else is simulated bar by bar, as a single backtest is. Either
    way a combination's row depends on nothing but the combination.

    Parameters
    ----------
    bars : Bars
    candidate : Candidate
        What surrounds the strategy; its strategy and rules are replaced by those of the space.
    space : Space
    benchmark : str, optional
        Symbol by which a regime model of the benchmark judges.
    threads : int, optional
        As many as there are cores if left out; they do not change the result.
    edges : sequence of int
        First bars of blocks, in order, and one past the last: add up the returns in each.
    tick : callable, optional
        Told after each batch how many combinations are done, illegal ones too, and how many there are.
    seen : callable, optional
        Given the metrics of each batch, ``[K, 5]``, before ``tick`` is told.
    many : bool, optional
        Whether these are some of many combinations, so that a row has the same bits whatever the others are.

    Raises
    ------
    InvalidValueError
        If no combination is legal.
    PluginError
        If the strategy raises or breaks its contract.
    """
    cuts = _checked(edges, len(bars))
    batches = Batches(bars, candidate, space, benchmark, cuts, many)
    threads = threads or cores()
    done, total = 0, len(space)
    place, rule = np.empty((2, total), np.int64)
    values = np.empty((total, len(SWEEP_METRICS)))
    sums = np.empty((total, max(len(cuts) - 1, 0), 3))
    sums[:, :, 0] = np.diff(cuts)
    for places, rules, (metrics, added) in _in_threads(iter(batches), threads):
        part = slice(done, done + len(places))
        place[part], rule[part], values[part] = places, rules, metrics
        sums[part, :, 1:] = np.diff(added, axis=1)
        done = part.stop
        if seen is not None:
            seen(metrics)
        if tick is not None:
            tick(done + batches.illegal, total)
    if not done:
        raise InvalidValueError(
            "space", "must have a combination that the strategy allows", dict(space.values)
        )
    return Sweep(space, place[:done], rule[:done], values[:done], batches.illegal, cuts, sums[:done])


def _path(name: str) -> str:
    return name if name.startswith(PREFIX) else f"strategy.params.{name}"


def _checked(edges: Sequence[int], bars: int) -> IntArray:
    cuts = np.asarray(edges, np.int64)
    if len(cuts) and (len(cuts) < 2 or cuts[0] < 0 or cuts[-1] > bars or (np.diff(cuts) < 1).any()):
        raise InvalidValueError("edges", f"must be bars in order, from 0 to {bars}", list(edges))
    return cuts


def cores() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


_Done: TypeAlias = tuple[IntArray, IntArray, Figures]


def _in_threads(batches: Iterator[Batch], threads: int) -> Iterator[_Done]:
    """Run batches in their order, on this thread while the others are busy, for it makes them too."""
    first, second = next(batches, None), next(batches, None)
    if first is None:
        return
    if second is None:
        yield first[0], first[1], first[2]()
        return
    batches = chain((first, second), batches)
    waiting: deque[tuple[IntArray, IntArray, Future[Figures]]] = deque()
    with ThreadPoolExecutor(max(1, threads - 1)) as pool:
        for places, rules, run in batches:
            busy = sum(not future.done() for *_, future in waiting)
            waiting.append((places, rules, _now(run) if busy >= threads else pool.submit(run)))
            while waiting and waiting[0][2].done():
                yield _finished(waiting.popleft())
        while waiting:
            yield _finished(waiting.popleft())


def _now(run: Callable[[], Figures]) -> Future[Figures]:
    future: Future[Figures] = Future()
    future.set_result(run())
    return future


def _finished(work: tuple[IntArray, IntArray, Future[Figures]]) -> _Done:
    places, rules, future = work
    return places, rules, future.result()
