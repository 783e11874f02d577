"""Run an experiment and keep what it leaves behind."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import Any

from windtunnel.data import Dataset, load
from windtunnel.errors import ConfigError, InvalidValueError, Mistake
from windtunnel.experiment import Loaded
from windtunnel.learn import Tick
from windtunnel.pipeline import Candidate, Part, Result, run
from windtunnel.runner.manifest import identity, manifest
from windtunnel.store import RunStore, StoredRun, run_id, write_json

__all__ = ["Finished", "Performed", "candidate", "compute", "execute", "find", "perform"]


@dataclass(frozen=True)
class Finished:
    """A run and its folder; ``result`` is None where the same experiment had been run before."""

    stored: StoredRun
    result: Result | None


@dataclass(frozen=True)
class Performed(Finished):
    """A run that has just been made."""

    result: Result


class _Clock:
    """Seconds spent in each stage, and fits a model."""

    def __init__(self, tick: Tick) -> None:
        self.timings: dict[str, float] = {}
        self.fits: dict[str, int] = {}
        self._tick = tick

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        start = perf_counter()
        yield
        self.timings[name] = round(perf_counter() - start, 4)

    def tick(self, what: str, done: int, total: int) -> None:
        self.fits[what] = done
        self._tick(what, done, total)


def silent(what: str, done: int, total: int) -> None:
    """Report no progress."""


def candidate(loaded: Loaded) -> Candidate:
    """Put the plugins of an experiment together with their settings."""
    experiment = loaded.experiment

    def part(plugin: Any, section: Any) -> Any:
        return None if plugin is None else Part(plugin, section)

    return Candidate(
        strategy=Part(loaded.strategy, experiment.strategy),
        rules=experiment.backtest,
        sizing=experiment.sizing,
        gate=experiment.gate,
        volatility=part(loaded.volatility, experiment.volatility),
        regime=part(loaded.regime, experiment.regime),
        patterns=tuple(map(Part, loaded.patterns, experiment.patterns)),
        scorer=part(loaded.scorer, experiment.scorer),
    )


def compute(loaded: Loaded, dataset: Dataset, tick: Tick = silent) -> Result:
    """Run an experiment on data that are already there, without writing anything."""
    experiment = loaded.experiment
    try:
        return run(
            dataset.bars,
            candidate(loaded),
            name=experiment.name,
            benchmark=experiment.benchmark_of(dataset.bars.symbols),
            seed=experiment.seed,
            metrics=loaded.host.collect("windtunnel_metrics"),
            tick=tick,
        )
    except InvalidValueError as error:
        raise ConfigError([Mistake(error.parameter, f"{error.rule} (got {error.value!r})")]) from error


def execute(
    loaded: Loaded, *, out: str | Path = "results", force: bool = False, tick: Tick = silent
) -> Finished:
    """Run an experiment, unless the same has been run before, and write its folder.

    Parameters
    ----------
    loaded : Loaded
    out : path
        Where runs are kept; the folder is ``<out>/<name>/<run id>``.
    force : bool
        Run again even if a run of the same config, data, plugins and versions is there.
    tick : callable
        Told after every fit of a model.

    Raises
    ------
    ConfigError, DataError, PluginError
        Nothing is written then.
    """
    dataset = load(loaded.source, loaded.experiment.data)
    stored = None if force else find(loaded, dataset, out)
    return Finished(stored, None) if stored is not None else perform(loaded, dataset, out=out, tick=tick)


def find(loaded: Loaded, dataset: Dataset, out: str | Path) -> StoredRun | None:
    """Return the folder of the same experiment, if it has been run before."""
    return RunStore(out).get(loaded.experiment.name, run_id(identity(loaded, dataset.bars)))


def perform(loaded: Loaded, dataset: Dataset, *, out: str | Path, tick: Tick = silent) -> Performed:
    """Run an experiment and write its folder, in place of an older one of the same id."""
    clock, store, name = _Clock(tick), RunStore(out), loaded.experiment.name
    id_ = run_id(identity(loaded, dataset.bars))
    complaints = loaded.host.notify("windtunnel_run_started", run=loaded)
    with clock.stage("run"):
        result = compute(loaded, dataset, clock.tick)
    facts = manifest(loaded, dataset, result, clock.fits)
    result = replace(result, config=loaded.resolved(), manifest={"id": id_, **facts})
    complaints += loaded.host.notify("windtunnel_run_finished", result=result)
    with store.writing(name, id_) as folder:
        _write(folder, loaded, result)
        with clock.stage("report"):
            _report(folder, loaded, result, store)
        last = {"timings": clock.timings, "complaints": complaints}
        write_json(folder / "manifest.json", {**result.manifest, **last})
    return Performed(StoredRun(Path(out) / name / id_), result)


def _write(folder: Path, loaded: Loaded, result: Result) -> None:
    (folder / "experiment.yaml").write_text(loaded.resolved_yaml(), encoding="utf-8")
    benchmark = None if result.benchmark is None else dict(result.benchmark.metrics)
    write_json(folder / "metrics.json", {**result.metrics, "benchmark": benchmark})
    result.equity.to_parquet(folder / "equity.parquet")
    result.trades.to_parquet(folder / "trades.parquet")
    result.fills.to_parquet(folder / "fills.parquet")


def _report(folder: Path, loaded: Loaded, result: Result, store: RunStore) -> None:
    section = loaded.experiment.report
    if not section.html:
        return
    from windtunnel.reporting import equity_picture, write_report

    extra = loaded.host.collect("windtunnel_report_sections", result=result)
    write_report(result, folder, section=section, assets=store.assets, extra=extra)
    equity_picture(result, folder / "equity.svg")
