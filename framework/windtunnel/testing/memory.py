"""What plugins remember outside their instances, and how to make them forget."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from types import FunctionType, ModuleType
from typing import Any

import numpy as np

from windtunnel.plugin import Plugin

__all__ = ["Memory", "renewed"]

_OURS = ("windtunnel", "pydantic", "builtins", "abc", "typing")
_ABSENT = object()


class Memory:
    """The class attributes, module globals and function caches of plugins, as they are now.

    What a plugin keeps elsewhere (in closures, in modules that it imports, in files) is out of reach.

    Parameters
    ----------
    plugins : iterable of Plugin
    """

    def __init__(self, plugins: Iterable[Plugin]) -> None:
        self._owners = list(dict.fromkeys(owner for plugin in plugins for owner in _owners(type(plugin))))
        self._kept = [
            {name: (value, _copied(value)) for name, value in _state(owner)} for owner in self._owners
        ]

    def restore(self) -> None:
        """Put everything back as it was."""
        for owner, kept in zip(self._owners, self._kept, strict=True):
            for name, _ in list(_state(owner)):
                if name not in kept:
                    delattr(owner, name)
            for name, (value, copy) in kept.items():
                _refill(value, copy)
                if getattr(owner, name, _ABSENT) is not value:
                    setattr(owner, name, value)
            for function in _functions(owner):
                function.cache_clear()


def renewed(value: Any) -> Any:
    """Return a plugin built anew from its parameters, those that are plugins too; anything else as it is."""
    if isinstance(value, Plugin):
        return type(value)(**{name: renewed(item) for name, item in dict(value).items()})
    if isinstance(value, list | tuple):
        return type(value)(renewed(item) for item in value)
    if isinstance(value, Mapping):
        return {key: renewed(item) for key, item in value.items()}
    return value


def _owners(plugin: type[Plugin]) -> Iterator[type | ModuleType]:
    """Yield the classes that a plugin's author wrote, and their modules."""
    for base in plugin.__mro__:
        if base.__module__.partition(".")[0] not in _OURS:
            yield base
            module = sys.modules.get(base.__module__)
            if module is not None:
                yield module


def _state(owner: type | ModuleType) -> Iterator[tuple[str, Any]]:
    """Yield the attributes that are neither code nor the machinery of Python and pydantic."""
    code = (type, ModuleType, FunctionType, classmethod, staticmethod, property)
    for name, value in vars(owner).items():
        hidden = name.startswith(("__", "model_", "_abc_"))
        if not hidden and not isinstance(value, code) and not hasattr(value, "cache_clear"):
            yield name, value


def _functions(owner: type | ModuleType) -> Iterator[Any]:
    """Yield the functions that remember their answers."""
    for value in vars(owner).values():
        function = getattr(value, "__func__", value)
        if callable(getattr(function, "cache_clear", None)) and getattr(function, "__module__", None) == getattr(owner, "__module__", getattr(owner, "__name__", None)):
            yield function


def _copied(value: Any) -> Any:
    if not isinstance(value, dict | list | set | np.ndarray):
        return None
    try:
        return deepcopy(value)
    except Exception:  # noqa: BLE001 - what a stranger keeps may refuse to be copied
        return value.copy()


def _refill(value: Any, copy: Any) -> None:
    """Give a container the content that it had."""
    if isinstance(value, np.ndarray):
        if value.flags.writeable:
            value[...] = copy
    elif isinstance(value, dict | list | set) and value != copy:
        value.clear()
        value.extend(copy) if isinstance(value, list) else value.update(copy)
