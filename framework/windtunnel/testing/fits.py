"""What a model learned in the full run, so that other runs need not learn it again."""

from __future__ import annotations

import json
from typing import TypeAlias

from windtunnel.learn import Fit
from windtunnel.plugin import Plugin, State

__all__ = ["Fits"]

_Place: TypeAlias = tuple[str, str, str]


class Fits:
    """Keeps every state of the full run, and hands them out again once it is told to.

    A fit learns from a view that ends before the cut, so its state is the same in every run unless the plugin
    gets past the view. Some runs learn anew to see that; the others ask the states that are known. What would
    be learned beyond the cut has no part in what is compared.
    """

    def __init__(self) -> None:
        self._states: dict[tuple[_Place, int, int], State] = {}
        self._latest: dict[_Place, State] = {}
        self.replays = False

    def kept(self, fit: Fit) -> State:
        """Return the state of the same fit, once the full run is over."""
        return self._states.get(_key(fit)) if self.replays else None

    def keep(self, fit: Fit, state: State) -> None:
        """Keep the state of a fit of the full run."""
        if not self.replays:
            self._states[_key(fit)] = state
            self._latest[_place(fit.plugin, fit.section)] = state

    def failed(self, fit: Fit, error: BaseException) -> None:
        """Keep nothing."""

    def latest(self, plugin: Plugin, section: object) -> State:
        """Return what a plugin learned last; None where it learned nothing."""
        return self._latest.get(_place(plugin, section))


def _key(fit: Fit) -> tuple[_Place, int, int]:
    return _place(fit.plugin, fit.section), fit.fold.train_stop, fit.fold.start


def _place(plugin: Plugin, section: object) -> _Place:
    """Return what tells a model from the others of an experiment."""
    return type(section).__name__, plugin.name, json.dumps(plugin.params(), sort_keys=True)
