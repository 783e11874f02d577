"""How the account fared: equity, drawdown and regimes on one time axis, and exposure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from windtunnel.engine.metrics.returns import drawdown
from windtunnel.reporting.charts.chart import (
    BENCHMARK,
    MUTED,
    REGIMES,
    SOFT,
    STRATEGY,
    Chart,
    Trace,
    axis,
    date_axis,
    dates,
    holding,
    layout,
    line,
    main_column,
    safe,
)
from windtunnel.reporting.optimized import changes
from windtunnel.reporting.series import clock, decimate, runs, worst_drawdown
from windtunnel.reporting.text import duration, number, percent

if TYPE_CHECKING:
    from windtunnel.engine.simulation import Simulation
    from windtunnel.pipeline.result import Result
    from windtunnel.values import FloatArray, Regimes

__all__ = ["drawdown_fact", "equity", "exposure"]

_CHOSEN = "in sample (chosen on all data)"
_MARKS = 80
_THIN = {"color": MUTED, "width": 1, "dash": "dot"}


def equity(result: Result) -> Chart | str:
    """Draw equity beside the benchmark's, the drawdowns below it and the regimes as a ribbon."""
    if len(result.bars) < 2:
        return "Equity: one bar makes no curve."
    accounts = [("strategy", result.simulation, STRATEGY)]
    if result.benchmark is not None:
        accounts.insert(0, (holding(result), result.benchmark.simulation, BENCHMARK))
    falls = [drawdown(account.equity, account.rules.cash) for _, account, _ in accounts]
    chosen = _in_sample(result)
    rows = decimate([*(account.equity for _, account, _ in accounts), *chosen, *falls])
    x = dates(result.bars, rows)
    traces = []
    for (name, account, colour), fall in zip(accounts, falls, strict=True):
        ours = colour == STRATEGY
        style = {"fill": "tozeroy", "fillcolor": SOFT} if ours else {}
        traces.append(line(name, x, account.equity[rows], colour, hover=",.0f", width=2 if ours else 1.4))
        below = line(f"{name}, drawdown", x, fall[rows], colour, hover=".1%", width=1.2, yaxis="y2")
        traces.append(below | style | {"showlegend": False})
    traces += [line(_CHOSEN, x, equity[rows], MUTED, hover=",.0f", width=1, opacity=0.6) for equity in chosen]
    marks = _changes(result)
    if marks:
        traces.append(_marked())
    regimes = result.decision.regimes
    ribbon, legend = ([], []) if regimes is None else _ribbon(result, regimes)
    logarithmic = all((equity > 0).all() for equity in (*(one.equity for _, one, _ in accounts), *chosen))
    title = f"{_grown(result, chosen)} {drawdown_fact(result.simulation)}"
    if ribbon:
        title += f" The ribbon is the regime of {result.bars.symbols[main_column(result)]}."
    return Chart(
        id="equity",
        title=title,
        data=[*traces, *ribbon],
        layout=_stacked(result, logarithmic=logarithmic, ribbon=bool(ribbon)) | {"shapes": marks},
        height=480,
        legend=legend,
    )


def _stacked(result: Result, *, logarithmic: bool, ribbon: bool) -> Trace:
    title, kind = ("equity (log scale)", "log") if logarithmic else ("equity (currency)", "linear")
    bottom = 0.05 if ribbon else 0.0
    return layout(
        xaxis=date_axis(result.bars, anchor="y3" if ribbon else "y2"),
        yaxis=axis(title, domain=[0.36, 1], type=kind, tickformat=",.4~r", nticks=7),
        yaxis2=axis("drawdown", domain=[bottom, 0.32], tickformat=".0%", rangemode="tozero", nticks=5),
        yaxis3={"domain": [0, 0.03], "visible": False, "fixedrange": True},
        hoversubplots="axis",
    )


def _ribbon(result: Result, regimes: Regimes) -> tuple[list[Trace], list[tuple[str, str]]]:
    """Return the ribbon of the likeliest regime, and its legend with each regime's share of the bars."""
    column = main_column(result)
    codes = regimes.codes[:, column]
    edges, values = runs(codes)
    times = dates(result.bars)
    palette = [REGIMES[code % len(REGIMES)] for code in range(len(regimes.names))]
    count = len(palette)
    steps = [[share, colour] for i, colour in enumerate(palette) for share in (i / count, (i + 1) / count)]
    trace = {
        "type": "heatmap",
        "x": [times[min(edge, len(times) - 1)] for edge in edges],
        "y": [0, 1],
        "z": [[None if code < 0 else int(code) for code in values]],
        "text": [["abstains" if code < 0 else safe(regimes.names[code]) for code in values]],
        "colorscale": steps,
        "zmin": -0.5,
        "zmax": count - 0.5,
        "showscale": False,
        "yaxis": "y3",
        "name": f"regime of {safe(result.bars.symbols[column])}",
        "hovertemplate": "%{text}",
    }
    legend = [
        (colour, f"{name} {percent(float(np.mean(codes == code)), 0)}")
        for code, (name, colour) in enumerate(zip(regimes.names, palette, strict=True))
    ]
    if (codes < 0).any():
        legend.append(("transparent", f"no opinion {percent(float(np.mean(codes < 0)), 0)}"))
    return [trace], legend


