"""The search for parameters: what each trial came to, and what no other trial beats."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from windtunnel.reporting.charts.chart import (
    BENCHMARK,
    STRATEGY,
    WARNING,
    Chart,
    Trace,
    axis,
    layout,
    numbers,
    safe,
)
from windtunnel.reporting.landscape import Landscape
from windtunnel.reporting.text import counted, number
from windtunnel.values import FloatArray, Fold, IntArray

__all__ = ["front", "progress", "value_axis"]

_DOTS = 1_200
_LINES = 30
_FAILED = 200


def value_axis(land: Landscape, title: str = "", place: int = 0, **more: object) -> Trace:
    """Return an axis of an objective in its unit."""
    metric = land.optimized.objectives[place]
    unit = {"tickformat": ".0%"} if metric.unit == "fraction" else {}
    return axis(safe(title or metric.title), zeroline=True, **(unit | more))


def progress(land: Landscape) -> Chart | str:
    """Draw what each trial of the search on all bars came to, with the best so far, and that of each fold."""
    final = land.optimized.final
    values = land.value[final.rows]
    if np.isfinite(values).sum() < 2:
        return "Trials over time: fewer than two trials have the objective."
    best = _best(land, final)
    every = [_best(land, fold) for fold in land.optimized.folds]
    low, high = _extent(values, np.concatenate([best, *every]), land.sign())
    room = 0.01 * len(values)
    ends = [1 - room, len(values) + room]
    traces = [*_of_folds(land), _dots(land, final.rows, values)]
    traces.append(_steps(best, STRATEGY, "best so far, all bars", width=2.5))
    failed = [at for at, row in enumerate(final.rows.tolist()) if land.optimized.trials.problems[row]]
    if failed:
        traces.append(_failed(land, failed, low + 0.03 * (high - low)))
    return Chart(
        id="progress",
        title=_progressed(land, best),
        data=traces,
        layout=layout(
            xaxis=axis("trial", showgrid=False, zeroline=False, tickformat=",", range=ends),
            yaxis=value_axis(land, f"{land.metric.title}, in sample", range=[low, high]),
            hovermode="closest",
            margin={"l": 56, "r": 12, "t": 36, "b": 48},
        ),
        height=320,
    )


def _best(land: Landscape, fold: Fold) -> FloatArray:
    """Return the best so far of a fold's search, by its trials in order."""
    values, sign = land.objective(fold)[fold.rows], land.sign()
    return np.asarray(np.fmax.accumulate(values * sign) * sign)


def _extent(values: FloatArray, best: FloatArray, sign: float) -> tuple[float, float]:
    """Return where the axis begins and ends: without the worst of the failures, but with every best."""
    known = values[np.isfinite(values)]
    worst = float(np.quantile(known, 0.03 if sign > 0 else 0.97))
    top = float(np.nanmax(best) if sign > 0 else np.nanmin(best))
    room = 0.08 * max(abs(top - worst), 1e-9)
    return (worst - room, top + room) if sign > 0 else (top - room, worst + room)


def _steps(best: FloatArray, colour: str, name: str, *, width: float, **more: object) -> Trace:
    """Return the best so far as steps, of which only the changes are drawn."""
    seen = np.flatnonzero(np.isfinite(best))
    changed = seen[np.concatenate(([True], np.diff(best[seen]) != 0))] if len(seen) else seen
    places = np.append(changed, len(best) - 1) if len(changed) else changed
    return {
        "type": "scatter",
        "mode": "lines",
        "name": safe(name),
        "x": (places + 1).tolist(),
        "y": numbers(best[places], 4),
        "line": {"color": colour, "width": width, "shape": "hv"},
        "hovertemplate": "trial %{x:,}: %{y:.3~f}<extra>" + safe(name) + "</extra>",
        **more,
    }


