"""The metrics of a sweep, from what was added up on the way."""

from __future__ import annotations

from typing import Any

import numpy as np

from windtunnel.engine.compiled import compiled, inlined
from windtunnel.engine.sweep.tape import mark

__all__ = ["figures", "of_equity"]

_NOISE = 1e-14


@inlined
def figures(rows: int, cash: float, periods: float, path: Any, trades: float, wins: float, out: Any) -> None:
    """Write the metrics of an equity's path; NaN where one is not defined."""
    total, squares, last, _, depth = path
    out[0] = last / cash - 1.0 if rows else np.nan
    out[1] = np.nan
    if rows > 1:
        mean = total / rows
        deviation = np.sqrt(max(0.0, squares - mean * total) / (rows - 1))
        if deviation > _NOISE:
            out[1] = mean / deviation * np.sqrt(periods)
    out[2] = depth - 1.0 if rows else np.nan
    out[3] = trades
    out[4] = wins / trades if trades > 0.0 else np.nan


@compiled
def of_equity(equity: Any, cash: float, periods: float, trades: float, wins: float, out: Any) -> None:
    """Write the metrics of one account, whose equity is given at every close."""
    path = (0.0, 0.0, cash, cash, 1.0)
    for value in equity:
        if path[2] > 0.0:
            path = mark(value, path)
        else:
            total, squares, _, peak, depth = path
            path = (total, squares, value, peak, min(depth, value / peak))
    figures(len(equity), cash, periods, path, trades, wins, out)
