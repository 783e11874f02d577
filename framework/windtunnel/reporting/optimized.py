"""How parameters were searched for, chosen and judged: in words, as tables, and for a run's manifest."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from windtunnel.reporting.landscape import Landscape, brief, listed
from windtunnel.reporting.neighbours import Neighbours
from windtunnel.reporting.series import clock
from windtunnel.reporting.tables import Cell, table
from windtunnel.reporting.text import NOTHING, counted, number, percent, stamp

if TYPE_CHECKING:
    from windtunnel.pipeline.result import Result
    from windtunnel.values import Bounds, FloatArray, Fold, Optimized, TimeArray

__all__ = ["changes", "described", "failures", "folds_table", "judged_from", "tried"]

_REASONS = 10
_COLUMNS = 6
"""Most parameters that get a column each."""


def described(optimized: Optimized, time: TimeArray) -> dict[str, Any]:
    """Return what a manifest says of an optimisation, as JSON; None where a figure is not defined.

    Parameters
    ----------
    optimized : Optimized
    time : array of datetime64, ``[T]``
        When each bar of the data is stamped, in the clock of its exchange.

    Returns
    -------
    dict
        ``optimizer``, ``scheme``, ``objectives`` (names), ``parameters`` (dotted paths), ``trials``,
        ``failed``, ``resumed``, ``stopped``, ``seconds`` (by what took them), ``first`` (the first moment
        that is judged), ``chosen`` (on all bars, by the paths that ``--set`` takes), ``inside`` (its
        objectives), ``folds`` (each with ``train``, ``test``, ``chosen``, ``inside`` and ``outside``),
        ``paths``, ``importance`` (by path), ``neighbours`` (how many), ``neighbours_mean``, ``standing``,
        ``edges``, ``sentence`` (on the neighbours) and ``facts``.
    """
    land = Landscape(optimized)
    near = Neighbours(land)
    names = [metric.name for metric in optimized.objectives]
    return {
        "optimizer": optimized.optimizer,
        "scheme": optimized.scheme,
        "objectives": names,
        "parameters": list(land.paths),
        "trials": len(optimized.trials),
        "failed": optimized.failed,
        "resumed": optimized.resumed,
        "stopped": optimized.stopped,
        "seconds": dict(optimized.seconds),
        "first": stamp(time[optimized.first]),
        "chosen": _chosen(optimized, optimized.final),
        "inside": _figures(names, optimized.final.inside),
        "folds": [
            {
                "train": _spans(fold.split.train, time),
                "test": _spans(fold.split.test, time),
                "chosen": _chosen(optimized, fold),
                "inside": _figures(names, fold.inside),
                "outside": _figures(names, fold.outside),
            }
            for fold in optimized.folds
        ],
        "paths": [_finite(value) for value in optimized.paths.tolist()],
        "importance": _figures(land.paths, land.importance),
        "neighbours": len(near.rows),
        "neighbours_mean": _finite(near.around),
        "standing": near.standing,
        "edges": list(near.edges),
        "sentence": near.sentence,
        "facts": dict(optimized.facts),
    }


def _chosen(optimized: Optimized, fold: Fold) -> dict[str, Any]:
    return {path: _json(value) for path, value in optimized.trials.point(fold.chosen).items()}


def _json(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, list | tuple):
        return [_json(item) for item in value]
    return value if isinstance(value, bool | int | float | str | None) else str(value)


def _figures(names: Sequence[str], values: FloatArray) -> dict[str, float | None]:
    return {name: _finite(value) for name, value in zip(names, values.tolist(), strict=True)}


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _spans(stretches: Sequence[Bounds], time: TimeArray) -> list[list[str]]:
    """Return first and last moment of each stretch."""
    return [[stamp(time[first]), stamp(time[stop - 1])] for first, stop in _merged(stretches)]


def _merged(stretches: Sequence[Bounds]) -> Iterator[Bounds]:
    """Yield stretches with those that touch each other as one."""
    begin, end = stretches[0]
    for first, stop in stretches[1:]:
        if first > end:
            yield begin, end
            begin = first
        end = stop
    yield begin, end


def tried(land: Landscape) -> str:
    """Say what was tried and how, where the parameters were chosen and where they were judged."""
    optimized = land.optimized
    count = counted(len(optimized.trials), "parameter set")
    said = [f"{count} of {listed(land.names)} by {optimized.optimizer}"]
    left_out = optimized.facts.get("left_out", 0)
    if left_out:
        said.append(f"{number(left_out, 0)} more were left out, as rules between parameters forbid them")
    if optimized.failed:
        said.append(f"{number(optimized.failed, 0)} could not be tried")
    if optimized.resumed:
        said.append(f"{number(optimized.resumed, 0)} were known from the ledger")
    if optimized.stopped:
        said.append(f"the search ended early: {optimized.stopped}")
    goals = listed([metric.title for metric in optimized.objectives])
    folds = len(optimized.folds)
    scheme = optimized.scheme.replace("_", " ")
    judged = (
        f"Each of {counted(folds, 'fold')} ({scheme}) chose by {goals} on its training bars alone; what the "
        "choices earned on the bars that judge them, joined, is the result above."
        if folds > 1
        else f"They were chosen by {goals} on the training bars alone ({scheme}); what the choice earned on "
        "the bars that it had not seen is the result above."
        if folds
        else f"They were chosen by {goals} on the very bars that they are judged by, which flatters them."
    )
    now = land.point(optimized.final.chosen)
    return f"{'; '.join(said)}. {judged} Chosen on all bars, for the time to come: {now}."


def judged_from(result: Result) -> list[str]:
    """Return what to call each fold: the day with which its judged bars begin, or its number.

    Its number where several folds judge the same bars.
    """
    optimized = result.optimized
    if optimized is None:
        return []
    starts = [min(first for first, _ in fold.split.test) for fold in optimized.folds]
    if len(set(starts)) < len(starts):
        return [f"fold {place + 1}" for place in range(len(starts))]
    time = clock(result.bars)
    return [stamp(time[start - optimized.first]) for start in starts]


def changes(optimized: Optimized) -> list[int]:
    """Return the bars of the result at which its parameters changed, in order.

    Where several folds judge the same bars, the result is the way through them with the median Sharpe ratio,
    the lower of two.
    """
    judges: dict[Bounds, list[int]] = {}
    for fold in optimized.folds:
        for bounds in fold.split.test:
            judges.setdefault(bounds, []).append(fold.chosen)
    ways = np.argsort(np.nan_to_num(optimized.paths, nan=-np.inf), kind="stable")
    way = int(ways[(len(ways) - 1) // 2]) if len(ways) else 0
    followed = [(bounds[0], chosen[min(way, len(chosen) - 1)]) for bounds, chosen in sorted(judges.items())]
    return [start - optimized.first for (_, old), (start, new) in pairwise(followed) if old != new]


def folds_table(result: Result) -> str:
    """Return the table of folds: when they learn and are judged, what they chose, what it came to."""
    optimized = result.optimized
    if optimized is None:
        return ""
    land = Landscape(optimized)
    names = list(land.names) if len(land.names) <= _COLUMNS else ["parameters"]
    heads = ["fold", "learns from", "is judged by", *names]
    for metric in optimized.objectives:
        heads += [f"{metric.title} in sample", "out of sample"]
    folds = [*optimized.folds, optimized.final]
    rows = []
    for place, fold in enumerate(folds):
        final = fold is optimized.final
        train, test = _when(result, place)
        cells = [Cell("now" if final else number(place + 1, 0), math.nan if final else place + 1.0)]
        cells += [Cell("all bars" if final else train), Cell(test)]
        cells += _values(land, fold.chosen)
        for at in range(len(optimized.objectives)):
            for values in (fold.inside, fold.outside):
                cells.append(Cell(land.shown(float(values[at]), at), float(values[at])))
        rows.append(cells)
    return table("", heads, rows, label="Folds")


def _values(land: Landscape, row: int) -> list[Cell]:
    values = list(land.optimized.trials.point(row).values())
    if len(values) > _COLUMNS:
        return [Cell(land.point(row))]
    cells = []
    for value, ordered in zip(values, land.ordered, strict=True):
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        key = (float(value) if is_number else math.nan) if ordered else None
        cells.append(Cell(brief(value), key))
    return cells


def _when(result: Result, place: int) -> tuple[str, str]:
    """Return when a fold learns and is judged, as the manifest has it, or as far as the bars tell."""
    optimized = result.optimized
    if optimized is None or place >= len(optimized.folds):
        return "", NOTHING
    told = result.manifest.get("optimized")
    if told is not None:
        spans = [told["folds"][place][side] for side in ("train", "test")]
    else:
        split, time = optimized.folds[place].split, clock(result.bars)
        spans = [
            [
                [_moment(bar - optimized.first, bar, time) for bar in (first, stop - 1)]
                for first, stop in _merged(side)
            ]
            for side in (split.train, split.test)
        ]
    train, test = (_in_words(side) for side in spans)
    return train, test


def _in_words(spans: Sequence[Sequence[str]]) -> str:
    words = [f"{first} … {last}" for first, last in spans]
    if len(words) <= 2:
        return " and ".join(words)
    return f"{len(words)} stretches, {spans[0][0]} … {spans[-1][1]}"


def _moment(at: int, bar: int, time: TimeArray) -> str:
    return stamp(time[at]) if 0 <= at < len(time) else f"bar {bar:,}"


def failures(land: Landscape) -> str:
    """Return the first trials that could not be tried, and why; empty where there are none."""
    trials = land.optimized.trials
    failed = [row for row, problem in enumerate(trials.problems) if problem]
    if not failed:
        return ""
    rows = [
        [
            Cell(number(row + 1, 0), row + 1.0),
            Cell(land.point(row)),
            Cell(trials.problems[row][:300]),
        ]
        for row in failed[:_REASONS]
    ]
    said = counted(len(failed), "trial") + " could not be tried"
    said += f", the first {_REASONS}" if len(failed) > _REASONS else ""
    share = percent(len(failed) / len(trials), 0)
    grid = table("", ("trial", "parameters", "why"), rows, label="Failed trials")
    return f"<details><summary>{said} ({share} of all)</summary>{grid}</details>"
