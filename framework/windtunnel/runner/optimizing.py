"""The optimisation that an experiment asks for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any

from windtunnel.bars import Bars
from windtunnel.data import Dataset
from windtunnel.engine import simulate
from windtunnel.engine.sweep import SWEEP_METRICS
from windtunnel.errors import ConfigError, InvalidValueError
from windtunnel.experiment import Loaded
from windtunnel.learn import Tick, silent
from windtunnel.market import Market
from windtunnel.optimize.conduct import Conducted, Plan, conduct
from windtunnel.optimize.evaluate import Evaluator
from windtunnel.optimize.executors import Dask, Executor, Inline, Processes
from windtunnel.optimize.exploring import Explorer
from windtunnel.optimize.folds import Folds
from windtunnel.optimize.sections import Combinatorial, ExecutionSection, Holdout, PurgedKFold
from windtunnel.optimize.splits import holding_length, label_horizon, splits_of
from windtunnel.pipeline import Candidate, decide
from windtunnel.pipeline.sweep import cores
from windtunnel.runner import guests
from windtunnel.runner.family import Opener, Recording, earlier, keys_of, study_of, trading
from windtunnel.runner.following import Following
from windtunnel.runner.parts import candidate
from windtunnel.runner.worker import Chunks, metrics_by_name, work_of
from windtunnel.store import Study
from windtunnel.values import FloatArray, Metric, Point, Trial, Trials

__all__ = ["Optimisation", "optimise", "rehearsed", "trials_in_all"]

_MOST, _WATCHED = 2_048, 1
"""Points a chunk at most; and where each has a time limit, so that one that hangs is noticed in time."""
_COUNTED = 1_000_000
_REHEARSALS = 4
"""Batches of points that are tried to learn how long a trial takes."""
_TRIALS = 200
"""Parameter sets that a search which never ends tries unless it is told otherwise."""


@dataclass(frozen=True, eq=False)
class Optimisation:
    """What was found, and what the verdict needs beside it.

    Parameters
    ----------
    conducted : Conducted
    evaluator : Evaluator
    earlier : array of float64
        Sharpe ratios per bar of the family's trials that other runs made.
    studies : int
        How many different searches of the family there were, this one too.
    """

    conducted: Conducted
    evaluator: Evaluator
    earlier: FloatArray
    studies: int


def optimise(
    loaded: Loaded,
    dataset: Dataset,
    *,
    metrics: Sequence[Metric],
    versions: Any,
    ledger: Opener | None = None,
    tick: Tick = silent,
    stopping: Callable[[], bool] = lambda: False,
    complaints: list[str] | None = None,
) -> Optimisation:
    """Search for parameters as an experiment says, and follow the choices out of sample.

    Parameters
    ----------
    loaded : Loaded
        With a section ``optimize``.
    dataset : Dataset
    metrics : sequence of Metric
        Those of other packages.
    versions : JSON value
        Of all code that decides a trial's row.
    ledger : callable, optional
        Opens where every trial is recorded, and looked up; without one nothing is.
    tick : callable
        Told of ``trials`` how many are done, and how many there will be at most.
    stopping : callable
        Says whether to stop after the trials that are being tried.
    complaints : list of str, optional
        What observers did wrong is added to it.

    Raises
    ------
    ConfigError
        If the bars do not suffice, or an objective is unknown or never defined.
    InterruptedSearchError
        If it was told to stop; every trial made so far is in the ledger.
    """
    bars, base = dataset.bars, candidate(loaded)
    benchmark = loaded.experiment.benchmark_of(bars.symbols)
    with _placed(loaded):
        plan = _plan(loaded, bars, base, benchmark, metrics)
        config = trading(base)
        study = _study(loaded, bars, config, plan, [benchmark, versions])
        recording = None if ledger is None else Recording(ledger(), study)
        if recording is not None and loaded.experiment.optimize and loaded.experiment.optimize.warm_start:
            plan = replace(plan, warm=recording.known()[0])
            recording = Recording(recording.ledger, replace(study, key=f"{study.key} warm"))
        threads = None if loaded.experiment.execution is None else loaded.experiment.execution.workers
        evaluator = Evaluator(bars, base, plan.folds, plan.objectives, benchmark, threads)
        following = Following(plan, bars.periods_per_year, tick, _observers(loaded, complaints))
        with _executing(loaded, evaluator, study.key) as run:
            explorer = Explorer(
                run,
                lambda points: keys_of(config, points),
                allowed=_allowed(loaded),
                recorder=recording,
                finished=following.see,
                stopping=stopping,
            )
            conducted = conduct(bars, plan, explorer, evaluator)
    return Optimisation(conducted, evaluator, *earlier(recording, explorer.keys))


def _study(loaded: Loaded, bars: Bars, config: Mapping[str, Any], plan: Plan, others: Any) -> Study:
    return study_of(
        bars,
        config,
        experiment=loaded.experiment.name,
        strategy=loaded.strategy.name,
        paths=tuple(plan.space.dimensions),
        folds=plan.folds,
        objectives=tuple(metric.name for metric in plan.objectives),
        versions=others,
    )


def trials_in_all(loaded: Loaded, dataset: Dataset) -> int:
    """Return how many points an experiment would ask for at most, in all its searches.

    0 where only time or patience ends them; of a search that ends by itself at most a million are counted.
    """
    plan = _planned(loaded, dataset)
    if plan.trials is not None and not plan.optimizer.ends:
        return plan.most
    if not plan.optimizer.ends:
        return 0
    search, count = plan.optimizer.start(plan.space, plan.seed, len(plan.objectives)), 0
    while count < _COUNTED and (points := search.ask(_MOST)):
        count += len(points)
    return count if plan.trials is None else min(count, plan.trials)


def rehearsed(loaded: Loaded, dataset: Dataset) -> tuple[float, int]:
    """Try a few points of an experiment; return the seconds that each took, and how many they were."""
    plan, bars, base = _planned(loaded, dataset), dataset.bars, candidate(loaded)
    benchmark = loaded.experiment.benchmark_of(bars.symbols)
    evaluator = Evaluator(bars, base, plan.folds, plan.objectives, benchmark)
    evaluator.warm()
    search = plan.optimizer.start(plan.space, plan.seed, len(plan.objectives))
    start, count = perf_counter(), 0
    for _ in range(_REHEARSALS):
        points = search.ask(plan.batch)
        if points:
            values = evaluator(points).objectives[:, -1] * plan.signs
            search.tell(points, values)
        count += len(points)
    return (perf_counter() - start) / max(count, 1), count


def _planned(loaded: Loaded, dataset: Dataset) -> Plan:
    bars = dataset.bars
    benchmark = loaded.experiment.benchmark_of(bars.symbols)
    with _placed(loaded):
        return _plan(loaded, bars, candidate(loaded), benchmark, guests.metrics(loaded.host, []))


def _plan(
    loaded: Loaded, bars: Bars, base: Candidate, benchmark: str | None, metrics: Sequence[Metric]
) -> Plan:
    experiment = loaded.experiment
    section = experiment.optimize
    if section is None or loaded.optimizer is None or loaded.search is None:
        raise InvalidValueError("optimize", "must be a section of the experiment", None)
    searched = [one.grid()[-1] for path, one in loaded.search.dimensions.items() if path.endswith("horizon")]
    label = max([label_horizon(base), *(value for value in searched if isinstance(value, int))])
    scheme = experiment.validation or Holdout()
    holding = 0
    if isinstance(scheme, PurgedKFold | Combinatorial) and scheme.embargo is None:
        orders = decide(Market(bars), base, benchmark=benchmark).orders
        holding = holding_length(simulate(bars, orders, base.rules))
    endless = not loaded.optimizer.ends and section.time is None and section.patience is None
    splits, purge, embargo = splits_of(scheme, len(bars), label, holding)
    return Plan(
        optimizer=loaded.optimizer,
        space=loaded.search,
        objectives=_objectives(section.objectives, metrics),
        folds=Folds(len(bars), splits),
        scheme=scheme.scheme,
        trials=_TRIALS if endless and section.trials is None else section.trials,
        batch=section.batch,
        seconds=section.time,
        patience=section.patience,
        seed=experiment.seed if section.seed is None else section.seed,
        facts={"purge": purge, "embargo": embargo, "label": label, "holding": holding},
    )


def _objectives(names: Sequence[str], metrics: Sequence[Metric]) -> tuple[Metric, ...]:
    known = metrics_by_name(metrics)
    for name in names:
        if name not in known or known[name].higher_is_better is None:
            better = ", ".join(name for name, one in known.items() if one.higher_is_better is not None)
            raise InvalidValueError("optimize.objective", f"must be one of {better}", name)
    return tuple(known[name] for name in names)


def _allowed(loaded: Loaded) -> Callable[[Point], bool]:
    if not loaded.constraints:
        return lambda point: True
    base = loaded.resolved()
    return lambda point: all(constraint.holds(point, base) for constraint in loaded.constraints)


def _observers(loaded: Loaded, complaints: list[str] | None) -> Callable[[Trials, int], None]:
    """Return what tells other packages of every trial, where one of them listens."""
    if not loaded.host.listens("windtunnel_trial_finished"):
        return lambda trials, first: None
    noted = [] if complaints is None else complaints

    def tell(trials: Trials, first: int) -> None:
        for row, (point, metrics) in enumerate(zip(trials.points, trials.metrics.tolist(), strict=True)):
            figures = dict(zip(SWEEP_METRICS, metrics, strict=True))
            trial = Trial(first + row, point, figures, trials.problems[row])
            said = loaded.host.notify("windtunnel_trial_finished", trial=trial)
            noted.extend(complaint for complaint in said if complaint not in noted)

    return tell


@contextmanager
def _executing(loaded: Loaded, evaluator: Evaluator, key: str) -> Iterator[Chunks]:
    """Give what tries points where the section ``execution`` says."""
    section = loaded.experiment.execution or ExecutionSection()
    here = section.engine == "local" and not section.processes
    workers = 1 if here else section.workers or cores()
    work = work_of(key, evaluator, loaded.plugin_files, loaded.experiment.plugins.allow, here=here)
    executor = _executor(section, workers)
    try:
        yield Chunks(executor, work, workers, _MOST if section.timeout is None else _WATCHED)
    finally:
        executor.close()


def _executor(section: ExecutionSection, workers: int) -> Executor:
    if section.engine == "dask":
        count = workers if section.address is None else None
        return Dask(count, section.address, section.timeout, section.memory)
    if section.processes:
        return Processes(workers, section.timeout, section.memory)
    return Inline()


@contextmanager
def _placed(loaded: Loaded) -> Iterator[None]:
    """Let a value that turns out to be wrong be told as a mistake with its place."""
    try:
        yield
    except InvalidValueError as error:
        scheme = loaded.experiment.validation or Holdout()
        key = error.parameter
        if key in type(scheme).model_fields:
            key = f"validate.{key}"
        elif key in ("objective", "search"):
            key = f"optimize.{key}"
        raise ConfigError([loaded.mistake(key, f"{error.rule} (got {error.value!r})")]) from error
