"""Which parameters matter."""

from __future__ import annotations

import numpy as np

from windtunnel.reporting.charts.chart import BENCHMARK, STRATEGY, Chart, Trace, axis, layout, numbers, safe
from windtunnel.reporting.landscape import Landscape, listed
from windtunnel.reporting.text import percent

__all__ = ["importance"]

_MOST = 12
_LITTLE = 0.05


def importance(land: Landscape) -> Chart | str:
    """Draw the share of the differences between trials that each parameter explains alone."""
    explained = land.importance
    if sum(len(np.unique(column)) > 1 for column in land.shares[land.known].T) < 2:
        return "Importance: one parameter was varied."
    if np.isnan(explained).all():
        return "Importance: too few trials, or all alike, to say which parameter matters."
    shown = [at for at in land.ranking[:_MOST] if not np.isnan(explained[at])]
    rest = max(0.0, 1.0 - float(np.nansum(explained)))
    rows = [(land.names[at], float(explained[at]), STRATEGY) for at in shown]
    rows.append(("together, or noise", rest, BENCHMARK))
    return Chart(
        id="importance",
        title=_title(rows),
        data=[_bars(rows[::-1])],
        layout=layout(
            xaxis=axis("share of the differences explained", tickformat=".0%", nticks=6)
            | {"range": [0, max(value for _, value, _ in rows) * 1.18 + 1e-9]},
            yaxis=axis("", showgrid=False, type="category", ticksuffix=" "),
            hovermode="closest",
            bargap=0.3,
            margin={"l": 56, "r": 12, "t": 12, "b": 48},
        ),
        height=90 + 34 * len(rows),
    )


def _bars(rows: list[tuple[str, float, str]]) -> Trace:
    return {
        "type": "bar",
        "orientation": "h",
        "y": [safe(name) for name, _, _ in rows],
        "x": numbers([value for _, value, _ in rows], 4),
        "text": [percent(value, 0) for _, value, _ in rows],
        "textposition": "outside",
        "cliponaxis": False,
        "marker": {"color": [colour for *_, colour in rows]},
        "hovertemplate": "%{y}: %{x:.1%}<extra></extra>",
        "showlegend": False,
    }


def _title(rows: list[tuple[str, float, str]]) -> str:
    name, most, _ = rows[0]
    if most < _LITTLE:
        return "No parameter alone makes much of a difference between the trials."
    little = [other for other, value, _ in rows[1:-1] if value < _LITTLE]
    text = f"{name} matters most: alone it explains {percent(most, 0)} of the differences between trials"
    if not little:
        return f"{text}."
    others = little if len(little) < 4 else [*little[:2], f"{len(little) - 2} more"]
    return f"{text}; {listed(others)} hardly any."
