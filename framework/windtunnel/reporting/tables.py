"""The report's tables, as HTML."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from windtunnel.engine.simulation import REASONS
from windtunnel.reporting.charts.chart import holding
from windtunnel.reporting.series import clock, period_returns
from windtunnel.reporting.text import counted, figure, number, percent, stamp

if TYPE_CHECKING:
    from windtunnel.pipeline.result import Result
    from windtunnel.values import Metric

__all__ = ["Cell", "effects", "metrics", "months", "table", "trades"]

_TRADES = 500
_OF_TRADES = ("win_rate", "profit_factor", "expectancy", "fees")
"""Not to be compared with the benchmark's, which holds one trade."""
_LADDER = ("total_return", "cagr", "sharpe", "max_drawdown", "time_invested", "trades")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True)
class Cell:
    """A cell: what it shows, what it sorts by (its text, if None), and whether it is the best of its row."""

    text: str
    key: float | None = None
    best: bool = False


def table(caption: str, heads: Sequence[str], rows: Sequence[Sequence[Cell]], *, label: str = "") -> str:
    """Return a table that sorts by a click on a head; cells with a key align right."""
    numeric = [all(row[i].key is not None for row in rows) for i in range(len(heads))]
    head = "".join(
        f'<th scope="col"{" class=number" if right else ""}><button>{escape(text)}</button></th>'
        for text, right in zip(heads, numeric, strict=True)
    )
    body = "\n".join(f"<tr>{_first(row[0])}{''.join(map(_cell, row[1:]))}</tr>" for row in rows)
    name = escape(label or caption)
    title = f"<caption>{escape(caption)}</caption>" if caption else ""
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{name}"><table class="sortable">{title}'
        f"<thead><tr>{head}</tr></thead><tbody>\n{body}\n</tbody></table></div>"
    )


def _first(cell: Cell) -> str:
    key = "" if cell.key is None else f' data-key="{_key(cell.key)}"'
    return f'<th scope="row"{key}>{escape(cell.text)}</th>'


def _cell(cell: Cell) -> str:
    if cell.key is None:
        return f"<td>{escape(cell.text)}</td>"
    text = f"<strong>{escape(cell.text)}</strong>" if cell.best else escape(cell.text)
    return f'<td class="number" data-key="{_key(cell.key)}">{text}</td>'


def _key(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.10g}"


def metrics(result: Result) -> str:
    """Return every metric beside the benchmark's, the better one in bold."""
    other = None if result.benchmark is None else result.benchmark.metrics
    heads = ["figure", "strategy"] + ([] if result.benchmark is None else [holding(result)])
    rows = []
    for metric in result.figures:
        values = [result.metrics[metric.name]]
        if other is not None:
            values.append(other.get(metric.name, math.nan))
        compared = _plain if metric.name in _OF_TRADES else _compared
        rows.append([Cell(_titled(metric)), *compared(metric, values)])
    return table("", heads, rows, label="All metrics")


def _titled(metric: Metric) -> str:
    units = {"bars": ", bars", "currency": ", currency"}
    return metric.title + units.get(metric.unit, "")


def _plain(metric: Metric, values: Sequence[float]) -> list[Cell]:
    return [Cell(figure(value, metric.unit), value) for value in values]


def _compared(metric: Metric, values: Sequence[float]) -> list[Cell]:
    """Return cells with the best in bold, where one direction is better and the values read differently."""
    real = [value for value in values if not math.isnan(value)]
    best = math.nan
    if metric.higher_is_better is not None and len({figure(value, metric.unit) for value in real}) > 1:
        best = max(real) if metric.higher_is_better else min(real)
    return [Cell(figure(value, metric.unit), value, value == best) for value in values]


def effects(result: Result) -> str:
    """Return the ladder from the strategy alone to all parts together, one row a step."""
    steps = [("strategy alone", result.effects[0].before)]
    steps += [(f"+\u00a0{effect.part}", effect.after) for effect in result.effects]
    shown = [metric for metric in result.figures if metric.name in _LADDER]
    shown.sort(key=lambda metric: _LADDER.index(metric.name))
    columns = [
        _compared(metric, [values.get(metric.name, math.nan) for _, values in steps]) for metric in shown
    ]
    rows = [[Cell(name), *cells] for (name, _), *cells in zip(steps, *columns, strict=True)]
    return table("", ["with", *(metric.title for metric in shown)], rows, label="What each part changed")


