"""What an optimisation found: the verdict first, then what was tried, chosen and judged."""

from __future__ import annotations

import math
import shlex
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from windtunnel.cli.terminal import Terminal

__all__ = ["write_optimized", "write_verdict"]

_DOING = {"search": "sampler", "trials": "backtests", "ledger": "ledger"}


def write_verdict(terminal: Terminal, verdict: Mapping[str, Any], around: str = "") -> None:
    """Write whether it is real, and why.

    Parameters
    ----------
    terminal : Terminal
    verdict : mapping
        The fields of a :class:`~windtunnel.values.Verdict`.
    around : str
        A sentence on what stands around the chosen point.
    """
    terminal.say(f"verdict: {verdict['call']}. {verdict['because']}", style="bold")
    if around:
        terminal.say(around)


def write_optimized(
    terminal: Terminal, optimized: Mapping[str, Any], verdict: Mapping[str, Any], seconds: float
) -> None:
    """Write how much was tried in what time, what is chosen now, and how each fold's choice fared.

    Parameters
    ----------
    terminal : Terminal
    optimized : mapping
        As a run's manifest describes it; see :func:`windtunnel.reporting.optimized.described`.
    verdict : mapping
        As for :func:`write_verdict`.
    seconds : float
        That it took.
    """
    from windtunnel.reporting.landscape import listed, short_names
    from windtunnel.reporting.text import counted, number, plain

    took = f"{number(seconds, 1 if seconds < 10 else 0)} s"
    names = listed(short_names(optimized["parameters"]))
    spent = ", ".join(_spent(optimized["seconds"], seconds))
    text = f"{number(optimized['trials'], 0)} of {names} by {optimized['optimizer']} in {took}"
    text += f" ({spent})" if spent else ""
    terminal.field("trials", "; ".join([text, *_besides(optimized, verdict)]))
    chosen = (f"{path}={plain(value)}" for path, value in optimized["chosen"].items())
    terminal.copyable("now", " ".join(f"--set {shlex.quote(one)}" for one in chosen))
    if optimized["folds"]:
        scheme = optimized["scheme"].replace("_", " ")
        fared = "; ".join(_fared(optimized))
        terminal.field("folds", f"{number(len(optimized['folds']), 0)} ({scheme}): {fared}")
    ways = [value for value in optimized["paths"] if value is not None]
    if ways[1:]:
        ends = f"{number(min(ways))} … {number(max(ways))}"
        terminal.field("paths", f"{counted(len(ways), 'way')} through the folds: Sharpe {ends}")


def _spent(seconds: Mapping[str, float], total: float) -> Iterator[str]:
    """Yield the share of the time that each thing took."""
    from windtunnel.reporting.text import percent

    for key, doing in _DOING.items():
        if key in seconds and total > 0:
            yield f"{doing} {percent(seconds[key] / total, 0)}"


def _besides(optimized: Mapping[str, Any], verdict: Mapping[str, Any]) -> Iterator[str]:
    """Yield what else there is to know of the trials."""
    from windtunnel.reporting.text import number

    if optimized["failed"]:
        yield f"{number(optimized['failed'], 0)} failed"
    if optimized["resumed"]:
        yield f"{number(optimized['resumed'], 0)} known from the ledger"
    if verdict["earlier"]:
        yield f"{number(verdict['earlier'], 0)} more in earlier runs"
    if optimized["stopped"]:
        yield f"ended early: {optimized['stopped']}"


def _fared(optimized: Mapping[str, Any]) -> Iterator[str]:
    """Yield each objective's mean over the folds, in and out of sample."""
    from windtunnel.engine.metrics import METRICS
    from windtunnel.reporting.text import figure

    known = {metric.name: metric for metric in METRICS}
    for name in optimized["objectives"]:
        metric = known.get(name)
        title, unit = (name, "ratio") if metric is None else (metric.title, metric.unit)
        means = [_mean([fold[side][name] for fold in optimized["folds"]]) for side in ("inside", "outside")]
        inside, outside = (figure(value, unit) for value in means)
        yield f"{title} {inside} in sample, {outside} out of sample on average"


def _mean(values: list[float | None]) -> float:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else math.nan
