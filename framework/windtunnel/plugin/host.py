"""The host: finds plugins, ours and strangers' through the same door, and hands them out by name."""

from __future__ import annotations

import contextlib
import sys
import traceback
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Any

import pluggy

from windtunnel.errors import BrokenPluginError, PluginError, UnknownPluginError, nearest
from windtunnel.plugin import hookspecs
from windtunnel.plugin.base import Plugin
from windtunnel.plugin.files import load_file, source_hash
from windtunnel.plugin.kinds import KINDS, title

__all__ = ["Broken", "Contribution", "Host", "Provenance", "build_host"]

GROUP = "windtunnel"


@dataclass(frozen=True)
class Provenance:
    """Where a plugin comes from: package (or file), its version, and the hash of the plugin's source file."""

    package: str
    version: str
    hash: str = ""

    def __str__(self) -> str:
        return f"{self.package} {self.version}".strip()


@dataclass(frozen=True)
class Broken:
    """A package that could not be loaded, and why."""

    package: str
    reason: str


@dataclass(frozen=True)
class Contribution:
    """Something that a package adds through a hook."""

    package: str
    item: Any


class Host:
    """Plugins by kind and name; made by :func:`build_host`."""

    def __init__(self) -> None:
        self._manager = pluggy.PluginManager(GROUP)
        self._manager.add_hookspecs(hookspecs)
        self._plugins: dict[tuple[str, str], list[tuple[type[Plugin], Provenance]]] = {}
        self.broken: list[Broken] = []
        """Packages that could not be loaded."""

    def plugin(self, kind: str, name: str) -> type[Plugin]:
        """Return the plugin class of this kind and name.

        Raises
        ------
        UnknownPluginError
            If there is none; names the most similar one and the packages that failed to load.
        PluginError
            If two packages provide it.
        """
        found = self._plugins.get((kind, name), [])
        if not found:
            note = "; ".join(f"{item.package} could not be loaded: {item.reason}" for item in self.broken)
            raise UnknownPluginError(title(kind), name, self.names(kind), note)
        if len(found) > 1:
            owners = " and ".join(str(origin) for _, origin in found)
            raise PluginError(f"{title(kind)} {name!r} is provided twice, by {owners}; uninstall one of them")
        return found[0][0]

    def _refuse_misspelt_hooks(self, module: Any) -> None:
        hooks = [name for name in vars(hookspecs) if name.startswith("windtunnel_")]
        for name in dir(module):
            if (
                name.startswith("windtunnel_")
                and name not in hooks
                and hasattr(getattr(module, name), "windtunnel_impl")
            ):
                hint = nearest(name, hooks)
                raise PluginError(f"there is no hook {name}" + (f"; did you mean {hint}?" if hint else ""))
        self._manager.check_pending()

    def names(self, kind: str) -> list[str]:
        """Return the names known for a kind, sorted."""
        return sorted(name for plugin_kind, name in self._plugins if plugin_kind == kind)

    def provenance(self, plugin: type[Plugin]) -> Provenance:
        """Return where a plugin comes from; a class handed over in Python is its own origin."""
        for registered, origin in self._plugins.get((plugin.kind, plugin.name), []):
            if registered is plugin:
                return Provenance(origin.package, origin.version, source_hash(plugin))
        return Provenance(f"{plugin.__module__}.{plugin.__qualname__}", "", source_hash(plugin))

    def collect(self, hook: str, **arguments: Any) -> tuple[list[Contribution], list[str]]:
        """Call ``hook``: return what the packages contribute, and a complaint for each that raised."""
        items: list[Contribution] = []
        complaints = []
        for implementation in getattr(self._manager.hook, hook).get_hookimpls():
            chosen = {name: arguments[name] for name in implementation.argnames}
            package = implementation.plugin_name
            try:
                items.extend(Contribution(package, item) for item in implementation.function(**chosen) or ())
            except Exception as error:  # noqa: BLE001 - a stranger's code may raise anything
                complaints.append(f"{package}: {hook} failed: {error!r}")
        return items, complaints

    def contributors(self, *hooks: str) -> list[tuple[str, str]]:
        """Return package and hash of the source of everything that implements one of ``hooks``."""
        found = {
            (implementation.plugin_name, source_hash(_class_of(implementation.plugin)))
            for hook in hooks
            for implementation in getattr(self._manager.hook, hook).get_hookimpls()
        }
        return sorted(found)

    def listens(self, hook: str) -> bool:
        """Say whether any package implements a hook."""
        return bool(getattr(self._manager.hook, hook).get_hookimpls())

    def notify(self, hook: str, **arguments: Any) -> list[str]:
        """Tell all observers; return a complaint for each that raised, for an observer stops no run."""
        complaints = []
        for implementation in getattr(self._manager.hook, hook).get_hookimpls():
            chosen = {name: arguments[name] for name in implementation.argnames}
            try:
                implementation.function(**chosen)
            except Exception as error:  # noqa: BLE001 - a stranger's code may raise anything
                complaints.append(f"{implementation.plugin_name}: {hook} failed: {error!r}")
        return complaints

    def add(self, plugins: Iterable[type[Plugin]], origin: Provenance) -> None:
        """Register plugin classes.

        Raises
        ------
        PluginError
            If an item is not a plugin class with a kind and a name.
        """
        for plugin in plugins:
            if not (isinstance(plugin, type) and issubclass(plugin, Plugin)):
                raise PluginError(f"windtunnel_register must return plugin classes (got {plugin!r})")
            if plugin.kind not in KINDS or not plugin.name:
                raise PluginError(f"{plugin.__qualname__} has no kind or no name of its own")
            entries = self._plugins.setdefault((plugin.kind, plugin.name), [])
            if all(registered is not plugin for registered, _ in entries):
                entries.append((plugin, origin))

    def add_module(self, module: Any, origin: Provenance) -> None:
        """Register what implements the hooks, and the plugins that it lists.

        Raises
        ------
        BrokenPluginError
            If a hook is misspelt or has the wrong arguments, or ``windtunnel_register`` fails.
        """
        try:
            number = len(self._manager.get_plugins())
            taken = self._manager.has_plugin(origin.package)
            name = f"{origin.package} #{number}" if taken else origin.package
            self._manager.register(module, name=name)
            self._refuse_misspelt_hooks(module)
            register = getattr(module, "windtunnel_register", None)
            self.add(register() if register else (), origin)
        except Exception as error:
            if self._manager.is_registered(module):
                self._manager.unregister(module)
            raise BrokenPluginError(f"{origin}: {error}") from error


