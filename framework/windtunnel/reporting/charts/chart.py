"""What a chart is, and the parts that all of them are made of.

Colours are CSS variables of ``style.css``, which the page's script resolves in the reader's colour scheme.
Text from outside is escaped here, since plotly reads tags and entities in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from windtunnel.reporting.series import clock
from windtunnel.reporting.text import stamp

if TYPE_CHECKING:
    from windtunnel.bars import Bars
    from windtunnel.pipeline.result import Result
    from windtunnel.values import FloatArray, IntArray

__all__ = [
    "BENCHMARK",
    "DIVERGING",
    "GRID",
    "INK",
    "MUTED",
    "REGIMES",
    "SEQUENTIAL",
    "SOFT",
    "STRATEGY",
    "WARNING",
    "Chart",
    "Trace",
    "axis",
    "date_axis",
    "dates",
    "holding",
    "layout",
    "line",
    "main_column",
    "numbers",
    "safe",
]

INK, MUTED, GRID, PANEL = "var(--ink)", "var(--muted)", "var(--grid)", "var(--panel)"
STRATEGY, SOFT, BENCHMARK, WARNING = (
    "var(--strategy)",
    "var(--strategy-soft)",
    "var(--benchmark)",
    "var(--warning)",
)
SEQUENTIAL = [[place / 4, f"var(--level-{place})"] for place in range(5)]
DIVERGING = [[place / 4, f"var(--sign-{place})"] for place in range(5)]
REGIMES = tuple(f"var(--regime-{number})" for number in range(8))

Trace: TypeAlias = dict[str, Any]
"""A trace or a piece of layout in plotly's JSON."""


@dataclass(frozen=True)
class Chart:
    """A chart.

    Parameters
    ----------
    id : str
        Of its element; fixed, so that the same result gives the same page.
    title : str
        Says what to see in it.
    data, layout
        In plotly's JSON.
    height : int
        In CSS pixels.
    name : str
        What to choose it by, where it is one of several.
    legend : sequence of (str, str)
        Colour and words, where plotly's own legend would not do.
    """

    id: str
    title: str
    data: Sequence[Trace]
    layout: Trace
    height: int = 300
    name: str = ""
    legend: Sequence[tuple[str, str]] = ()


def safe(text: str) -> str:
    """Escape text from outside for plotly, which would take ``<b>`` for a tag and ``%{`` for a field."""
    return escape(text).replace("%{", "%&#123;")


def numbers(values: Iterable[float], digits: int = 6) -> list[float | None]:
    """Return values for JSON with so many significant digits; NaN and infinity become null."""
    return [float(f"{value:.{digits}g}") if np.isfinite(value) else None for value in values]


def dates(bars: Bars, rows: IntArray | slice = slice(None)) -> list[str]:
    """Return when the chosen bars are stamped, as plotly reads it."""
    return [stamp(time) for time in clock(bars)[rows]]


def holding(result: Result) -> str:
    """Return what the benchmark is called."""
    return "" if result.benchmark is None else f"holding {result.benchmark.name}"


def main_column(result: Result) -> int:
    """Return the column of the symbol that stands for the market: the benchmark's, or else the first."""
    return 0 if result.benchmark is None else result.bars.column(result.benchmark.name)


def axis(title: str, **more: Any) -> Trace:
    """Return an axis with a title that names its unit."""
    named = {"title": {"text": title, "standoff": 8, "font": {"size": 12, "color": MUTED}}} if title else {}
    return {
        **named,
        "tickfont": {"size": 12, "color": MUTED},
        "gridcolor": GRID,
        "zerolinecolor": MUTED,
        "automargin": True,
        **more,
    }


def date_axis(bars: Bars, **more: Any) -> Trace:
    """Return a time axis whose hover names the date, and the time of day where bars are shorter."""
    daily = bars.periods_per_year <= 366
    settings = {"type": "date", "showgrid": False, "hoverformat": "%Y-%m-%d" if daily else "%Y-%m-%d %H:%M"}
    return axis("", **(settings | more))


def layout(**parts: Any) -> Trace:
    """Return a layout in the report's style; ``parts`` are added and win."""
    base = {
        "autosize": True,
        "margin": {"l": 56, "r": 12, "t": 36, "b": 28},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": "system-ui, sans-serif", "size": 13, "color": INK},
        "hovermode": "x unified",
        "hoverlabel": {"bgcolor": PANEL, "bordercolor": GRID, "font": {"size": 13, "color": INK}},
        "legend": {
            "orientation": "h",
            "traceorder": "normal",
            "x": 0,
            "y": 1,
            "xanchor": "left",
            "yanchor": "bottom",
        },
        "modebar": {"bgcolor": "rgba(0,0,0,0)", "color": MUTED, "activecolor": INK},
        "uirevision": "kept",
    }
    return base | parts


def line(
    name: str, x: Sequence[Any], y: FloatArray, colour: str, *, hover: str, width: float = 1.6, **more: Any
) -> Trace:
    """Return a line; ``hover`` is the d3 format of its values, such as ``,.0f`` or ``.1%``."""
    return {
        "type": "scatter",
        "mode": "lines",
        "name": safe(name),
        "x": x,
        "y": numbers(y),
        "line": {"color": colour, "width": width},
        "hovertemplate": f"%{{y:{hover}}}",
        "legendrank": 1 if colour == STRATEGY else 2,
        **more,
    }
