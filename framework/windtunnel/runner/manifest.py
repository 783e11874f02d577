"""What decides a run's numbers, and where they came from."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from hashlib import blake2b
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from windtunnel._version import __version__
from windtunnel.bars import Bars
from windtunnel.data import Dataset
from windtunnel.experiment import Loaded
from windtunnel.pipeline import Result
from windtunnel.plugin import Host, Plugin
from windtunnel.reporting.text import spacing
from windtunnel.runner.guests import CONTRIBUTING

__all__ = ["describe_data", "gaps", "identity", "manifest", "plugins_of", "trial_identity"]

_SAMPLERS = ("optuna", "cmaes", "torch")
_LIBRARIES = ("numpy", "pandas", "scipy", "numba", "scikit-learn", "TA-Lib", "arch", "pyarrow")


def gaps(bars: Bars) -> int:
    """Count the bars that symbols miss between their first and their last."""
    present = bars.present
    started = np.maximum.accumulate(present, axis=0)
    ended = np.maximum.accumulate(present[::-1], axis=0)[::-1]
    return int((started & ended & ~present).sum())


def plugins_of(loaded: Loaded) -> list[Plugin]:
    """Return every plugin of an experiment, those that are parameters of others too."""
    models = [loaded.volatility, loaded.regime, *loaded.patterns, loaded.reliability]
    top = [loaded.source, *models, loaded.strategy, loaded.scorer, loaded.optimizer]
    found: list[Plugin] = []
    queue: list[Any] = [plugin for plugin in top if plugin is not None]
    while queue:
        item = queue.pop(0)
        if isinstance(item, Plugin):
            found.append(item)
            queue.extend(dict(item).values())
        elif isinstance(item, list | tuple):
            queue.extend(item)
        elif isinstance(item, Mapping):
            queue.extend(item.values())
    return found


def identity(loaded: Loaded, bars: Bars) -> dict[str, Any]:
    """Return all that decides the numbers: config, data, plugins, versions (the seed is in the config)."""
    return {
        "config": loaded.identity(),
        "data": bars.hash,
        "contributors": [list(one) for one in loaded.host.contributors(*CONTRIBUTING)],
        "plugins": _origins(loaded.host, plugins_of(loaded)),
        "versions": _versions() | _samplers(loaded),
    }


def trial_identity(loaded: Loaded, bars: Bars) -> list[Any]:
    """Return the code that decides what a trial comes to: not that of who asks for it."""
    known = identity(loaded, bars)
    plugins = [row for row in known["plugins"] if row["kind"] != "optimize"]
    versions = {name: version for name, version in known["versions"].items() if name not in _SAMPLERS}
    return [known["contributors"], plugins, versions]


def _samplers(loaded: Loaded) -> dict[str, str]:
    """Return the versions of the libraries that decide what an optimizer asks for, if there is one."""
    found: dict[str, str] = {}
    for library in _SAMPLERS if loaded.optimizer is not None else ():
        with suppress(metadata.PackageNotFoundError):
            found[library] = metadata.version(library)
    return found


def manifest(loaded: Loaded, dataset: Dataset, result: Result, fits: Mapping[str, int]) -> dict[str, Any]:
    """Return what ran, on what, with which versions, and what came out in words."""
    decision = result.decision
    return {
        "name": result.name,
        "sentence": result.sentence,
        "comparison": None if result.comparison is None else _fields(result.comparison),
        "benchmark": None if result.benchmark is None else result.benchmark.name,
        "effects": [{"part": effect.part, "sentence": effect.sentence} for effect in result.effects],
        "signals": {
            "entries": decision.entries,
            "refused_by_gate": decision.refused_by_gate,
            "refused_by_scorer": decision.refused_by_scorer,
            "abstained": decision.abstained,
        },
        "data": describe_data(loaded, dataset),
        "seed": loaded.experiment.seed,
        "fits": dict(fits) | _scorer_fits(loaded, result),
        "plugins": _origins(loaded.host, plugins_of(loaded)),
        "versions": _versions(),
        "platform": platform.platform(),
    }


def _scorer_fits(loaded: Loaded, result: Result) -> dict[str, int]:
    """Return how often the scorer really learned: steps with too few outcomes make no fit."""
    signals = result.decision.signals
    return {} if loaded.scorer is None or signals is None else {f"scorer {loaded.scorer.name}": signals.fits}


def describe_data(loaded: Loaded, dataset: Dataset) -> dict[str, Any]:
    """Return what the data are: where they come from, their span, gaps and repairs, their hash."""
    bars, section = dataset.bars, loaded.experiment.data
    return {
        "source": section.use,
        "provided_by": str(loaded.host.provenance(type(loaded.source))),
        "library": _library(section.use),
        "symbols": list(bars.symbols),
        "start": str(bars.time[0]),
        "end": str(bars.time[-1]),
        "bars": len(bars),
        "gaps": gaps(bars),
        "periods_per_year": bars.periods_per_year,
        "spacing": spacing(bars.time),
        "timezone": bars.timezone,
        "resample": section.resample,
        "repairs": dict(dataset.repairs),
        "hash": bars.hash,
    }


def _library(source: str) -> str | None:
    """Return the library that a source is named after and brings data from, with its version."""
    version = _versions().get(source)
    return None if version is None else f"{source} {version}"


def _fields(comparison: Any) -> dict[str, Any]:
    return {
        name: value
        for name, value in vars(comparison).items()
        if isinstance(value, str | int | float | bool) or value is None
    }


def _origins(host: Host, plugins: list[Plugin]) -> list[dict[str, str]]:
    rows = []
    for plugin in plugins:
        origin = host.provenance(type(plugin))
        row = {"kind": plugin.kind, "name": plugin.name, "package": origin.package}
        rows.append(row | {"version": origin.version, "hash": origin.hash, "reads": plugin.fingerprint})
    return rows


def _versions() -> dict[str, str]:
    found = {library: metadata.version(library) for library in _LIBRARIES}
    python = platform.python_version()
    return {"windtunnel": f"{__version__}+{_source_hash()}", "python": python, **found}


@cache
def _source_hash() -> str:
    """Hash the framework's own source, so that a change of the code is a change of the version."""
    digest = blake2b(digest_size=6)
    root = Path(__file__).parents[1]
    for path in sorted(root.rglob("*.py")):
        digest.update(path.relative_to(root).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()
