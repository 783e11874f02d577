"""A candidate on bars: what it says with all of them, and whether it says the same with less."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from traceback import walk_tb
from typing import Any

import numpy as np

from windtunnel.bars import Bars
from windtunnel.engine import simulate
from windtunnel.engine.reference import reference
from windtunnel.learn import Keeper
from windtunnel.market import Market
from windtunnel.pipeline import Candidate, Decision, Part, decide
from windtunnel.pipeline.sections import SizingSection, StrategySection
from windtunnel.plugin import Host, Strategy
from windtunnel.reporting.text import stamp
from windtunnel.testing.cuts import parts, provoke, refit
from windtunnel.testing.differences import Difference, first_difference
from windtunnel.testing.findings import Finding, Provoked, likely_cause
from windtunnel.testing.fits import Fits
from windtunnel.testing.memory import Memory, renewed_parts
from windtunnel.testing.stages import Said, decided, fills, indicators, plugins_of
from windtunnel.testing.warmup import is_stated, short
from windtunnel.values import Exposure

__all__ = ["Seen", "Trial"]

OUTPUTS: Mapping[str, str] = {
    "volatility": "forecast",
    "regime": "regime",
    "patterns": "pattern",
    "strategy": "exposure",
}
"""What is compared of a plugin that is asked with less past."""


@dataclass(frozen=True)
class Seen:
    """One run that differs from the full one: where first, and how; a message instead if it failed."""

    stage: str
    difference: Difference
    cut: int
    provoked: Provoked
    failed: bool = False

    @property
    def ahead(self) -> int:
        """Bars that the run shows the stage to see ahead."""
        return 0 if self.failed or self.provoked == "replayed" else self.cut - self.difference.bar


class _Flat(Strategy):
    """Holds nothing: what stands behind the detectors when they alone are asked."""

    name = "flat"

    def exposure(self, market: Market) -> Exposure:
        return np.zeros(market.shape, np.bool_)


class Trial:
    """A candidate on bars: what it said with all of them, and whether it says the same with less."""

    def __init__(self, bars: Bars, candidate: Candidate, benchmark: str | None) -> None:
        self._bars, self._candidate, self._benchmark = bars, candidate, benchmark
        self._plugins = plugins_of(candidate)
        self._memory = Memory(part.plugin for part in parts(candidate))
        self._own = provoke(bars, None, len(bars))
        self._fits = Fits()
        market, decision = self._decide(self._own, candidate, self._fits)
        self._fits.replays = True
        self._told = market.having(
            volatility=decision.forecast, regime=decision.regimes, patterns=decision.patterns
        )
        self._said = {"indicators": indicators(market), **decided(decision)}
        self._orders = decision.orders
        self._fills = self._filled(self._own)

    def _decide(self, bars: Bars, candidate: Candidate, keeper: Keeper | None) -> tuple[Market, Decision]:
        """Run the pipeline with nothing but parameters from before, and what models learned if kept."""
        market = Market(bars)
        return market, decide(market, renewed_parts(candidate), benchmark=self._benchmark, keeper=keeper)

    def _ask(self, bars: Bars, candidate: Candidate, keeper: Keeper | None = None) -> dict[str, Said]:
        market, decision = self._decide(bars, candidate, keeper)
        return {"indicators": indicators(market), **decided(decision)}

    def _filled(self, bars: Bars) -> Said:
        return fills(simulate(bars, self._orders.cut(0, len(bars)), self._candidate.rules).fills)

    def forget(self) -> None:
        """Put back what plugins keep outside their instances."""
        self._memory.restore()

    def replay(self) -> Iterator[Seen]:
        """Yield where the engine's specification gives other fills."""
        specified = fills(reference(self._own, self._orders, self._candidate.rules).fills)
        difference = first_difference(specified, self._fills, len(self._bars))
        if difference is not None:
            yield Seen("engine", difference, len(self._bars), "replayed")

    def judge(self, provoked: Provoked, cut: int, *, anew: bool) -> Iterator[Seen]:
        """Yield what differs before ``cut`` in a run with another future: the account, the first stage.

        Models learn ``anew``, or take the states that they learned in the full run.
        """
        bars = provoke(self._bars, provoked, cut)
        difference = first_difference(self._fills, self._filled(bars), cut)
        if difference is not None:
            yield Seen("engine", difference, cut, provoked)
        if provoked == "truncated":
            self.forget()
        try:
            said = self._ask(bars, self._candidate, None if anew else self._fits)
        except Exception as error:  # noqa: BLE001 - a stranger's code may raise anything
            stage = self._failed_in(error)
            if any(output.answers(cut) for output in self._said[stage].values()):
                message = Difference(str(error), 0, cut - 1, None, None)
                yield Seen(stage, message, cut, provoked, failed=True)
            return
        for stage in self._plugins:
            difference = first_difference(self._said.get(stage, {}), said.get(stage, {}), cut)
            if difference is not None:
                yield Seen(stage, difference, cut, provoked)
                return

    def _failed_in(self, error: Exception) -> str:
        """Return the stage that raised: the one that the message names, or whose plugin was at work."""
        for stage in self._plugins:
            if str(error).startswith(f"{stage} "):
                return stage
        at_work = {type(frame.f_locals.get("self")) for frame, _ in walk_tb(error.__traceback__)}
        for stage, plugins in self._plugins.items():
            if at_work & {type(plugin) for plugin in plugins}:
                return stage
        return "gate" if "gate" in self._plugins else "strategy"

    def too_short(self, stages: Collection[str], seed: int, host: Host) -> Iterator[Finding]:
        """Yield the plugins of these stages whose warm-up is too short.

        One that needs a warm-up and states none is among them.
        """
        for stage, plugins in self._plugins.items():
            for part in parts(self._candidate):
                if stage in stages and stage in OUTPUTS and part.plugin in plugins:
                    found = self._lacking(stage, part, seed, host)
                    if found is not None:
                        yield found

    def _lacking(self, stage: str, part: Part[Any, Any], seed: int, host: Host) -> Finding | None:
        alone = getattr(part.section, "of", "") == "benchmark" and self._benchmark is not None
        market = self._told.select([str(self._benchmark)]) if alone else self._told
        found = short(part, market, self._fits.latest(part.plugin, part.section), seed)
        if found is None:
            return None
        time = self._bars.local_time
        return Finding(
            stage=stage,
            plugin=part.plugin.name,
            package=str(host.provenance(type(part.plugin))),
            what=OUTPUTS[stage],
            symbol=market.symbols[found.symbol],
            time=stamp(time[found.bar]),
            bar=found.bar,
            before=found.full,
            after=found.late,
            cut=found.start,
            known=stamp(time[found.start]),
            provoked="started",
            ahead=0,
            runs=found.runs,
            cause="",
            warmup=part.plugin.warmup if is_stated(part.plugin) else None,
            lacks=found.more,
        )

    def finding(self, seen: Sequence[Seen], host: Host) -> Finding:
        """Sum up what several runs showed of one stage by the one that looks furthest ahead."""
        one = max(seen, key=lambda each: (not each.failed, each.ahead))
        part = self._blamed(one)
        cause = self._unsteady(one.stage)
        ahead = 0 if cause else one.ahead
        if ahead and one.stage != "engine":
            learns = None if part is None else refit(part)
            cause = likely_cause(one.stage, ahead, len(self._bars), learns)
        difference, time = one.difference, self._bars.local_time
        return Finding(
            stage=one.stage,
            plugin="" if part is None else part.plugin.name,
            package="windtunnel" if part is None else str(host.provenance(type(part.plugin))),
            what=difference.what,
            symbol="" if one.failed else self._bars.symbols[difference.symbol],
            time=stamp(time[difference.bar]),
            bar=difference.bar,
            before=difference.before,
            after=difference.after,
            cut=one.cut,
            known=stamp(time[one.cut - 1]),
            provoked=one.provoked,
            ahead=ahead,
            runs=len(seen),
            cause=cause,
            failed=one.failed,
        )

    @cached_property
    def _again(self) -> list[dict[str, Said]]:
        """What the full run says after a run on other prices, and once more after it has forgotten all."""
        said = []
        for forget in (False, True):
            self.forget()
            try:
                if not forget:
                    length = len(self._bars)
                    self._ask(provoke(self._bars, "doubled", length // 2, length), self._candidate)
                said.append(self._ask(self._own, self._candidate))
            except Exception:  # noqa: BLE001 - a stranger's code may raise anything
                said.append({})
        return said

    def _unsteady(self, stage: str) -> str:
        """Say why a stage does not give the same answer to the same question; empty where it does."""
        if stage not in self._said:
            return ""
        remembering, fresh = (
            stage not in said or first_difference(self._said[stage], said[stage], len(self._bars)) is not None
            for said in self._again
        )
        if fresh:
            return "it answers differently whenever it is asked: random numbers without a seed"
        if remembering:
            return "it remembers other runs: state is kept on the class or in the module"
        return ""

    def _blamed(self, one: Seen) -> Part[Any, Any] | None:
        """Return the part behind a stage; of several detectors the one that differs by itself."""
        behind = [part for part in parts(self._candidate) if part.plugin in self._plugins[one.stage]]
        return next(
            (part for part in behind[:-1] if one.stage == "patterns" and self._differs_alone(part, one)),
            behind[-1] if behind else None,
        )

    def _differs_alone(self, detector: Part[Any, Any], one: Seen) -> bool:
        flat: Part[Any, Any] = Part(_Flat(), StrategySection(use="flat"))
        bare = replace(self._candidate, strategy=flat, gate=None, scorer=None, sizing=SizingSection())
        alone = replace(bare, patterns=(detector,), reliability=None)
        self.forget()
        full = self._ask(self._own, alone)
        self.forget()
        try:
            said = self._ask(provoke(self._bars, one.provoked, one.cut), alone)
        except Exception:  # noqa: BLE001 - a stranger's code may raise anything
            return True
        return first_difference(full["patterns"], said["patterns"], one.cut) is not None
