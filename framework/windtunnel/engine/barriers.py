"""Where prices first touch a barrier."""

from __future__ import annotations

from typing import Any

import numpy as np

from windtunnel.engine.compiled import compiled

__all__ = ["first_touch"]


@compiled
def first_touch(
    bars: Any, start: Any, symbol: Any, side: Any, width: Any, barriers: Any, at_close: bool, ended: Any
) -> Any:
    """Write the bar at which each position ends, T where it is not known, and return its gross return.

    A position opens at the close of its bar, or at the open of the symbol's next one. It ends at the first
    later bar whose high or low touches a barrier, the stop first where both are touched, the open where the
    bar opens beyond it; else at the close of the symbol's ``horizon``-th bar after its own.

    Parameters
    ----------
    bars : tuple of array, ``[T, N]``
        Open, high, low and close.
    start, symbol, side, width : array, ``[n]``
        Bar and column of each position, 1 or -1, and the unit of its barriers as a fraction of the price;
        a position without one does not end.
    barriers : tuple of float
        Target and stop in that unit, and the horizon in bars.
    at_close : bool
    ended : array of int64, ``[n]``
    """
    open_, high, low, close = bars
    target_widths, stop_widths, horizon = barriers
    rows = len(close)
    gross = np.full(len(start), np.nan)
    for k in range(len(start)):
        ended[k] = rows
        if not width[k] > 0.0:
            continue
        i, sign = symbol[k], float(side[k])
        entry = close[start[k], i] if at_close else np.nan
        target = stop = np.nan
        seen = 0
        for t in range(start[k] + 1, rows):
            if np.isnan(close[t, i]):
                continue
            seen += 1
            if np.isnan(entry):
                entry = open_[t, i]
            if np.isnan(target):
                target = entry * (1.0 + sign * target_widths * width[k])
                stop = entry * (1.0 - sign * stop_widths * width[k])
            best, worst = (high[t, i], low[t, i]) if sign > 0.0 else (low[t, i], high[t, i])
            lost = sign * (worst - stop) <= 0.0
            if lost or sign * (best - target) >= 0.0:
                level, against = (stop, -1.0) if lost else (target, 1.0)
                price = open_[t, i] if sign * against * (open_[t, i] - level) >= 0.0 else level
                gross[k], ended[k] = sign * (price / entry - 1.0), t
                break
            if seen == int(horizon):
                gross[k], ended[k] = sign * (close[t, i] / entry - 1.0), t
                break
    return gross
