"""Proves that no stage of the pipeline knows the future: the past is asked again without it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from traceback import walk_tb
from typing import Any

import numpy as np

from windtunnel.bars import FIELDS, Bars
from windtunnel.engine import simulate
from windtunnel.engine.reference import reference
from windtunnel.errors import InvalidValueError
from windtunnel.learn import Tick, folds
from windtunnel.market import Market
from windtunnel.pipeline import Candidate, Part, decide
from windtunnel.pipeline.sections import SizingSection, StrategySection
from windtunnel.plugin import Host, LearnedStrategy, Model, Plugin, Strategy, build_host
from windtunnel.report.text import stamp
from windtunnel.testing.differences import Difference, first_difference
from windtunnel.testing.findings import Finding, Provoked, Verification, likely_cause
from windtunnel.testing.memory import Memory, renewed
from windtunnel.testing.stages import Said, decided, fills, indicators, plugins_of
from windtunnel.values import Exposure, IntArray, Orders

__all__ = ["cut_points", "silent", "verify"]

_MARGIN = 10
"""Bars between the end of the warm-up and the first cut, where the data are long enough."""
_FUTURES: Mapping[Provoked, float] = {"halved": 0.5, "doubled": 2.0}


def silent(what: str, done: int, total: int) -> None:
    """Report no progress."""


def verify(
    bars: Bars,
    candidate: Candidate,
    *,
    benchmark: str | None = None,
    cuts: int = 20,
    seed: int = 0,
    host: Host | None = None,
    tick: Tick = silent,
) -> Verification:
    """Run the pipeline again with the future cut off, halved and doubled; its past must not change.

    Every run has bars, market and plugins of its own. State that plugins keep on their classes or in their
    modules is put back before each of the truncated runs and left alone in the others: the former shows what
    was learned in the full run's future, the latter what is carried from one run to the next. A truncated
    run does not know which symbols will end after the cut. The account is judged by itself, on the orders of
    the full run: truncated, perturbed, and replayed bar by bar on the engine's specification.

    Parameters
    ----------
    bars : Bars
    candidate : Candidate
        The plugins in it are never called, only others with the same parameters.
    benchmark : str, optional
        Symbol by which a regime model of the benchmark judges.
    cuts : int
        About how many cuts to try, fewer on short data; neighbours and the last bar among them.
    seed : int
        Of the cuts.
    host : Host, optional
        Knows where plugins come from.
    tick : callable
        Told after every run.

    Raises
    ------
    InvalidValueError
        If there are less than two bars, or no cuts.
    PluginError
        If the full run fails.
    """
    if len(bars) < 2:
        raise InvalidValueError("bars", "must be at least 2", len(bars))
    points = cut_points(len(bars), candidate, cuts, seed)
    trial = _Trial(bars, candidate, benchmark)
    provocations: Sequence[Provoked] = ("truncated", *_FUTURES)
    plan = [(provoked, cut) for provoked in provocations for cut in points]
    seen = list(trial.replay())
    for done, (provoked, cut) in enumerate(plan, start=1):
        seen += trial.judge(provoked, cut)
        tick("verification", done, len(plan))
    stages = [stage for stage in plugins_of(candidate) if stage != "data"]
    findings = [
        trial.finding(group, host or build_host())
        for stage in stages
        if (group := [one for one in seen if one.stage == stage])
    ]
    return Verification(_states(stages, findings), tuple(findings), points, len(plan) + 1)


def _states(stages: Sequence[str], findings: Sequence[Finding]) -> dict[str, str]:
    """Say of each stage whether it leaks; what rests on one that does is not judged, but the engine is."""
    leaking = {finding.stage for finding in findings}
    states: dict[str, str] = {}
    for stage in stages:
        spoilt = "leaks" in states.values() and stage != "engine"
        states[stage] = "leaks" if stage in leaking else "unjudged" if spoilt else "clean"
    return states


def cut_points(length: int, candidate: Candidate, cuts: int, seed: int) -> tuple[int, ...]:
    """Choose the cuts: spread over the bars after the warm-up and the first fits, denser where runs are short.

    The last bar is always one, and some are next to each other.

    Parameters
    ----------
    length : int
        Number of bars.
    candidate : Candidate
    cuts : int
        How many to choose; where two coincide there are fewer.
    seed : int

    Raises
    ------
    InvalidValueError
        If ``cuts`` is less than 1.
    """
    if cuts < 1:
        raise InvalidValueError("cuts", "must be at least 1", cuts)
    parts = list(_parts(candidate))
    first_fits = [next(folds(part.section, length), None) for part in parts if _refit(part) is not None]
    least = max([1, *(fold.start + 1 for fold in first_fits if fold is not None)])
    warm = max(least, *(part.plugin.warmup for part in parts)) + _MARGIN
    low = min(warm, max(least, length // 2))
    neighbours = min(3, cuts // 4)
    count = cuts - 1 - neighbours
    place = (np.arange(count) + np.random.default_rng(seed).random(count)) / max(count, 1)
    spread: IntArray = (low + (length - 1 - low) * place**1.5).astype(np.int64)
    chosen = {*spread.tolist(), *(spread[:neighbours] + 1).tolist(), length - 1}
    return tuple(sorted(cut for cut in chosen if 0 < cut < length))


def _parts(candidate: Candidate) -> Iterator[Part[Any, Any]]:
    parts = [
        candidate.volatility,
        candidate.regime,
        *candidate.patterns,
        candidate.strategy,
        candidate.scorer,
    ]
    yield from (part for part in parts if part is not None)


def _refit(part: Part[Any, Any]) -> int | None:
    """Return the bars between two fits; None for a plugin that does not learn."""
    plugin = part.plugin
    learns = plugin.learns if isinstance(plugin, Model) else not isinstance(plugin, Strategy)
    return int(part.section.refit) if learns else None


def _provoked(bars: Bars, provoked: Provoked | None, cut: int) -> Bars:
    """Return bars that share no memory with these, with another future from ``cut`` on."""
    stop = cut if provoked == "truncated" else len(bars)
    fields = [np.array(getattr(bars, name)[:stop], order="F") for name in FIELDS]
    for field in fields:
        field[cut:] *= _FUTURES.get(provoked, 1.0) if provoked else 1.0
    last_bar = np.minimum(bars.last_bar, stop - 1)
    return Bars(bars.time[:stop].copy(), bars.symbols, *fields, last_bar, bars.timezone)


class _Flat(Strategy):
    """Holds nothing: the pipeline behind the patterns, when they alone are asked."""

    name = "flat"

    def exposure(self, market: Market) -> Exposure:
        return np.zeros(market.shape, np.bool_)


@dataclass(frozen=True)
class _Seen:
    """One run that differs from the full one: where first, and how; an error instead if it failed."""

    stage: str
    difference: Difference | None
    error: str
    cut: int
    provoked: Provoked

    @property
    def ahead(self) -> int:
        return 0 if self.difference is None or self.provoked == "replayed" else self.cut - self.difference.bar


class _Trial:
    """A candidate on bars: what it said with all of them, and whether it says the same with less."""

    def __init__(self, bars: Bars, candidate: Candidate, benchmark: str | None) -> None:
        self._bars, self._candidate, self._benchmark = bars, candidate, benchmark
        self._plugins = plugins_of(candidate)
        self._memory = Memory(part.plugin for part in _parts(candidate))
        self._own = _provoked(bars, None, len(bars))
        self._said = self._ask(self._own)
        weights: Any = self._said["sizing"]["weight"]
        self._orders = Orders(weights.values)
        self._fills = fills(simulate(self._own, self._orders, candidate.rules).fills)

    def _ask(self, bars: Bars, candidate: Candidate | None = None) -> dict[str, Said]:
        """Run the pipeline with nothing but parameters from before."""
        market = Market(bars, periods_per_year=self._bars.periods_per_year)
        decision = decide(market, _renewed(candidate or self._candidate), benchmark=self._benchmark)
        return {"indicators": indicators(market), **decided(decision)}

    def replay(self) -> Iterator[_Seen]:
        """Yield where the engine's specification gives other fills."""
        rules, length = self._candidate.rules, len(self._bars)
        specified = fills(reference(self._own, self._orders, rules).fills)
        difference = first_difference(specified, self._fills, length)
        if difference is not None:
            yield _Seen("engine", difference, "", length, "replayed")

    def judge(self, provoked: Provoked, cut: int) -> Iterator[_Seen]:
        """Yield what differs before ``cut`` in a run with another future: the account, the first stage."""
        bars = _provoked(self._bars, provoked, cut)
        filled = fills(simulate(bars, self._orders.cut(0, len(bars)), self._candidate.rules).fills)
        difference = first_difference(self._fills, filled, cut)
        if difference is not None:
            yield _Seen("engine", difference, "", cut, provoked)
        if provoked == "truncated":
            self._memory.restore()
        try:
            said = self._ask(bars)
        except Exception as error:  # noqa: BLE001 - a stranger's code may raise anything
            stage = self._failed_in(error)
            if any(output.answers(cut) for output in self._said[stage].values()):
                yield _Seen(stage, None, str(error), cut, provoked)
            return
        for stage in self._plugins:
            if stage in said:
                difference = first_difference(self._said[stage], said[stage], cut)
                if difference is not None:
                    yield _Seen(stage, difference, "", cut, provoked)
                    return

    def _failed_in(self, error: Exception) -> str:
        """Return the stage that raised: the one that the message names, or whose plugin was at work."""
        for stage in self._plugins:
            if str(error).startswith(f"{stage} "):
                return stage
        at_work = [frame.f_locals.get("self") for frame, _ in walk_tb(error.__traceback__)]
        for stage, plugins in self._plugins.items():
            if {type(plugin) for plugin in plugins} & {type(one) for one in at_work}:
                return stage
        return "gate" if "gate" in self._plugins else "strategy"

    def finding(self, seen: Sequence[_Seen], host: Host) -> Finding:
        """Sum up what several runs showed of one stage by the one that looks furthest ahead."""
        one = max(seen, key=lambda each: (each.difference is not None, each.ahead))
        plugin = self._blamed(one)
        package = "windtunnel" if plugin is None else str(host.provenance(type(plugin)))
        difference, time, symbols = one.difference, self._bars.local_time, self._bars.symbols
        cause = "" if difference is None or one.stage == "engine" else self._unsteady(one.stage)
        ahead = 0 if cause else one.ahead
        if ahead and one.stage != "engine":
            refits = {part.plugin.kind: _refit(part) for part in _parts(self._candidate)}
            cause = likely_cause(one.stage, [each.ahead for each in seen], refits.get(one.stage))
        return Finding(
            stage=one.stage,
            plugin="" if plugin is None else plugin.name,
            package=package,
            what=one.error if difference is None else difference.what,
            symbol="" if difference is None else symbols[difference.symbol],
            time="" if difference is None else stamp(time[difference.bar]),
            bar=0 if difference is None else difference.bar,
            before=None if difference is None else difference.before,
            after=None if difference is None else difference.after,
            cut=one.cut,
            known=stamp(time[one.cut - 1]),
            provoked=one.provoked,
            ahead=ahead,
            runs=len(seen),
            cause=cause,
            failed=difference is None,
        )

    def _unsteady(self, stage: str) -> str:
        """Say why a stage does not give the same answer to the same question; empty where it does."""
        for forget, cause in (
            (False, "it remembers other runs: state kept on the class or in the module"),
            (True, "it answers differently whenever it is asked: random numbers without a seed"),
        ):
            ...
        return ""

    def _blamed(self, one: _Seen) -> Plugin | None:
        """Return the plugin behind a stage; of several detectors the one that differs by itself."""
        plugins = self._plugins[one.stage]
        return plugins[0] if plugins else None


def _renewed(candidate: Candidate) -> Candidate:
    """Return the same candidate with plugins of its own."""

    def part(old: Any) -> Any:
        return None if old is None else Part(renewed(old.plugin), old.section)

    return replace(
        candidate,
        strategy=part(candidate.strategy),
        volatility=part(candidate.volatility),
        regime=part(candidate.regime),
        patterns=tuple(map(part, candidate.patterns)),
        scorer=part(candidate.scorer),
    )
