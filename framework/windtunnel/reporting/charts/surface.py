"""The surface of a sweep: a metric over the parameters, around the best of it and as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from windtunnel.pipeline.choice import Choice, metric_of
from windtunnel.pipeline.grid import Dimension, Grid
from windtunnel.reporting.charts.chart import (
    BENCHMARK,
    DIVERGING,
    SEQUENTIAL,
    STRATEGY,
    Chart,
    Trace,
    axis,
    holding,
    layout,
    line,
    numbers,
    safe,
)
from windtunnel.reporting.text import plain

if TYPE_CHECKING:
    from windtunnel.pipeline.result import Result
    from windtunnel.values import FloatArray, IntArray

__all__ = ["standing", "surface"]

_MOST = 400
"""Most values of a parameter that are drawn."""
_AROUND = 5
_SIGNED = ("sharpe", "total_return")
_MARGIN = {"l": 56, "r": 12, "t": 32, "b": 52}
_INK, _PAPER = "#10141a", "#ffffff"


def surface(result: Result) -> list[Chart] | str:
    """Draw the metric over the first two parameters that have neighbours, whole and close up; or over one."""
    if result.sweep is None or result.choice is None:
        return "Sweep: the parameters were given."
    grid, choice = Grid(result.sweep), result.choice
    drawn = [one for one in grid.numeric if choice.parameters[one.name] is not None][:2]
    if not drawn:
        return "Surface: none of what was tried is a range of numbers."
    fixed = [one for one in grid.dimensions if one not in drawn]
    title = f"{standing(choice)} {_drawn(choice, drawn, fixed)}"
    if len(drawn) == 1:
        return [_line(result, drawn[0], _at_best(choice, fixed), title)]
    plane = _Plane.of(result, drawn, _at_best(choice, fixed))
    return [_whole(plane, title), _close_up(plane)]


def standing(choice: Choice) -> str:
    """Say in one sentence what the neighbours make of the best."""
    own, around = choice.shown(choice.value), choice.shown(choice.around)
    return {
        "plateau": f"The best is a plateau: its neighbours average {around} of {own}.",
        "lone spike": f"The best is a lone spike: its neighbours average {around} of {own}.",
        "undecided": f"The neighbours of the best average {around}, it has {own}.",
        "alone": "The best has no neighbours.",
    }[choice.standing]


def _drawn(choice: Choice, drawn: Sequence[Dimension], fixed: Sequence[Dimension]) -> str:
    """Say what is drawn over what."""
    metric = metric_of(choice.metric).title
    held = ", ".join(f"{one.title} at {plain(choice.parameters[one.name])}" for one in fixed)
    ways = f"{drawn[0].title} (across) and {drawn[1].title} (up)" if drawn[1:] else drawn[0].title
    return f"{metric} by {ways}{f', with {held}' if held else ''}."


def _at_best(choice: Choice, fixed: Sequence[Dimension]) -> Any:
    """Return which combinations have the best's values in the dimensions that are not drawn."""
    chosen: Any = slice(None)
    for one in fixed:
        same = one.position == one.position[choice.row]
        chosen = same if isinstance(chosen, slice) else chosen & same
    return chosen


