"""When a model may learn."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any

from annotated_types import Ge
from pydantic import Field

from windtunnel.values import ConfigModel

__all__ = ["Fold", "LearnedSection", "folds"]


class LearnedSection(ConfigModel):
    """A model, and when it may learn: what belongs to the framework stands beside ``use``."""

    use: str
    """Name of the plugin."""
    params: dict[str, Any] = Field(default_factory=dict)
    """Parameters of the plugin."""
    refit: Annotated[int, Ge(1)] = 63
    """Bars between two fits."""
    first: Annotated[int, Ge(1)] = 252
    """Bars before the first fit; until then the model abstains."""
    window: Annotated[int, Ge(1)] | None = None
    """Learn from the last so many bars only; all of the past if left out."""
    embargo: Annotated[int, Ge(0)] = 0
    """Bars to leave out between what a model learns from and what it is asked about."""


@dataclass(frozen=True)
class Fold:
    """One fit: learn from bars ``[train_start, train_stop)``, answer for bars ``[start, stop)``."""

    train_start: int
    train_stop: int
    start: int
    stop: int


def folds(section: LearnedSection, bars: int) -> Iterator[Fold]:
    """Yield the fits of a schedule in time order; the bars before ``first`` belong to none."""
    for start in range(section.first, bars, section.refit):
        train_stop = start - section.embargo
        train_start = 0 if section.window is None else max(0, train_stop - section.window)
        if train_stop > train_start:
            yield Fold(train_start, train_stop, start, min(start + section.refit, bars))
