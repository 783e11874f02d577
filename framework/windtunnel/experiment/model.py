"""The experiment: all its sections, and the rules between them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any

from annotated_types import Ge
from pydantic import Field, model_validator

from windtunnel.data import DataSection
from windtunnel.errors import InvalidValueError, nearest
from windtunnel.optimize.sections import ExecutionSection, OptimizeSection, ValidateSection
from windtunnel.pipeline.sections import (
    GateSection,
    PatternsSection,
    RegimeSection,
    ReliabilitySection,
    ScorerSection,
    SizingSection,
    StrategySection,
    VolatilitySection,
)
from windtunnel.pipeline.sweep_section import SweepSection
from windtunnel.reporting.section import ReportSection
from windtunnel.values import ConfigModel, Rules

__all__ = [
    "FIRST",
    "NAME_RULE",
    "RESERVED",
    "BrokenRulesError",
    "Experiment",
    "PluginsSection",
    "broken_rules",
]

FIRST = "first"
"""The benchmark that stands for the first symbol of the data."""
NAME_RULE = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$"
RESERVED = ("assets", "baselines")
"""Names of folders beside those of the runs."""


class PluginsSection(ConfigModel):
    """Which plugins may be used beyond asking every installed package."""

    files: tuple[str, ...] = ()
    """Python files with plugins, relative to the experiment's file."""
    allow: tuple[str, ...] | None = None
    """Packages whose plugins may be imported; all that are installed if left out."""


class Experiment(ConfigModel):
    """One experiment: which data, which plugins, how they act together, and how orders become fills.

    What belongs to the framework stands beside ``use``; what belongs to the plugin stands in ``params``.
    ``params`` are checked where the plugins are known, by :func:`windtunnel.experiment.load`.
    """

    name: Annotated[str, Field(pattern=NAME_RULE)] = "experiment"
    """Folder of the results: letters, digits, - and _; the file's own name if left out."""
    data: DataSection
    """Which bars the experiment runs on."""
    strategy: StrategySection
    """What to hold."""
    patterns: tuple[PatternsSection, ...] = ()
    """Which chart patterns to look for."""
    reliability: ReliabilitySection | None = None
    """Which of them can be relied on."""
    regime: RegimeSection | None = None
    """Which state the market is in."""
    scorer: ScorerSection | None = None
    """Which entries are worth taking."""
    volatility: VolatilitySection | None = None
    """How volatile the next bars will be."""
    gate: GateSection | None = None
    """Which entries are let through, by regime and pattern."""
    sizing: SizingSection = SizingSection()
    """How large a position is."""
    backtest: Rules = Rules()
    """How orders become fills."""
    sweep: SweepSection | None = None
    """Which combinations of parameters to try."""
    optimize: OptimizeSection | None = None
    """Which parameters to search for, and how."""
    validation: Annotated[ValidateSection | None, Field(alias="validate")] = None
    """Which bars choose parameters and which judge them; beside ``optimize`` the last 30 % of the bars judge
    if left out."""
    execution: ExecutionSection | None = None
    """Where trials are computed: in threads of this process if left out."""
    ledger: str | None = None
    """Where every trial is recorded: a folder, or the URL of a database; the folder of the results if left
    out. ``${NAME}`` in it stands for an environment variable."""
    benchmark: str | None = FIRST
    """Symbol of the data to compare with; first is the data's first symbol, null is none."""
    seed: Annotated[int, Ge(0)] = 0
    """Seed of everything random."""
    report: ReportSection = ReportSection()
    """How the report is written."""
    plugins: PluginsSection = PluginsSection()
    """Which plugins may be used."""

    @model_validator(mode="after")
    def _sections_agree(self) -> Experiment:
        broken = tuple(broken_rules(self.model_dump(mode="json", by_alias=True)))
        if broken:
            raise BrokenRulesError(broken)
        return self

    def benchmark_of(self, symbols: Sequence[str]) -> str | None:
        """Return the benchmark's symbol; None where the experiment has none.

        A symbol that is really called ``first`` is meant by that name.

        Raises
        ------
        InvalidValueError
            If the data have no such symbol.
        """
        if self.benchmark is None or self.benchmark in symbols:
            return self.benchmark
        if self.benchmark == FIRST and symbols:
            return symbols[0]
        raise InvalidValueError("benchmark", f"must be one of {', '.join(symbols)}", self.benchmark)


class BrokenRulesError(ValueError):
    """Rules between sections are broken: pairs of dotted key and message."""

    def __init__(self, broken: Sequence[tuple[str, str]]) -> None:
        super().__init__("; ".join(f"{key}: {message}" for key, message in broken))
        self.broken = tuple(broken)


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def broken_rules(data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield key and message of every broken rule between sections.

    Parameters
    ----------
    data : mapping
        An experiment as JSON values, perhaps with other mistakes in it.
    """

    def given(*keys: str) -> Any:
        value: Any = data
        for key in keys:
            value = value.get(key) if isinstance(value, Mapping) else None
        return value

    name, benchmark = data.get("name"), data.get("benchmark", FIRST)
    symbols = given("data", "symbols")
    if isinstance(name, str) and name.lower() in RESERVED:
        yield "name", f"is reserved for a folder beside the runs (got {name!r})"
    if given("gate", "regime") is not None and given("regime") is None:
        yield "gate.regime", "needs a regime section"
    if given("gate", "pattern") is not None and not given("patterns"):
        yield "gate.pattern", "needs a patterns section"
    if given("reliability") is not None and not given("patterns"):
        yield "reliability", "needs a patterns section"
    if given("reliability", "outcome", "label") == "trade":
        yield "reliability.outcome.label", "must be barriers: a pattern makes no trade"
    if given("sizing", "target_volatility") is not None and given("volatility") is None:
        yield "sizing.target_volatility", "needs a volatility section"
    fraction, leverage = given("sizing", "fraction"), given("backtest", "leverage") or 1.0
    if _number(fraction) and _number(leverage) and fraction > leverage >= 1:
        yield "sizing.fraction", f"must be at most backtest.leverage = {leverage:g} (got {fraction:g})"
    if given("backtest", "rebalance", "drift") is not None:
        for name in ("fixed_units", "risk"):
            if given("sizing", name) is not None:
                yield "backtest.rebalance.drift", f"needs sizing by weight, not {name}"
    stops = [given("backtest", name) for name in ("stop_loss", "take_profit", "trailing_stop")]
    if given("volatility", "stops") == "forecast" and not any(isinstance(stop, Mapping) for stop in stops):
        yield "volatility.stops", "needs a stop or a target of backtest in ATR, such as {atr: 2}"
    optimized, swept = given("optimize") is not None, given("sweep") is not None
    if optimized and swept:
        yield "sweep", "cannot stand beside optimize; optimize: {use: grid} is a sweep that is validated"
    if given("validate") is not None and not optimized:
        yield "validate", "needs an optimize section: without a search nothing is chosen"
    if given("execution") is not None and not optimized:
        yield "execution", "needs an optimize section: all else runs on this machine"
    if given("regime", "of") == "benchmark" and benchmark is None:
        yield "regime.of", "needs a benchmark"
    if isinstance(benchmark, str) and benchmark != FIRST and isinstance(symbols, list) and symbols:
        texts = [symbol for symbol in symbols if isinstance(symbol, str)]
        meant = nearest(benchmark, texts)
        if benchmark not in texts:
            hint = f". Did you mean {meant}?" if meant else ""
            yield "benchmark", f"must be one of data.symbols (got {benchmark!r}){hint}"
