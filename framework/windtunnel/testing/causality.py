"""Proves that no stage of the pipeline knows the future: the past is asked again without it."""

from __future__ import annotations

from collections.abc import Sequence

from windtunnel.bars import Bars
from windtunnel.errors import InvalidValueError
from windtunnel.learn import Tick, silent
from windtunnel.pipeline import Candidate
from windtunnel.plugin import Host, build_host
from windtunnel.testing.cuts import cut_points, learning_anew
from windtunnel.testing.findings import Finding, Verification
from windtunnel.testing.stages import plugins_of
from windtunnel.testing.trial import Trial

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

    Then every plugin is asked with the past cut off, at several starts: once its warm-up is over, it must say
    what it says with all bars (see :mod:`windtunnel.testing.warmup`).

    Every run has bars, market and plugins of its own. Models learn anew in a few of them, and take the states
    of the full run in the others; what lies more than 252 bars beyond a cut is always cut off. State that
    plugins keep on their classes or in their modules is put back before each of the truncated runs and left
    alone in the others: the former shows what was learned in the full run's future, the latter what is
    carried from one run to the next. A truncated run does not know which symbols will end after the cut. The
    account is judged by itself, on the orders of the full run: truncated, perturbed, and replayed bar by bar
    on the engine's specification.

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
    host = host or build_host()
    points = cut_points(len(bars), candidate, cuts, seed)
    trial = Trial(bars, candidate, benchmark)
    anew = learning_anew(points)
    plan = [(provoked, cut) for provoked in anew for cut in points]
    seen = list(trial.replay())
    for done, (provoked, cut) in enumerate(plan, start=1):
        seen += trial.judge(provoked, cut, anew=cut in anew[provoked])
        tick("verification", done, len(plan))
    stages = [stage for stage in plugins_of(candidate) if stage != "data"]
    groups = ([one for one in seen if one.stage == stage] for stage in stages)
    leaks = tuple(trial.finding(group, host) for group in groups if group)
    clean = [stage for stage, state in states(stages, leaks).items() if state == "clean"]
    short = tuple(trial.too_short(clean, seed, host))
    trial.forget()
    findings = (*leaks, *(one for one in short if one.warmup is not None))
    notes = tuple(one for one in short if one.warmup is None)
    return Verification(states(stages, findings), findings, points, len(plan) + 1, notes=notes)


def states(stages: Sequence[str], findings: Sequence[Finding]) -> dict[str, str]:
    """Say of each stage whether it leaks, or else what its warm-up lacks.

    What rests on a stage that leaks is not judged, but the engine is.
    """
    leaking = {finding.stage for finding in findings if finding.is_leak}
    cold = {finding.stage for finding in findings}
    found: dict[str, str] = {}
    for stage in stages:
        spoilt = "leaks" in found.values() and stage != "engine"
        fine = "warm-up" if stage in cold else "clean"
        found[stage] = "leaks" if stage in leaking else "unjudged" if spoilt else fine
    return found
