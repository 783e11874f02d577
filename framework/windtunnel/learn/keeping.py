"""What keeps fitted states, and when it is asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from windtunnel.learn.schedule import Fold, LearnedSection
from windtunnel.market import Market
from windtunnel.plugin import Plugin, State
from windtunnel.values import Outcomes, SignalFeatures

__all__ = ["Fit", "Keeper", "fitted"]


@dataclass(frozen=True, eq=False)
class Fit:
    """One fit of one model.

    Parameters
    ----------
    plugin : Plugin
    section : LearnedSection
    fold : Fold
        Which bars it learns from.
    learned : Market or SignalFeatures
        What it learns from; for a scorer the signals.
    outcomes : Outcomes or None
        How these ended.
    last : bool
        Whether it is the last of its schedule: the model that one would use tomorrow.
    """

    plugin: Plugin
    section: LearnedSection
    fold: Fold
    learned: Market | SignalFeatures
    outcomes: Outcomes | None = None
    last: bool = False


class Keeper(Protocol):
    """Keeps fitted states; where there is none, nothing is kept."""

    def kept(self, fit: Fit) -> State:
        """Return the state of the same fit, made before; None where there is none, and it will be made."""

    def keep(self, fit: Fit, state: State) -> None:
        """Keep the state of a fit."""

    def failed(self, fit: Fit, error: BaseException) -> None:
        """Note that a fit raised, or was interrupted."""


def fitted(keeper: Keeper | None, fit: Fit, learn: Callable[[], State]) -> State:
    """Return a kept state, or make it and have it kept."""
    if keeper is None:
        return learn()
    state = keeper.kept(fit)
    if state is not None:
        return state
    try:
        state = learn()
    except BaseException as error:
        keeper.failed(fit, error)
        raise
    keeper.keep(fit, state)
    return state