def _of_folds(land: Landscape) -> Iterator[Trace]:
    folds = land.optimized.folds
    step = -(-len(folds) // _LINES) or 1
    for place in range(0, len(folds), step):
        drawn = _steps(_best(land, folds[place]), BENCHMARK, f"fold {place + 1}", width=1)
        legend = {"legendgroup": "folds", "showlegend": place == 0, "opacity": 0.6}
        if place == 0:
            drawn["name"] = "best so far, training bars of each fold"
        yield drawn | legend


def _dots(land: Landscape, rows: IntArray, values: FloatArray) -> Trace:
    drawn = np.flatnonzero(np.isfinite(values))
    drawn = drawn[np.unique(np.linspace(0, len(drawn) - 1, _DOTS).astype(np.int64))]
    return {
        "type": "scatter",
        "mode": "markers",
        "name": "a trial, all bars",
        "x": (drawn + 1).tolist(),
        "y": numbers(values[drawn], 4),
        "text": [safe(land.point(row)) for row in rows[drawn].tolist()],
        "marker": {"size": 4, "color": STRATEGY, "opacity": 0.35},
        "hovertemplate": "trial %{x:,}: %{y:.3~f}<br>%{text}<extra></extra>",
    }


def _failed(land: Landscape, failed: list[int], floor: float) -> Trace:
    shown, rows = failed[:_FAILED], land.optimized.final.rows
    problems = land.optimized.trials.problems
    return {
        "type": "scatter",
        "mode": "markers",
        "name": counted(len(failed), "trial") + " failed",
        "x": [at + 1 for at in shown],
        "y": numbers([floor] * len(shown)),
        "text": [safe(problems[rows[at]][:120]) for at in shown],
        "marker": {"size": 8, "symbol": "x-thin", "line": {"width": 2, "color": WARNING}},
        "hovertemplate": "trial %{x:,} failed: %{text}<extra></extra>",
        "cliponaxis": False,
    }


def _progressed(land: Landscape, best: FloatArray) -> str:
    """Say when the best was found, and what the second half of the search added."""
    count, last = len(best), float(best[-1])
    found = int(np.flatnonzero(best == last)[0]) + 1
    half = float(best[(count - 1) // 2])
    title = f"The best of {counted(count, 'trial')} on all bars, {land.shown(last)}, came at number {found:,}"
    if not np.isfinite(half):
        return f"{title}."
    if half == last:
        return f"{title}; the second half of the search added nothing."
    return f"{title}; half-way it was {land.shown(half)}."


def front(land: Landscape) -> Chart | str:
    """Draw the first two objectives of all trials, those that no other beats, and the chosen one."""
    optimized, final = land.optimized, land.optimized.final
    if len(optimized.objectives) < 2:
        return ""
    across, up = land.objective(final, 0), land.objective(final, 1)
    both = np.flatnonzero(np.isfinite(across) & np.isfinite(up))
    if len(both) < 2:
        return "Pareto front: fewer than two trials have both objectives."
    drawn = both[np.unique(np.linspace(0, len(both) - 1, _DOTS).astype(np.int64))]
    edge = final.front[np.argsort(across[final.front], kind="stable")]
    names = [metric.title for metric in optimized.objectives[:2]]
    more = f" Of {len(optimized.objectives)} objectives two are drawn." if optimized.objectives[2:] else ""
    chosen = np.array([final.chosen])
    return Chart(
        id="front",
        title=f"{counted(len(edge), 'trial')} of {number(len(both), 0)} {'is' if len(edge) == 1 else 'are'} "
        f"beaten by none in all objectives; chosen was {names[0]} {land.shown(float(across[final.chosen]))} "
        f"with {names[1]} {land.shown(float(up[final.chosen]), 1)}.{more}",
        data=[
            _cloud(land, drawn, across, up, "a trial", {"size": 4, "color": BENCHMARK, "opacity": 0.4}),
            _cloud(land, edge, across, up, "beaten by none", {"size": 7, "color": STRATEGY})
            | {"mode": "lines+markers", "line": {"width": 1, "color": STRATEGY}},
            _cloud(land, chosen, across, up, "chosen", _ring()),
        ],
        layout=layout(
            xaxis=value_axis(land, f"{names[0]}, in sample"),
            yaxis=value_axis(land, f"{names[1]}, in sample", 1),
            hovermode="closest",
            margin={"l": 56, "r": 12, "t": 36, "b": 48},
        ),
        height=340,
    )


def _ring() -> Trace:
    return {"symbol": "circle-open", "size": 14, "color": WARNING, "line": {"width": 3}}


def _cloud(
    land: Landscape, rows: IntArray, across: FloatArray, up: FloatArray, name: str, marker: Trace
) -> Trace:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": numbers(across[rows], 4),
        "y": numbers(up[rows], 4),
        "text": [safe(land.point(row)) for row in rows.tolist()],
        "marker": marker,
        "hovertemplate": "%{x:.3~f}, %{y:.3~f}<br>%{text}<extra></extra>",
    }