@dataclass(frozen=True, eq=False)
class _Plane:
    """A metric and the trades over two parameters; NaN where there is no legal combination.

    Parameters
    ----------
    choice : Choice
    across, up : Dimension
    metric, trades : array of float64, ``[len(up), len(across)]``
    best : tuple of int
        Column and row of the best.
    """

    choice: Choice
    across: Dimension
    up: Dimension
    metric: FloatArray
    trades: FloatArray
    best: tuple[int, int]

    @classmethod
    def of(cls, result: Result, drawn: Sequence[Dimension], chosen: Any) -> _Plane:
        sweep, choice = result.sweep, result.choice
        if sweep is None or choice is None:
            raise ValueError("there is no sweep")
        across, up = drawn
        columns, rows = across.position[chosen], up.position[chosen]
        shape = (len(up.numbers), len(across.numbers))
        on = (columns < shape[1]) & (rows < shape[0])
        planes = []
        for name in (choice.metric, "trades"):
            plane = np.full(shape, np.nan)
            plane[rows[on], columns[on]] = sweep.metric(name)[chosen][on]
            planes.append(plane)
        best = int(across.position[choice.row]), int(up.position[choice.row])
        return cls(choice, across, up, planes[0], planes[1], best)

    def heatmap(self, columns: IntArray, rows: IntArray, **more: Any) -> Trace:
        """Return a part of it; the colours are those of the whole."""
        unit = metric_of(self.choice.metric).unit
        form = ".1%" if unit == "fraction" else ".2f"
        part = np.ix_(rows, columns)
        return {
            "type": "heatmap",
            "x": _coordinates(self.across, columns),
            "y": _coordinates(self.up, rows),
            "z": [numbers(row, 4) for row in self.metric[part]],
            "customdata": [numbers(row) for row in self.trades[part]],
            "hoverongaps": False,
            "hovertemplate": f"{safe(self.across.title)} %{{x}}, {safe(self.up.title)} %{{y}}<br>"
            f"{metric_of(self.choice.metric).title} %{{z:{form}}}<br>%{{customdata:,}} trades<extra></extra>",
            **self._colours(),
            **more,
        }

    def _colours(self) -> Trace:
        low, high = float(np.nanmin(self.metric)), float(np.nanmax(self.metric))
        colours = SEQUENTIAL
        if self.choice.metric in _SIGNED and low < 0 < high:
            low, high, colours = -max(-low, high), max(-low, high), DIVERGING
        return {"colorscale": colours, "zmin": low, "zmax": max(high, low + 1e-9), "showscale": False}

    def scale(self) -> list[tuple[str, str]]:
        """Return five of the colours, and the metric that each stands for."""
        drawn = self._colours()
        low, high = drawn["zmin"], drawn["zmax"]
        return [(colour, self.choice.shown(low + (high - low) * at)) for at, colour in drawn["colorscale"]]

    def axes(self, columns: IntArray, rows: IntArray) -> Trace:
        """Return both axes."""
        return {
            "xaxis": _axis(self.across, columns, nticks=10, tickangle=0, automargin=False),
            "yaxis": _axis(self.up, rows, nticks=9),
        }

    def outline(self, columns: IntArray, rows: IntArray, reach: int) -> list[Trace]:
        """Return a frame around the best, ``reach`` places each way, dark on light and light on dark."""
        ends = []
        for dimension, drawn, at in zip((self.across, self.up), (columns, rows), self.best, strict=True):
            low, high = (int(np.clip(at + way, drawn[0], drawn[-1])) for way in (-reach, reach))
            ends.append(_edges(dimension, drawn, low, high))
        (left, right), (bottom, top) = ends
        frame = {"type": "rect", "x0": left, "x1": right, "y0": bottom, "y1": top}
        return [
            frame | {"line": {"color": colour, "width": width}}
            for colour, width in ((_INK, 3.5), (_PAPER, 1.5))
        ]

    def mark(self) -> Trace:
        """Return a dot at the best, light within dark."""
        return {
            "type": "scatter",
            "mode": "markers",
            "x": _coordinates(self.across, np.array([self.best[0]])),
            "y": _coordinates(self.up, np.array([self.best[1]])),
            "marker": {"symbol": "circle", "size": 8, "color": _PAPER, "line": {"color": _INK, "width": 2}},
            "hoverinfo": "skip",
            "showlegend": False,
        }


def _whole(plane: _Plane, title: str) -> Chart:
    height, width = plane.metric.shape
    columns, rows = _thinned(width, plane.best[0]), _thinned(height, plane.best[1])
    return Chart(
        id="surface",
        title=title,
        data=[plane.heatmap(columns, rows), plane.mark()],
        layout=layout(
            **plane.axes(columns, rows),
            shapes=plane.outline(columns, rows, _AROUND),
            hovermode="closest",
            margin=_MARGIN,
        ),
        height=400,
        legend=plane.scale(),
    )


