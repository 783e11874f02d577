"""Every trial as a line through its parameters: where the good ones lie."""

from __future__ import annotations

import numpy as np

from windtunnel.reporting.charts.chart import (
    BENCHMARK,
    MUTED,
    STRATEGY,
    WARNING,
    Chart,
    Trace,
    layout,
    numbers,
    safe,
)
from windtunnel.reporting.landscape import Landscape, listed, ticks
from windtunnel.reporting.text import number
from windtunnel.values import FloatArray, IntArray

__all__ = ["coordinates"]

_BEST, _OTHERS = 120, 360
"""Most lines that are drawn."""
_AXES = 8
_GATHERED = 0.5
"""The best lie together where they span less of a range than this."""


def coordinates(land: Landscape) -> Chart | str:
    """Draw trials as lines over the most important parameters and the objective, the best tenth in colour.

    Lines are drawn in the unit scale of each range (by logarithm where it is searched so); of many trials
    evenly chosen ones, by their rank.
    """
    known = np.flatnonzero(land.known)
    if len(known) < 3:
        return "Parallel coordinates: fewer than three trials have the objective."
    ranked = known[np.argsort(-land.score[known], kind="stable")]
    best, others = np.split(ranked, [max(1, len(ranked) // 10)])
    axes = sorted(land.ranking[:_AXES])
    heights = np.column_stack([land.shares[:, axes], _risen(land)])
    chosen = np.array([land.optimized.final.chosen])
    count = f"best tenth ({number(len(best), 0)})"
    return Chart(
        id="coordinates",
        title=_where(land, best, axes),
        data=[
            _lines(heights, _evenly(others, _OTHERS), "other trials", BENCHMARK, 0.22),
            _lines(heights, _evenly(best, _BEST), count, STRATEGY, 0.5),
            _lines(heights, chosen, "chosen on all bars", WARNING, 1.0, 3.0),
        ],
        layout=_layout(land, axes),
        height=380,
    )


def _risen(land: Landscape) -> FloatArray:
    """Return the objective from the worst drawn, 0, to the best, 1: the worst twentieth lies at 0."""
    known = land.value[land.known]
    ends = np.quantile(known, [0.05, 1.0] if land.sign() > 0 else [0.0, 0.95])
    return np.asarray(np.clip((land.value - ends[0]) / max(ends[1] - ends[0], 1e-12), 0.0, 1.0))


def _evenly(rows: IntArray, most: int) -> IntArray:
    if len(rows) <= most:
        return rows
    return np.asarray(rows[np.linspace(0, len(rows) - 1, most).astype(np.int64)])


def _lines(
    heights: FloatArray, rows: IntArray, name: str, colour: str, opacity: float, width: float = 1.0
) -> Trace:
    """Return many lines as one trace, with a gap after each."""
    apart = np.column_stack([heights[rows], np.full(len(rows), np.nan)])
    across = [*range(heights.shape[1]), None] * len(rows)
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": across,
        "y": numbers(apart.ravel(), 3),
        "line": {"color": colour, "width": width},
        "opacity": opacity,
        "hoverinfo": "skip",
    }


def _layout(land: Landscape, axes: list[int]) -> Trace:
    names = [safe(land.names[at]) for at in axes] + [safe(land.metric.title).replace(" ", "<br>")]
    marks = [
        _tick(place, share, text)
        for place, at in enumerate(axes)
        for share, text in ticks(land.dimensions[at], 5, ends=True)
    ]
    known = land.value[land.known]
    ends = np.quantile(known, [0.05, 1.0] if land.sign() > 0 else [0.0, 0.95]).tolist()
    marks += [
        _tick(len(axes), share, land.shown(ends[0] + share * (ends[1] - ends[0]))) for share in (0, 0.5, 1)
    ]
    upright = {"type": "line", "y0": 0, "y1": 1, "line": {"color": MUTED, "width": 1}, "layer": "above"}
    return layout(
        xaxis={
            "tickvals": list(range(len(names))),
            "ticktext": names,
            "range": [-0.12, 1.1 * len(names) - 0.9],
            "showgrid": False,
            "zeroline": False,
            "fixedrange": True,
            "automargin": True,
            "tickfont": {"size": 12},
        },
        yaxis={"visible": False, "range": [-0.05, 1.05], "fixedrange": True},
        shapes=[upright | {"x0": place, "x1": place} for place in range(len(names))],
        annotations=marks,
        hovermode=False,
        margin={"l": 12, "r": 12, "t": 36, "b": 28},
    )


def _tick(place: int, share: float, text: str) -> Trace:
    return {
        "x": place,
        "y": share,
        "xanchor": "left",
        "xshift": 4,
        "showarrow": False,
        "text": safe(text),
        "font": {"size": 12, "color": MUTED},
        "bgcolor": "var(--page)",
        "borderpad": 1,
        "opacity": 0.85,
    }


def _where(land: Landscape, best: IntArray, axes: list[int]) -> str:
    """Say in which part of each range the best tenth lies, where it lies together."""
    if len(best) < 5:
        return "Each line is a trial; the best tenth are too few to say where they lie."
    together = []
    for at in axes:
        low, high = np.quantile(land.shares[best, at], [0.1, 0.9]) if land.ordered[at] else (0.0, 1.0)
        if high - low < _GATHERED:
            ends = [land.shares[best, at] >= low, land.shares[best, at] <= high]
            values = [
                land.optimized.trials.parameters[land.paths[at]][row] for row in best[ends[0] & ends[1]]
            ]
            together.append(f"{land.names[at]} {min(values):g} … {max(values):g}")
    if not together:
        return "The best tenth of the trials are spread over the ranges searched."
    return f"Four fifths of the best tenth lie at {listed(together)}."
