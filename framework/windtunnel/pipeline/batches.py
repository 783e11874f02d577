"""Combinations become batches of work for the engine."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any, TypeAlias

import numpy as np

from windtunnel.bars import Bars
from windtunnel.engine.sweep import Bench, Figures, one
from windtunnel.market import Market
from windtunnel.pipeline.candidate import Candidate, Part
from windtunnel.pipeline.decide import decide, wishes
from windtunnel.pipeline.space import Space
from windtunnel.plugin import LearnedStrategy, Strategy
from windtunnel.values import Exposure, IntArray, Rules

__all__ = ["Batch", "Batches"]

Batch: TypeAlias = tuple[IntArray, IntArray, Callable[[], Figures]]
"""Point and row of the rules of each combination, and what computes their figures on any thread."""

_ROWS = 256
"""Most exposures a batch."""
_BYTES = 1_500_000
"""Most bytes of exposure a batch: what a core's own cache holds."""
_ITEMS = 512
"""Most accounts a batch."""
_FEW = 16
"""With fewer accounts, recording the prices first costs more than it saves."""


def _many(space: Space, many: bool | None) -> bool:
    return len(space) >= _FEW if many is None else many


class Batches:
    """The batches of a space, made one after the other by asking the plugins.

    Parameters
    ----------
    bars : Bars
    candidate : Candidate
        What surrounds the strategy.
    space : Space
    benchmark : str or None
    edges : array of int64, ``[S]``
        Bars, in order, before each of which returns are added up.
    many : bool, optional
        Whether to record the prices first, which changes the last bits of a row; by their number if left out.

    Attributes
    ----------
    illegal : int
        Combinations met so far that a rule between the strategy's parameters forbids.
    """

    def __init__(
        self,
        bars: Bars,
        candidate: Candidate,
        space: Space,
        benchmark: str | None,
        edges: IntArray,
        many: bool | None = None,
    ) -> None:
        self.illegal, self._edges = 0, edges
        self._bars, self._candidate, self._space, self._benchmark = bars, candidate, space, benchmark
        self._market = Market(bars)
        self._shape = bars.shape
        self._items: Any = None
        if Bench.fits(bars) and self._only_exposure:
            self._items = space.rules.items(bars.symbols[0])
        self._bench = Bench(bars, many=_many(space, many)) if self._items is not None else None

    @property
    def _only_exposure(self) -> bool:
        candidate = self._candidate
        learned = issubclass(self._space.strategy, LearnedStrategy)
        return not learned and candidate.acts_alone and candidate.sizing.is_default

    def __iter__(self) -> Iterator[Batch]:
        if self._bench is None:
            yield from self._simulated(enumerate(self._space))
        else:
            yield from self._coded(self._bench)

    def _coded(self, bench: Bench) -> Iterator[Batch]:
        """Yield combinations whose exposure has codes, many exposures at a time."""
        rows = max(1, min(_ROWS, _BYTES // len(self._bars), len(self._space)))
        build, exposed = self._space.build, self._exposed
        places: list[int] = []
        sheet = bench.sheet(rows)
        flags = bench.flags(sheet)
        for place, params in enumerate(self._space):
            strategy = build(params)
            if strategy is None:
                self.illegal += self._space.rules_each
                continue
            exposure, row = exposed(strategy), len(places)
            if exposure is not None and exposure.dtype.char == "?":
                flags[row] = exposure
            elif exposure is None or not bench.code(exposure, sheet[row]):
                yield from self._simulated([(place, params)])
                continue
            places.append(place)
            if row + 1 == rows:
                yield from self._walked(bench, sheet, places)
                places, sheet = [], bench.sheet(rows)
                flags = bench.flags(sheet)
        if places:
            yield from self._walked(bench, sheet, places)

    def _exposed(self, strategy: Strategy | LearnedStrategy) -> Exposure | None:
        """Ask a strategy that is alone; None where it wants more than exposure."""
        try:
            wanted: Any = strategy.exposure(self._market)  # type: ignore[call-arg]
        except Exception:  # noqa: BLE001 - asked again below, where an error is told with its place
            wanted = None
        if type(wanted) is np.ndarray and wanted.dtype.char == "?" and wanted.shape == self._shape:
            return wanted
        orders = wishes(self._market, self._with(strategy, self._space.rules.base))
        return orders.exposure if orders.plain else None

    def _with(self, strategy: Strategy | LearnedStrategy, rules: Rules) -> Candidate:
        section = self._candidate.strategy.section
        return replace(self._candidate, strategy=Part(strategy, section), rules=rules)

    def _walked(self, bench: Bench, sheet: Any, places: list[int]) -> Iterator[Batch]:
        """Yield the accounts of a sheet of exposures, at most so many at a time."""
        cash, place = self._space.rules.base.cash, np.array(places)
        row, rule = self._space.rows_of(place)
        for start in range(0, len(row), _ITEMS):
            part = slice(start, start + _ITEMS)
            run = partial(bench.run, sheet, row[part], self._items[rule[part]], cash, self._edges)
            yield place[row[part]], rule[part], run

    def _simulated(self, points: Iterable[tuple[int, dict[str, Any]]]) -> Iterator[Batch]:
        """Yield combinations that are simulated bar by bar, one at a time."""
        for place, params in points:
            strategy = self._space.build(params)
            if strategy is None:
                self.illegal += self._space.rules_each
                continue
            for rule in self._space.rows_of(np.array([place]))[1]:
                candidate = self._with(strategy, self._space.rules[int(rule)])
                orders = decide(self._market, candidate, benchmark=self._benchmark).orders
                run = partial(one, self._bars, orders, candidate.rules, self._edges)
                yield np.array([place]), np.array([rule]), run
