"""Proves that no stage of the pipeline knows the future: the past is asked again without it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from traceback import walk_tb
from typing import Any

import numpy as np

from windtunnel.bars import Bars
from windtunnel.engine import simulate
from windtunnel.engine.reference import reference
from windtunnel.errors import InvalidValueError
from windtunnel.learn import Tick, silent
from windtunnel.market import Market
from windtunnel.pipeline import Candidate, Decision, Part, decide
from windtunnel.pipeline.sections import SizingSection, StrategySection
from windtunnel.plugin import Host, Strategy, build_host
from windtunnel.reporting.text import stamp
from windtunnel.testing.cuts import FUTURES, cut_points, parts, provoke, refit
from windtunnel.testing.differences import Difference, first_difference
from windtunnel.testing.findings import Finding, Provoked, Verification, likely_cause
from windtunnel.testing.memory import Memory, renewed
from windtunnel.testing.stages import Said, decided, fills, indicators, plugins_of
from windtunnel.values import Exposure

__all__ = ["states", "verify"]


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
    provocations: Sequence[Provoked] = ("truncated", *FUTURES)
    plan = [(provoked, cut) for provoked in provocations for cut in reversed(points)]
    seen = list(trial.replay())
    for done, (provoked, cut) in enumerate(plan, start=1):
        seen += trial.judge(provoked, cut)
        tick("verification", done, len(plan))
    stages = [stage for stage in plugins_of(candidate) if stage != "data"]
    groups = ([one for one in seen if one.stage == stage] for stage in stages)
    findings = tuple(trial.finding(group, host or build_host()) for group in groups if group)
    trial.forget()
    return Verification(states(stages, findings), findings, points, len(plan) + 1)


def states(stages: Sequence[str], findings: Sequence[Finding]) -> dict[str, str]:
    """Say of each stage whether it leaks; what rests on one that does is not judged, but the engine is."""
    leaking = {finding.stage for finding in findings}
    found: dict[str, str] = {}
    for stage in stages:
        spoilt = "leaks" in found.values() and stage != "engine"
        found[stage] = "leaks" if stage in leaking else "unjudged" if spoilt else "clean"
    return found


