"""Pydantic's errors become mistakes in plain words, each at its line."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from windtunnel.errors import ConfigError, InvalidValueError, Mistake, nearest
from windtunnel.experiment.model import BrokenRulesError
from windtunnel.experiment.node import Node, Path, dotted, printable
from windtunnel.experiment.parameters import (
    describe_parameter,
    field_named,
    holds_mapping,
    keys_of,
    models_in,
    shown,
)
from windtunnel.plugin import Host, Plugin

__all__ = ["Subject", "checked", "got", "mistakes_in"]

M = TypeVar("M", bound=BaseModel)

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

    def model_at(self, path: Path) -> type[BaseModel] | None:
        """Return the model of the value at a path below the subject's own; None where it is not one."""
        return next(iter(self.models_at(path)), None)

    def models_at(self, path: Path) -> list[type[BaseModel]]:
        """Return every model that the value at a path may have, first the one that it has."""
        models: list[type[BaseModel]] = [self.model]
        node: Node | None = self.root.find(self.path)
        own_key = False
        for part in path:
            model, child = next(iter(models), None), node.child(part) if node else None
            if own_key:
                own_key = False
            elif model is not None and _takes_plugins(model) and part == "params":
                chosen = self._chosen(model, node)
                models = [chosen] if chosen else []
            elif model is not None and isinstance(part, str):
                field = field_named(model, part)
                own_key = holds_mapping(field)
                models = sorted(models_in(field), key=lambda one: not _is_tagged(one, child))
            node = child
        return models

    def _chosen(self, kind: type[Plugin], node: Node | None) -> type[Plugin] | None:
        use = node.child("use") if node else None
        if self.host is None or use is None or use.value not in self.host.names(kind.kind):
            return None
        return self.host.plugin(kind.kind, use.value)


@dataclass(frozen=True)
class _Broken:
    """One rule that does not hold: a wanted form (``must be …``) or, where that is empty, a text."""

    path: Path
    wanted: str = ""
    text: str = ""
    options: tuple[str, ...] = ()


def checked(model: type[M], key: str, given: Mapping[str, Any], make: Callable[[], M], host: Host) -> M:
    """Return what ``make`` builds, or say in our own words what pydantic found in ``given``.

    Raises
    ------
    ConfigError
        With every mistake, its key below ``key``.
    """
    try:
        return make()
    except ValidationError as error:
        path = tuple(key.split(".")) if key else ()
        tree = Node(dict.fromkeys(given, Node(None)))
        for part in reversed(path):
            tree = Node({part: tree})
        raise ConfigError(mistakes_in(error, Subject(tree, path, model, host))) from None


