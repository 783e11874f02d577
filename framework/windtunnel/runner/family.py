"""What a ledger knows a trial by: the configuration that trades, and what its study has in common."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from windtunnel.bars import Bars
from windtunnel.experiment import Loaded
from windtunnel.optimize.exploring import Keys
from windtunnel.optimize.folds import Folds
from windtunnel.optimize.identity import trial_keys
from windtunnel.pipeline import Candidate
from windtunnel.plugin import Plugin
from windtunnel.plugin.files import source_hash
from windtunnel.store import Ledger, Study, run_id
from windtunnel.values import FloatArray, Point, Trials

__all__ = ["Opener", "Recording", "earlier", "keys_of", "ledger_of", "opened", "study_of", "trading"]

Opener: TypeAlias = Callable[[], Ledger]
"""Opens a ledger, or returns the one that is open."""


def trading(candidate: Candidate) -> dict[str, Any]:
    """Return all that decides how a candidate trades, as JSON values by section.

    A plugin that does not come with Windtunnel counts by its source too: whoever rewrites it tries another.
    """

    def section(part: Any) -> Any:
        if part is None:
            return None
        chosen = part.section.model_dump(mode="json", by_alias=True)
        code = {} if _is_shipped(part.plugin) else {"code": source_hash(type(part.plugin))}
        return {**chosen, "use": part.plugin.name, "params": part.plugin.params(), **code}

    names = ("strategy", "regime", "volatility", "scorer", "reliability")
    gate = candidate.gate
    return {
        **{name: section(getattr(candidate, name)) for name in names},
        "patterns": [section(part) for part in candidate.patterns],
        "gate": None if gate is None else gate.model_dump(mode="json", by_alias=True),
        "sizing": candidate.sizing.model_dump(mode="json", by_alias=True),
        "backtest": candidate.rules.model_dump(mode="json", by_alias=True),
    }


def columns_of(points: Sequence[Point]) -> dict[str, list[Any]]:
    """Return the values of every parameter of some points, in their order."""
    return {path: [point[path] for point in points] for path in (points[0] if points else ())}


def study_of(
    bars: Bars,
    config: Mapping[str, Any],
    *,
    experiment: str,
    strategy: str,
    paths: Sequence[str],
    folds: Folds,
    objectives: Sequence[str] = (),
    versions: Any = None,
    edges: Sequence[int] | None = None,
) -> Study:
    """Describe what trials have in common.

    Parameters
    ----------
    bars : Bars
    config : mapping
        Of :func:`trading`.
    experiment, strategy : str
        Their names.
    paths : sequence of str
        What is searched.
    folds : Folds
    objectives : sequence of str
    versions : JSON value
        Of all else that decides a row: code, and the symbol by which regimes are judged.
    edges : sequence of int, optional
        First bar of each block of ``sums``, and one past the last; those of the folds if left out.
    """
    cuts = folds.edges.tolist() if edges is None else list(edges)
    splits = [[split.train, split.test] for split in folds.splits]
    decided = [
        config,
        bars.hash,
        bars.periods_per_year,
        bars.timezone,
        list(paths),
        cuts,
        splits,
        list(objectives),
        versions,
    ]
    return Study(
        key=run_id({"study": decided}),
        experiment=experiment,
        plugin=strategy,
        symbols=bars.symbols,
        start=str(bars.time[0]),
        end=str(bars.time[-1]),
        data=bars.hash,
        periods_per_year=bars.periods_per_year,
        paths=tuple(paths),
        edges=tuple(cuts),
        folds=len(folds.all) if objectives else 0,
        objectives=tuple(objectives),
    )


def _is_shipped(plugin: Plugin) -> bool:
    return type(plugin).__module__.partition(".")[0] == "windtunnel_plugins"


@contextmanager
def ledger_of(loaded: Loaded, out: str | Path) -> Iterator[Opener | None]:
    """Give what opens the ledger of an experiment that searches: its own, or that of a folder of runs."""
    experiment = loaded.experiment
    if experiment.optimize is None and experiment.sweep is None:
        yield None
        return
    with opened(loaded.ledger or Path(out)) as ledger:
        yield ledger


@contextmanager
def opened(place: str | Path) -> Iterator[Opener]:
    """Give what opens a ledger, by URL or in a folder, when it is first needed; closed in the end."""
    kept: list[Ledger] = []

    def ledger() -> Ledger:
        if not kept:
            kept.append(Ledger(place))
        return kept[0]

    try:
        yield ledger
    finally:
        for one in kept:
            one.close()


@dataclass(frozen=True)
class Recording:
    """A ledger, and the study that is written to it."""

    ledger: Ledger
    study: Study

    def known(self) -> tuple[Trials, Keys]:
        """Return every trial recorded for this study, with its key."""
        return self.ledger.known(self.study)

    def append(self, trials: Trials, keys: Keys) -> None:
        """Record trials, all or none."""
        self.ledger.append(self.study, trials, keys)


def earlier(recording: Recording | None, keys: Keys) -> tuple[FloatArray, int]:
    """Return the Sharpe ratios per bar of the family's trials that are not among ``keys``, and its studies.

    NaN where a ratio is not defined; at least one study, this one.
    """
    if recording is None:
        return np.empty(0), 1
    found = recording.ledger.family(recording.study)
    return found.sharpes[~np.isin(found.keys, keys)], max(found.studies, 1)


def keys_of(config: Mapping[str, Any], points: Sequence[Point]) -> Keys:
    """Return the identity of every point."""
    return trial_keys(config, columns_of(points))