def months(result: Result) -> tuple[str, str] | str:
    """Return a sentence and the table of monthly returns, tinted around zero; or why there is none."""
    time, returns = clock(result.bars), result.simulation.returns
    stamps, gains = period_returns(time, returns, "M")
    if len(stamps) < 2:
        return "Monthly returns: the bars lie within one month."
    moved = gains != 0
    best, worst = int(gains.argmax()), int(gains.argmin())
    fact = (
        f"The best month made {percent(gains[best], signed=True)} ({_named(stamps[best])}), "
        f"the worst {percent(gains[worst], signed=True)} ({_named(stamps[worst])})"
    )
    if moved.any():
        fact += f"; {percent(float((gains[moved] > 0).mean()), 0)} of the months in the market gained"
    scale = float(np.quantile(np.abs(gains), 0.98)) or 1.0
    cells = dict(zip(stamps.astype(str).tolist(), gains.tolist(), strict=True))
    years, totals = period_returns(time, returns, "Y")
    head = "".join(f'<th scope="col">{month}</th>' for month in (*_MONTHS, "Year"))
    body = "\n".join(
        _year(str(year), [cells.get(f"{year}-{month:02d}") for month in range(1, 13)], total, scale)
        for year, total in zip(years.astype(str).tolist(), totals.tolist(), strict=True)
    )
    grid = (
        '<div class="scroll" tabindex="0" role="region" aria-label="Monthly returns"><table class="months">'
        f"<thead><tr><td>%</td>{head}</tr></thead><tbody>\n{body}\n</tbody></table></div>"
    )
    return f"{fact}.", grid


def _year(year: str, gains: Sequence[float | None], total: float, scale: float) -> str:
    tinted = "".join(
        "<td></td>" if gain is None else _tint(gain, scale, f"{year} {name}")
        for name, gain in zip(_MONTHS, gains, strict=True)
    )
    return f'<tr><th scope="row">{year}</th>{tinted}<td class="total">{_both(total)}</td></tr>'


def _tint(gain: float, scale: float, when: str) -> str:
    share = min(abs(gain) / scale, 1.0)
    kind = "gain" if gain > 0 else "loss" if gain < 0 else "flat"
    title = f"{when}: {percent(gain, 2, signed=True)}"
    return f'<td class="{kind}" style="--share:{share:.2f}" title="{title}">{_both(gain)}</td>'


def _both(gain: float) -> str:
    """Return per cents for wide pages and whole ones for narrow pages; the style sheet shows one."""
    return (
        f'<span class="wide">{number(gain * 100, 1)}</span><span class="slim">{number(gain * 100, 0)}</span>'
    )


def _named(month: np.datetime64) -> str:
    year, number_ = str(month).split("-")
    return f"{_MONTHS[int(number_) - 1]} {year}"


def trades(result: Result) -> str:
    """Return the list of trades, the largest where there are many."""
    made, bars = result.simulation.trades, result.bars
    largest = np.sort(np.argsort(-np.abs(made.pnl), kind="stable")[:_TRADES])
    time = clock(bars)
    rows = [
        [
            Cell(bars.symbols[made.symbol[row]]),
            Cell("long" if made.direction[row] > 0 else "short"),
            Cell(stamp(time[made.entry_bar[row]]), float(made.entry_bar[row])),
            Cell(stamp(time[made.exit_bar[row]]), float(made.exit_bar[row])),
            Cell(number(made.units[row], 4), made.units[row]),
            Cell(number(made.entry_price[row]), made.entry_price[row]),
            Cell(number(made.exit_price[row]), made.exit_price[row]),
            Cell(number(made.pnl[row], 2, signed=True), made.pnl[row]),
            Cell(percent(made.returns[row], signed=True), made.returns[row]),
            Cell(REASONS[made.reason[row]].replace("_", " ")),
        ]
        for row in largest.tolist()
    ]
    heads = ("symbol", "side", "entered", "left", "units", "in at", "out at", "profit", "return", "why")
    grid = table("", heads, rows, label="Trades")
    words = counted(len(made), "trade") + (f", the {_TRADES} largest" if len(made) > _TRADES else "")
    return f"<details><summary>{words}</summary>{grid}</details>"
