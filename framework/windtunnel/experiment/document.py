"""Strict YAML: text becomes a tree whose every value knows its file and line, and back."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from os import PathLike, fspath
from typing import Any, NoReturn, TypeAlias

import yaml

from windtunnel.errors import ConfigError, Mistake

__all__ = ["MAX_ALIASES", "MAX_BYTES", "MAX_DEPTH", "MAX_NODES", "Node", "Path", "dotted", "dump", "graft", "parse"]

MAX_BYTES = 1_000_000
"""Largest file that is read."""
MAX_DEPTH = 32
"""Deepest nesting of lists and mappings."""
MAX_NODES = 20_000
"""Most values in a document, aliases written out."""
MAX_ALIASES = 100
"""Most aliases (``*name``) in a document."""

Path: TypeAlias = tuple[str | int, ...]
"""Keys and list positions from the root to a value."""

_PREFIX = "tag:yaml.org,2002:"
_NULL, _BOOL, _INT, _FLOAT, _STR, _SEQ, _MAP = (
    _PREFIX + name for name in ("null", "bool", "int", "float", "str", "seq", "map")
)
_DIGITS = r"[0-9]+(?:_[0-9]+)*"
_EXPONENT = r"[eE][-+]?[0-9]+"
_PLAIN = [
    (_NULL, re.compile(r"(?:~|null|)\Z")),
    (_BOOL, re.compile(r"(?:true|false)\Z")),
    (_INT, re.compile(r"[-+]?(?:0|[1-9][0-9]*(?:_[0-9]+)*)\Z")),
    (_FLOAT, re.compile(rf"[-+]?(?:(?:{_DIGITS}\.[0-9]*|\.[0-9]+)(?:{_EXPONENT})?|{_DIGITS}{_EXPONENT})\Z")),
    (_FLOAT, re.compile(r"(?:[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))\Z")),
]
_LARGEST_INT = 2**63 - 1
_SURROGATE = re.compile("[\ud800-\udfff]")


def dotted(path: Path) -> str:
    """Return a path as it is written in messages and on the command line: ``strategy.params.fast``."""
    return ".".join(str(part) for part in path)


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
        if isinstance(self.value, dict) and isinstance(part, str):
            return self.value.get(part)
        if isinstance(self.value, list) and isinstance(part, int) and 0 <= part < len(self.value):
            item: Node = self.value[part]
            return item
        return None

    def find(self, path: Path) -> Node:
        """Return the value at ``path``, or the last one on the way to it."""
        node = self
        for part in path:
            child = node.child(part)
            if child is None:
                return node
            node = child
        return node

    def leaves(self, path: Path = ()) -> Iterator[tuple[Path, Any]]:
        """Yield the path and value of everything that is neither a list nor a mapping."""
        if isinstance(self.value, dict | list):
            items = self.value.items() if isinstance(self.value, dict) else enumerate(self.value)
            for part, child in items:
                yield from child.leaves((*path, part))
        else:
            yield path, self.value


def parse(text: bytes | str, file: str | None, mistakes: list[Mistake], *, key: str = "") -> Node:
    """Read one YAML document.

    Numbers and booleans are those of YAML 1.2, written in lower case (``true``, ``1e-3``, ``.5``), with
    underscores between digits allowed; ``NO``, ``on``, dates and digits after a leading zero stay text.
    Tags, merge keys, further documents, keys twice and keys that are not text are refused.

    Parameters
    ----------
    text : bytes or str
        UTF-8, with or without a byte order mark.
    file : str or None
        Named in the messages; without one, no line is told.
    mistakes : list of Mistake
        Collects what is wrong but leaves the rest readable.
    key : str
        Dotted path under which the document will stand.

    Raises
    ------
    ConfigError
        If nothing of it can be used: no YAML, not UTF-8, more than a limit allows.
    """
    located = file is not None and not file.startswith("--")

    def refuse(message: str, line: int | None = None) -> NoReturn:
        raise ConfigError([*mistakes, Mistake(key, message, file, line if located else None)])

    if len(text) > MAX_BYTES:
        refuse(f"must be at most {MAX_BYTES:,} bytes")
    if isinstance(text, bytes):
        try:
            text = text.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = text[: error.start].count(b"\n") + 1
            failure = f"must be UTF-8 text (got byte 0x{text[error.start]:02x})", line
        else:
            failure = None
        if failure:
            refuse(*failure)
    root, problem = _compose(text)
    if problem:
        refuse(*problem)
    if root is None:
        return Node(None, file, 1 if located else None)
    reader = _Reader(file, located, mistakes)
    try:
        return reader.read(root, (key,) if key else ())
    except _LimitError as error:
        problem = str(error), error.line
    refuse(*problem)


def graft(data: Any, mistakes: list[Mistake]) -> Node:
    """Make a tree of Python values: mappings with text keys, lists, tuples, text, numbers, paths, None.

    Raises
    ------
    ConfigError
        If there are more, or deeper nested, values than a document may have.
    """
    grafter = _Reader(None, False, mistakes)
    try:
        return grafter.graft(data, ())
    except _LimitError as error:
        message = str(error)
    raise ConfigError([*mistakes, Mistake("", message)])


def dump(data: Mapping[str, Any]) -> str:
    """Write JSON values as YAML that :func:`parse` reads back to the same."""
    text: str = yaml.dump(
        data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110, default_flow_style=None
    )
    return text


class _LimitError(Exception):
    """A document is larger than allowed."""

    def __init__(self, message: str, line: int | None) -> None:
        super().__init__(message)
        self.line = line


class _Composer(yaml.SafeLoader):
    """PyYAML's parser with our notion of plain values, and limits that hold while it reads."""

    yaml_implicit_resolvers = {None: _PLAIN}  # noqa: RUF012 - the name and shape that PyYAML reads
    depth = nodes = aliases = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        self.depth += 1
        self.nodes += 1
        self.aliases += self.check_event(yaml.AliasEvent)
        line = self.peek_event().start_mark.line + 1
        _hold("nested", self.depth, MAX_DEPTH, line)
        _hold("values", self.nodes, MAX_NODES, line)
        _hold("aliases", self.aliases, MAX_ALIASES, line)
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


