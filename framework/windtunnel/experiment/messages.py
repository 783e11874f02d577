"""Pydantic's errors become mistakes in plain words, each at its line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from windtunnel.errors import InvalidValueError, Mistake, nearest
from windtunnel.experiment.model import BrokenRulesError
from windtunnel.experiment.node import Node, Path, dotted
from windtunnel.experiment.parameters import describe_parameter, keys_of, model_at, shown
from windtunnel.plugin import Host, Plugin

__all__ = ["Subject", "got", "mistakes_in"]

_WANTED = {
    "int": "a whole number",
    "float": "a number",
    "finite": "a finite number",
    "bool": "true or false",
    "string": "text",
    "list": "a list",
    "tuple": "a list",
    "set": "a list",
    "frozen": "a list",
    "dict": "a mapping",
    "model": "a mapping",
    "dataclass": "a mapping",
    "none": "null",
    "path": "a path",
    "date": "a date such as 2008-09-15",
    "datetime": "a date and time such as 2008-09-15T14:30",
}
_BOUNDS = {
    "greater_than_equal": "at least {ge}",
    "greater_than": "greater than {gt}",
    "less_than_equal": "at most {le}",
    "less_than": "less than {lt}",
    "multiple_of": "a multiple of {multiple_of}",
    "string_too_short": "text of at least {min_length} characters",
    "string_too_long": "text of at most {max_length} characters",
    "string_pattern_mismatch": "text that matches {pattern}",
    "too_short": "a list of at least {min_length}",
    "too_long": "a list of at most {max_length}",
}
_WRONG_TYPE = ("type", "parsing", "size", "from_float", "number", "required")


@dataclass(frozen=True)
class Subject:
    """What was validated: a value of a tree, against a model."""

    root: Node
    path: Path
    model: type[BaseModel]
    host: Host | None = None

    def mistake(self, path: Path, message: str, hint: str = "") -> Mistake:
        """Return a mistake at a path below the subject's own, with its place."""
        full = (*self.path, *path)
        node = self.root.find(full)
        return Mistake(dotted(full), message, node.file, node.line, hint)


@dataclass(frozen=True)
class _Broken:
    """One rule that does not hold: a wanted form (``must be …``) or, where that is empty, a text."""

    path: Path
    wanted: str = ""
    text: str = ""
    options: tuple[str, ...] = ()


def mistakes_in(error: ValidationError, subject: Subject) -> list[Mistake]:
    """Translate all that pydantic found."""
    node = subject.root.find(subject.path)
    cut = [(detail, *_cut(detail, node)) for detail in error.errors(include_url=False, include_input=False)]
    deep = {path[:union] for _, path, union in cut if union is not None and len(path) > union}
    kept = [
        (detail, path)
        for detail, path, union in cut
        if union is None or len(path) > union or path not in deep
    ]

    unknown = [path for detail, path in kept if detail["type"] == "extra_forbidden"]
    meant = {path: _meant(path, subject) for path in unknown}
    excused = {(*path[:-1], word) for path, word in meant.items() if word}
    found = [_unknown(path, meant[path], subject) for path in unknown]
    rules: dict[Path, list[_Broken]] = {}
    for detail, path in kept:
        if detail["type"] == "missing" and path not in excused:
            found.append(_missing(path, subject))
        elif detail["type"] in ("value_error", "assertion_error"):
            found.extend(_raised(detail, path, subject))
        elif detail["type"] not in ("missing", "extra_forbidden"):
            rules.setdefault(path, []).append(_broken(detail, path))
    return found + [_joined(path, broken, subject) for path, broken in rules.items()]


def got(node: Node) -> str:
    """Return how a value that was written is quoted in a message."""
    if isinstance(node.value, dict | list):
        empty = "" if node.value else "n empty"
        return f"a{empty} {'mapping' if isinstance(node.value, dict) else 'list'}"
    return f"'{shown(node.value)}'" if isinstance(node.value, str) else shown(node.value)


def _cut(detail: ErrorDetails, node: Node) -> tuple[Path, int | None]:
    """Drop the names that pydantic gives to members of unions from a location.

    Returns
    -------
    path : tuple
        What remains: keys and positions.
    union : int or None
        Length of the path to the outermost union; None where there is none.
    """
    path: list[str | int] = []
    union = None
    location = detail["loc"]
    for place, part in enumerate(location):
        child = node.child(part)
        if child is not None:
            path.append(part)
            node = child
        elif detail["type"] == "missing" and place == len(location) - 1:
            path.append(part)
        elif union is None:
            union = len(path)
    return tuple(path), union


