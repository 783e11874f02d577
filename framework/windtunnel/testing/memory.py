"""What plugins remember outside their instances, and how to make them forget."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from copy import deepcopy
from dataclasses import replace
from types import FunctionType, ModuleType
from typing import Any

from windtunnel.pipeline import Candidate, Part
from windtunnel.plugin import Plugin

__all__ = ["Memory", "renewed", "renewed_parts"]

_CODE = (type, ModuleType, FunctionType, classmethod, staticmethod, property)


class Memory:
    """The class attributes, module globals and function caches of plugins, as they are now.

    The modules are all those of a plugin's package. What a plugin keeps elsewhere (in closures, in other
    packages, in files) is out of reach.

    Parameters
    ----------
    plugins : iterable of Plugin
    """

    def __init__(self, plugins: Iterable[Plugin]) -> None:
        family = [one for plugin in plugins for one in _with_parts(plugin)]
        classes = {base for plugin in family for base in type(plugin).__mro__ if _is_foreign(base)}
        packages = {base.__module__.partition(".")[0] for base in classes}
        modules = [module for name, module in sys.modules.items() if name.partition(".")[0] in packages]
        self._owners: list[Any] = [*classes, *modules]
        self._kept = [
            {name: (value, _copied(value)) for name, value in _state(owner)} for owner in self._owners
        ]

    def restore(self) -> None:
        """Put everything back as it was."""
        for owner, kept in zip(self._owners, self._kept, strict=True):
            for name, value in list(_state(owner)):
                if name not in kept:
                    delattr(owner, name)
                elif value is not kept[name][0]:
                    setattr(owner, name, kept[name][0])
            for value, copy in kept.values():
                if copy is not None:
                    value.clear()
                    (value.extend if isinstance(value, list) else value.update)(_copied(copy))
            for function in _caches(owner):
                function.cache_clear()


def renewed(value: Any) -> Any:
    """Return a plugin built anew from its parameters, those that are plugins too; anything else as it is."""
    if isinstance(value, Plugin):
        return type(value)(**{name: renewed(item) for name, item in dict(value).items()})
    if type(value) in (list, tuple):
        return type(value)(renewed(item) for item in value)
    if type(value) is dict:
        return {key: renewed(item) for key, item in value.items()}
    return value


def renewed_parts(candidate: Candidate) -> Candidate:
    """Return the same candidate with plugins of its own."""

    def part(old: Any) -> Any:
        return None if old is None else Part(renewed(old.plugin), old.section)

    return replace(
        candidate,
        strategy=part(candidate.strategy),
        volatility=part(candidate.volatility),
        regime=part(candidate.regime),
        patterns=tuple(map(part, candidate.patterns)),
        reliability=part(candidate.reliability),
        scorer=part(candidate.scorer),
    )


def _with_parts(value: Any) -> Iterator[Plugin]:
    """Yield a plugin and those that are its parameters."""
    inside: Iterable[Any] = ()
    if isinstance(value, Plugin):
        yield value
        inside = dict(value).values()
    elif isinstance(value, list | tuple | dict):
        inside = value.values() if isinstance(value, dict) else value
    for item in inside:
        yield from _with_parts(item)


def _is_foreign(base: type) -> bool:
    return issubclass(base, Plugin) and base.__module__.partition(".")[0] != "windtunnel"


def _state(owner: Any) -> Iterator[tuple[str, Any]]:
    """Yield the attributes that are neither code nor the machinery of Python and pydantic."""
    for name, value in vars(owner).items():
        machinery = name.startswith(("__", "model_", "_abc_"))
        if not machinery and not isinstance(value, _CODE) and not hasattr(value, "cache_clear"):
            yield name, value


def _caches(owner: Any) -> Iterator[Any]:
    """Yield the owner's own functions that remember their answers."""
    home = owner.__name__ if isinstance(owner, ModuleType) else owner.__module__
    for value in vars(owner).values():
        function = getattr(value, "__func__", value)
        if hasattr(function, "cache_clear") and getattr(function, "__module__", None) == home:
            yield function


def _copied(value: Any) -> Any:
    """Return a copy of a container as deep as can be; None of anything else."""
    if not isinstance(value, dict | list | set):
        return None
    try:
        return deepcopy(value)
    except Exception:  # noqa: BLE001 - what a stranger keeps may refuse to be copied
        return value.copy()
