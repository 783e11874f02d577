"""The settings that a dotted path can name: parameters of plugins, and what stands beside them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from windtunnel.errors import Mistake, PluginError, nearest
from windtunnel.experiment.messages import Subject, mistakes_in
from windtunnel.experiment.node import Node, Path, dotted
from windtunnel.experiment.parameters import describe_parameter, field_named, keys_of, models_in
from windtunnel.pipeline.sections import (
    GateSection,
    PatternsSection,
    RegimeSection,
    ReliabilitySection,
    ScorerSection,
    SizingSection,
    StrategySection,
    VolatilitySection,
)
from windtunnel.plugin import Host, Plugin
from windtunnel.values import ConfigModel, Rules

__all__ = ["Setting", "faults", "meant", "settings"]

_COMPONENTS: Mapping[str, tuple[str, type[ConfigModel]]] = {
    "strategy": ("strategy", StrategySection),
    "patterns": ("patterns", PatternsSection),
    "reliability": ("scorer", ReliabilitySection),
    "regime": ("regime", RegimeSection),
    "scorer": ("scorer", ScorerSection),
    "volatility": ("volatility", VolatilitySection),
}
_SECTIONS: Mapping[str, type[ConfigModel]] = {
    "gate": GateSection,
    "sizing": SizingSection,
    "backtest": Rules,
}


@dataclass(frozen=True)
class Setting:
    """One value of an experiment.

    Parameters
    ----------
    path : tuple
        From the root.
    model : type
        The plugin or section that declares it.
    name : str
        Its key there.
    whole : type
        The plugin or section that is checked as a whole, for rules between its values.
    depth : int
        How much of the path leads to that.
    """

    path: Path
    model: type[BaseModel]
    name: str
    whole: type[BaseModel]
    depth: int

    @property
    def field(self) -> FieldInfo:
        """Its declaration."""
        found = field_named(self.model, self.name)
        if found is None:
            raise KeyError(self.name)
        return found

    @property
    def of_plugin(self) -> bool:
        """Whether it is one of a plugin's parameters, or a part of one."""
        return issubclass(self.whole, Plugin)

    def describe(self) -> str:
        """Say what it may be."""
        return describe_parameter(self.model, self.name)


def settings(root: Node, host: Host) -> dict[str, Setting]:
    """Return every setting of an experiment's tree that decides how it trades, by dotted path.

    Of plugins that are not known, and sections that are not there, there is none.
    """
    found = [item for key in _COMPONENTS for item in _components(root, key, host)]
    gate = root.child("gate")
    for key, section in _SECTIONS.items():
        if section is not GateSection or (gate is not None and isinstance(gate.value, dict)):
            found += _of_section((key,), section)
    return {dotted(item.path): item for item in found}


def faults(setting: Setting, node: Node, root: Node, host: Host, at: Path) -> list[Mistake]:
    """Return what the declaration of a setting has against a value, whatever its neighbours are.

    Parameters
    ----------
    setting : Setting
    node : Node
        The value and its place.
    root : Node
        The experiment.
    host : Host
    at : tuple
        The path under which to tell of it.
    """
    alone = setting.whole is Rules
    whole = setting.path[: setting.depth]
    tree = _with(Node({}) if alone else root, setting.path, node)
    subject = Subject(tree, whole, setting.whole, host)
    try:
        _maker(setting.whole, host)(tree.find(whole).plain())
    except ValidationError as error:
        own = dotted(setting.path)
        found = [
            one
            for one in mistakes_in(error, subject)
            if alone or one.key == own or one.key.startswith(f"{own}.")
        ]
        return [replace(one, key=dotted(at), file=node.file, line=node.line) for one in found[:1]]
    except Exception:  # noqa: BLE001 - a stranger's validator; told when the value is tried
        return []
    return []


def meant(path: str, known: Mapping[str, Setting]) -> str | None:
    """Return the setting that a wrong path most likely means; None when nothing comes close."""
    inner = {name.rpartition(".")[2]: name for name in reversed(list(known))}
    last = path.rpartition(".")[2]
    return inner.get(last) or nearest(path, known) or inner.get(nearest(last, inner) or "")


def _components(root: Node, key: str, host: Host) -> Iterator[Setting]:
    kind, section = _COMPONENTS[key]
    at = root.child(key)
    if at is None:
        return
    places = [(key, place) for place, _ in at.items()] if isinstance(at.value, list) else [(key,)]
    for place in places:
        component = root.find(place)
        if isinstance(component.value, dict):
            plugin = _plugin(component, kind, host)
            if plugin is not None:
                path = (*place, "params")
                yield from _of_plugin(path, component, plugin, (plugin, len(path)), host)
            yield from _of_section(place, section)


def _of_plugin(
    path: Path, component: Node, plugin: type[Plugin], whole: tuple[type[Plugin], int], host: Host
) -> Iterator[Setting]:
    """Yield the parameters of a plugin, and of those that are parameters of it."""
    params = component.child("params") or Node({})
    for name in keys_of(plugin):
        setting = Setting((*path, name), plugin, name, *whole)
        yield from _with_its_own(setting)
        inner = params.child(name)
        kind = next((one.kind for one in models_in(setting.field) if issubclass(one, Plugin)), None)
        if inner is not None and kind is not None and isinstance(inner.value, dict):
            chosen = _plugin(inner, kind, host)
            if chosen is not None:
                yield from _of_plugin((*setting.path, "params"), inner, chosen, whole, host)


def _of_section(path: Path, section: type[ConfigModel]) -> Iterator[Setting]:
    for name in keys_of(section):
        if name not in ("use", "params"):
            yield from _with_its_own(Setting((*path, name), section, name, section, len(path)))


def _with_its_own(setting: Setting) -> Iterator[Setting]:
    """Yield a setting, and the settings of the section that it may hold."""
    yield setting
    for model in models_in(setting.field):
        if issubclass(model, ConfigModel):
            for name in keys_of(model):
                yield replace(setting, path=(*setting.path, name), model=model, name=name)


def _plugin(component: Node, kind: str, host: Host) -> type[Plugin] | None:
    use = component.child("use")
    if use is None or not isinstance(use.value, str):
        return None
    try:
        return host.plugin(kind, use.value)
    except PluginError:
        return None


def _with(node: Node, path: Path, value: Node) -> Node:
    """Return a tree with one value in its place."""
    if not path:
        return value
    key, rest = path[0], path[1:]
    child = _with(node.child(key) or Node({}), rest, value)
    if isinstance(node.value, list) and isinstance(key, int):
        return replace(node, value=[*node.value[:key], child, *node.value[key + 1 :]])
    return Node(
        {**(node.value if isinstance(node.value, dict) else {}), str(key): child}, node.file, node.line
    )


def _maker(model: type[BaseModel], host: Host) -> Callable[[Any], Any]:
    if issubclass(model, Plugin):
        return partial(model.from_params, host=host)
    return lambda values: model.model_validate_json(json.dumps(values))
