"""The combinations of a sweep as points of a grid: who stands beside whom."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from windtunnel.pipeline.rule_grid import PREFIX
from windtunnel.pipeline.sweep import Sweep
from windtunnel.values import BoolArray, IntArray

__all__ = ["Dimension", "Grid"]


@dataclass(frozen=True, eq=False)
class Dimension:
    """One parameter of a sweep.

    Parameters
    ----------
    name : str
        As the space has it: ``fast``, or ``backtest.stop_loss``.
    values : list
        What was tried, in order of size where these are numbers.
    is_numeric : bool
        Whether a value has neighbours: there are numbers only, and null.
    position : array of int64, ``[K]``
        Of each combination: which of ``values`` it has. Null, which switches a rule off, stands two places
        after the last number, beside nothing.
    """

    name: str
    values: list[Any]
    is_numeric: bool
    position: IntArray

    @property
    def title(self) -> str:
        """The name without ``backtest.``."""
        return self.name.removeprefix(PREFIX)

    @cached_property
    def numbers(self) -> list[float]:
        """The values that have neighbours, in their order."""
        return [value for value in self.values if value is not None]


@dataclass(frozen=True, eq=False)
class Grid:
    """A sweep's combinations by their places."""

    sweep: Sweep

    @cached_property
    def dimensions(self) -> list[Dimension]:
        """The parameters, in the order of the space."""
        index = self.sweep.space.positions(self.sweep.place, self.sweep.rule)
        return [_dimension(name, self.sweep.space.values[name], index[name]) for name in index]

    @property
    def numeric(self) -> list[Dimension]:
        """The parameters of which a value has neighbours."""
        return [one for one in self.dimensions if one.is_numeric]

    def values(self, row: int) -> dict[str, Any]:
        """Return the parameters of one combination, as they were given."""
        return {one.name: one.values[_place(one, row)] for one in self.dimensions}

    def around(self, row: int) -> BoolArray:
        """Say which combinations are neighbours of one, ``[K]``.

        Their position differs by at most one in each numeric dimension and not at all in the others; the
        combination itself is none.
        """
        beside = np.ones(len(self.sweep), np.bool_)
        for one in self.dimensions:
            distance = np.abs(one.position - one.position[row])
            beside &= distance <= (1 if one.is_numeric else 0)
        beside[row] = False
        return beside

    def edges(self, row: int) -> list[str]:
        """Return the numeric dimensions, of three values or more, at whose end a combination stands."""
        return [
            one.name
            for one in self.numeric
            if len(one.numbers) > 2 and one.position[row] in (0, len(one.numbers) - 1)
        ]


def _place(dimension: Dimension, row: int) -> int:
    return min(int(dimension.position[row]), len(dimension.values) - 1)


def _dimension(name: str, given: list[Any], index: IntArray) -> Dimension:
    numbers = [value for value in given if _is_number(value)]
    if len(numbers) < 2 or any(value is not None and not _is_number(value) for value in given):
        return Dimension(name, list(given), False, index)
    order = [*sorted(set(numbers)), *([None] if None in given else [])]
    place = {value: at for at, value in enumerate(order)}
    place[None] = len(order)
    return Dimension(name, order, True, np.array([place[value] for value in given])[index])


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