def _close_up(plane: _Plane) -> Chart:
    height, width = plane.metric.shape
    columns, rows = (
        np.arange(max(0, at - _AROUND), min(length, at + _AROUND + 1))
        for at, length in zip(plane.best, (width, height), strict=True)
    )
    form = ".0%" if metric_of(plane.choice.metric).unit == "fraction" else ".2f"
    text = {"texttemplate": f"%{{z:{form}}}", "textfont": {"size": 12}, "xgap": 1, "ygap": 1}
    across, up = (plane.choice.parameters[one.name] for one in (plane.across, plane.up))
    where = f"{plane.across.title} {plain(across)}, {plane.up.title} {plain(up)}"
    return Chart(
        id="surface-close",
        title=f"Close up: five steps around {where}, in the same colours.",
        data=[plane.heatmap(columns, rows, **text)],
        layout=layout(
            **plane.axes(columns, rows),
            shapes=[*plane.outline(columns, rows, 1), *plane.outline(columns, rows, 0)],
            hovermode="closest",
            margin=_MARGIN,
        ),
        height=400,
    )


def _line(result: Result, dimension: Dimension, chosen: Any, title: str) -> Chart:
    sweep, choice = result.sweep, result.choice
    if sweep is None or choice is None:
        raise ValueError("there is no sweep")
    places = dimension.position[chosen]
    on = places < len(dimension.numbers)
    values = np.full(len(dimension.numbers), np.nan)
    values[places[on]] = sweep.metric(choice.metric)[chosen][on]
    best = int(dimension.position[choice.row])
    drawn = _thinned(len(values), best)
    metric = metric_of(choice.metric)
    hover = ".1%" if metric.unit == "fraction" else ".2f"
    x = _coordinates(dimension, drawn)
    traces = [line(metric.title, x, values[drawn], STRATEGY, hover=hover)]
    if len(drawn) <= 60:
        traces[0] |= {"mode": "lines+markers"}
    if result.benchmark is not None and choice.metric != "win_rate":
        held = np.full(2, result.benchmark.metrics[choice.metric])
        traces.append(line(holding(result), [x[0], x[-1]], held, BENCHMARK, hover=hover))
    best_mark = {"symbol": "circle-open", "size": 14, "color": STRATEGY, "line": {"width": 3}}
    traces.append(
        {
            "type": "scatter",
            "mode": "markers",
            "name": f"best: {dimension.title} {plain(choice.parameters[dimension.name])}",
            "x": _coordinates(dimension, np.array([best])),
            "y": [choice.value],
            "marker": best_mark,
            "hoverinfo": "skip",
        }
    )
    form = {"tickformat": ".0%"} if metric.unit == "fraction" else {}
    axes = {"xaxis": _axis(dimension, drawn), "yaxis": axis(metric.title, **form)}
    return Chart(id="surface", title=title, data=traces, layout=layout(**axes), height=320)


def _thinned(length: int, keep: int) -> IntArray:
    """Return the places to draw: each, or every so many with ``keep`` among them."""
    step = -(-length // _MOST)
    return np.arange(keep % step, length, step)


def _even(dimension: Dimension) -> bool:
    """Whether values stand at even distances, so that a scale can be drawn."""
    steps = np.diff(np.array(dimension.numbers, np.float64))
    return bool(np.allclose(steps, steps[0], rtol=1e-6, atol=0.0))


def _coordinates(dimension: Dimension, places: IntArray) -> list[Any]:
    values = [dimension.numbers[place] for place in places]
    return values if _even(dimension) else [plain(value) for value in values]


def _edges(dimension: Dimension, drawn: IntArray, low: int, high: int) -> tuple[float, float]:
    """Return where the cells of two places begin and end on the axis."""
    if not _even(dimension):
        first, last = (int(np.searchsorted(drawn, place)) for place in (low, high))
        return first - 0.5, last + 0.5
    half = (dimension.numbers[1] - dimension.numbers[0]) / 2
    return dimension.numbers[low] - half, dimension.numbers[high] + half


def _axis(dimension: Dimension, drawn: IntArray, **more: Any) -> Trace:
    step = int(drawn[1] - drawn[0]) if len(drawn) > 1 else 1
    title = dimension.title + (f" (one in {step} drawn)" if step > 1 else "")
    kind = {} if _even(dimension) else {"type": "category"}
    drawn_axis = axis(safe(title), showgrid=False, zeroline=False, **kind, **more)
    drawn_axis["title"]["standoff"] = 16
    return drawn_axis
