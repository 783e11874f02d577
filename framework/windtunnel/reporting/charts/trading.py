"""What was traded: entries and exits on the price of each symbol."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from windtunnel.engine.simulation import REASONS
from windtunnel.reporting.charts.chart import (
    BENCHMARK,
    GRID,
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
)
from windtunnel.reporting.series import decimate
from windtunnel.reporting.text import counted, number, percent

if TYPE_CHECKING:
    from windtunnel.engine.simulation import Trades
    from windtunnel.pipeline.result import Result
    from windtunnel.values import BoolArray

__all__ = ["trades"]

_SYMBOLS = 6
_MARKERS = 500


def trades(result: Result) -> list[Chart] | str:
    """Draw one chart a symbol, of those traded most."""
    if not len(result.simulation.trades):
        return "Trades: there was none."
    counts = np.bincount(result.simulation.trades.symbol, minlength=len(result.bars.symbols))
    busiest = np.sort(np.argsort(-counts, kind="stable")[:_SYMBOLS])
    return [_symbol(result, int(column)) for column in busiest if counts[column]]


def _symbol(result: Result, column: int) -> Chart:
    bars, name = result.bars, result.bars.symbols[column]
    close = bars.close[:, column]
    held = np.where(result.simulation.units[:, column] != 0, close, np.nan)
    rows = decimate([close])
    x = dates(bars, rows)
    price = line("price", x, close[rows], BENCHMARK, hover="", width=1.2)
    price["hovertemplate"] = "%{x}<br>close %{y:,.6~g}<extra></extra>"
    quiet = {"hovertemplate": None, "hoverinfo": "skip"}
    logarithmic = np.nanmax(close) > 3 * np.nanmin(close)
    scale = {"type": "log", "nticks": 7} if logarithmic else {}
    return Chart(
        id=f"trades-{column}",
        title=_title(result.simulation.trades, column, name),
        data=[
            price,
            line("held", x, held[rows], STRATEGY, hover="", width=1.8, **quiet),
            *_entries(result, column),
            *_exits(result, column),
        ],
        layout=layout(
            xaxis=date_axis(bars),
            yaxis=axis(f"price{' (log scale)' if logarithmic else ''}", tickformat=",.6~g", **scale),
            hovermode="closest",
        ),
        height=400,
        name=name,
    )


def _title(made: Trades, column: int, name: str) -> str:
    returns = made.returns[made.symbol == column]
    won = returns > 0
    text = f"{counted(len(returns), 'trade')} in {name}: {percent(float(won.mean()), 0)} won"
    if won.any() and not won.all():
        gain, loss = float(returns[won].mean()), float(returns[~won].mean())
        text += f"; the average winner made {percent(gain, signed=True)}, the average loser {percent(loss)}"
    drawn = min(len(returns), _MARKERS)
    return f"{text}." + (f" The {drawn} largest are drawn." if drawn < len(returns) else "")


def _drawn(made: Trades, column: int) -> BoolArray:
    """Say which trades to draw: the symbol's largest by profit or loss."""
    ours = np.flatnonzero(made.symbol == column)
    largest = ours[np.argsort(-np.abs(made.pnl[ours]), kind="stable")[:_MARKERS]]
    return np.isin(np.arange(len(made)), largest)


def _entries(result: Result, column: int) -> list[Trace]:
    made = result.simulation.trades
    traces = []
    for direction, name, symbol in ((1, "bought", "triangle-up"), (-1, "sold short", "triangle-down")):
        rows = _drawn(made, column) & (made.direction == direction)
        text = [
            f"{name} {number(units, 4)} at {number(price)}"
            for units, price in zip(made.units[rows], made.entry_price[rows], strict=True)
        ]
        where = dates(result.bars, made.entry_bar[rows])
        traces.append(_markers(name, where, made.entry_price[rows], text, symbol=symbol, color=STRATEGY))
    return [trace for trace in traces if trace["x"]]


def _exits(result: Result, column: int) -> list[Trace]:
    made = result.simulation.trades
    finished = made.reason != REASONS.index("end")
    kinds = (
        ("closed at a profit", finished & (made.returns > 0), "circle", STRATEGY),
        ("closed at a loss", finished & ~(made.returns > 0), "x", WARNING),
        ("still open", ~finished, "diamond-open", MUTED),
    )
    traces = []
    for name, chosen, symbol, colour in kinds:
        rows = _drawn(made, column) & chosen
        text = [
            f"{name}: {percent(gain, signed=True)}, at {number(price)} ({REASONS[reason].replace('_', ' ')})"
            for gain, price, reason in zip(
                made.returns[rows], made.exit_price[rows], made.reason[rows].tolist(), strict=True
            )
        ]
        where = dates(result.bars, made.exit_bar[rows])
        traces.append(_markers(name, where, made.exit_price[rows], text, symbol=symbol, color=colour))
    return [trace for trace in traces if trace["x"]]


def _markers(name: str, x: list[str], y: Any, text: list[str], *, symbol: str, color: str) -> Trace:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": x,
        "y": numbers(y),
        "text": text,
        "marker": {"symbol": symbol, "color": color, "size": 9, "line": {"width": 1, "color": GRID}},
        "hovertemplate": "%{x}<br>%{text}<extra></extra>",
    }
