"""An experiment is loaded: all its mistakes at once, or the plugins built and ready."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from os import PathLike
from pathlib import Path as FilePath
from typing import Any

from pydantic import ValidationError

from windtunnel.errors import ConfigError, InvalidValueError, Mistake, PluginError
from windtunnel.experiment.assemble import SET, assemble, judged, override, spelled_out
from windtunnel.experiment.components import Built, build
from windtunnel.experiment.loaded import SLOTS, Loaded
from windtunnel.experiment.messages import Subject, got, mistakes_in
from windtunnel.experiment.model import Experiment, PluginsSection, broken_rules
from windtunnel.experiment.node import Node, Path, graft
from windtunnel.experiment.places import (
    as_written,
    ledger_of,
    located,
    misplaced_secrets,
    missing_for_ledger,
)
from windtunnel.experiment.search import Wanted, refused, wanted, written
from windtunnel.experiment.search_space import build_space, tried
from windtunnel.plugin import Host, Optimizer, build_host
from windtunnel.plugin.files import load_file

__all__ = ["from_mapping", "load"]


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
    root = judged(spelled_out(override(root, overrides, mistakes)))
    if file is not None and "name" not in root.value:
        root = replace(root, value={"name": Node(_slug(file.stem), str(file)), **root.value})
    mistakes.extend([*misplaced_secrets(root), *missing_for_ledger(root)])
    found: list[Mistake] = []
    experiment = _validated(_as_written(root, folder), found)
    if host is None:
        host = _host(root, folder, found)
    built: dict[Path, Built | None] = {}
    values: dict[str, list[Any]] = {}
    search = Wanted()
    if host is not None:
        built = {
            path: build(root, path, SLOTS.get(str(path[0]), str(path[0])), host, folder, found)
            for path in _components(root)
        }
        values, search = tried(root, host, found), wanted(root, host, found)
    mistakes.extend(_first_per_key(found, mistakes))
    if mistakes or experiment is None or host is None:
        raise ConfigError(_in_order(mistakes, str(file)))
    complete = {path: item for path, item in built.items() if item}
    return _loaded(experiment, host, complete, values, search, root, folder, file)


def _validated(root: Node, mistakes: list[Mistake]) -> Experiment | None:
    data = root.plain()
    subject = Subject(root, (), Experiment)
    try:
        return Experiment.model_validate_json(json.dumps(data))
    except ValidationError as error:
        mistakes.extend(mistakes_in(error, subject))
    mistakes.extend(subject.mistake(tuple(key.split(".")), message) for key, message in broken_rules(data))
    return None


def _host(root: Node, folder: FilePath, mistakes: list[Mistake]) -> Host | None:
    """Build the host that the section ``plugins`` asks for; None where it cannot be."""
    section = root.child("plugins") or Node({})
    try:
        allow = PluginsSection.model_validate_json(json.dumps(section.plain())).allow
    except ValidationError:
        return None
    files = []
    broken = []
    for place, item in (section.child("files") or Node([])).items():
        files.append(located(item, item.value, folder))
        try:
            load_file(FilePath(files[-1]))
        except PluginError as error:
            broken.append(Mistake(f"plugins.files.{place}", str(error), item.file, item.line))
    if not broken:
        try:
            return build_host(files=files, allow=allow)
        except PluginError as error:
            broken.append(Mistake("plugins.files", str(error), section.file, section.line))
    mistakes.extend(broken)
    return None


def _as_written(root: Node, folder: FilePath) -> Node:
    """Return the tree with the paths of plugin files and the ledger as the experiment's own file has them."""

    def written_here(node: Node) -> Node:
        return replace(node, value=as_written(node, folder)) if isinstance(node.value, str) else node

    full = dict(root.value)
    if "ledger" in full:
        full["ledger"] = written_here(full["ledger"])
    plugins = root.child("plugins")
    files = plugins.child("files") if plugins else None
    if plugins is not None and files is not None and isinstance(files.value, list):
        moved = replace(files, value=[written_here(item) for item in files.value])
        full["plugins"] = replace(plugins, value={**plugins.value, "files": moved})
    return replace(root, value=full)


def _components(root: Node) -> list[Path]:
    patterns = root.child("patterns") or Node([])
    several = [("patterns", place) for place, _ in patterns.items() if isinstance(patterns.value, list)]
    return [*((slot,) for slot in SLOTS if root.child(slot)), *several]


def _loaded(
    experiment: Experiment,
    host: Host,
    built: Mapping[Path, Built],
    values: Mapping[str, list[Any]],
    search: Wanted,
    root: Node,
    folder: FilePath,
    file: FilePath | None,
) -> Loaded:
    resolved = experiment.model_dump(mode="json", by_alias=True)
    if experiment.sweep is not None and experiment.sweep.space is None:
        resolved["sweep"]["space"] = dict(values)
    if experiment.optimize is not None and search.space is not None:
        resolved["optimize"]["search"] = written(search.space)
    for path, item in built.items():
        section: Any = resolved
        for part in path:
            section = section[part]
        section["params"] = item.params
    plugins: dict[Path, Any] = {path: item.plugin for path, item in built.items()}
    _check_optimizer(plugins.get(("optimize",)), experiment, search, root)
    try:
        space = build_space(plugins[("strategy",)], experiment.sweep, values, experiment.backtest)
    except InvalidValueError as error:
        node = root.find(("sweep", "space"))
        rule = f"{error.rule} (got {got(error.value)})"
        raise ConfigError([Mistake(error.parameter, rule, node.file, node.line)]) from None
    return Loaded(
        experiment=experiment,
        host=host,
        strategy=plugins[("strategy",)],
        patterns=tuple(plugin for path, plugin in plugins.items() if path[0] == "patterns"),
        reliability=plugins.get(("reliability",)),
        regime=plugins.get(("regime",)),
        volatility=plugins.get(("volatility",)),
        scorer=plugins.get(("scorer",)),
        source=plugins[("data",)],
        space=space,
        optimizer=plugins.get(("optimize",)),
        search=search.space,
        constraints=search.constraints,
        ledger=ledger_of(root, folder),
        file=None if file is None else str(file),
        _resolved=resolved,
        _root=root,
        _folder=folder,
    )


def _check_optimizer(optimizer: Optimizer | None, experiment: Experiment, search: Wanted, root: Node) -> None:
    if optimizer is None or experiment.optimize is None or search.space is None:
        return
    found = refused(optimizer, experiment.optimize, search.space, experiment.seed)
    if found is not None:
        node = root.find(tuple(found[0].split(".")))
        raise ConfigError([Mistake(*found, node.file, node.line)])


def _slug(stem: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]+", "-", stem).strip("-_")[:64] or "experiment"


def _first_per_key(found: Sequence[Mistake], earlier: Sequence[Mistake]) -> list[Mistake]:
    """Drop what only follows from a mistake already known: a value that could not be read is null."""
    known = {mistake.key for mistake in earlier}
    unique = dict.fromkeys(mistake for mistake in found if mistake.key not in known)
    return list(unique)


def _in_order(mistakes: Sequence[Mistake], file: str) -> list[Mistake]:
    """Sort by place: the file itself, the one it extends, overrides; each by line."""
    rank = {None: 0, file: 0, SET: 2}
    return sorted(mistakes, key=lambda mistake: (rank.get(mistake.file, 1), mistake.line or 0))
