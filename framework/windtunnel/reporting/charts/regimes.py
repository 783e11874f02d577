"""Whether the regimes were right, how late they were, and what followed in each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from windtunnel.reporting.charts.chart import (
    BENCHMARK,
    INK,
    REGIMES,
    SEQUENTIAL,
    STRATEGY,
    Chart,
    axis,
    layout,
    numbers,
    safe,
)
from windtunnel.reporting.text import bar_word, counted, number, percent

if TYPE_CHECKING:
    from windtunnel.pipeline.result import Result
    from windtunnel.values import FloatArray, IntArray

__all__ = ["confusion", "delay", "durations"]

_NONE = "Regimes: the experiment names none."
_SILENT = "Regimes: the model abstained on every bar."
_UNTOLD = "Regimes: what they truly were is known of synthetic data alone."


def confusion(result: Result) -> Chart | str:
    """Draw how often each true regime was called what, beside always saying the commonest."""
    found = _told_and_true(result)
    if isinstance(found, str):
        return found
    names, told, true = found
    known = (told >= 0) & (true >= 0)
    counts = np.zeros((len(names), len(names)))
    np.add.at(counts, (true[known], told[known]), 1)
    of_true = counts.sum(axis=1, keepdims=True)
    share = np.divide(counts, of_true, out=np.full_like(counts, np.nan), where=of_true > 0)
    right, commonest = float(np.trace(counts) / counts.sum()), int(of_true.argmax())
    always = float(of_true[commonest, 0] / counts.sum())
    words = [safe(name) for name in names]
    return Chart(
        id="regimes-confusion",
        title=(
            f"The regime was right on {percent(right, 0)} of {counted(int(counts.sum()), 'bar')}; always "
            f"saying {safe(names[commonest])} would be on {percent(always, 0)}."
        ),
        data=[
            {
                "type": "heatmap",
                "x": words,
                "y": words,
                "z": [numbers(row) for row in share],
                "zmin": 0,
                "zmax": 1,
                "colorscale": SEQUENTIAL,
                "showscale": False,
                "text": [["" if np.isnan(one) else percent(one, 0) for one in row] for row in share],
                "texttemplate": "%{text}",
                "hovertemplate": "%{y}, called %{x}: %{z:.1%} of its bars<extra></extra>",
            }
        ],
        layout=layout(
            xaxis=axis("called", type="category"),
            yaxis=axis("true regime", type="category", autorange="reversed"),
            hovermode="closest",
        ),
        height=120 + 56 * len(names),
    )


def delay(result: Result) -> Chart | str:
    """Draw how many bars passed from each true change until the regime said so."""
    found = _told_and_true(result)
    if isinstance(found, str):
        return found
    _, told, true = found
    waits = np.concatenate([_waits(told[:, column], true[:, column]) for column in range(told.shape[1])])
    if not len(waits):
        return "Regimes: they never truly changed while the model spoke."
    seen = waits[waits >= 0]
    text = (
        f"Of {counted(len(waits), 'change')} of regime {percent(len(seen) / len(waits), 0)} were recognised"
    )
    if not len(seen):
        return f"{text}."
    low, middle, high = np.percentile(seen, (25, 50, 75))
    word = bar_word(result.bars.periods_per_year)
    return Chart(
        id="regimes-delay",
        title=(
            f"{text} before the next, half of these within {counted(middle, word)} "
            f"(quartiles {number(low, 0)} and {number(high, 0)})."
        ),
        data=[
            {
                "type": "histogram",
                "x": numbers(seen),
                "marker": {"color": STRATEGY},
                "hovertemplate": f"%{{x}} {word}s: %{{y}} changes<extra></extra>",
            }
        ],
        layout=layout(
            xaxis=axis(f"{word}s until recognised", rangemode="tozero"),
            yaxis=axis("changes", rangemode="tozero"),
            hovermode="closest",
            bargap=0.05,
        ),
        height=240,
    )


def durations(result: Result) -> Chart | str:
    """Draw what the next bar brought in each regime, beside all bars, and say how long regimes last."""
    regimes = result.decision.regimes
    if regimes is None:
        return _NONE
    codes, coming = regimes.codes, _next_returns(result)
    known = (codes >= 0) & ~np.isnan(coming)
    if not known.any():
        return _SILENT
    year, word = result.bars.periods_per_year, bar_word(result.bars.periods_per_year)
    present = [code for code in range(len(regimes.names)) if (known & (codes == code)).any()]
    groups = [known & (codes == code) for code in present] + [known]
    labels = [safe(regimes.names[code]) for code in present] + ["all bars"]
    colours = [REGIMES[code % len(REGIMES)] for code in present] + [BENCHMARK]
    mean = np.array([coming[rows].mean() * year for rows in groups])
    volatility = np.array([coming[rows].std() * np.sqrt(year) for rows in groups])
    doubt = 1.96 * volatility * np.sqrt(year / np.array([rows.sum() for rows in groups]))
    lasts = [np.median(_lengths(codes, result, code)) for code in present]
    said = ", ".join(f"{label} {number(one, 0)}" for label, one in zip(labels, lasts, strict=False))
    return Chart(
        id="regimes-durations",
        title=(
            f"What the {word} after each regime brought, a year, beside all bars. "
            f"Median {word}s that one lasts: {said}."
        ),
        data=[
            {
                "type": "bar",
                "x": labels,
                "y": numbers(mean),
                "error_y": {"type": "data", "array": numbers(doubt), "color": INK, "thickness": 1},
                "marker": {"color": colours},
                "text": [f"volatility {percent(one, 0)}" for one in volatility],
                "textposition": "inside",
                "hovertemplate": "%{x}: %{y:.1%} a year, %{text}<extra></extra>",
            }
        ],
        layout=layout(
            xaxis=axis("", type="category"),
            yaxis=axis("mean log return a year", tickformat=".0%"),
            hovermode="closest",
        ),
        height=300,
    )


def _told_and_true(result: Result) -> tuple[tuple[str, ...], IntArray, IntArray] | str:
    """Return all names, and the codes of what was said and of what was true, ``[T, N]``, -1 for unknown."""
    regimes, truth = result.decision.regimes, result.truth.get("regimes")
    if regimes is None:
        return _NONE
    if truth is None:
        return _UNTOLD
    import pandas as pd

    told = regimes.codes
    labels = truth.reindex(index=pd.DatetimeIndex(result.bars.time), columns=list(result.bars.symbols))
    others = sorted({str(label) for label in pd.unique(labels.to_numpy().ravel()) if isinstance(label, str)})
    names = (*regimes.names, *(name for name in others if name not in regimes.names))
    place = {name: code for code, name in enumerate(names)}
    true = np.array([[place.get(label, -1) for label in row] for row in labels.to_numpy()], np.int64)
    true = np.where(result.bars.present, true.reshape(told.shape), -1)
    if not ((told >= 0) & (true >= 0)).any():
        return _SILENT
    return names, told, true


def _waits(told: IntArray, true: IntArray) -> IntArray:
    """Return the bars of one symbol from each true change until it was said; -1 where it never was."""
    spoken = (told >= 0) & (true >= 0)
    told, true = told[spoken], true[spoken]
    changes = np.flatnonzero(np.diff(true)) + 1
    waits = []
    for start, stop in zip(changes, [*changes[1:], len(true)], strict=False):
        said = np.flatnonzero(told[start:stop] == true[start])
        waits.append(int(said[0]) if len(said) else -1)
    return np.array(waits, np.int64)


def _next_returns(result: Result) -> FloatArray:
    """Return the log return of each symbol's own next bar, ``[T, N]``; NaN where there is none."""
    close = result.bars.close
    coming = np.full(close.shape, np.nan)
    for column in range(close.shape[1]):
        own = np.flatnonzero(result.bars.present[:, column])
        coming[own[:-1], column] = np.diff(np.log(close[own, column]))
    return coming


def _lengths(codes: IntArray, result: Result, code: int) -> list[int]:
    """Return how many own bars each stretch of a regime lasts, over all symbols."""
    lengths: list[int] = []
    for column in range(codes.shape[1]):
        own = codes[result.bars.present[:, column], column]
        edges = np.flatnonzero(np.diff(np.concatenate(([False], own == code, [False])).astype(np.int8)))
        lengths += (edges[1::2] - edges[::2]).tolist()
    return lengths
