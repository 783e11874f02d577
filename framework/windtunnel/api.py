"""The Python surface, for notebooks and scripts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from windtunnel.bars import Bars
from windtunnel.data import DataSection, load
from windtunnel.errors import InvalidValueError
from windtunnel.pipeline import Candidate, Part, Result, Space, SpaceLike, Sweep
from windtunnel.pipeline import run as run_candidate
from windtunnel.pipeline import sweep as sweep_candidate
from windtunnel.pipeline.sections import StrategySection
from windtunnel.plugin import DataSource, LearnedStrategy, Strategy, build_host
from windtunnel.values import Rules

if TYPE_CHECKING:
    from windtunnel.runner.advice import Advice

__all__ = ["advise", "backtest", "load_bars", "report", "run", "sweep"]


def load_bars(
    source: str | DataSource,
    *,
    symbols: str | Sequence[str] = (),
    start: str | None = None,
    end: str | None = None,
    timeframe: str | None = None,
    resample: str | None = None,
    repair: str | Mapping[str, str] = "none",
    **params: Any,
) -> Bars:
    """Load bars from a data source.

    Parameters
    ----------
    source : str or DataSource
        Name of a source, such as ``arch`` or ``csv``; or an instance.
    symbols : str or sequence of str
        Empty means all that the source has.
    start, end : str, optional
        ISO dates or times, both inclusive.
    timeframe, resample : str, optional
        What to ask the source for, and what to build from it, such as ``1h``.
    repair : str or mapping
        How to mend broken rows.
    **params
        Parameters of a source given by name.

    Raises
    ------
    ConfigError
        If an argument or a parameter of the source is wrong; names all that are.
    UnknownPluginError, DataError, PluginError

    Examples
    --------
    >>> load_bars("arch", symbols=["SP500"], start="2017")
    Bars(SP500: 2017-01-03 … 2018-12-31, 502 bars)
    """
    from windtunnel.experiment import checked

    host = build_host()
    if isinstance(source, str):
        found: Any = host.plugin("data", source)
        plugin: DataSource = checked(
            found, "params", params, lambda: found.from_params(params, host=host), host
        )
    elif params:
        raise InvalidValueError(next(iter(params)), "goes with a source given by name", params)
    else:
        plugin = source
    given = {
        "use": plugin.name,
        "symbols": (symbols,) if isinstance(symbols, str) else tuple(symbols),
        "start": start,
        "end": end,
        "timeframe": timeframe,
        "resample": resample,
        "quality": {"repair": repair if isinstance(repair, str) else dict(repair)},
    }
    return load(plugin, checked(DataSection, "", given, lambda: DataSection.model_validate(given), host)).bars


def backtest(
    bars: Bars,
    strategy: Strategy | LearnedStrategy,
    *,
    rules: Rules | None = None,
    benchmark: str | None = None,
    name: str | None = None,
    seed: int = 0,
) -> Result:
    """Backtest a strategy beside holding a symbol of the data.

    Parameters
    ----------
    bars : Bars
    strategy : Strategy or LearnedStrategy
        An instance, such as ``SmaCross(fast=10, slow=50)``.
    rules : Rules, optional
        Costs and fills; without any, trading is free.
    benchmark : str, optional
        Symbol to compare with; the first of the data if left out.
    name : str, optional
        The strategy's name if left out.
    seed : int
        Of the bootstrap intervals.
    """
    if not isinstance(bars, Bars):
        raise InvalidValueError("bars", "must be Bars; Bars.from_frame makes them of a DataFrame", type(bars))
    if not isinstance(strategy, Strategy | LearnedStrategy):
        raise InvalidValueError("strategy", "must be an instance, such as SmaCross(fast=10)", strategy)
    section = StrategySection(use=strategy.name, params=strategy.params())
    candidate = Candidate(strategy=Part(strategy, section), rules=rules or Rules())
    return run_candidate(
        bars, candidate, name=name or strategy.name, benchmark=benchmark or bars.symbols[0], seed=seed
    )


def sweep(
    bars: Bars,
    strategy: Strategy | LearnedStrategy | type[Strategy | LearnedStrategy],
    space: SpaceLike,
    *,
    rules: Rules | None = None,
    periods_per_year: float | None = None,
    threads: int | None = None,
    edges: Sequence[int] = (),
    tick: Callable[[int, int], None] | None = None,
    ledger: str | Path | None = "results",
) -> Sweep:
    """Backtest every legal combination of parameters: one row of metrics each.

    Parameters
    ----------
    bars : Bars
    strategy : type of Strategy, or Strategy
        A class; or an instance, whose parameters stay as they are where they are not searched.
    space : mapping of str to values, or sequence of mappings
        All combinations of these values, or the combinations themselves. A name is a parameter of the
        strategy, or a rule such as ``backtest.stop_loss``. What a rule between parameters forbids, such as
        fast < slow, is left out.
    rules : Rules, optional
        Costs and fills; without any, trading is free.
    periods_per_year : float, optional
        Bars in a year, by which the Sharpe ratio is annualised; those of the bars if left out.
    threads : int, optional
        As many as there are cores if left out; they do not change the result.
    edges : sequence of int
        First bars of blocks, in order, and one past the last: the result's ``sums`` add up the returns of
        every combination in each block.
    tick : callable, optional
        Told now and then how many combinations are done, and how many there are.
    ledger : str or path, optional
        Where every combination is recorded, for verdicts count all that was ever tried on the same symbols
        with the same strategy: a folder, or a database's URL. None records nothing.

    Examples
    --------
    >>> table = sweep(bars, SmaCross, {"fast": range(5, 50), "slow": range(20, 200, 5)})  # doctest: +SKIP
    >>> table.best("sharpe")  # doctest: +SKIP
    """
    if not isinstance(bars, Bars):
        raise InvalidValueError("bars", "must be Bars; Bars.from_frame makes them of a DataFrame", type(bars))
    kind = strategy if isinstance(strategy, type) else type(strategy)
    if not issubclass(kind, Strategy | LearnedStrategy):
        raise InvalidValueError("strategy", "must be a strategy's class or an instance", strategy)
    if periods_per_year is not None:
        bars = replace(bars, periods_per_year=periods_per_year)
    rules = rules or Rules()
    chosen = Space.of(strategy, space, rules)
    plugin: Any = _as_it_is(kind) if isinstance(strategy, type) else strategy
    candidate = Candidate(Part(plugin, StrategySection(use=kind.name)), rules)
    table = sweep_candidate(bars, candidate, chosen, threads=threads, edges=edges, tick=tick)
    if ledger is not None:
        from windtunnel.runner.family import opened
        from windtunnel.runner.sweeping import recorded

        with opened(ledger) as book:
            recorded(table, bars, candidate, kind.name, book)
    return table


def _as_it_is(strategy: type[Any]) -> Any:
    """Return a strategy with its defaults; of one that cannot be built without arguments the example."""
    try:
        return strategy()
    except ValidationError:
        return strategy.example()


def run(
    config: str | Path | Mapping[str, Any],
    *,
    overrides: Sequence[str] = (),
    out: str | Path | None = None,
) -> Result:
    """Run an experiment.

    Parameters
    ----------
    config : path or mapping
        A YAML file, or its content as a dict.
    overrides : sequence of str
        Such as ``"strategy.params.fast=20"``.
    out : path, optional
        Also keep the run in a folder below this one, as ``windtunnel run`` does. Left out, nothing is written
        but the trials of a search, to the ledger in ``results``.
    """
    from windtunnel import experiment, runner
    from windtunnel.runner.family import ledger_of

    if isinstance(config, Mapping):
        loaded = experiment.from_mapping(config, overrides=overrides)
    else:
        loaded = experiment.load(config, overrides=overrides)
    dataset = runner.dataset(loaded)
    if out is not None:
        return runner.perform(loaded, dataset, out=out).result
    with ledger_of(loaded, "results") as ledger:
        return runner.compute(loaded, dataset, runner.Settings(ledger=ledger))


def advise(
    bars_or_config: Bars | str | Path | Mapping[str, Any],
    *,
    overrides: Sequence[str] = (),
    out: str | Path | None = None,
) -> tuple[Advice, ...]:
    """Return what is known of every symbol at its last bar: regime, ranked strategies, patterns, volatility.

    Parameters
    ----------
    bars_or_config : Bars, path or mapping
        An experiment, as for :func:`run`; or bars, of which the usual models are asked.
    overrides : sequence of str
        Such as ``"strategy.params.ahead=10"``.
    out : path, optional
        Also keep the answer below this folder; asked again on the same data, it is read from there.
    """
    from windtunnel import experiment, runner
    from windtunnel.runner.advice import advise as answer
    from windtunnel.runner.advice import of_bars

    if isinstance(bars_or_config, Bars):
        return of_bars(bars_or_config, overrides, out=out)
    if not isinstance(bars_or_config, Mapping | str | Path):
        rule = "must be Bars, a file, or an experiment as a mapping"
        raise InvalidValueError("bars_or_config", rule, type(bars_or_config))
    if isinstance(bars_or_config, Mapping):
        loaded = experiment.from_mapping(bars_or_config, overrides=overrides)
    else:
        loaded = experiment.load(bars_or_config, overrides=overrides)
    return answer(loaded, runner.dataset(loaded), out=out)


def report(result: Result, path: str | Path = "report.html") -> Path:
    """Write a report that stands alone (5 MB) and return its path."""
    from windtunnel.reporting import page

    if not isinstance(result, Result):
        raise InvalidValueError("result", "must be what backtest or run returned", type(result))
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.write_text(page(result), encoding="utf-8")
    temporary.replace(path)
    return path
