"""A loaded experiment: what was asked for, ready to run, and able to say where each value stands."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field, replace
from os import PathLike
from pathlib import Path as FilePath
from typing import Any

from windtunnel.errors import Mistake
from windtunnel.experiment.document import dump
from windtunnel.experiment.model import Experiment
from windtunnel.experiment.node import Node
from windtunnel.experiment.parameters import is_path
from windtunnel.experiment.places import LEDGER, SECRETS, is_relative, secrets_in
from windtunnel.optimize.constraints import Constraint
from windtunnel.pipeline import Space
from windtunnel.plugin import (
    DataSource,
    Host,
    LearnedStrategy,
    Optimizer,
    PatternDetector,
    RegimeModel,
    SignalScorer,
    Strategy,
    VolatilityModel,
)
from windtunnel.values import SearchSpace

__all__ = ["SLOTS", "Loaded"]

SLOTS = {
    **{kind: kind for kind in ("data", "strategy", "regime", "volatility", "scorer", "optimize")},
    "reliability": "scorer",
}
"""The sections that hold one plugin each, and its kind."""
_ATTRIBUTES = {"data": "source", "optimize": "optimizer"}
_SEARCHING = ("sweep", "optimize", "validation", "execution")
_DECIDES_NOTHING = ("execution", "ledger")


@dataclass(frozen=True, eq=False)
class Loaded:
    """An experiment, checked, with its plugins built.

    Parameters
    ----------
    experiment : Experiment
        As it was written: ``params`` without defaults, secrets by name.
    host : Host
        Where the plugins come from.
    strategy, patterns, reliability, regime, volatility, scorer, source
        The plugins; None where the experiment has none. Only these hold the values of secrets.
    space : Space or None
        The combinations that the section ``sweep`` asks for.
    optimizer : Optimizer or None
        What proposes the parameters to try.
    search : SearchSpace or None
        What the section ``optimize`` searches.
    constraints : tuple of Constraint
        What must hold between parameters; the values that are not searched are those of :meth:`resolved`.
    ledger : str or None
        Folder or URL of the ledger, secrets filled in; None for the folder of the results.
    file : str or None
        The file as the user named it.
    """

    experiment: Experiment
    host: Host
    strategy: Strategy | LearnedStrategy
    patterns: tuple[PatternDetector, ...]
    reliability: SignalScorer | None
    regime: RegimeModel | None
    volatility: VolatilityModel | None
    scorer: SignalScorer | None
    source: DataSource = field(repr=False)
    space: Space | None
    optimizer: Optimizer | None
    search: SearchSpace | None
    constraints: tuple[Constraint, ...]
    ledger: str | None = field(repr=False)
    file: str | None
    _resolved: Mapping[str, Any] = field(repr=False)
    _root: Node = field(repr=False)
    _folder: FilePath = field(repr=False)

    def resolved(self) -> dict[str, Any]:
        """Return the whole configuration with every default, as JSON values.

        The same on every machine: paths are relative to the experiment's file as it wrote them, secrets
        are ``${NAME}``, and nothing is left of ``extends`` and overrides but what they came to.
        """
        return deepcopy(dict(self._resolved))

    def resolved_yaml(self, folder: str | PathLike[str] | None = None) -> str:
        """Return :meth:`resolved` as YAML, which loads to the same again.

        With a ``folder``, relative paths are rewritten so that the file may stand there.
        """
        if folder is None:
            return dump(self._resolved)
        there = FilePath(folder).resolve()
        return dump(self._with_paths(lambda text: os.path.relpath((self._folder / text).resolve(), there)))

    def identity(self) -> dict[str, Any]:
        """Return what :meth:`resolved` says about the numbers, with every path cut down to its last name.

        What a file holds decides them, not where it lies; nor does it matter where trials are computed and
        recorded.
        """
        config = self._with_paths(lambda text: FilePath(text).name)
        return {key: value for key, value in config.items() if key not in _DECIDES_NOTHING}

    @property
    def alone(self) -> Loaded:
        """The same experiment without its search: one backtest of the parameters as they are written."""
        plain = self.experiment.model_copy(update=dict.fromkeys(_SEARCHING))
        return replace(self, experiment=plain, space=None, optimizer=None, search=None, constraints=())

    @property
    def plugin_files(self) -> tuple[str, ...]:
        """Where the plugin files of the experiment lie."""
        return tuple(str((self._folder / file).resolve()) for file in self.experiment.plugins.files)

    def mistake(self, key: str, message: str) -> Mistake:
        """Return a mistake in the value at a dotted key, with its place and without secrets."""
        node = self._root.find(tuple(key.split(".")))
        return Mistake(key, self.hide_secrets(message), node.file, node.line)

    def hide_secrets(self, text: str) -> str:
        """Return a text in which the values of the experiment's secrets are replaced by their names."""
        places = [self._root.find(place) for place in (SECRETS, LEDGER)]
        names = {name for node in places for used in secrets_in(node, ()).values() for name in used}
        values = {name: os.environ.get(name, "") for name in names}
        for name, value in sorted(values.items(), key=lambda item: -len(item[1])):
            text = text.replace(value, f"${{{name}}}") if value else text
        return text

    def _with_paths(self, change: Callable[[str], str]) -> dict[str, Any]:
        """Return the resolved configuration with every relative path changed."""
        config = self.resolved()
        components = [(config[slot], getattr(self, _ATTRIBUTES.get(slot, slot))) for slot in SLOTS]
        components += zip(config["patterns"], self.patterns, strict=True)
        for section, plugin in components:
            for name, declared in type(plugin).model_fields.items() if plugin is not None else ():
                value = section["params"].get(name)
                if isinstance(value, str) and is_path(name, declared) and is_relative(value):
                    section["params"][name] = FilePath(change(value)).as_posix()
        if config["ledger"] is not None and is_relative(config["ledger"]):
            config["ledger"] = FilePath(change(config["ledger"])).as_posix()
        plugins = config["plugins"]
        plugins["files"] = [FilePath(change(text)).as_posix() for text in plugins["files"]]
        return config
