"""What stands around the chosen point, over the two parameters that matter most, or the only one."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from windtunnel.reporting.charts.chart import (
    BENCHMARK,
    DIVERGING,
    SEQUENTIAL,
    STRATEGY,
    WARNING,
    Chart,
    Trace,
    axis,
    layout,
    numbers,
    safe,
)
from windtunnel.reporting.charts.search import value_axis
from windtunnel.reporting.landscape import Landscape, brief, named, ticks
from windtunnel.reporting.neighbours import Neighbours
from windtunnel.values import FloatArray, IntArray

__all__ = ["neighbourhood"]

_FEWEST, _MOST = 4, 20
"""Cells across a range whose values are too many for a cell each."""
_FINEST = 80
_DOTS = 800
_INK, _PAPER = "#10141a", "#ffffff"


def neighbourhood(near: Neighbours) -> Chart | str:
    """Draw the mean objective of the trials in each cell, the chosen point, and how far neighbours reach."""
    land = near.landscape
    if not land.known.any() or np.isnan(near.own):
        return "Neighbourhood: the chosen point does not have the objective."
    varied = [at for at in land.ranking if len(np.unique(land.shares[land.known, at])) > 1]
    if len(varied) < 2:
        return _line(near, *varied or [0])
    across, up = sorted(varied[:2])
    plane = _Plane(near, across, up)
    others = len(varied) - 2
    whatever = f", whatever the other {'one is' if others == 1 else f'{others} are'}" if others else ""
    return Chart(
        id="neighbourhood",
        title=f"{near.sentence} {land.metric.title} by {land.names[across]} (across) and "
        f"{land.names[up]} (up), mean of the trials in each cell{whatever}.",
        data=[plane.heatmap(), plane.mark()],
        layout=layout(
            xaxis=_axis(land, across) | {"range": plane.ends(0)},
            yaxis=_axis(land, up) | {"range": plane.ends(1)},
            shapes=plane.frame(),
            hovermode="closest",
            margin={"l": 56, "r": 12, "t": 32, "b": 52},
        ),
        height=400,
        legend=plane.scale(),
    )


def _axis(land: Landscape, place: int) -> Trace:
    marks = ticks(land.dimensions[place], 8)
    return axis(
        safe(land.names[place]),
        tickvals=[share for share, _ in marks],
        ticktext=[safe(text) for _, text in marks],
        showgrid=False,
        zeroline=False,
    )


def _cells(land: Landscape, place: int, *, fine: bool) -> FloatArray:
    """Return where cells begin and end along a parameter, in shares: one for each value, or even ones."""
    shares = land.shares[land.known, place]
    values = np.unique(shares[np.isfinite(shares)])
    most = int(np.clip(round(np.sqrt(len(shares))), _FEWEST, _MOST))
    if len(values) == 1:
        return np.array([values[0] - 0.5, values[0] + 0.5])
    if len(values) <= (_FINEST if fine else most // 2 + 2):
        inner = (values[1:] + values[:-1]) / 2
        return np.concatenate(([2 * values[0] - inner[0]], inner, [2 * values[-1] - inner[-1]]))
    return np.linspace(min(0.0, values[0]), max(1.0, values[-1]), most + 1)


@dataclass(frozen=True, eq=False)
class _Plane:
    """The mean objective over two parameters."""

    near: Neighbours
    across: int
    up: int

    @cached_property
    def cells(self) -> tuple[FloatArray, FloatArray]:
        """Ends of the cells across and up, in shares of the ranges searched."""
        land, places = self.near.landscape, [self.across, self.up]
        counts = [len(np.unique(land.shares[land.known, place])) for place in places]
        fine = counts[0] * counts[1] <= 2 * int(land.known.sum())
        across, up = (_cells(land, place, fine=fine) for place in places)
        return across, up

    @cached_property
    def means(self) -> tuple[FloatArray, FloatArray]:
        """Mean objective and number of trials of each cell, ``[up, across]``; NaN where there are none."""
        land = self.near.landscape
        shares = land.shares[:, [self.across, self.up]]
        rows = land.known & np.isfinite(shares).all(axis=1)
        x, y = shares[rows].T
        edges = [self.cells[1], self.cells[0]]
        counts = np.histogram2d(y, x, edges)[0]
        totals = np.histogram2d(y, x, edges, weights=land.value[rows])[0]
        with np.errstate(invalid="ignore"):
            return totals / counts, counts

    def ends(self, side: int) -> list[float]:
        """Return where the cells begin and end, across (0) or up (1)."""
        return [float(self.cells[side][0]), float(self.cells[side][-1])]

    def _colours(self) -> tuple[list[list[object]], float, float]:
        means = self.means[0]
        low, high = float(np.nanmin(means)), float(np.nanmax(means))
        if low < 0 < high:
            return DIVERGING, -max(-low, high), max(-low, high)
        return SEQUENTIAL, low, max(high, low + 1e-9)

    def heatmap(self) -> Trace:
        """Return the cells; hover names the middle of each."""
        land, (means, counts) = self.near.landscape, self.means
        colours, low, high = self._colours()
        form = ".1%" if land.metric.unit == "fraction" else ".2f"
        return {
            "type": "heatmap",
            "x": numbers(self.cells[0]),
            "y": numbers(self.cells[1]),
            "z": [numbers(row, 4) for row in means],
            "hovertext": self._words(),
            "customdata": counts.astype(np.int64).tolist(),
            "colorscale": colours,
            "zmin": low,
            "zmax": high,
            "showscale": False,
            "hoverongaps": False,
            "hovertemplate": f"%{{hovertext}}<br>{safe(land.metric.title)} %{{z:{form}}}, mean of "
            "%{customdata:,}<extra></extra>",
        }

    def _words(self) -> list[list[str]]:
        """Return what lies in the middle of each cell."""
        land, sides = self.near.landscape, []
        for place, edges in zip((self.across, self.up), self.cells, strict=True):
            middle = np.clip((edges[1:] + edges[:-1]) / 2, 0.0, 1.0).tolist()
            name, one = land.names[place], land.dimensions[place]
            sides.append([safe(f"{name} {named(one, share)}") for share in middle])
        return [[f"{x}, {y}" for x in sides[0]] for y in sides[1]]

    def scale(self) -> list[tuple[str, str]]:
        """Return five of the colours, and what each stands for."""
        colours, low, high = self._colours()
        shown = self.near.landscape.shown
        return [(str(colour), shown(low + (high - low) * float(str(at)))) for at, colour in colours]

    def frame(self) -> list[Trace]:
        """Return a frame around the cells of the chosen point and its neighbours, dark and light."""
        rows = np.append(self.near.rows, self.near.chosen)
        ends = []
        for place, edges in zip((self.across, self.up), self.cells, strict=True):
            shares = self.near.landscape.shares[rows, place]
            low, high = np.nanmin(shares), np.nanmax(shares)
            first = int(np.clip(np.searchsorted(edges, low, "right") - 1, 0, len(edges) - 2))
            last = int(np.clip(np.searchsorted(edges, high, "right"), 1, len(edges) - 1))
            ends += [float(edges[first]), float(edges[last])]
        box = dict(zip(("x0", "x1", "y0", "y1"), ends, strict=True)) | {"type": "rect"}
        return [
            box | {"line": {"color": colour, "width": width}}
            for colour, width in ((_INK, 3.5), (_PAPER, 1.5))
        ]

    def mark(self) -> Trace:
        """Return a dot at the chosen point, light within dark."""
        land, row = self.near.landscape, self.near.chosen
        return {
            "type": "scatter",
            "mode": "markers",
            "x": numbers([land.shares[row, self.across]]),
            "y": numbers([land.shares[row, self.up]]),
            "marker": {"symbol": "circle", "size": 9, "color": _PAPER, "line": {"color": _INK, "width": 2}},
            "cliponaxis": False,
            "hovertemplate": f"chosen: {land.shown(self.near.own)}<extra></extra>",
            "showlegend": False,
        }


def _line(near: Neighbours, place: int) -> Chart:
    """Draw the objective over the only parameter that was varied, a dot a trial."""
    land = near.landscape
    rows = np.flatnonzero(land.known & np.isfinite(land.shares[:, place]))
    rows = rows[np.argsort(land.shares[rows, place], kind="stable")]
    drawn = rows[np.unique(np.linspace(0, len(rows) - 1, _DOTS).astype(np.int64))]
    joined = {"mode": "lines+markers", "line": {"width": 1, "color": BENCHMARK}}
    return Chart(
        id="neighbourhood",
        title=f"{near.sentence} {land.metric.title} by {land.names[place]}, in sample.",
        data=[
            _dots(land, place, drawn, "a trial", {"size": 5, "color": BENCHMARK})
            | (joined if land.ordered[place] else {}),
            _dots(land, place, near.rows, "its neighbours", {"size": 7, "color": STRATEGY}),
            _dots(
                land,
                place,
                np.array([near.chosen]),
                "chosen",
                {"symbol": "circle-open", "size": 14, "color": WARNING, "line": {"width": 3}},
            ),
        ],
        layout=layout(
            xaxis=_axis(land, place),
            yaxis=value_axis(land),
            hovermode="closest",
            margin={"l": 56, "r": 12, "t": 36, "b": 52},
        ),
        height=320,
    )


def _dots(land: Landscape, place: int, rows: IntArray, name: str, marker: Trace) -> Trace:
    given = land.optimized.trials.parameters[land.paths[place]]
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": numbers(land.shares[rows, place]),
        "y": numbers(land.value[rows], 4),
        "text": [safe(brief(given[row])) for row in rows.tolist()],
        "marker": marker,
        "hovertemplate": f"{safe(land.names[place])} %{{text}}: %{{y:.3~f}}<extra></extra>",
    }
