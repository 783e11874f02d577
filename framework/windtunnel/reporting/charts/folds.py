"""What became of the choices of each fold: out of sample, and from fold to fold."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from windtunnel.reporting.charts.chart import (
    BENCHMARK,
    GRID,
    MUTED,
    STRATEGY,
    WARNING,
    Chart,
    Trace,
    axis,
    layout,
    numbers,
    safe,
)
from windtunnel.reporting.landscape import Landscape, brief, ticks
from windtunnel.reporting.text import counted, number, percent
from windtunnel.values import FloatArray

__all__ = ["kept_promise", "paths", "stability"]

_DOTS = 1_500
_PARAMETERS = 8
_TELLS = 0.3
"""From this rank correlation on, what did well in sample tended to do well out of sample."""


def kept_promise(land: Landscape, periods_per_year: float) -> Chart | str:
    """Draw the Sharpe ratio of trials in each fold: on its training bars across, on its judged bars up."""
    optimized = land.optimized
    if not optimized.folds:
        return "In against out of sample: there is no validation."
    inside = np.stack([land.sharpe(fold.split.train, periods_per_year) for fold in optimized.folds])
    outside = np.stack([land.sharpe(fold.split.test, periods_per_year) for fold in optimized.folds])
    both = np.isfinite(inside) & np.isfinite(outside)
    if both.sum() < 2:
        return "In against out of sample: the trials' returns do not vary."
    across, up = inside[both], outside[both]
    fold = np.nonzero(both)[0]
    drawn = np.unique(np.linspace(0, len(across) - 1, _DOTS).astype(np.int64))
    chosen = np.array([one.chosen for one in optimized.folds])
    each = np.arange(len(chosen))
    ours = inside[each, chosen], outside[each, chosen]
    ends = [float(max(across.min(), up.min())), float(min(across.max(), up.max()))]
    return Chart(
        id="promise",
        title=_promised(inside, outside, *ours),
        data=[
            _cloud(across[drawn], up[drawn], fold[drawn], "a trial in a fold", BENCHMARK, 4, 0.35),
            _cloud(*ours, each, "chosen in its fold", STRATEGY, 10, 1.0),
        ],
        layout=layout(
            xaxis=axis("Sharpe ratio, in sample", zeroline=True),
            yaxis=axis("Sharpe ratio, out of sample", zeroline=True),
            shapes=[_diagonal(ends)] if ends[0] < ends[1] else [],
            hovermode="closest",
            margin={"l": 56, "r": 12, "t": 36, "b": 48},
        ),
        height=360,
    )


def _cloud(
    across: FloatArray, up: FloatArray, fold: np.ndarray, name: str, colour: str, size: int, opacity: float
) -> Trace:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": numbers(across, 4),
        "y": numbers(up, 4),
        "text": (fold + 1).tolist(),
        "marker": {"size": size, "color": colour, "opacity": opacity},
        "hovertemplate": "fold %{text}: in sample %{x:.2f}, out of sample %{y:.2f}<extra></extra>",
    }


def _diagonal(ends: Sequence[float]) -> Trace:
    at = {"x0": ends[0], "y0": ends[0], "x1": ends[1], "y1": ends[1]}
    return {"type": "line", **at, "line": {"color": MUTED, "width": 1, "dash": "dot"}, "layer": "below"}


def _promised(inside: FloatArray, outside: FloatArray, *chosen: FloatArray) -> str:
    """Say whether doing well in sample was a promise, and what became of the chosen ones."""
    within = [_rank_correlation(*pair) for pair in zip(inside, outside, strict=True)]
    known = [value for value in within if np.isfinite(value)]
    fell = [number(float(np.nanmean(values))) if np.isfinite(values).any() else "–" for values in chosen]
    ones = "one" if len(chosen[0]) == 1 else "ones"
    became = f"the chosen {ones} had a Sharpe ratio of {fell[0]} in sample and {fell[1]} out of sample"
    if not known:
        return f"{became[0].upper()}{became[1:]}."
    mean = float(np.mean(known))
    said = "says little about"
    if abs(mean) >= _TELLS:
        said = "tended to go with" if mean > 0 else "tended to go against"
    folds = "" if len(known) == 1 else f" within a fold, mean of {len(known)}"
    return (
        f"Doing well in sample {said} doing well out of sample (rank correlation "
        f"{number(mean, signed=True)}{folds}); {became}."
    )


def _rank_correlation(inside: FloatArray, outside: FloatArray) -> float:
    """Return Spearman's rank correlation of a fold's trials; NaN for fewer than three, or all alike."""
    from scipy.stats import rankdata

    both = np.isfinite(inside) & np.isfinite(outside)
    ranks = [rankdata(values[both]) for values in (inside, outside)]
    if both.sum() < 3 or any(np.ptp(values) == 0 for values in ranks):
        return float("nan")
    return float(np.corrcoef(*ranks)[0, 1])


def stability(land: Landscape, labels: Sequence[str]) -> Chart | str:
    """Draw the value of each parameter that each fold chose, in the range that was searched.

    Parameters
    ----------
    land : Landscape
    labels : sequence of str
        What each fold is called, such as the day with which its judged bars begin; ``now`` is added for the
        choice on all bars.
    """
    folds = land.optimized.folds
    if len(folds) < 2:
        return "Stability: parameters were chosen once only."
    rows = [fold.chosen for fold in (*folds, land.optimized.final)]
    shown = land.ranking[:_PARAMETERS]
    height = 1.0 / len(shown)
    data, axes, notes = [], {}, []
    for place, at in enumerate(shown):
        key = "" if place == 0 else str(place + 1)
        top = 1 - place * height
        data += _panel(land, at, rows, labels, f"y{key}")
        axes[f"yaxis{key}"] = _range_axis(land, at, [top - height * 0.72, top - height * 0.1])
        notes.append(_named(safe(land.names[at]), top - height * 0.09))
    names = [*labels, "now"]
    last = "" if len(shown) == 1 else str(len(shown))
    step = -(-len(names) // 6)
    at_ticks = list(range(0, len(names) - 1, step))
    at_ticks = [at for at in at_ticks if len(names) - 1 - at >= step / 2] + [len(names) - 1]
    return Chart(
        id="stability",
        title=_wandered(land, shown, rows[:-1]),
        data=data,
        layout=layout(
            xaxis=axis(
                "",
                anchor=f"y{last}",
                showgrid=False,
                zeroline=False,
                tickvals=at_ticks,
                ticktext=[safe(names[at]) for at in at_ticks],
                range=[-0.5, len(names) - 0.5],
            ),
            **axes,
            annotations=notes,
            hovermode="closest",
            showlegend=False,
            margin={"l": 56, "r": 12, "t": 18, "b": 28},
        ),
        height=50 + 105 * len(shown),
    )


def _panel(land: Landscape, at: int, rows: list[int], labels: Sequence[str], axis_name: str) -> list[Trace]:
    values = land.optimized.trials.parameters[land.paths[at]]
    drawn = {
        "type": "scatter",
        "yaxis": axis_name,
        "hovertemplate": f"%{{text}}<extra>{safe(land.names[at])}</extra>",
    }
    folds = {
        "mode": "lines+markers",
        "x": list(range(len(labels))),
        "y": numbers(land.shares[rows[:-1], at], 4),
        "text": [safe(f"{label}: {brief(values[row])}") for label, row in zip(labels, rows, strict=False)],
        "line": {"color": STRATEGY, "width": 1.4, "shape": "hvh"},
        "marker": {"size": 6, "color": STRATEGY},
    }
    now = {
        "mode": "markers",
        "x": [len(labels)],
        "y": numbers([land.shares[rows[-1], at]], 4),
        "text": [safe(f"now: {brief(values[rows[-1]])}")],
        "marker": {"symbol": "circle-open", "size": 11, "color": WARNING, "line": {"width": 2.5}},
        "cliponaxis": False,
    }
    return [drawn | folds, drawn | now]


def _range_axis(land: Landscape, at: int, domain: list[float]) -> Trace:
    marks = ticks(land.dimensions[at], 4, ends=True)
    return axis(
        "",
        domain=domain,
        range=[-0.12, 1.12],
        tickvals=[share for share, _ in marks],
        ticktext=[safe(text) for _, text in marks],
        zeroline=False,
        showline=True,
        linecolor=GRID,
    )


def _named(name: str, top: float) -> Trace:
    at = {"x": 0, "xref": "paper", "xanchor": "left", "y": top, "yref": "paper", "yanchor": "bottom"}
    return at | {"text": name, "showarrow": False, "font": {"size": 13}}


def _wandered(land: Landscape, shown: list[int], rows: list[int]) -> str:
    """Say how far the choices of the folds lie apart, of the parameters that moved most and least."""
    count = counted(len(rows), "fold")
    spans = {land.names[at]: float(np.ptp(land.shares[rows, at])) for at in shown if land.ordered[at]}
    spans = {name: span for name, span in spans.items() if np.isfinite(span)}
    kinds = len(set(rows))
    if kinds == 1:
        return f"Chosen anew in each of {count}, the parameters never changed."
    if not spans:
        return f"Chosen anew in each of {count}: {counted(kinds, 'different choice')}."
    most, least = max(spans, key=spans.__getitem__), min(spans, key=spans.__getitem__)
    said = f"{most} moved over {percent(spans[most], 0)} of the range searched"
    if most != least:
        said += f", {least} over {percent(spans[least], 0)}"
    return f"Chosen anew in each of {count}, {said}."


def paths(land: Landscape) -> Chart | str:
    """Draw how the Sharpe ratio is spread over all ways to put the judged stretches together."""
    every = np.sort(land.optimized.paths[np.isfinite(land.optimized.paths)])
    if len(every) < 2:
        return ""
    below = float((every <= 0).mean())
    title = (
        f"Of {len(every):,} ways through the folds the worst has a Sharpe ratio of {number(every[0])}, the "
        f"median {number(float(np.median(every)))}, the best {number(every[-1])}"
    )
    return Chart(
        id="paths",
        title=f"{title}; {percent(below, 0)} are not above 0." if below > 0 else f"{title}.",
        data=[
            {
                "type": "scatter",
                "mode": "lines+markers" if len(every) <= 60 else "lines",
                "x": numbers(every, 4),
                "y": numbers(np.arange(1, len(every) + 1) / len(every), 4),
                "line": {"color": STRATEGY, "width": 1.6, "shape": "hv"},
                "marker": {"size": 7, "color": STRATEGY},
                "hovertemplate": "%{y:.0%} have at most %{x:.2f}<extra></extra>",
            }
        ],
        layout=layout(
            xaxis=axis("Sharpe ratio, out of sample", zeroline=True),
            yaxis=axis("share of the ways below", tickformat=".0%", range=[0, 1.05], showgrid=False),
            hovermode="closest",
            showlegend=False,
            margin={"l": 56, "r": 12, "t": 32, "b": 48},
        ),
        height=240,
    )
