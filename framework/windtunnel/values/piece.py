"""What every per-bar value can do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, Self, TypeVar

import numpy as np

__all__ = ["PerBar", "frozen"]

V = TypeVar("V")


def frozen(value: V) -> V:
    """Make the arrays of a value read-only, and return it: whoever is shown it may not change it."""
    for item in vars(value).values():
        for array in item.values() if isinstance(item, Mapping) else (item,):
            if isinstance(array, np.ndarray):
                array.flags.writeable = False
    return value


class PerBar(Protocol):
    """A value with one entry a bar: it can be cut, joined, and left blank."""

    def check(self, shape: tuple[int, int]) -> None:
        """Refuse, by InvalidValueError, what cannot be about T bars of N symbols."""

    def cut(self, start: int, stop: int) -> Self:
        """Return the bars ``start`` to ``stop`` (exclusive)."""

    @classmethod
    def join(cls, parts: Sequence[Self]) -> Self:
        """Put pieces, in time order, together again."""

    def abstaining(self, bars: int) -> Self:
        """Return a value of the same make that says nothing for ``bars`` bars."""