def _class_of(implementer: Any) -> Any:
    """Return something with a ``__module__``: the implementer's class, or a stand-in for a module."""
    if isinstance(implementer, ModuleType):
        return type("", (), {"__module__": implementer.__name__})
    return implementer if isinstance(implementer, type) else type(implementer)


def build_host(
    *, files: Sequence[str | Path] = (), extra: Sequence[Any] = (), allow: Collection[str] | None = None
) -> Host:
    """Collect the plugins of all installed packages, of files, and of objects given.

    Parameters
    ----------
    files : sequence of path
        Python files whose plugin classes are registered.
    extra : sequence
        Plugin classes, or objects that implement the hooks.
    allow : collection of str, optional
        Distributions that may be loaded; others are not even imported. None allows all.

    Raises
    ------
    BrokenPluginError
        If one of ``files`` or ``extra`` cannot be loaded. An installed package that cannot be loaded is
        listed in ``Host.broken`` instead.
    """
    host = Host()
    for entry in metadata.entry_points(group=GROUP):
        package, version = (entry.dist.name, entry.dist.version) if entry.dist else (entry.name, "")
        if allow is not None and package not in allow:
            host.broken.append(Broken(package, "not in plugins.allow, so it was not imported"))
            continue
        try:
            with contextlib.redirect_stdout(sys.stderr):
                host.add_module(entry.load(), Provenance(package, version))
        except BrokenPluginError as error:
            host.broken.append(Broken(package, str(error)))
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a stranger's import may raise anything
            host.broken.append(Broken(package, _last_line(error)))
    for file in files:
        _add_file(host, Path(file))
    for item in extra:
        if isinstance(item, type) and issubclass(item, Plugin):
            host.add([item], Provenance(f"{item.__module__}.{item.__qualname__}", ""))
        else:
            host.add_module(item, Provenance(getattr(item, "__name__", type(item).__name__), ""))
    return host


def _add_file(host: Host, path: Path) -> None:
    module: ModuleType = load_file(path)
    origin = Provenance(path.name, "")
    host.add(
        (
            item
            for item in vars(module).values()
            if isinstance(item, type)
            and issubclass(item, Plugin)
            and item.__module__ == module.__name__
            and item.name
        ),
        origin,
    )
    host.add_module(module, origin)


def _last_line(error: BaseException) -> str:
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {error} ({Path(frame.filename).name}:{frame.lineno})"
