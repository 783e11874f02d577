"""Where parameters are chosen and where they are judged, over all bars of an experiment."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from windtunnel.errors import InvalidValueError
from windtunnel.values import BoolArray, Bounds, FloatArray, IntArray, Split

__all__ = ["Folds", "block_edges", "sharpes"]

_BLOCKS = 10
"""Blocks of bars that are halved in all ways: 252 of them."""
_LEAST = 100
"""Fewest bars that are worth halving."""
_NOISE = 1e-28
"""A variance below this is that of rounding."""


def block_edges(bars: int) -> tuple[int, ...]:
    """Return the first bars of the blocks that are halved, and one past the last; none for few bars."""
    return () if bars < _LEAST else tuple(bars // _BLOCKS * place for place in range(_BLOCKS + 1))


@dataclass(frozen=True)
class Folds:
    """The splits of an experiment, and the blocks of bars in which returns are added up for all of them.

    Parameters
    ----------
    bars : int
    splits : tuple of Split
        Those that are judged; each learns from some bars and is judged by others.
    """

    bars: int
    splits: tuple[Split, ...]

    def __post_init__(self) -> None:
        for place, split in enumerate(self.splits):
            if not split.train or not split.test:
                rule = "must leave bars to learn from and to judge by"
                raise InvalidValueError(f"splits[{place}]", rule, split)

    @cached_property
    def all(self) -> tuple[Split, ...]:
        """The splits, and after them the one that learns from all bars."""
        return (*self.splits, Split(((0, self.bars),), ()))

    @cached_property
    def edges(self) -> IntArray:
        """First bar of each block, and one past the last: every stretch is a number of whole blocks."""
        ends = {0, self.bars, *block_edges(self.bars)}
        for split in self.splits:
            ends.update(end for bounds in (*split.train, *split.test) for end in bounds)
        return np.array(sorted(ends), np.int64)

    def blocks(self, stretches: Sequence[Bounds]) -> BoolArray:
        """Say which blocks lie in some stretches of bars, ``[B]``."""
        inside = np.zeros(len(self.edges) - 1, np.bool_)
        for first, stop in stretches:
            low, high = np.searchsorted(self.edges, (first, stop))
            inside[low:high] = True
        return inside

    def halves(self, sums: FloatArray) -> FloatArray:
        """Return the sums over blocks of equal length, ``[K, S, 3]``, for the probability of overfitting.

        Empty where there are too few bars for them.
        """
        ends = block_edges(self.bars)
        if not ends:
            return np.empty((len(sums), 0, 3))
        places = np.searchsorted(self.edges, ends)
        parts = [sums[:, low:high].sum(axis=1) for low, high in pairwise(places.tolist())]
        return np.stack(parts, axis=1)

    def first(self) -> int:
        """Return the first bar that is judged."""
        return min(first for split in self.splits for first, _ in split.test)

    def paths(self) -> Iterator[tuple[tuple[int, Bounds], ...]]:
        """Yield every way to judge each stretch once: fold and bounds, in time order.

        The combinatorial scheme judges each stretch by several folds, and so has as many ways as these; the
        others have one.
        """
        judged: dict[Bounds, list[int]] = {}
        for fold, split in enumerate(self.splits):
            for bounds in split.test:
                judged.setdefault(bounds, []).append(fold)
        for way in range(min(map(len, judged.values()))):
            yield tuple((folds[way], bounds) for bounds, folds in sorted(judged.items()))


def sharpes(sums: FloatArray, periods_per_year: float) -> FloatArray:
    """Return the Sharpe ratio a year of returns that are known by their sums, ``[K]``.

    Parameters
    ----------
    sums : array of float64, ``[K, B, 3]``
        Number, sum and sum of squares in each block.
    periods_per_year : float

    Returns
    -------
    array of float64
        NaN where returns do not vary.
    """
    count, total, squares = sums.sum(axis=1).T
    with np.errstate(invalid="ignore", divide="ignore"):
        variance = (squares - total * total / count) / (count - 1)
        ratio = total / count / np.sqrt(np.maximum(variance, 0.0)) * np.sqrt(periods_per_year)
    return np.asarray(np.where(variance > _NOISE, ratio, np.nan))