def _meant(path: Path, subject: Subject) -> str | None:
    model = model_at(subject.model, path[:-1])
    return nearest(str(path[-1]), keys_of(model)) if model else None


def _unknown(path: Path, meant: str | None, subject: Subject) -> Mistake:
    model = model_at(subject.model, path[:-1])
    owner = f"parameter of {model.name}" if model and issubclass(model, Plugin) and model.name else "key"
    if model is None or not model.model_fields:
        return subject.mistake(path, f"unknown {owner}. Known: none")
    if meant is None:
        return subject.mistake(path, f"unknown {owner}. Known: {', '.join(keys_of(model))}")
    return subject.mistake(path, f"unknown {owner}. Did you mean {meant}?", describe_parameter(model, meant))


def _missing(path: Path, subject: Subject) -> Mistake:
    model = model_at(subject.model, path[:-1])
    known = model is not None and str(path[-1]) in keys_of(model)
    return subject.mistake(
        path, "is required", describe_parameter(model, str(path[-1])) if model and known else ""
    )


def _raised(detail: ErrorDetails, path: Path, subject: Subject) -> Iterator[Mistake]:
    """Translate what a validator raised."""
    error = detail.get("ctx", {}).get("error")
    node = subject.root.find((*subject.path, *path))
    if isinstance(error, BrokenRulesError):
        yield from (subject.mistake(tuple(key.split(".")), message) for key, message in error.broken)
    elif isinstance(error, ValidationError):
        yield from _nested(error, path, subject)
    elif isinstance(error, InvalidValueError):
        name = "" if path and error.parameter == path[-1] else f"{error.parameter} "
        yield subject.mistake(path, f"{name}{error.rule} (got {shown(error.value)})")
    else:
        text = " ".join(str(error).split())
        scalar = path and not isinstance(node.value, dict | list) and "got" not in text
        yield subject.mistake(path, f"{text} (got {got(node)})" if scalar else text)


def _nested(error: ValidationError, path: Path, subject: Subject) -> list[Mistake]:
    """Translate what is wrong with the parameters of a plugin that is itself a parameter."""
    full = (*subject.path, *path)
    slot = model_at(subject.model, path)
    use = subject.root.find(full).child("use")
    model: type[BaseModel] = Plugin
    if subject.host is not None and use is not None and slot is not None and issubclass(slot, Plugin):
        model = subject.host.plugin(slot.kind, use.value)
    return mistakes_in(error, replace(subject, path=(*full, "params"), model=model))


def _broken(detail: ErrorDetails, path: Path) -> _Broken:
    kind, context = detail["type"], detail.get("ctx", {})
    if kind in _BOUNDS:
        return _Broken(path, _BOUNDS[kind].format(**{key: shown(value) for key, value in context.items()}))
    if kind in ("literal_error", "enum"):
        options = tuple(re.findall(r"'([^']*)'", context["expected"])) or (context["expected"],)
        return _Broken(
            path, f"one of {', '.join(options)}" if len(options) > 1 else options[0], options=options
        )
    sort = kind.partition("_")[0]
    if sort in _WANTED and kind.endswith(_WRONG_TYPE):
        return _Broken(path, _WANTED[sort])
    return _Broken(path, text=" ".join(detail["msg"].removeprefix("Input should be ").split()))


def _joined(path: Path, broken: list[_Broken], subject: Subject) -> Mistake:
    """Make one mistake of the rules that one value breaks: of a union, none of its forms fits."""
    node = subject.root.find((*subject.path, *path))
    wanted = list(dict.fromkeys(rule.wanted for rule in broken if rule.wanted))
    texts = [rule.text for rule in broken if rule.text]
    message = "; ".join([*texts, *([f"must be {', or '.join(wanted)}"] if wanted else [])])
    message += f" (got {got(node)})"
    if wanted == ["text"] and isinstance(node.value, int | float) and not isinstance(node.value, bool):
        message += "; put it in quotes"
    options = [option for rule in broken for option in rule.options]
    meant = nearest(node.value, options) if isinstance(node.value, str) else None
    return subject.mistake(path, f"{message}. Did you mean {meant}?" if meant else message)
