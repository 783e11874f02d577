"""Run an experiment and keep what it leaves behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from time import perf_counter

from windtunnel.data import DataSection, Dataset, load
from windtunnel.errors import ConfigError, InvalidValueError, PluginError, WindtunnelError
from windtunnel.experiment import Loaded
from windtunnel.learn import Tick, silent
from windtunnel.pipeline import Result
from windtunnel.runner import guests
from windtunnel.runner.computing import Settings, compute
from windtunnel.runner.family import ledger_of
from windtunnel.runner.following import SEARCHING
from windtunnel.runner.keeping import StoreKeeper
from windtunnel.runner.manifest import identity, manifest
from windtunnel.runner.parts import stops_of
from windtunnel.runner.predicted import predictions
from windtunnel.runner.searched import config_of, searched, trials_table, write_table
from windtunnel.runner.sweeping import Found
from windtunnel.store import ModelStore, RunStore, StoredRun, run_id, write_json
from windtunnel.store.predictions import write_predictions

__all__ = ["Finished", "Performed", "dataset", "execute", "find", "perform"]


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
        if not what.startswith(SEARCHING):
            self.fits[what] = done
        self._tick(what, done, total)


def dataset(loaded: Loaded) -> Dataset:
    """Load the data of an experiment.

    Raises
    ------
    ConfigError
        If the section ``data`` asks for what is not there; with the place in the file.
    DataError, PluginError
        Never with the value of a secret.
    """
    try:
        return load(loaded.source, loaded.experiment.data)
    except InvalidValueError as error:
        message = f"{error.rule} (got {error.value!r})"
        raise ConfigError([loaded.mistake(_data_key(error.parameter), message)]) from None
    except WindtunnelError as error:
        told = loaded.hide_secrets(str(error))
        if told == str(error):
            raise
        raise PluginError(told) from None


def _data_key(parameter: str) -> str:
    name = parameter.partition(".")[0]
    if name == "repair":
        return "data.quality." + parameter
    return f"data.{parameter}" if name in DataSection.model_fields else f"data.params.{parameter}"


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
        No run is written then; a model whose fit failed is noted among the stored models.
    """
    data = dataset(loaded)
    stored = None if force else find(loaded, data, out)
    return Finished(stored, None) if stored is not None else perform(loaded, data, out=out, tick=tick)


def find(loaded: Loaded, dataset: Dataset, out: str | Path) -> StoredRun | None:
    """Return the folder of the same experiment, if it has been run before."""
    return RunStore(out).get(loaded.experiment.name, run_id(identity(loaded, dataset.bars)))


def perform(
    loaded: Loaded,
    dataset: Dataset,
    *,
    out: str | Path,
    tick: Tick = silent,
    chosen: Callable[[Found], None] | None = None,
    stopping: Callable[[], bool] = lambda: False,
) -> Performed:
    """Run an experiment and write its folder, in place of an older one of the same id.

    Parameters
    ----------
    loaded : Loaded
    dataset : Dataset
    out : path
        Where runs are kept; the ledger of trials too, unless the experiment names another.
    tick : callable
        Told how far it is.
    chosen : callable, optional
        Told what a sweep found, before the best of it is run.
    stopping : callable
        Says whether an optimisation should stop after the trials that are being tried.

    Raises
    ------
    InterruptedSearchError
        If an optimisation was told to stop; the same experiment goes on from there.
    """
    clock, store, name = _Clock(tick), RunStore(out), loaded.experiment.name
    identified = identity(loaded, dataset.bars)
    id_ = run_id(identified)
    complaints = loaded.host.notify("windtunnel_run_started", run=loaded)
    rules, models = loaded.experiment.backtest, ModelStore(store.root / "models")
    versions = identified["versions"]
    keeper = StoreKeeper(
        models, loaded.host, dataset.bars, rules, versions, complaints, stops=stops_of(loaded)
    )
    with ledger_of(loaded, out) as ledger:
        how = Settings(clock.tick, complaints, keeper, ledger, stopping, chosen, clock.stage)
        result = compute(loaded, dataset, how)
    facts = manifest(loaded, dataset, result, clock.fits) | searched(result, dataset.bars.local_time)
    result = replace(result, config=config_of(loaded, result), manifest={"id": id_, **facts})
    complaints += loaded.host.notify("windtunnel_run_finished", result=result)
    with store.writing(name, id_) as folder:
        _write(folder, loaded, result, store.root / name / id_)
        with clock.stage("report"):
            _report(folder, loaded, result, store, complaints)
        last = {"timings": clock.timings, "models": keeper.stored, "complaints": complaints}
        write_json(folder / "manifest.json", {**result.manifest, **last})
    return Performed(StoredRun(Path(out) / name / id_), result)


def _write(folder: Path, loaded: Loaded, result: Result, home: Path) -> None:
    (folder / "experiment.yaml").write_text(loaded.resolved_yaml(home), encoding="utf-8")
    benchmark = None if result.benchmark is None else dict(result.benchmark.metrics)
    write_json(folder / "metrics.json", {**result.metrics, "benchmark": benchmark})
    result.equity.to_parquet(folder / "equity.parquet")
    result.trades.to_parquet(folder / "trades.parquet")
    result.fills.to_parquet(folder / "fills.parquet")
    blocks = [block for block in predictions(loaded, result) if len(block)]
    if blocks:
        write_predictions(blocks, folder / "predictions.parquet")
    if result.sweep is not None:
        write_table(result.sweep.frame, folder / "sweep.parquet")
    if result.optimized is not None:
        write_table(trials_table(result.optimized), folder / "trials.parquet")
    if result.verdict is not None:
        write_json(folder / "verdict.json", asdict(result.verdict))


def _report(folder: Path, loaded: Loaded, result: Result, store: RunStore, complaints: list[str]) -> None:
    section = loaded.experiment.report
    if not section.html:
        return
    from windtunnel.reporting import equity_picture, write_report

    extra = guests.sections(loaded.host, result, complaints)
    write_report(result, folder, section=section, assets=store.assets, extra=extra)
    equity_picture(result, folder / "equity.svg")
