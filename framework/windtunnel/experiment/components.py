"""The plugins of an experiment are built: their parameters checked, with paths and secrets in place."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path as FilePath
from typing import Any

from pydantic import TypeAdapter, ValidationError

from windtunnel.errors import Mistake, PluginError, UnknownPluginError
from windtunnel.experiment.messages import Subject, mistakes_in
from windtunnel.experiment.node import Node, Path, dotted, printable
from windtunnel.experiment.parameters import field_named, is_path
from windtunnel.experiment.places import SECRETS, as_written, located, mapped, secrets_in, substituted
from windtunnel.plugin import Host, Plugin

__all__ = ["Built", "build"]

_WITHHELD = "is refused with what the environment gives; the reason is withheld, for it may tell a secret"


@dataclass(frozen=True)
class Built:
    """A plugin, and its parameters as they may be shown: complete, paths as written, secrets by name."""

    plugin: Plugin
    params: dict[str, Any]


def build(
    root: Node, path: Path, kind: str, host: Host, folder: FilePath, mistakes: list[Mistake]
) -> Built | None:
    """Build the plugin of the component at ``path``; None where it cannot be, which adds mistakes.

    What is wrong with the component's own keys is not judged here. A plugin with secrets is tried with
    their names first: only what is said about those may be told.
    """
    component = root.find(path)
    use, params = component.child("use"), component.child("params") or Node({})
    if use is None or not isinstance(use.value, str) or not isinstance(params.value, dict):
        return None
    try:
        plugin = host.plugin(kind, use.value)
    except PluginError as error:
        mistakes.append(Mistake(dotted((*path, "use")), str(error), use.file, use.line))
        return None
    subject = Subject(root, (*path, "params"), plugin, host)
    secrets = secrets_in(params, subject.path) if subject.path == SECRETS else {}
    environment = {
        name: os.environ[name] for names in secrets.values() for name in names if name in os.environ
    }

    def show(node: Node, names_files: bool) -> str:
        return as_written(node, folder) if names_files else str(node.value)

    def mean(node: Node, names_files: bool) -> str:
        text = substituted(str(node.value), environment)
        return located(node, text, folder) if names_files else text

    shown, meant = _params(params, plugin, show), _params(params, plugin, mean)
    preview, told = _attempt(plugin, shown, subject)
    missing = [
        replace(subject, path=()).mistake(at, f"the environment variable {name} is not set")
        for at, names in secrets.items()
        for name in names
        if name not in environment
    ]
    if missing:
        mistakes.extend([*missing, *(one for one in told if one.key not in {dotted(at) for at in secrets})])
        return None
    built, found = (preview, told) if meant == shown else _attempt(plugin, meant, subject)
    if secrets:
        found = [one if one in told else replace(one, message=_WITHHELD, hint="") for one in found]
    mistakes.extend(found)
    if built is None:
        return None
    complete = preview.params() if preview else {**_defaults(plugin), **shown}
    secret = {str(at[len(subject.path)]) for at in secrets}
    return Built(built, {**complete, **{key: shown[key] for key in shown if key in secret}})


def _params(params: Node, plugin: type[Plugin], change: Callable[[Node, bool], str]) -> dict[str, Any]:
    result = {}
    for name, node in params.value.items():
        field = field_named(plugin, name)
        names_files = field is not None and is_path(name, field)
        result[name] = mapped(node, change, names_files)
    return result


def _attempt(
    plugin: type[Plugin], params: dict[str, Any], subject: Subject
) -> tuple[Plugin | None, list[Mistake]]:
    """Build the plugin, or say what is wrong; a stranger's validator may raise anything."""
    try:
        return plugin.from_params(params, host=subject.host), []
    except ValidationError as error:
        return None, mistakes_in(error, subject)
    except UnknownPluginError as error:
        return None, [subject.mistake(_use_of(error.name, subject), str(error))]
    except Exception as error:  # noqa: BLE001
        text = f"{plugin.name} could not check its parameters: {type(error).__name__}: {error}"
        return None, [subject.mistake((), printable(" ".join(text.split())))]


def _use_of(name: str, subject: Subject) -> Path:
    """Return where a plugin that is itself a parameter is named, below the subject's path."""
    params = subject.root.find(subject.path)
    named = (path for path, node in params.walk() if path[-1:] == ("use",) and node.value == name)
    return next(named, ())


def _defaults(plugin: type[Plugin]) -> dict[str, Any]:
    fields = {key: field for key, field in plugin.model_fields.items() if not field.is_required()}
    values = {key: field.get_default(call_default_factory=True) for key, field in fields.items()}
    dumped: dict[str, Any] = TypeAdapter(dict[str, Any]).dump_python(values, mode="json")
    return dumped
