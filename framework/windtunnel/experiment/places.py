"""Paths and secrets: what a configuration says about its surroundings, as written and as meant."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path as FilePath
from typing import Any

from windtunnel.errors import Mistake
from windtunnel.experiment.assemble import SET
from windtunnel.experiment.node import Node, Path, dotted

__all__ = [
    "LEDGER",
    "SECRETS",
    "as_written",
    "is_relative",
    "ledger_of",
    "located",
    "mapped",
    "misplaced_secrets",
    "missing_for_ledger",
    "secrets_in",
    "substituted",
]

SECRETS: Path = ("data", "params")
"""Where ``${NAME}`` may stand in a plugin's parameters."""
LEDGER: Path = ("ledger",)
"""The other place where it may, for a database has a password."""

_SECRET = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


def mapped(node: Node, change: Callable[[Node, bool], str], names_files: bool) -> Any:
    """Return a node's plain value with every text in it changed."""
    if isinstance(node.value, dict):
        return {key: mapped(child, change, names_files) for key, child in node.value.items()}
    if isinstance(node.value, list):
        return [mapped(child, change, names_files) for child in node.value]
    return change(node, names_files) if isinstance(node.value, str) else node.value


def located(node: Node, text: str, folder: FilePath) -> str:
    """Return a path that opens: relative to the file that it was written in, else to ``folder``."""
    return text if _elsewhere(text) else str(_home(node, folder) / text)


def as_written(node: Node, folder: FilePath) -> str:
    """Return a path as the experiment's own file would write it, whichever file it comes from."""
    text, home = str(node.value), _home(node, folder)
    if home == folder or not is_relative(text):
        return text
    return FilePath(os.path.relpath(home / text, folder)).as_posix()


def is_relative(text: str) -> bool:
    """Tell whether a path depends on where its configuration stands."""
    return not (_elsewhere(text) or FilePath(text).is_absolute() or _SECRET.search(text))


def secrets_in(node: Node, path: Path) -> dict[Path, list[str]]:
    """Return the names of environment variables in every text that has some."""
    names = {
        here: _SECRET.findall(item.value) for here, item in node.walk(path) if isinstance(item.value, str)
    }
    return {here: found for here, found in names.items() if found}


def substituted(text: str, environment: Mapping[str, str]) -> str:
    """Return a text with the values of the environment in it; a name that it lacks stays."""
    return _SECRET.sub(lambda match: environment.get(match[1], match[0]), text)


def misplaced_secrets(root: Node) -> Iterator[Mistake]:
    """Yield a mistake for every ``${NAME}`` where none may stand."""
    for path in secrets_in(root, ()):
        if path[: len(SECRETS)] != SECRETS and path != LEDGER:
            node = root.find(path)
            rule = f"${{NAME}} may stand only under {dotted(SECRETS)} and in ledger (got {node.value!r})"
            yield Mistake(dotted(path), rule, node.file, node.line)


def missing_for_ledger(root: Node) -> Iterator[Mistake]:
    """Yield a mistake for every environment variable that the ledger needs and that is not set."""
    node = root.child("ledger")
    if node is None:
        return
    for name in secrets_in(node, LEDGER).get(LEDGER, []):
        if name not in os.environ:
            rule = f"the environment variable {name} is not set"
            yield Mistake(dotted(LEDGER), rule, node.file, node.line)


def ledger_of(root: Node, folder: FilePath) -> str | None:
    """Return where trials are recorded, with paths that open and secrets filled in; None where unsaid."""
    node = root.child("ledger")
    if node is None or node.value is None:
        return None
    return located(node, substituted(node.value, os.environ), folder)


def _home(node: Node, folder: FilePath) -> FilePath:
    return folder if node.file in (None, SET) else FilePath(str(node.file)).parent


def _elsewhere(text: str) -> bool:
    return not text or "://" in text