def _hold(what: str, count: int, most: int, line: int | None) -> None:
    if count > most:
        raise _LimitError(f"must be {what} at most {most} deep" if what == "nested" else f"must have at most {most:,} {what}", line)


class _Dumper(yaml.SafeDumper):
    """Quotes what this reader, or any YAML 1.1 reader, would not take for text."""

    yaml_implicit_resolvers = {**yaml.SafeDumper.yaml_implicit_resolvers, None: _PLAIN}  # noqa: RUF012

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _compose(text: str) -> tuple[yaml.Node | None, tuple[str, int | None] | None]:
    try:
        return _Composer(text).get_single_node(), None
    except _LimitError as error:
        return None, (str(error), error.line)
    except yaml.reader.ReaderError as error:
        line = text[: error.position].count("\n") + 1
        return None, (f"must not contain the character U+{ord(error.character):04X}", line)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        return None, (f"not valid YAML: {error.problem or error.context}", mark.line + 1 if mark else None)
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        return None, (f"not valid YAML: {error}", None)


class _Reader:
    """Turns parsed YAML, or Python values, into nodes; collects mistakes."""

    def __init__(self, file: str | None, located: bool, mistakes: list[Mistake]) -> None:
        self.file = file
        self.located = located
        self.mistakes = mistakes
        self.count = 0

    def read(self, node: yaml.Node, path: Path, line: int | None = None) -> Node:
        line = (line or node.start_mark.line + 1) if self.located else None
        self.check_limits(path, line)
        if isinstance(node, yaml.MappingNode) and node.tag == _MAP:
            return self.place(self.read_mapping(node, path), line)
        if isinstance(node, yaml.SequenceNode) and node.tag == _SEQ:
            items = [self.read(item, (*path, position)) for position, item in enumerate(node.value)]
            return self.place(items, line)
        if isinstance(node, yaml.ScalarNode):
            return self.place(self.read_scalar(node, path, line), line)
        return self.place(self.complain(path, f"tags such as {_shown_tag(node.tag)} are not allowed", line), line)

    def read_mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Node]:
        found: dict[str, Node] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            key = self.read_scalar(key_node, path, line) if isinstance(key_node, yaml.ScalarNode) else None
            if not isinstance(key, str):
                shown = "a list or mapping" if key is None and not isinstance(key_node, yaml.ScalarNode) else key_node.value
                self.complain(path, f"keys must be text (got {shown}); put it in quotes", line)
            elif key in found:
                first = f" (first on line {found[key].line})" if self.located else ""
                self.complain((*path, key), f"is given twice{first}", line)
            else:
                found[key] = self.read(value_node, (*path, key), line)
        return found

    def read_scalar(self, node: yaml.ScalarNode, path: Path, line: int | None) -> Any:
        text = node.value
        forms = [form for tag, form in _PLAIN if tag == node.tag]
        if forms and not any(form.match(text) for form in forms):
            return self.complain(path, f"{text!r} is no {node.tag.removeprefix(_PREFIX)}", line)
        if node.tag == _NULL:
            return None
        if node.tag == _BOOL:
            return text == "true"
        if node.tag == _INT:
            digits = text.replace("_", "")
            return self.check(int(digits) if len(digits) <= 20 else math.inf, path, line)
        if node.tag == _FLOAT:
            return self.check(float(text.replace("_", "").replace(".inf", "inf")), path, line)
        if node.tag == _STR:
            return self.check(text, path, line)
        return self.complain(path, f"tags such as {_shown_tag(node.tag)} are not allowed", line)

    def graft(self, data: Any, path: Path) -> Node:
        self.check_limits(path, None)
        if isinstance(data, Mapping):
            found = {}
            for key, value in data.items():
                if isinstance(key, str):
                    found[self.check(key, path, None)] = self.graft(value, (*path, key))
                else:
                    self.complain(path, f"keys must be text (got {key!r})", None)
            return Node(found)
        if isinstance(data, Sequence) and not isinstance(data, str | bytes):
            return Node([self.graft(item, (*path, position)) for position, item in enumerate(data)])
        if isinstance(data, PathLike):
            data = fspath(data)
        return Node(self.check(data, path, None))

    def check(self, value: Any, path: Path, line: int | None) -> Any:
        """Return a scalar as a plain one; complain where JSON could not carry it."""
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, Integral):
            value = int(value)
            if abs(value) <= _LARGEST_INT:
                return value
            return self.complain(path, "must fit into 64 bits", line)
        if isinstance(value, Real):
            value = float(value)
            return value if math.isfinite(value) else self.complain(path, "must be a finite number", line)
        if not isinstance(value, str):
            return self.complain(path, f"must be text, a number, a list or a mapping (got {value!r})", line)
        if _SURROGATE.search(value):
            return self.complain(path, "must not contain half of a surrogate pair", line)
        return value

    def check_limits(self, path: Path, line: int | None) -> None:
        self.count += 1
        _hold("nested", len(path), MAX_DEPTH, line)
        _hold("values", self.count, MAX_NODES, line)

    def place(self, value: Any, line: int | None) -> Node:
        return Node(value, self.file, line)

    def complain(self, path: Path, message: str, line: int | None) -> None:
        self.mistakes.append(Mistake(dotted(path), message, self.file, line if self.located else None))


def _shown_tag(tag: str) -> str:
    return "!!" + tag.removeprefix(_PREFIX) if tag.startswith(_PREFIX) else tag
