"""Run an experiment and keep what it leaves behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import Any

from windtunnel.data import DataSection, Dataset, load
from windtunnel.errors import ConfigError, InvalidValueError, PluginError, WindtunnelError
from windtunnel.experiment import Loaded
from windtunnel.learn import Keeper, Tick, silent
from windtunnel.optimize import luck_of
from windtunnel.pipeline import Result, run, run_best
from windtunnel.runner import guests
from windtunnel.runner.keeping import StoreKeeper
from windtunnel.runner.manifest import identity, manifest
from windtunnel.runner.parts import candidate, stops_of
from windtunnel.runner.predicted import predictions
from windtunnel.runner.sweeping import Found, config_of, described, placed, search, write_table
from windtunnel.store import ModelStore, RunStore, StoredRun, run_id, write_json
from windtunnel.store.predictions import write_predictions

__all__ = ["Finished", "Performed", "compute", "dataset", "execute", "find", "perform"]


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


def compute(
    loaded: Loaded, dataset: Dataset, tick: Tick = silent, complaints: list[str] | None = None
) -> Result:
    """Run an experiment on data that are already there, without writing anything.

    With a sweep, that is every combination, then the best of them. ``complaints`` collects what other
    packages' metrics did wrong.
    """
    return _compute(loaded, dataset, search(loaded, dataset, tick), tick, complaints)


def _compute(
    loaded: Loaded,
    dataset: Dataset,
    found: Found | None,
    tick: Tick,
    complaints: list[str] | None,
    keeper: Keeper | None = None,
) -> Result:
    experiment, bars = loaded.experiment, dataset.bars
    noted = [] if complaints is None else complaints
    with placed(loaded):
        settings: dict[str, Any] = {
            "name": experiment.name,
            "benchmark": experiment.benchmark_of(bars.symbols),
            "seed": experiment.seed,
            "metrics": guests.metrics(loaded.host, noted),
            "tick": tick,
            "keeper": keeper,
        }
        if found is None:
            result = run(bars, candidate(loaded), **settings)
        else:
            result = run_best(bars, found.candidate, found.sweep, found.choice, **settings)
            luck = luck_of(found.sweep, result.simulation.returns, bars.periods_per_year)
            result = replace(result, luck=luck)
    return replace(result, truth=dataset.truth or {})


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
) -> Performed:
    """Run an experiment and write its folder, in place of an older one of the same id.

    ``chosen`` is told what a sweep found, before the best of it is run.
    """
    clock, store, name = _Clock(tick), RunStore(out), loaded.experiment.name
    identified = identity(loaded, dataset.bars)
    id_ = run_id(identified)
    complaints = loaded.host.notify("windtunnel_run_started", run=loaded)
    with clock.stage("sweep"):
        found = search(loaded, dataset, tick)
    if found is None:
        del clock.timings["sweep"]
    elif chosen is not None:
        chosen(found)
    with clock.stage("run"):
        rules, models = loaded.experiment.backtest, ModelStore(store.root / "models")
        versions = identified["versions"]
        keeper = StoreKeeper(
            models, loaded.host, dataset.bars, rules, versions, complaints, stops=stops_of(loaded)
        )
        result = _compute(loaded, dataset, found, clock.tick, complaints, keeper)
    facts = manifest(loaded, dataset, result, clock.fits)
    if found is not None:
        luck = {} if result.luck is None else {"luck": asdict(result.luck)}
        facts["sweep"] = described(found) | luck
    result = replace(result, config=config_of(loaded, found), manifest={"id": id_, **facts})
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
        write_table(result.sweep, folder / "sweep.parquet")


def _report(folder: Path, loaded: Loaded, result: Result, store: RunStore, complaints: list[str]) -> None:
    section = loaded.experiment.report
    if not section.html:
        return
    from windtunnel.reporting import equity_picture, write_report

    extra = guests.sections(loaded.host, result, complaints)
    write_report(result, folder, section=section, assets=store.assets, extra=extra)
    equity_picture(result, folder / "equity.svg")