def _in_sample(result: Result) -> list[FloatArray]:
    """Return equity of the choice on all data over the judged bars, from the same cash; none without one."""
    optimized, cash = result.optimized, result.simulation.rules.cash
    if optimized is None or not optimized.folds:
        return []
    first = optimized.first
    before = optimized.in_sample[first - 1] if first else cash
    if not before > 0:
        return []
    return [optimized.in_sample[first : first + len(result.bars)] / before * cash]


def _changes(result: Result) -> list[Trace]:
    """Return thin upright lines where the parameters changed; none for very many."""
    bars = [] if result.optimized is None else changes(result.optimized)
    if len(bars) > _MARKS:
        return []
    return [
        {"type": "line", "x0": when, "x1": when, "y0": 0, "y1": 1, "yref": "y domain", "opacity": 0.5}
        | {"line": _THIN}
        for when in dates(result.bars, np.array(bars, np.int64))
    ]


def _marked() -> Trace:
    """Return what names those lines in the legend."""
    return {"type": "scatter", "mode": "lines", "x": [None], "y": [None], "line": _THIN, "legendrank": 3} | {
        "name": "parameters changed"
    }


def _grown(result: Result, chosen: list[FloatArray]) -> str:
    account = result.simulation
    text = f"{number(account.rules.cash, 0)} became {number(account.equity[-1], 0)}"
    if chosen:
        text += f" out of sample, in sample {number(chosen[0][-1], 0)}"
    if result.benchmark is None:
        return f"{text}."
    return f"{text}; {holding(result)} made it {number(result.benchmark.simulation.equity[-1], 0)}."


def drawdown_fact(simulation: Simulation) -> str:
    """Say how deep the worst drawdown went and how long it took to recover from its high."""
    worst = worst_drawdown(simulation.equity, simulation.rules.cash)
    if worst is None:
        return "Equity never fell below an earlier close."
    time = clock(simulation.bars)
    end = len(time) - 1 if worst.recovered is None else worst.recovered
    length = duration(float((time[end] - time[max(worst.peak, 0)]) / np.timedelta64(1, "D")))
    fate = f"has not recovered in {length}" if worst.recovered is None else f"took {length} to recover"
    return f"The worst drawdown, {percent(worst.depth)}, {fate}."


def exposure(result: Result) -> Chart | str:
    """Draw the share of equity that was invested, beside what the strategy wanted."""
    account, decision = result.simulation, result.decision
    if len(result.bars) < 2 or not len(account.fills):
        return "Exposure: nothing was ever bought."
    held = _net(account)
    wanted = np.clip(_kept(decision.exposure).sum(axis=1), -1.0, 1.0)
    rows = decimate([held, wanted])
    x = dates(result.bars, rows)
    area = {"fill": "tozeroy", "fillcolor": SOFT}
    traces = [line("held", x, held[rows], STRATEGY, hover=".0%", width=1.2, **area)]
    if result.effects:
        traces.append(
            line("wanted by the strategy alone", x, wanted[rows], BENCHMARK, hover=".0%", width=1.2)
        )
    for trace in traces:
        trace["line"]["shape"] = "hv"
    invested = account.gross > 0
    title = f"Invested on {percent(float(invested.mean()), 0)} of the bars"
    if invested.any():
        title += f", then with {percent(float(held[invested].mean()), 0)} of equity on average"
    return Chart(
        id="exposure",
        title=f"{title}.",
        data=traces,
        layout=layout(
            xaxis=date_axis(result.bars),
            yaxis=axis("net exposure", tickformat=".0%", rangemode="tozero"),
        ),
        height=240,
    )


def _net(account: Simulation) -> FloatArray:
    solvent = account.equity > 0
    invested = account.equity - account.cash
    return np.where(solvent, invested / np.where(solvent, account.equity, 1.0), np.nan)


def _kept(wanted: np.ndarray) -> FloatArray:
    """Return exposure with NaN (keep what is held) replaced by the last number, 0 before the first."""
    values = np.asarray(wanted, np.float64)
    last = np.where(np.isnan(values), -1, np.arange(len(values))[:, None])
    last = np.maximum.accumulate(last, axis=0)
    return np.where(last < 0, 0.0, np.take_along_axis(values, np.maximum(last, 0), axis=0))
