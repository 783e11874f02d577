"""What a sweep tried and which combinations came first, in words and as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from windtunnel.engine.sweep import SWEEP_METRICS
from windtunnel.pipeline.choice import metric_of, why_left_out
from windtunnel.pipeline.grid import Grid
from windtunnel.reporting.tables import Cell, table
from windtunnel.reporting.text import counted, figure, number, plain

if TYPE_CHECKING:
    from windtunnel.pipeline.result import Result

__all__ = ["best_of_sweep", "searched"]

_MOST = 10


def searched(result: Result) -> str:
    """Say how much was tried, what was left out, and what that makes of the figures."""
    sweep, choice = result.sweep, result.choice
    if sweep is None or choice is None:
        return ""
    dimensions = Grid(sweep).dimensions
    titles = [one.title for one in dimensions]
    names = " and ".join([*([", ".join(titles[:-1])] if titles[1:] else []), titles[-1]])
    said = f"{counted(len(sweep), 'combination')} of {names} {'was' if len(sweep) == 1 else 'were'} tried"
    if sweep.illegal:
        why = why_left_out(sweep)
        said += f", {number(sweep.illegal, 0)} more left out" + (f" ({why})" if why else "")
    chosen = ", ".join(f"{one.title} {plain(choice.parameters[one.name])}" for one in dimensions)
    return (
        f"{said}. This report is of the best by {choice.by}: {chosen}. It was chosen on the bars that it is "
        f"judged by, so its figures flatter it. {choice.sentence}"
    )


def best_of_sweep(result: Result) -> str:
    """Return the table of the ten best combinations, with the mean of each one's neighbours."""
    sweep, choice = result.sweep, result.choice
    if sweep is None or choice is None:
        return ""
    grid, metric = Grid(sweep), metric_of(choice.metric)
    column = sweep.metric(choice.metric)
    order = np.argsort(-column if metric.higher_is_better else column, kind="stable")
    best = [row for row in order[:_MOST].tolist() if not np.isnan(column[row])]
    shown = [metric_of(name) for name in SWEEP_METRICS if name != choice.metric]
    heads = [one.title for one in grid.dimensions]
    heads += [metric.title, "its neighbours", *(other.title for other in shown)]
    rows = []
    for row in best:
        beside = column[grid.around(row)]
        around = float(np.nanmean(beside)) if (~np.isnan(beside)).any() else float("nan")
        values = grid.values(row)
        cells = [_value(values[one.name], one.is_numeric) for one in grid.dimensions]
        cells += [
            Cell(figure(column[row], metric.unit), column[row]),
            Cell(figure(around, metric.unit), around),
        ]
        for other in shown:
            value = float(sweep.metric(other.name)[row])
            cells.append(Cell(figure(value, other.unit), value))
        rows.append(cells)
    title = f"The {counted(len(rows), 'best combination') if len(rows) > 1 else 'only combination'}"
    return f"<h3>{title}, the first of which was run</h3>{table('', heads, rows, label=title)}"


def _value(value: object, numeric: bool) -> Cell:
    if isinstance(value, int | float) and numeric:
        return Cell(plain(value), float(value))
    return Cell("off" if value is None else plain(value), float("nan") if numeric else None)