def mistakes_in(error: ValidationError, subject: Subject) -> list[Mistake]:
    """Translate all that pydantic found."""
    cut = [
        (detail, *_cut(detail, subject)) for detail in error.errors(include_url=False, include_input=False)
    ]
    paths = [path for _, path, _ in cut]
    kept = [
        (detail, path)
        for detail, path, shallow in cut
        if not (shallow or detail["type"] == "too_short") or not _any_below(path, paths)
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
            broken = _broken(detail, path)
            rules.setdefault(broken.path, []).append(broken)
    return found + [_joined(path, broken, subject) for path, broken in rules.items()]


def got(value: Any) -> str:
    """Return how a value is quoted in a message."""
    if isinstance(value, dict | list):
        return f"a{'' if value else 'n empty'} {'mapping' if isinstance(value, dict) else 'list'}"
    return f"'{shown(value)}'" if isinstance(value, str) else shown(value)


def _takes_plugins(model: type[BaseModel]) -> TypeGuard[type[Plugin]]:
    """Tell whether a model is a kind, which any plugin of that kind can stand for."""
    return issubclass(model, Plugin) and not model.name


def _tag(model: type[BaseModel]) -> tuple[str, str] | None:
    """Return the key and the text by which a model is told from the others that may stand in its place."""
    named = ((key, get_args(field.annotation)) for key, field in model.model_fields.items())
    return next(
        ((key, texts[0]) for key, texts in named if len(texts) == 1 and isinstance(texts[0], str)), None
    )


def _is_tagged(model: type[BaseModel], node: Node | None) -> bool:
    tag = _tag(model)
    found = node.child(tag[0]) if node and tag else None
    return tag is not None and found is not None and found.value == tag[1]


def _any_below(path: Path, paths: Sequence[Path]) -> bool:
    return any(len(other) > len(path) and other[: len(path)] == path for other in paths)


def _cut(detail: ErrorDetails, subject: Subject) -> tuple[Path, bool]:
    """Make of pydantic's location a path in the tree.

    The names that pydantic gives to members of unions go; ``params`` comes in where a plugin is a parameter.

    Returns
    -------
    path : tuple
        Below the subject's.
    shallow : bool
        Whether this says only that the value is not one form out of several.
    """
    path: list[str | int] = []
    node = subject.root.find(subject.path)
    shallow = False
    location = detail["loc"]
    for place, part in enumerate(location):
        model = subject.model_at(tuple(path))
        if model is not None and _takes_plugins(model):
            path.append("params")
            node = node.child("params") or Node({})
        child = node.child(part)
        is_missing = detail["type"] == "missing" and place == len(location) - 1
        shallow = child is None and not is_missing
        if child is not None or is_missing:
            path.append(part)
            node = child or Node({})
    return tuple(path), shallow


def _meant(path: Path, subject: Subject) -> str | None:
    model = subject.model_at(path[:-1])
    return nearest(str(path[-1]), keys_of(model)) if model else None


def _unknown(path: Path, meant: str | None, subject: Subject) -> Mistake:
    models = subject.models_at(path[:-1])
    model = models[0] if models else None
    elsewhere = [tag for other in models[1:] if path[-1] in keys_of(other) and (tag := _tag(other))]
    own = _tag(model) if model else None
    if own and elsewhere:
        whose = " and ".join(text for _, text in elsewhere)
        return subject.mistake(path, f"belongs to {own[0]}: {whose}, not to {own[1]}")
    owner = f"parameter of {model.name}" if model and issubclass(model, Plugin) and model.name else "key"
    if model is None or not model.model_fields:
        return subject.mistake(path, f"unknown {owner}. Known: none")
    if meant is None:
        return subject.mistake(path, f"unknown {owner}. Known: {', '.join(keys_of(model))}")
    return subject.mistake(path, f"unknown {owner}. Did you mean {meant}?", describe_parameter(model, meant))


def _missing(path: Path, subject: Subject) -> Mistake:
    model = subject.model_at(path[:-1])
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
    elif isinstance(error, InvalidValueError):
        name = "" if path and error.parameter == path[-1] else f"{error.parameter} "
        yield subject.mistake(path, f"{name}{error.rule} (got {got(error.value)})")
    else:
        text = printable(" ".join(str(error).split()))
        scalar = path and not isinstance(node.value, dict | list) and "(got" not in text
        yield subject.mistake(path, f"{text} (got {got(node.value)})" if scalar else text)


def _broken(detail: ErrorDetails, path: Path) -> _Broken:
    kind, context = detail["type"], detail.get("ctx", {})
    if kind in _BOUNDS:
        return _Broken(path, _BOUNDS[kind].format(**{key: shown(value) for key, value in context.items()}))
    if kind in ("literal_error", "enum"):
        options = tuple(re.findall(r"'([^']*)'", context["expected"])) or (context["expected"],)
        return _Broken(
            path, f"one of {', '.join(options)}" if len(options) > 1 else options[0], options=options
        )
    if kind == "union_tag_invalid":
        options = tuple(re.findall(r"'([^']*)'", context["expected_tags"]))
        key = context["discriminator"].strip("'")
        return _Broken((*path, key), f"one of {', '.join(options)}", options=options)
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
    message += f" (got {got(node.value)})"
    if wanted == ["text"] and isinstance(node.value, int | float) and not isinstance(node.value, bool):
        message += "; put it in quotes"
    options = [option for rule in broken for option in rule.options]
    meant = nearest(node.value, options) if isinstance(node.value, str) else None
    return subject.mistake(path, f"{message}. Did you mean {meant}?" if meant else message)
