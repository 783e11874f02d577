"""Which of several strategies was followed, and what each of them earned."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from windtunnel.engine import simulate
from windtunnel.reporting.charts.chart import (
    BENCHMARK,
    MUTED,
    REGIMES,
    STRATEGY,
    Chart,
    Trace,
    axis,
    date_axis,
    dates,
    layout,
    line,
    main_column,
    safe,
)
from windtunnel.reporting.series import decimate, runs
from windtunnel.reporting.text import percent
from windtunnel.values.ranking import RankedOrders

if TYPE_CHECKING:
    from windtunnel.pipeline.result import Result
    from windtunnel.values import FloatArray, Orders
    from windtunnel.values.ranking import Ranking

__all__ = ["ranking"]

_RANDOM = "random choice"


def ranking(result: Result) -> Chart | str:
    """Draw what each candidate earned since the first choice beside what was followed, and which that was.

    All of them without gate, scorer and sizing, under the same rules. Random choice is the mean of the
    candidates; the ribbon is of the symbol that stands for the market.
    """
    orders = result.decision.wanted
    found = orders.ranking if isinstance(orders, RankedOrders) else None
    if found is None:
        return "Choice of strategies: the strategy does not choose among others."
    chosen = np.flatnonzero((found.chosen >= 0).any(axis=1))
    if len(chosen) < 2:
        return "Choice of strategies: none was ever followed."
    first = int(chosen[0])
    grown = {
        name: _grown(result, wanted, first) for name, wanted in zip(found.names, found.wanted, strict=True)
    }
    grown[_RANDOM] = _compounded(np.mean([_returns(values) for values in grown.values()], axis=0))
    followed = _grown(result, orders, first)
    rows = decimate([followed, *grown.values()])
    x = dates(result.bars, rows + first)
    traces = [
        line(name, x, values[rows], _colour(found, name), hover=".1%", width=1.2)
        for name, values in grown.items()
    ]
    traces.append(line("followed", x, followed[rows], STRATEGY, hover=".1%", width=2))
    strip, legend = _ribbon(result, found, first)
    return Chart(
        id="ranking",
        title=_title(result, grown, followed),
        data=[*traces, strip],
        layout=layout(
            xaxis=date_axis(result.bars, anchor="y2"),
            yaxis=axis("growth since the first choice", domain=[0.1, 1], tickformat=".0%"),
            yaxis2={"domain": [0, 0.05], "visible": False, "fixedrange": True},
        ),
        height=360,
        legend=legend,
    )


def _grown(result: Result, orders: Orders, first: int) -> FloatArray:
    """Return growth since bar ``first``, as a fraction, ``[T - first]``."""
    wanted = replace(orders, atr=result.decision.wanted.atr)
    account = simulate(result.bars, wanted, result.simulation.rules)
    return _compounded(np.concatenate(([0.0], account.returns[first + 1 :])))


def _compounded(returns: FloatArray) -> FloatArray:
    return np.asarray(np.cumprod(1.0 + returns) - 1.0, np.float64)


def _returns(growth: FloatArray) -> FloatArray:
    """Return what :func:`_compounded` was made of; nothing after a ruin."""
    before = np.concatenate(([1.0], 1.0 + growth[:-1]))
    return np.where(before > 0, (1.0 + growth) / np.where(before > 0, before, 1.0) - 1.0, 0.0)


def _colour(found: Ranking, name: str) -> str:
    return BENCHMARK if name == _RANDOM else REGIMES[found.names.index(name) % len(REGIMES)]


def _ribbon(result: Result, found: Ranking, first: int) -> tuple[Trace, list[tuple[str, str]]]:
    """Return the ribbon of what was followed, and its legend with the share of the bars of each."""
    column = main_column(result)
    codes = found.chosen[first:, column]
    edges, values = runs(codes)
    times = dates(result.bars)[first:]
    colours = [_colour(found, name) for name in found.names]
    count = len(colours)
    trace: Trace = {
        "type": "heatmap",
        "x": [times[min(edge, len(times) - 1)] for edge in edges.tolist()],
        "y": [0, 1],
        "z": [[None if code < 0 else int(code) for code in values]],
        "text": [["none" if code < 0 else safe(found.names[code]) for code in values]],
        "colorscale": [[(i + end) / count, colours[i]] for i in range(count) for end in (0, 1)],
        "zmin": -0.5,
        "zmax": count - 0.5,
        "showscale": False,
        "yaxis": "y2",
        "name": f"followed in {safe(result.bars.symbols[column])}",
        "hovertemplate": "%{text}",
    }
    legend = [
        (colour, f"{name} {percent(float(np.mean(codes == code)), 0)}")
        for code, (name, colour) in enumerate(zip(found.names, colours, strict=True))
    ]
    if (codes < 0).any():
        legend.append((MUTED, f"none {percent(float(np.mean(codes < 0)), 0)}"))
    return trace, legend


def _title(result: Result, grown: dict[str, FloatArray], followed: FloatArray) -> str:
    """Say what following made of it beside random choice and the best single candidate in hindsight."""
    ends = {name: float(values[-1]) for name, values in grown.items()}
    chance = ends.pop(_RANDOM)
    best = max(ends, key=ends.__getitem__)
    return (
        f"Following the recommended strategy made {percent(float(followed[-1]), signed=True)}, random choice "
        f"{percent(chance, signed=True)}, the best single one in hindsight, {best}, "
        f"{percent(ends[best], signed=True)}. The ribbon is what was followed in "
        f"{result.bars.symbols[main_column(result)]}."
    )
