"""Which bars to choose parameters on, and which to judge them by."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Bounds", "Split"]

Bounds = tuple[int, int]
"""First bar, and one past the last."""


@dataclass(frozen=True)
class Split:
    """Stretches of bars to learn from and to judge by, in time order, none overlapping.

    Parameters
    ----------
    train, test : tuple of (int, int)
        First bar and one past the last of each stretch.
    """

    train: tuple[Bounds, ...]
    test: tuple[Bounds, ...]
