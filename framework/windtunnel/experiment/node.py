"""A configuration as a tree whose every value knows where it was written."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from os import PathLike, fspath
from typing import Any, TypeAlias

from windtunnel.errors import ConfigError, Mistake

__all__ = [
    "MAX_DEPTH",
    "MAX_NODES",
    "Limits",
    "Node",
    "Path",
    "Refusal",
    "dotted",
    "graft",
    "printable",
    "scalar_problem",
]

MAX_DEPTH = 32
"""Deepest nesting of lists and mappings."""
MAX_NODES = 20_000
"""Most values in a document, aliases written out."""

Path: TypeAlias = tuple[str | int, ...]
"""Keys and list positions from the root to a value."""

_LARGEST = 2**63 - 1
_SURROGATE = re.compile("[\ud800-\udfff]")


def dotted(path: Path) -> str:
    """Return a path as it is written in messages and on the command line: ``strategy.params.fast``."""
    return printable(".".join(str(part) for part in path))


def printable(text: str) -> str:
    """Return a text for one line of a message: what cannot be printed, line ends too, is escaped."""
    return text if text.isprintable() else text.encode("unicode_escape").decode("ascii")


@dataclass(frozen=True)
class Node:
    """A value of a configuration and where it was written.

    Parameters
    ----------
    value : dict of str to Node, list of Node, str, int, float, bool or None
    file : str or None
        The file as the user named it; None for a value from Python.
    line : int or None
        From 1: of the key in a mapping, of the item in a list.
    """

    value: Any
    file: str | None = None
    line: int | None = None

    def plain(self) -> Any:
        """Return the value without its places."""
        if isinstance(self.value, dict):
            return {key: child.plain() for key, child in self.value.items()}
        if isinstance(self.value, list):
            return [child.plain() for child in self.value]
        return self.value

    def child(self, part: str | int) -> Node | None:
        """Return the value under a key or at a position; None where there is none."""
        found: Node | None = None
        if isinstance(self.value, dict):
            found = self.value.get(part)
        elif isinstance(self.value, list) and isinstance(part, int) and 0 <= part < len(self.value):
            found = self.value[part]
        return found

    def find(self, path: Path) -> Node:
        """Return the value at ``path``, or the last one on the way to it."""
        node = self
        for part in path:
            child = node.child(part)
            if child is None:
                return node
            node = child
        return node

    def items(self) -> Iterator[tuple[str | int, Node]]:
        """Yield the children of a mapping or list, with their keys or positions."""
        if isinstance(self.value, dict):
            yield from self.value.items()
        elif isinstance(self.value, list):
            yield from enumerate(self.value)

    def walk(self, path: Path = ()) -> Iterator[tuple[Path, Node]]:
        """Yield every node below and including this one, with its path."""
        yield path, self
        for part, child in self.items():
            yield from child.walk((*path, part))


class Refusal(Exception):  # noqa: N818 - becomes a mistake, never reaches the caller
    """A document as a whole cannot be used."""

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.line = line


class Limits:
    """Counts values while a tree is built; refuses one that is too deep or too large."""

    def __init__(self) -> None:
        self._count = 0

    def hold(self, depth: int, line: int | None = None) -> None:
        """Count one value at a depth."""
        self._count += 1
        if depth > MAX_DEPTH:
            raise Refusal(f"must not be nested more than {MAX_DEPTH} deep", line)
        if self._count > MAX_NODES:
            raise Refusal(f"must not have more than {MAX_NODES:,} values", line)


def scalar_problem(value: Any) -> str:
    """Return what keeps a scalar from being carried as JSON; empty where nothing does."""
    if isinstance(value, int) and not -_LARGEST <= value <= _LARGEST:
        return "must fit into 64 bits"
    if isinstance(value, float) and not math.isfinite(value):
        return "must be a finite number"
    if isinstance(value, str) and _SURROGATE.search(value):
        return "must not contain half of a surrogate pair"
    if not isinstance(value, int | float | str | None):
        return f"must be text, a number, a list or a mapping (got {type(value).__name__})"
    return ""


def graft(data: Any, mistakes: list[Mistake]) -> Node:
    """Make a tree of Python values: mappings with text keys, lists, tuples, text, numbers, paths, None.

    Raises
    ------
    ConfigError
        If there are more, or deeper nested, values than a document may have.
    """
    try:
        return _graft(data, (), mistakes, Limits())
    except Refusal as refusal:
        raise ConfigError([*mistakes, Mistake("", str(refusal))]) from None


def _graft(data: Any, path: Path, mistakes: list[Mistake], limits: Limits) -> Node:
    limits.hold(len(path))
    if isinstance(data, Mapping):
        wrong = [key for key in data if not isinstance(key, str) or scalar_problem(key)]
        mistakes.extend(Mistake(dotted(path), f"keys must be text (got {key!a})") for key in wrong)
        children = {
            str(key): _graft(value, (*path, key), mistakes, limits)
            for key, value in data.items()
            if key not in wrong
        }
        return Node(children)
    if isinstance(data, Sequence) and not isinstance(data, str | bytes):
        return Node([_graft(item, (*path, place), mistakes, limits) for place, item in enumerate(data)])
    data = _plain_scalar(data)
    problem = scalar_problem(data)
    if problem:
        mistakes.append(Mistake(dotted(path), problem))
    return Node(None if problem else data)


def _plain_scalar(data: Any) -> Any:
    if isinstance(data, PathLike):
        return fspath(data)
    if isinstance(data, Integral) and not isinstance(data, bool):
        return int(data)
    if isinstance(data, Real) and not isinstance(data, bool):
        return float(data)
    return str(data) if isinstance(data, str) else data
