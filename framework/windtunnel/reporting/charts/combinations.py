"""All combinations of a sweep: how the metric is spread over them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from windtunnel.pipeline.choice import metric_of
from windtunnel.reporting.charts.chart import (
    INK,
    STRATEGY,
    WARNING,
    Chart,
    Trace,
    axis,
    holding,
    layout,
    safe,
)
from windtunnel.reporting.text import percent

if TYPE_CHECKING:
    from windtunnel.pipeline.result import Result

__all__ = ["spread"]

_FEWEST, _MOST = 10, 60
"""Bins."""


def spread(result: Result) -> Chart | str:
    """Draw the histogram of the metric, with the best and the benchmark marked."""
    sweep, choice = result.sweep, result.choice
    if sweep is None or choice is None:
        return ""
    values = sweep.metric(choice.metric)
    known = values[~np.isnan(values)]
    if len(known) < 10:
        return "Spread: fewer than ten combinations have the metric."
    metric = metric_of(choice.metric)
    marks = [(choice.value, f"best {choice.shown(choice.value)}", WARNING)]
    title = f"Half of all combinations are below {choice.shown(float(np.median(known)))}"
    if result.benchmark is not None and choice.metric != "win_rate":
        held = result.benchmark.metrics[choice.metric]
        if not np.isnan(held):
            marks.append((held, f"{holding(result)} {choice.shown(held)}", INK))
            ahead = percent(float((known > held).mean()), 0)
            title += f"; {ahead} are above {holding(result)}"
    every = np.array([*known, *(value for value, _, _ in marks)])
    edges = _edges(every)
    fraction = metric.unit == "fraction"
    return Chart(
        id="spread",
        title=f"{title}; the best has {choice.shown(choice.value)}.",
        data=[_bars(known, edges, fraction=fraction)],
        layout=layout(
            xaxis=axis(metric.title, showgrid=False, **({"tickformat": ".0%"} if fraction else {})),
            yaxis=axis("combinations", tickformat=","),
            bargap=0.04,
            hovermode="closest",
            shapes=[_upright(value, colour) for value, _, colour in marks],
            annotations=[_label(*mark, edges, level) for level, mark in enumerate(marks)],
            margin={"l": 56, "r": 12, "t": 48, "b": 28},
        ),
        height=280,
    )


def _edges(values: np.ndarray) -> np.ndarray:
    if not np.ptp(values) > 0:
        return np.array([values[0] - 0.5, values[0] + 0.5])
    bins = int(np.clip(2 * np.sqrt(len(values)), _FEWEST, _MOST))
    return np.linspace(values.min(), values.max(), bins + 1)


def _bars(values: np.ndarray, edges: np.ndarray, *, fraction: bool) -> Trace:
    counts = np.histogram(values, edges)[0]
    middle = (edges[1:] + edges[:-1]) / 2
    form = ".1%" if fraction else ".2f"
    return {
        "type": "bar",
        "x": middle.tolist(),
        "y": counts.tolist(),
        "marker": {"color": STRATEGY},
        "hovertemplate": f"around %{{x:{form}}}: %{{y:,}} combinations<extra></extra>",
        "showlegend": False,
    }


def _upright(value: float, colour: str) -> Trace:
    at = {"x0": value, "x1": value, "y0": 0, "y1": 1, "yref": "paper"}
    return {"type": "line", **at, "line": {"color": colour, "width": 2}}


def _label(value: float, text: str, colour: str, edges: np.ndarray, level: int) -> Trace:
    """Return the words at the top of a mark, on the side that has room."""
    right = value < (edges[0] + edges[-1]) / 2
    return {
        "x": value,
        "y": 1,
        "yref": "paper",
        "yanchor": "bottom",
        "xanchor": "left" if right else "right",
        "yshift": 18 * level,
        "showarrow": False,
        "text": safe(text),
        "font": {"size": 13, "color": colour},
    }
