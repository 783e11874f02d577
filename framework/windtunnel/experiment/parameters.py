"""What can be said about a parameter from its declaration."""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt, MinLen
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from windtunnel.plugin import Plugin
from windtunnel.reporting.text import plain
from windtunnel.values import Tune

__all__ = [
    "describe_parameter",
    "field_named",
    "forms_of",
    "holds_mapping",
    "is_path",
    "keys_of",
    "model_in",
    "models_in",
    "shown",
]

_NAMES = {
    int: "int",
    float: "float",
    bool: "true or false",
    str: "text",
    type(None): "null",
    Any: "any value",
}


def describe_parameter(model: type[BaseModel], name: str) -> str:
    """Say in one line what a parameter may be, what is searched, its default and its meaning.

    ``fast: int ≥ 2, searched 5 … 50, default 10 — Fast window, in bars.``

    Parameters
    ----------
    model : type of Plugin or ConfigModel
    name : str
        As in YAML.

    Raises
    ------
    KeyError
        If there is no such parameter.
    """
    field = field_named(model, name)
    if field is None:
        raise KeyError(name)
    parts = [_described(field.annotation, field.metadata)]
    parts += [f"searched {item}" for item in field.metadata if isinstance(item, Tune)]
    if field.is_required():
        parts.append("required")
    elif field.default_factory is None:
        parts.append(f"default {shown(field.default)}")
    meaning = " ".join((field.description or "").split())
    return f"{name}: {', '.join(parts)}{f' — {meaning}' if meaning else ''}"


def shown(value: Any) -> str:
    """Return a value as YAML would show it, shortened to 60 characters."""
    if isinstance(value, BaseModel) and not isinstance(value, Plugin):
        return plain(value.model_dump(mode="json", by_alias=True))
    return plain(value)


def keys_of(model: type[BaseModel]) -> list[str]:
    """Return the keys of a model as they are written in YAML."""
    return [field.alias or name for name, field in model.model_fields.items()]


def field_named(model: type[BaseModel], key: str) -> FieldInfo | None:
    """Return the field that a YAML key means."""
    return next((field for name, field in model.model_fields.items() if (field.alias or name) == key), None)


def model_in(field: FieldInfo | None) -> type[BaseModel] | None:
    """Return the model that a field holds, perhaps in a list or beside other forms; None without one."""
    return next(iter(models_in(field)), None)


def models_in(field: FieldInfo | None) -> list[type[BaseModel]]:
    """Return every model that a field may hold."""
    inside = _inside(field.annotation) if field else iter(())
    return [item for item in inside if isinstance(item, type) and issubclass(item, BaseModel)]


def holds_mapping(field: FieldInfo | None) -> bool:
    """Tell whether a field may hold a mapping with keys of the user's own."""
    return field is not None and any(get_origin(form) is dict for form in forms_of(field.annotation))


def forms_of(annotation: Any) -> Iterator[Any]:
    """Yield the forms of which a value may have one: the members of unions, without what is said of them."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        yield from forms_of(arguments[0])
    elif origin in (Union, types.UnionType):
        for argument in arguments:
            yield from forms_of(argument)
    else:
        yield annotation


def is_path(name: str, field: FieldInfo) -> bool:
    """Tell whether a parameter names files: it is called ``path``, or its type is ``pathlib.Path``."""
    return name == "path" or any(
        isinstance(item, type) and issubclass(item, PurePath) for item in _inside(field.annotation)
    )


def _inside(annotation: Any) -> Iterator[Any]:
    """Yield the types that an annotation is made of."""
    arguments = get_args(annotation)
    if get_origin(annotation) is Annotated:
        arguments = arguments[:1]
    if not arguments:
        yield annotation
    for argument in arguments:
        yield from _inside(argument)


def _described(annotation: Any, metadata: Any = ()) -> str:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _described(arguments[0], [*annotation.__metadata__, *metadata])
    if origin in (Union, types.UnionType):
        text = " or ".join(_described(argument) for argument in arguments)
    elif origin is Literal:
        text = " or ".join(shown(argument) for argument in arguments)
    elif origin in (tuple, list, set, frozenset):
        items = [_described(argument) for argument in arguments if argument is not Ellipsis]
        text = f"list of {', '.join(items)}"
    elif annotation in _NAMES:
        text = _NAMES[annotation]
    elif isinstance(annotation, type) and issubclass(annotation, Plugin):
        text = f"a {annotation.kind} plugin as {{use, params}}"
    elif isinstance(annotation, type) and issubclass(annotation, PurePath):
        text = "path"
    elif isinstance(origin or annotation, type) and issubclass(origin or annotation, BaseModel | Mapping):
        text = "mapping"
    else:
        text = getattr(annotation, "__name__", str(annotation))
    bounds = ", ".join(_bounds(metadata))
    filled = ", not empty" if any(isinstance(item, MinLen) and item.min_length for item in metadata) else ""
    return f"{text} {bounds}".rstrip() + filled


def _bounds(metadata: Any) -> Iterator[str]:
    for item in metadata:
        match item:
            case Ge(ge=bound):
                yield f"≥ {shown(bound)}"
            case Gt(gt=bound):
                yield f"> {shown(bound)}"
            case Le(le=bound):
                yield f"≤ {shown(bound)}"
            case Lt(lt=bound):
                yield f"< {shown(bound)}"
