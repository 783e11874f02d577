"""How sure we can be: intervals, the distribution of returns, and figures through time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from windtunnel.reporting.charts.chart import (
    BENCHMARK,
    MUTED,
    STRATEGY,
    Chart,
    Trace,
    axis,
    date_axis,
    dates,
    holding,
    layout,
    line,
    safe,
)
from windtunnel.reporting.series import decimate, rolling_sharpe
from windtunnel.reporting.text import bar_word, interval, number, percent

if TYPE_CHECKING:
    from windtunnel.pipeline.result import Result
    from windtunnel.values import FloatArray

__all__ = ["distribution", "intervals", "rolling"]


def intervals(result: Result) -> Chart | str:
    """Draw the Sharpe ratios and their difference with their 95 % intervals."""
    said = result.comparison
    if said is None or result.benchmark is None:
        return "Intervals: there is no benchmark to compare with."
    points = [
        ("difference", said.difference, said.low, said.high, MUTED),
        (holding(result), said.benchmark_sharpe, said.benchmark_low, said.benchmark_high, BENCHMARK),
        ("strategy", said.sharpe, said.sharpe_low, said.sharpe_high, STRATEGY),
    ]
    if any(np.isnan(value) for _, *values, _ in points for value in values):
        return "Intervals: too few bars, or returns that do not vary, to tell how sure the Sharpe ratio is."
    excludes = said.low > 0 or said.high < 0
    title = (
        f"The Sharpe difference is {number(said.difference, signed=True)}, 95% interval "
        f"{interval(said.low, said.high, signed=True)}: it {'excludes' if excludes else 'includes'} zero."
    )
    return Chart(
        id="intervals",
        title=title,
        data=[_interval(*point) for point in points],
        layout=layout(
            xaxis=axis("Sharpe ratio, with its 95% interval", zeroline=True),
            yaxis=axis("", type="category", showgrid=False, range=[-0.6, 2.6]),
            hovermode="closest",
            showlegend=False,
        ),
        height=210,
    )


def _interval(name: str, value: float, low: float, high: float, colour: str) -> Trace:
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [value],
        "y": [safe(name)],
        "error_x": {
            "type": "data",
            "symmetric": False,
            "array": [high - value],
            "arrayminus": [value - low],
            "color": colour,
            "thickness": 3,
            "width": 0,
        },
        "marker": {"size": 11, "color": colour},
        "hovertemplate": f"%{{y}}: {number(value)} {interval(low, high)}<extra></extra>",
    }


def distribution(result: Result) -> Chart | str:
    """Draw the histogram of per-bar returns beside the benchmark's."""
    ours = _moved(result.simulation.returns)
    if len(ours) < 10:
        return "Distribution: fewer than ten bars had a return."
    accounts = [("strategy", ours, STRATEGY)]
    if result.benchmark is not None:
        accounts.append((holding(result), _moved(result.benchmark.simulation.returns), BENCHMARK))
    every = np.concatenate([values for _, values, _ in accounts])
    edges = np.linspace(every.min(), every.max(), _bins(ours, float(np.ptp(every))) + 1)
    word = bar_word(result.bars.periods_per_year)
    tail = np.quantile(ours, 0.05)
    title = (
        f"The worst {word} lost {percent(-float(ours.min()))}, the best made {percent(float(ours.max()))}; "
        f"one invested {word} in twenty ended at {percent(float(tail), signed=True)} or worse."
    )
    return Chart(
        id="distribution",
        title=title,
        data=[_histogram(name, values, edges, colour) for name, values, colour in accounts if len(values)],
        layout=layout(
            xaxis=axis(f"return of a {word} on which equity moved", tickformat=".1~%", hoverformat=".2%"),
            yaxis=axis(f"share of those {word}s", tickformat=".0%"),
            bargap=0.04,
        ),
        height=280,
    )


def _moved(returns: FloatArray) -> FloatArray:
    return np.asarray(returns[returns != 0])


def _bins(values: FloatArray, span: float) -> int:
    """Return how many bins to use (Freedman and Diaconis 1981), from 10 to 120."""
    low, high = np.quantile(values, [0.25, 0.75])
    width = 2.0 * float(high - low) / len(values) ** (1 / 3)
    return int(np.clip(span / width, 10, 120)) if width > 0 else 10


def _histogram(name: str, values: FloatArray, edges: FloatArray, colour: str) -> Trace:
    share = np.histogram(values, edges)[0] / len(values)
    middle = (edges[1:] + edges[:-1]) / 2
    if colour == BENCHMARK:
        drawn = line(name, middle.tolist(), share, colour, hover=".1%")
        drawn["line"]["shape"] = "hvh"
        return drawn
    bars = {"type": "bar", "name": safe(name), "x": middle.tolist(), "y": share.tolist(), "legendrank": 1}
    return bars | {"marker": {"color": colour}, "hovertemplate": "%{y:.1%}"}


def rolling(result: Result) -> Chart | str:
    """Draw the Sharpe ratio of the last year at each bar."""
    bars = result.bars
    window = round(bars.periods_per_year)
    ours = rolling_sharpe(result.simulation.returns, window, bars.periods_per_year)
    known = ~np.isnan(ours)
    if not known.any():
        return "Rolling Sharpe: it takes more than a year of bars with returns."
    drawn = [("strategy", ours, STRATEGY)]
    above = percent(float((ours[known] > 0).mean()), 0)
    title = f"Over the last year at a time, Sharpe was above zero {above} of the time"
    if result.benchmark is not None:
        other = rolling_sharpe(result.benchmark.simulation.returns, window, bars.periods_per_year)
        drawn.insert(0, (holding(result), other, BENCHMARK))
        both = known & ~np.isnan(other)
        if both.any():
            ahead = percent(float((ours[both] > other[both]).mean()), 0)
            title += f" and above that of {holding(result)} {ahead} of it"
    rows = decimate([values for _, values, _ in drawn])
    x = dates(bars, rows)
    return Chart(
        id="rolling",
        title=f"{title}.",
        data=[line(name, x, values[rows], colour, hover=".2f") for name, values, colour in drawn],
        layout=layout(
            xaxis=date_axis(bars), yaxis=axis("Sharpe ratio, last year", zeroline=True, tickformat=".1~f")
        ),
        height=260,
    )
