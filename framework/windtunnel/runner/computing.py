"""An experiment becomes a result: one backtest, the best of a sweep, or an optimisation out of sample."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from typing import Any

from windtunnel.data import Dataset
from windtunnel.experiment import Loaded
from windtunnel.learn import Keeper, Tick, silent
from windtunnel.pipeline import Result, concluded, run, run_best
from windtunnel.runner import guests
from windtunnel.runner.family import Opener, Recording, earlier
from windtunnel.runner.judging import judged_optimisation, judged_sweep
from windtunnel.runner.manifest import trial_identity
from windtunnel.runner.optimizing import optimise
from windtunnel.runner.parts import candidate
from windtunnel.runner.sweeping import Found, placed, recorded, search

__all__ = ["Settings", "compute"]


def _never() -> bool:
    return False


def _untimed(stage: str) -> AbstractContextManager[None]:
    return nullcontext()


@dataclass(frozen=True)
class Settings:
    """How an experiment is run, apart from what it says itself.

    Parameters
    ----------
    tick : callable
        Told how far it is.
    complaints : list of str
        Collects what other packages' hooks did wrong.
    keeper : Keeper or None
        Keeps what models learned.
    ledger : callable or None
        Opens where trials are recorded; without one the verdict counts those of this run only.
    stopping : callable
        Says whether an optimisation should stop after the trials that are being tried.
    chosen : callable
        Told what a sweep found, before the best of it is run.
    stage : callable
        Returns a context in which a stage of the run, which it is told by name, is done.
    """

    tick: Tick = silent
    complaints: list[str] = field(default_factory=list)
    keeper: Keeper | None = None
    ledger: Opener | None = None
    stopping: Callable[[], bool] = _never
    chosen: Callable[[Found], None] | None = None
    stage: Callable[[str], AbstractContextManager[None]] = _untimed


def compute(loaded: Loaded, dataset: Dataset, settings: Settings | None = None) -> Result:
    """Run an experiment on data that are already there.

    Nothing is written but what ``settings`` gives a place: trials to its ledger, fits to its keeper.

    Raises
    ------
    ConfigError, PluginError
    InterruptedSearchError
        If an optimisation was told to stop.
    """
    how = settings or Settings()
    if loaded.experiment.optimize is not None:
        result = _optimised(loaded, dataset, how)
    else:
        result = _best(loaded, dataset, how) if loaded.space is not None else _plain(loaded, dataset, how)
    return replace(result, truth=dataset.truth or {})


def _about(loaded: Loaded, dataset: Dataset, how: Settings) -> dict[str, Any]:
    experiment = loaded.experiment
    return {
        "name": experiment.name,
        "benchmark": experiment.benchmark_of(dataset.bars.symbols),
        "seed": experiment.seed,
        "metrics": guests.metrics(loaded.host, how.complaints),
    }


def _plain(loaded: Loaded, dataset: Dataset, how: Settings) -> Result:
    about = _about(loaded, dataset, how)
    with how.stage("run"), placed(loaded):
        return run(dataset.bars, candidate(loaded), **about, tick=how.tick, keeper=how.keeper)


def _best(loaded: Loaded, dataset: Dataset, how: Settings) -> Result:
    bars, around = dataset.bars, candidate(loaded)
    with how.stage("sweep"):
        found = search(loaded, dataset, how.tick)
        versions = [trial_identity(loaded, bars), loaded.experiment.benchmark]
        study, keys = recorded(found.sweep, bars, around, loaded.experiment.name, how.ledger, versions)
    if how.chosen is not None:
        how.chosen(found)
    about = _about(loaded, dataset, how)
    with how.stage("run"), placed(loaded):
        result = run_best(
            bars, found.candidate, found.sweep, found.choice, **about, tick=how.tick, keeper=how.keeper
        )
    with how.stage("verdict"):
        recording = None if how.ledger is None else Recording(how.ledger(), study)
        others, _ = earlier(recording, keys)
        verdict = judged_sweep(found, result, others, around, loaded.experiment.seed)
    return replace(result, verdict=verdict)


def _optimised(loaded: Loaded, dataset: Dataset, how: Settings) -> Result:
    about, base = _about(loaded, dataset, how), candidate(loaded)
    with how.stage("optimize"):
        found = optimise(
            loaded,
            dataset,
            metrics=about["metrics"],
            versions=trial_identity(loaded, dataset.bars),
            ledger=how.ledger,
            tick=how.tick,
            stopping=how.stopping,
            complaints=how.complaints,
        )
    done = found.conducted
    with how.stage("run"):
        result = concluded(done.bars, base, done.decision, done.simulation, effects=False, **about)
    with how.stage("verdict"):
        seed = loaded.experiment.seed
        verdict = judged_optimisation(found, result, dataset.bars, base, seed, how.stopping)
    return replace(result, optimized=done.optimized, verdict=verdict)
