"""Keeps in the model store what the models of a run learned last."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np

from windtunnel.bars import Bars
from windtunnel.errors import MissingExtraError, PluginError, StoreError
from windtunnel.features import NAMES
from windtunnel.learn import Fit
from windtunnel.market import Market
from windtunnel.plugin import Host, Plugin, State
from windtunnel.plugin.kinds import title
from windtunnel.store import ModelStore, Record, Schema
from windtunnel.values import Rules

__all__ = ["StoreKeeper"]

_SCHEDULE = {"use", "params", "refit", "first", "window", "embargo"}


@dataclass(frozen=True)
class StoreKeeper:
    """Stores the last fit of each model, and any that fails.

    The key of a fit is made of the plugin and its parameters, the code of its package and of those of plugins
    among the parameters, the framework's version, what stands beside ``use``, for a strategy the rules, the
    features, and a hash of all that was learned from: a state that is found again is the one that a fit
    would give. What is damaged is made anew.

    Parameters
    ----------
    store : ModelStore
    host : Host
        Says where plugins come from.
    bars : Bars
        Of the run.
    rules : Rules
    versions : mapping of str to str
        Of the framework and its libraries.
    complaints : list of str
        Takes the models that could not be stored; the run goes on.
    stored : list of str
        Takes the ids of the models that the run uses last.
    stops : str
        What the rules mean by an ATR.
    """

    store: ModelStore
    host: Host
    bars: Bars
    rules: Rules
    versions: Mapping[str, str]
    complaints: list[str]
    stored: list[str] = field(default_factory=list)
    stops: str = "atr"

    def kept(self, fit: Fit) -> State:
        """Return the state of the same fit from an earlier run; note that a new one begins."""
        if not fit.last:
            return None
        record = self._record(fit)
        with suppress(StoreError, MissingExtraError):
            state = self.store.load(record.key, record.schema)
            self.stored.append(record.key)
            return state
        self.store.save(replace(record, status="training"))
        return None

    def keep(self, fit: Fit, state: State) -> None:
        """Store the last fit; a state that may not be stored is a complaint."""
        if not fit.last:
            return
        record = self._record(fit)
        if state is None:
            self.store.remove(record.key)
            return
        try:
            self.stored.append(self.store.save(record, state).id)
        except (StoreError, MissingExtraError) as error:
            self.store.remove(record.key)
            self.complaints.append(f"{title(fit.plugin.kind)} {fit.plugin.name} was not stored: {error}")

    def failed(self, fit: Fit, error: BaseException) -> None:
        """Note why a fit failed; of one that was interrupted nothing stays."""
        record = self._record(fit)
        if isinstance(error, Exception):
            self.store.save(replace(record, status="failed", message=str(error)))
        else:
            self.store.remove(record.key)

    def _record(self, fit: Fit) -> Record:
        plugin, learned, kind = fit.plugin, fit.learned, fit.plugin.kind
        origin = self.host.provenance(type(plugin))
        if isinstance(learned, Market):
            bars, names = learned.bars, NAMES
        else:
            bars = self.bars.cut(fit.fold.train_start, fit.fold.train_stop)
            names = learned.names
        return Record(
            kind=kind,
            plugin=plugin.name,
            package=origin.package,
            version=origin.version,
            params=plugin.params(),
            schema=Schema.of(names),
            symbols=bars.symbols,
            start=str(bars.time[0]),
            end=str(bars.time[-1]),
            bars=len(bars),
            data=_data_hash(fit),
            context={
                "code": _code(plugin, self.host),
                "versions": dict(self.versions),
                "section": fit.section.model_dump(mode="json", exclude=_SCHEDULE),
                "stops": self.stops if kind == "strategy" else "",
                "rules": self.rules.model_dump(mode="json", by_alias=True) if kind == "strategy" else {},
            },
            scores=_scores(fit),
        )


def _code(plugin: Plugin, host: Host) -> dict[str, list[str]]:
    """Return hashes of the code, and of what is read, of a plugin and of those among its parameters."""
    found: dict[str, list[str]] = {}
    queue: list[Any] = [plugin]
    while queue:
        item = queue.pop()
        if isinstance(item, Plugin):
            own = type(item).__module__.partition(".")[0]
            hashes = [host.provenance(type(item)).hash, _package_hash(own), item.fingerprint]
            found[f"{item.kind} {item.name}"] = hashes
            queue.extend(dict(item).values())
        elif isinstance(item, list | tuple):
            queue.extend(item)
        elif isinstance(item, Mapping):
            queue.extend(item.values())
    return found


@cache
def _package_hash(name: str) -> str:
    """Hash the source of an imported package; of a single module there is nothing to add."""
    digest = blake2b(digest_size=8)
    for root in map(Path, getattr(sys.modules.get(name), "__path__", ())):
        for path in sorted(root.rglob("*.py")):
            digest.update(path.relative_to(root).as_posix().encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


def _scores(fit: Fit) -> dict[str, float | None]:
    if fit.outcomes is None:
        return {}
    return {
        "outcomes": float(len(fit.outcomes)),
        "base_rate": float(fit.outcomes.won.mean()),
        "mean_return": float(fit.outcomes.returns.mean()),
    }


def _data_hash(fit: Fit) -> str:
    digest = blake2b(digest_size=16)
    for part in _parts(fit):
        digest.update(str(part).encode() if not isinstance(part, np.ndarray) else _bytes(part))
    return digest.hexdigest()


def _bytes(array: np.ndarray[Any, Any]) -> bytes:
    return f"{array.shape}{array.dtype}".encode() + np.ascontiguousarray(array).tobytes()


def _parts(fit: Fit) -> Iterator[Any]:
    """Yield all that a fit learns from."""
    learned = fit.learned
    if not isinstance(learned, Market):
        for value in (learned, fit.outcomes):
            yield from () if value is None else vars(value).values()
        return
    yield learned.bars.hash
    for name in ("volatility", "regime", "patterns"):
        with suppress(PluginError):
            for item in vars(getattr(learned, name)).values():
                if isinstance(item, dict):
                    yield from item.values()
                else:
                    yield item
