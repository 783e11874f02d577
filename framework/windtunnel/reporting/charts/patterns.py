"""Which chart patterns were found: drawn on the price, and how often each type paid."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from windtunnel.reporting.charts.chart import (
    BENCHMARK,
    INK,
    MUTED,
    STRATEGY,
    WARNING,
    Chart,
    Trace,
    axis,
    date_axis,
    dates,
    layout,
    line,
    numbers,
    safe,
)
from windtunnel.reporting.series import decimate
from windtunnel.reporting.text import counted, number, percent

if TYPE_CHECKING:
    from windtunnel.pipeline.result import Result
    from windtunnel.values import FloatArray, IntArray, Patterns

__all__ = ["drawn", "success"]

_SYMBOLS = 6
_BEFORE = 40
"""Bars of the price to show before the first pattern that is drawn."""
_DRAWN = 12
_TYPES = 20
_POINTS = 1_900
_Z = 1.96
_SIDES = {1: ("bullish", STRATEGY), -1: ("bearish", WARNING), 0: ("neutral", MUTED)}


def drawn(result: Result) -> list[Chart] | str:
    """Draw one chart a symbol, of those with most patterns: the latest ones on the price."""
    found = result.decision.patterns
    if found is None:
        return "Patterns: the experiment looks for none."
    if not len(found):
        return "Patterns: none was found."
    counts = np.bincount(found.symbol, minlength=len(result.bars.symbols))
    most = np.sort(np.argsort(-counts, kind="stable")[:_SYMBOLS])
    return [
        _symbol(result, found.take(found.symbol == column), int(column)) for column in most if counts[column]
    ]


def _symbol(result: Result, found: Patterns, column: int) -> Chart:
    bars, name = result.bars, result.bars.symbols[column]
    shown = found.take(np.argsort(found.confirmed, kind="stable")[-_DRAWN:])
    close = bars.close[:, column]
    start = max(0, int(shown.first.min()) - _BEFORE) if len(shown) < len(found) else 0
    rows = decimate([close[start:]], _POINTS) + start
    rows = np.union1d(rows, np.concatenate((shown.first, shown.confirmed)))
    price = line("price", dates(bars, rows), close[rows], BENCHMARK, hover="", width=1.0)
    price["hovertemplate"] = "%{x}<br>close %{y:,.6~g}<extra></extra>"
    outlines = [_outline(result, shown, row, column) for row in range(len(shown))]
    levels = [_levels(result, shown, kind) for kind in ("neckline", "target", "stop")]
    drawn = f"; the latest {len(shown)} are drawn" if len(shown) < len(found) else ""
    logarithmic = np.nanmax(close[start:]) > 3 * np.nanmin(close[start:])
    scale = {"type": "log", "nticks": 7} if logarithmic else {}
    return Chart(
        id=f"patterns-{column}",
        title=f"{counted(len(found), 'pattern')} in {name}{drawn}.",
        data=[price, *_once_in_legend(outlines), *(level for level in levels if level["x"])],
        layout=layout(
            xaxis=date_axis(bars),
            yaxis=axis(f"price{' (log scale)' if logarithmic else ''}", tickformat=",.6~g", **scale),
            hovermode="closest",
        ),
        height=420,
        name=name,
    )


def _outline(result: Result, found: Patterns, row: int, column: int) -> Trace:
    """Trace the close from the first bar of a pattern to the one that confirmed it."""
    bars, close = result.bars, result.bars.close[:, column]
    side, colour = _SIDES[int(found.direction[row])]
    span = np.arange(found.first[row], found.confirmed[row] + 1)
    span = span[np.isfinite(close[span])]
    corners = span[decimate([close[span]], 60)]
    trace = line(side, dates(bars, corners), close[corners], colour, hover="", width=2.6)
    text = _told(found, row)
    return trace | {
        "mode": "lines+markers",
        "text": [text] * len(corners),
        "marker": {"size": [0] * (len(corners) - 1) + [9], "symbol": "star", "color": colour},
        "hovertemplate": "%{x}<br>%{text}<extra></extra>",
        "legendgroup": side,
    }


def _told(found: Patterns, row: int) -> str:
    kind = safe(str(found.type[row]).replace("_", " "))
    side = _SIDES[int(found.direction[row])][0]
    words = [f"{kind}, {side}, confidence {number(found.confidence[row])}"]
    levels = (
        f"{name} {number(getattr(found, name)[row])}"
        for name in ("neckline", "target", "stop")
        if np.isfinite(getattr(found, name)[row])
    )
    words.append(", ".join(levels))
    trials = int(found.trials[row])
    if trials:
        words.append(f"{percent(float(found.success[row]), 0)} of {trials:,} earlier ones paid")
    return "<br>".join(word for word in words if word)


def _once_in_legend(traces: list[Trace]) -> list[Trace]:
    seen: set[str] = set()
    shown = []
    for trace in traces:
        shown.append(trace | {"showlegend": trace["name"] not in seen})
        seen.add(trace["name"])
    return shown


def _levels(result: Result, found: Patterns, kind: str) -> Trace:
    """Draw one level of every pattern as a short line: the neckline over its span, the others after it."""
    last = len(result.bars) - 1
    x: list[str | None] = []
    y: list[float | None] = []
    for row in range(len(found)):
        level, first, confirmed = getattr(found, kind)[row], int(found.first[row]), int(found.confirmed[row])
        if not np.isfinite(level):
            continue
        after = min(last, confirmed + max(5, (confirmed - first) // 2))
        ends = np.array([first, confirmed] if kind == "neckline" else [confirmed, after])
        x += [*dates(result.bars, ends), None]
        y += [*numbers([level, level]), None]
    style = {"neckline": ("solid", INK), "target": ("dot", STRATEGY), "stop": ("dash", WARNING)}[kind]
    return {
        "type": "scatter",
        "mode": "lines",
        "name": kind,
        "x": x,
        "y": y,
        "line": {"dash": style[0], "color": style[1], "width": 1.2},
        "hoverinfo": "skip",
    }


def success(result: Result) -> Chart | str:
    """Draw how often patterns of each type paid, with 95% intervals, from what is known at the last bar."""
    found = result.decision.patterns
    if found is None:
        return "Success of patterns: the experiment looks for none."
    rows = _latest(found)
    if not len(rows):
        return "Success of patterns: no outcome was known of any."
    rows = rows[np.argsort(-found.trials[rows], kind="stable")[:_TYPES]][::-1]
    share, trials = found.success[rows], found.trials[rows]
    middle, half = _wilson(share, trials)
    names = [safe(str(kind).replace("_", " ")) for kind in found.type[rows]]
    best = int(np.argmax(middle - half))
    return Chart(
        id="pattern-success",
        title=(
            f"Of {counted(trials.sum(), 'pattern')} with an outcome {percent(_pooled(share, trials), 0)} "
            f"paid; the surest type is {names[best]}, {percent(float((middle - half)[best]), 0)} or more."
        ),
        data=[
            {
                "type": "scatter",
                "mode": "markers",
                "name": "paid",
                "x": numbers(share),
                "y": names,
                "text": [f"{percent(float(p), 0)} of {int(n):,}" for p, n in zip(share, trials, strict=True)],
                "error_x": {
                    "type": "data",
                    "symmetric": False,
                    "array": numbers(middle + half - share),
                    "arrayminus": numbers(share - middle + half),
                    "color": MUTED,
                },
                "marker": {"color": STRATEGY, "size": 9},
                "hovertemplate": "%{y}: %{text}<extra></extra>",
            }
        ],
        layout=layout(
            xaxis=axis("share that paid, with 95% interval", tickformat=".0%", range=[0, 1]),
            yaxis=axis("", type="category"),
            hovermode="closest",
        ),
        height=110 + 26 * len(rows),
    )


def _latest(found: Patterns) -> IntArray:
    """Return the row of each type that knows most outcomes; none of types without."""
    rows: list[Any] = []
    for kind in np.unique(found.type):
        ours = np.flatnonzero((found.type == kind) & (found.trials > 0))
        if len(ours):
            rows.append(ours[np.argmax(found.trials[ours])])
    return np.array(rows, np.int64)


def _pooled(share: FloatArray, trials: FloatArray) -> float:
    return float((share * trials).sum() / trials.sum())


def _wilson(share: FloatArray, trials: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return middle and half width of the interval of Wilson (1927), JASA 22."""
    scale = 1 + _Z**2 / trials
    middle = (share + _Z**2 / (2 * trials)) / scale
    half = _Z / scale * np.sqrt(share * (1 - share) / trials + _Z**2 / (4 * trials**2))
    return middle, half
