"""Searches that follow a plan."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from windtunnel.values import FloatArray, Point

__all__ = ["Listed"]


class Listed:
    """A search that proposes points in a given order, whatever they come to."""

    def __init__(self, points: Iterator[Point]) -> None:
        self._points = points

    def ask(self, count: int) -> Sequence[Point]:
        """Return the next points."""
        return list(islice(self._points, count))

    def tell(self, points: Sequence[Point], values: FloatArray) -> None:
        """Learn nothing."""
