"""An experiment is loaded: all its mistakes at once, or the plugins built and ready."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from os import PathLike
from pathlib import Path as FilePath
from typing import Any, cast

from pydantic import ValidationError

from windtunnel.errors import ConfigError, Mistake, PluginError
from windtunnel.experiment.assemble import SET, assemble, override, spelled_out
from windtunnel.experiment.components import Built, build
from windtunnel.experiment.document import dump
from windtunnel.experiment.messages import Subject, mistakes_in
from windtunnel.experiment.model import Experiment, PluginsSection, broken_rules
from windtunnel.experiment.node import Node, dotted, graft
from windtunnel.experiment.places import as_written, located, misplaced_secrets
from windtunnel.plugin import (
    DataSource,
    Host,
    LearnedStrategy,
    PatternDetector,
    RegimeModel,
    SignalScorer,
    Strategy,
    VolatilityModel,
    build_host,
)
from windtunnel.plugin.files import load_file

__all__ = ["Loaded", "from_mapping", "load"]

_SLOTS = ("data", "strategy", "regime", "volatility", "scorer")


@dataclass(frozen=True)
class Loaded:
    """An experiment, checked, with its plugins built.

    Parameters
    ----------
    experiment : Experiment
        As it was written: ``params`` without defaults, secrets by name.
    host : Host
        Where the plugins come from.
    strategy, patterns, regime, volatility, scorer, source
        The plugins; None where the experiment has none. Only these hold the values of secrets.
    file : str or None
        The file as the user named it.
    """

    experiment: Experiment
    host: Host
    strategy: Strategy | LearnedStrategy
    patterns: tuple[PatternDetector, ...]
    regime: RegimeModel | None
    volatility: VolatilityModel | None
    scorer: SignalScorer | None
    source: DataSource = field(repr=False)
    file: str | None
    _resolved: Mapping[str, Any] = field(repr=False)

    def resolved(self) -> dict[str, Any]:
        """Return the whole configuration with every default, as JSON values.

        The same on every machine: paths are relative to the experiment's file as it wrote them, secrets
        are ``${NAME}``, and nothing is left of ``extends`` and overrides but what they came to.
        """
        return deepcopy(dict(self._resolved))

    def resolved_yaml(self) -> str:
        """Return :meth:`resolved` as YAML, which loads to the same again."""
        return dump(self._resolved)


def load(path: str | PathLike[str], overrides: Sequence[str] = (), *, host: Host | None = None) -> Loaded:
    """Load an experiment from a YAML file.

    Relative paths (``plugins.files``, and plugin parameters that are called ``path`` or are of type
    ``pathlib.Path``) are relative to the file in which they stand; those in overrides to ``path``'s folder.
    ``${NAME}`` under ``data.params`` stands for an environment variable.

    Parameters
    ----------
    path : path
        The YAML file; it may extend one other.
    overrides : sequence of str
        ``key=value`` with a dotted key, such as ``strategy.params.fast=20``.
    host : Host, optional
        Where to find plugins; by default one is built as the section ``plugins`` says.

    Raises
    ------
    ConfigError
        With every mistake, each at its file and line.
    """
    file = FilePath(path)
    mistakes: list[Mistake] = []
    root = assemble(file, mistakes)
    return _load(root, file.parent, file, overrides, host, mistakes)


def from_mapping(
    mapping: Mapping[str, Any],
    overrides: Sequence[str] = (),
    *,
    host: Host | None = None,
    folder: str | PathLike[str] = ".",
) -> Loaded:
    """Load an experiment from Python values, as :func:`load` does from a file.

    Parameters
    ----------
    mapping : mapping
        The keys of :class:`Experiment`.
    overrides, host
        As for :func:`load`.
    folder : path
        What relative paths are relative to.

    Raises
    ------
    ConfigError
        With every mistake.
    """
    mistakes: list[Mistake] = []
    root = spelled_out(graft(mapping, mistakes))
    if not isinstance(root.value, dict):
        raise ConfigError([*mistakes, Mistake("", "must be a mapping of keys, such as data and strategy")])
    return _load(root, FilePath(folder), None, overrides, host, mistakes)


def _load(
    root: Node,
    folder: FilePath,
    file: FilePath | None,
    overrides: Sequence[str],
    host: Host | None,
    mistakes: list[Mistake],
) -> Loaded:
    root = spelled_out(override(root, overrides, mistakes))
    if file is not None and "name" not in root.value:
        root = replace(root, value={"name": Node(_slug(file.stem), str(file)), **root.value})
    mistakes.extend(misplaced_secrets(root))
    experiment = _validated(root, mistakes)
    host = host or _host(root, folder, mistakes)
    built: dict[str, Any] = {}
    if host is not None:
        built = {slot: build(root, (slot,), slot, host, folder, mistakes) for slot in _SLOTS}
        count = len(list((root.child("patterns") or Node([])).items()))
        built["patterns"] = [build(root, ("patterns", i), "patterns", host, folder, mistakes) for i in range(count)]
    if mistakes or experiment is None or host is None:
        raise ConfigError(_in_order(mistakes, str(file)))
    return _loaded(experiment, host, built, file)
