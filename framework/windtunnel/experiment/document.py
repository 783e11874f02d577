"""Strict YAML: text becomes a tree of nodes, and JSON values become text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import yaml

from windtunnel.errors import ConfigError, Mistake
from windtunnel.experiment.node import Limits, Node, Path, Refusal, dotted, printable, scalar_problem

__all__ = ["MAX_ALIASES", "MAX_BYTES", "dump", "parse"]

MAX_BYTES = 1_000_000
"""Largest file that is read."""
MAX_ALIASES = 100
"""Most aliases (``*name``) in a document."""

_TAG = "tag:yaml.org,2002:"
_DIGITS = r"[0-9]+(?:_[0-9]+)*"
_EXPONENT = r"[eE][-+]?[0-9]+"
_PLAIN = {
    f"{_TAG}null": re.compile(r"(?:~|null|)\Z"),
    f"{_TAG}bool": re.compile(r"(?:true|false)\Z"),
    f"{_TAG}int": re.compile(r"[-+]?(?:0|[1-9][0-9]*(?:_[0-9]+)*)\Z"),
    f"{_TAG}float": re.compile(
        rf"(?:[-+]?(?:(?:{_DIGITS}\.[0-9]*|\.[0-9]+)(?:{_EXPONENT})?|{_DIGITS}{_EXPONENT}|\.inf)|\.nan)\Z"
    ),
}
_MOST_DIGITS = 20
_BREAK = re.compile("[\x85\u2028\u2029]")


def parse(text: bytes | str, file: str | None, mistakes: list[Mistake]) -> Node:
    """Read one YAML document.

    Numbers and booleans are those of YAML 1.2 in lower case (``true``, ``1e-3``, ``.5``), and underscores
    may stand between digits. ``NO``, ``on``, dates and whole numbers with a leading zero stay text.
    Tags of one's own, merge keys, further documents, keys twice and keys that are not text are refused.

    Parameters
    ----------
    text : bytes or str
        UTF-8, with or without a byte order mark.
    file : str or None
        Named in the messages.
    mistakes : list of Mistake
        Collects what is wrong but leaves the rest readable.

    Raises
    ------
    ConfigError
        If nothing of it can be used: no YAML, not UTF-8, more than a limit allows.
    """
    try:
        return _Reader(file, mistakes).read(_compose(_decoded(text)))
    except Refusal as refusal:
        raise ConfigError([*mistakes, Mistake("", str(refusal), file, refusal.line)]) from None


def dump(data: Mapping[str, Any]) -> str:
    """Write JSON values as YAML that :func:`parse` reads back to the same."""
    text: str = yaml.dump(
        data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110, default_flow_style=None
    )
    return text


class _Composer(yaml.SafeLoader):
    """PyYAML's parser with our notion of plain values, and limits that hold while it reads."""

    yaml_implicit_resolvers = {None: list(_PLAIN.items())}  # noqa: RUF012

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.limits = Limits()
        self.depth = 0
        self.aliases = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        """Compose one value, unless that breaks a limit."""
        line: int = self.peek_event().start_mark.line + 1  # type: ignore[no-untyped-call]
        self.aliases += self.check_event(yaml.AliasEvent)
        if self.aliases > MAX_ALIASES:
            raise Refusal(f"must not have more than {MAX_ALIASES} aliases", line)
        self.limits.hold(self.depth, line)
        self.depth += 1
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


class _Dumper(yaml.SafeDumper):
    """Puts into quotes what this reader, or any reader of YAML 1.1, would not take for text."""

    yaml_implicit_resolvers = {  # noqa: RUF012
        **yaml.SafeDumper.yaml_implicit_resolvers,
        None: list(_PLAIN.items()),
    }

    def ignore_aliases(self, data: Any) -> bool:
        """Write everything out."""
        return True

    def represent_str(self, data: str) -> yaml.ScalarNode:
        """Quote a text with exotic line breaks so that they are escaped."""
        return self.represent_scalar(f"{_TAG}str", data, style='"' if _BREAK.search(data) else None)


_Dumper.add_representer(str, _Dumper.represent_str)


def _decoded(text: bytes | str) -> str:
    if len(text) > MAX_BYTES:
        raise Refusal(f"must not be larger than {MAX_BYTES:,} bytes")
    if isinstance(text, str):
        return text
    try:
        return text.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise Refusal(f"must be UTF-8 text (got byte 0x{error.object[error.start]:02x})", line) from None


def _compose(text: str) -> yaml.Node:
    try:
        root = _Composer(text).get_single_node()
    except yaml.reader.ReaderError as error:
        line = text[: error.position].count("\n") + 1
        raise Refusal(f"must not contain the character U+{error.character:04X}", line) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        message = f"not valid YAML: {error.problem or error.context}"
        raise Refusal(message, mark.line + 1 if mark else None) from None
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        raise Refusal(f"not valid YAML: {error}") from None
    if root is None:
        raise Refusal("is empty")
    return root


class _Reader:
    """Turns what PyYAML composed into nodes; collects mistakes."""

    def __init__(self, file: str | None, mistakes: list[Mistake]) -> None:
        self.file = file
        self.mistakes = mistakes
        self.limits = Limits()

    def read(self, node: yaml.Node, path: Path = (), line: int | None = None) -> Node:
        line = line or node.start_mark.line + 1
        self.limits.hold(len(path), line)
        if isinstance(node, yaml.ScalarNode):
            return Node(self.scalar(node, path, line), self.file, line)
        if node.tag == f"{_TAG}map":
            return Node(self.mapping(node, path), self.file, line)
        if node.tag == f"{_TAG}seq":
            items = [self.read(item, (*path, place)) for place, item in enumerate(node.value)]
            return Node(items, self.file, line)
        self.complain(path, f"the tag {_shown(node.tag)} is not allowed", line)
        return Node(None, self.file, line)

    def mapping(self, node: yaml.Node, path: Path) -> dict[str, Node]:
        found: dict[str, Node] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            is_scalar = isinstance(key_node, yaml.ScalarNode)
            key = self.scalar(key_node, path, line) if is_scalar else None
            if not isinstance(key, str):
                got = f"{key_node.value}); put it in quotes" if is_scalar else "a list or a mapping)"
                self.complain(path, f"keys must be text (got {got}", line)
            elif key in found:
                self.complain((*path, key), f"is given twice (first on line {found[key].line})", line)
            else:
                found[key] = self.read(value_node, (*path, key), line)
        return found

    def scalar(self, node: yaml.ScalarNode, path: Path, line: int) -> Any:
        value: Any = None
        problem = ""
        if node.tag == f"{_TAG}str":
            value = node.value
        elif node.tag in _PLAIN and _PLAIN[node.tag].match(node.value):
            value = _read_plain(node.tag, node.value)
        else:
            problem = f"the tag {_shown(node.tag)} is not allowed"
        problem = problem or scalar_problem(value)
        if problem:
            self.complain(path, problem, line)
        return None if problem else value

    def complain(self, path: Path, message: str, line: int) -> None:
        self.mistakes.append(Mistake(dotted(path), message, self.file, line))


def _read_plain(tag: str, text: str) -> Any:
    digits = text.replace("_", "")
    match tag.removeprefix(_TAG):
        case "null":
            return None
        case "bool":
            return text == "true"
        case "int" if len(digits) <= _MOST_DIGITS:
            return int(digits)
        case _:
            return float(digits.replace(".inf", "inf").replace(".nan", "nan"))


def _shown(tag: str) -> str:
    return printable(f"!!{tag.removeprefix(_TAG)}" if tag.startswith(_TAG) else tag)
