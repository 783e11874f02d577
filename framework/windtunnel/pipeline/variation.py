"""A candidate with some of its values changed, as a search asks for it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Annotated, Any, TypeVar, cast, get_args

from pydantic import BaseModel, TypeAdapter, ValidationError

from windtunnel.errors import InvalidValueError, nearest
from windtunnel.pipeline.candidate import Candidate, Part
from windtunnel.plugin import Plugin
from windtunnel.values import ConfigModel, Drift

__all__ = ["varied"]

M = TypeVar("M", bound=BaseModel)

_PARTS = ("strategy", "regime", "volatility", "scorer", "reliability")
_ALONE = {"backtest": "rules", "sizing": "sizing", "gate": "gate"}


def varied(candidate: Candidate, point: Mapping[str, Any]) -> Candidate | None:
    """Return a candidate with the values at dotted paths replaced, checked as if they stood in YAML.

    Parameters
    ----------
    candidate : Candidate
    point : mapping of str
        Values by the paths that ``--set`` takes: ``strategy.params.fast``, ``scorer.threshold``,
        ``patterns.0.params.width``, ``backtest.stop_loss.atr`` or, where a plugin is a parameter of another,
        ``strategy.params.inner.params.fast``. A list may stand for a tuple, text for a date.

    Returns
    -------
    Candidate or None
        None where a value is illegal, or a rule between values forbids it. The ``params`` of its sections
        stay as they were written; what counts are its plugins.

    Raises
    ------
    InvalidValueError
        If the candidate has no such value.
    """
    try:
        fields = dict(_fields(candidate, _tree(point)))
    except ValidationError:
        return None
    try:
        made = replace(candidate, **fields)
    except InvalidValueError:
        return None
    return None if fields.keys() - {"strategy", "patterns"} and any(_conflicts(made)) else made


def _conflicts(candidate: Candidate) -> Iterator[bool]:
    """Yield, for every rule between sections, whether it is broken.

    What a section needs to be there at all, the candidate checks itself.
    """
    rules, sizing = candidate.rules, candidate.sizing
    yield sizing.fraction > rules.leverage
    yield sizing.own_size is not None and isinstance(rules.rebalance, Drift)
    if candidate.volatility is not None and candidate.volatility.section.stops == "forecast":
        yield not rules.in_atr
    if candidate.reliability is not None:
        yield candidate.reliability.section.outcome.label == "trade"


def _tree(point: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values in mappings below each other, as YAML would have them."""
    tree: dict[str, Any] = {}
    for path, value in point.items():
        *above, last = path.split(".")
        branch = tree
        for key in above:
            branch = branch.setdefault(key, {})
            if not isinstance(branch, dict):
                raise InvalidValueError(path, "cannot be changed together with what holds it", value)
        if last in branch:
            raise InvalidValueError(path, "cannot be changed together with what it holds", value)
        branch[last] = value
    return tree


def _fields(candidate: Candidate, tree: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the fields of a candidate that change."""
    for name, changes in tree.items():
        if name in _PARTS and isinstance(changes, dict):
            yield name, _part(getattr(candidate, name), changes, name)
        elif name == "patterns" and isinstance(changes, dict):
            yield name, tuple(_detectors(candidate, changes))
        elif name in _ALONE and isinstance(changes, dict):
            section = getattr(candidate, _ALONE[name])
            if section is None:
                raise _missing(name, changes)
            yield _ALONE[name], _changed(section, changes, name)
        else:
            raise _unknown(name, changes, (*_PARTS, "patterns", *_ALONE))


def _part(part: Part[Any, Any] | None, changes: Mapping[str, Any], at: str) -> Part[Any, Any]:
    if part is None:
        raise _missing(at, changes)
    own = {key: value for key, value in changes.items() if key != "params"}
    if "use" in own:
        raise InvalidValueError(f"{at}.use", "cannot be changed: another plugin has other values", own["use"])
    section = _changed(part.section, own, at) if own else part.section
    if "params" not in changes:
        return Part(part.plugin, section)
    return Part(_inside(part, "plugin", {"params": changes["params"]}, at), section)


def _detectors(candidate: Candidate, changes: Mapping[str, Any]) -> Iterator[Part[Any, Any]]:
    known = [str(place) for place in range(len(candidate.patterns))]
    for place in changes.keys() - set(known):
        raise _unknown(f"patterns.{place}", changes[place], known)
    for place, part in zip(known, candidate.patterns, strict=True):
        yield _part(part, changes[place], f"patterns.{place}") if place in changes else part


def _changed(owner: M, changes: Mapping[str, Any], at: str) -> M:
    """Return a model with some fields changed; what they hold may change in part."""
    model = type(owner)
    names = _names(model)
    fields = {name: getattr(owner, name) for name in names.values()}
    for key, value in changes.items():
        name = names.get(key)
        if name is None:
            raise _unknown(f"{at}.{key}", value, names)
        if isinstance(value, dict):
            fields[name] = _inside(owner, name, value, f"{at}.{key}")
        elif isinstance(value, str | list | tuple):
            fields[name] = _adapter(model, name).validate_json(json.dumps(value), strict=True)
        else:
            fields[name] = value
    return model.model_validate(fields, by_name=True, by_alias=True)


def _inside(owner: Any, name: str, changes: Mapping[str, Any], at: str) -> Any:
    """Return what a field holds, with its own values changed."""
    current = getattr(owner, name)
    if isinstance(current, Plugin):
        params = changes.get("params")
        if changes.keys() != {"params"} or not isinstance(params, dict):
            key = next((key for key in changes if key != "params"), "params")
            raise _unknown(f"{at}.{key}", changes[key], ["params"])
        return _changed(current, params, f"{at}.params")
    if isinstance(current, ConfigModel) and changes.keys() <= _names(type(current)).keys():
        return _changed(current, changes, at)
    known = _keys_within(cast("type[BaseModel]", type(owner)), name)
    for key in changes.keys() - known:
        raise _unknown(f"{at}.{key}", changes[key], known)
    return dict(changes)


def _missing(section: str, changes: Mapping[str, Any]) -> InvalidValueError:
    key, value = next(iter(changes.items()))
    return InvalidValueError(f"{section}.{key}", f"needs a {section} section", value)


def _unknown(path: str, value: Any, known: Iterable[str]) -> InvalidValueError:
    above, _, key = path.rpartition(".")
    if key in known:
        return InvalidValueError(path, "holds several values, of which one must be named", value)
    meant = nearest(key, known)
    place = f"{above}.{meant}" if above else meant
    rule = "is not a value of this candidate" + (f"; did you mean {place}?" if meant else "")
    return InvalidValueError(path, rule, value)


@lru_cache(maxsize=256)
def _names(model: type[BaseModel]) -> Mapping[str, str]:
    """Return the names of a model's fields by their keys in YAML."""
    return {field.alias or name: name for name, field in model.model_fields.items()}


@lru_cache(maxsize=256)
def _adapter(model: type[BaseModel], name: str) -> TypeAdapter[Any]:
    field = model.model_fields[name]
    declared: Any = Annotated[(field.annotation, *field.metadata)] if field.metadata else field.annotation
    return TypeAdapter(declared)


@lru_cache(maxsize=256)
def _keys_within(model: type[BaseModel], name: str) -> frozenset[str]:
    """Return the keys of every section that a field may hold."""
    return frozenset(_keys(model.model_fields[name].annotation))


def _keys(annotation: Any) -> Iterator[str]:
    if isinstance(annotation, type) and issubclass(annotation, ConfigModel):
        yield from _names(annotation)
    for argument in get_args(annotation):
        yield from _keys(argument)
