"""What the charts draw, computed from a result: drawdowns, rolling figures, months, and fewer points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from windtunnel.engine.metrics.returns import drawdown

if TYPE_CHECKING:
    from windtunnel.bars import Bars
    from windtunnel.values import FloatArray, IntArray, TimeArray

__all__ = [
    "Drawdown",
    "clock",
    "decimate",
    "period_returns",
    "rolling_sharpe",
    "runs",
    "worst_drawdown",
]


def clock(bars: Bars) -> TimeArray:
    """Return when each bar is stamped, ``[T]``, in the clock of its exchange."""
    if bars.timezone is None:
        return bars.time
    import pandas as pd

    local = pd.DatetimeIndex(bars.time).tz_localize("UTC").tz_convert(bars.timezone).tz_localize(None)
    return np.asarray(local.to_numpy())


def decimate(series: Sequence[FloatArray], points: int = 2_000) -> IntArray:
    """Return the rows to draw of series that share a time axis: the extremes of each bucket of bars.

    Parameters
    ----------
    series : sequence of array of float64, ``[T]``
        NaN is passed over.
    points : int
        Most rows to return; a shorter series is returned whole.

    Returns
    -------
    array of int64
        Increasing; holds the first row, the last, and every series' least and greatest.
    """
    length = len(series[0])
    if length <= points:
        return np.arange(length)
    edges = np.linspace(0, length, max(1, (points - 2) // (2 * len(series))) + 1).astype(np.int64)
    keep = {0, length - 1}
    for values in series:
        low, high = np.where(np.isnan(values), np.inf, values), np.where(np.isnan(values), -np.inf, values)
        for start, stop in pairwise(edges.tolist()):
            keep.add(start + int(low[start:stop].argmin()))
            keep.add(start + int(high[start:stop].argmax()))
    return np.array(sorted(keep), np.int64)


@dataclass(frozen=True)
class Drawdown:
    """One fall from a high.

    Parameters
    ----------
    depth : float
        A fraction, negative.
    peak, trough : int
        The bar of the high (-1 for the starting cash) and of the low.
    recovered : int or None
        The first bar at or above the high again; None where there is none yet.
    """

    depth: float
    peak: int
    trough: int
    recovered: int | None


def worst_drawdown(equity: FloatArray, cash: float) -> Drawdown | None:
    """Return the deepest drawdown, the earliest among equals; None where equity never fell."""
    below = drawdown(equity, cash)
    trough = int(below.argmin())
    if not below[trough] < 0:
        return None
    highs = np.flatnonzero(below[:trough] >= 0)
    after = np.flatnonzero(below[trough:] >= 0)
    return Drawdown(
        depth=float(below[trough]),
        peak=int(highs[-1]) if len(highs) else -1,
        trough=trough,
        recovered=trough + int(after[0]) if len(after) else None,
    )


def rolling_sharpe(returns: FloatArray, window: int, periods_per_year: float) -> FloatArray:
    """Return the annualised Sharpe ratio of the last ``window`` returns, ``[T]``.

    NaN before there are so many, and where they did not vary.
    """
    result = np.full(len(returns), np.nan)
    if window < 2 or len(returns) < window:
        return result
    centre = returns.mean()
    first, second = (
        np.concatenate(([0.0], np.cumsum((returns - centre) ** power))) for power in (1, 2)
    )  # centred, so that the difference of two sums keeps its digits
    mean = (first[window:] - first[:-window]) / window
    square = (second[window:] - second[:-window]) / window
    variance = (square - mean**2) * window / (window - 1)
    varied = variance > 1e-12 * max(square.max(), np.finfo(float).tiny)
    deviation = np.sqrt(np.where(varied, variance, np.nan))
    result[window - 1 :] = (mean + centre) / deviation * np.sqrt(periods_per_year)
    return result


def period_returns(time: TimeArray, returns: FloatArray, unit: str) -> tuple[TimeArray, FloatArray]:
    """Compound per-bar returns over calendar months (``unit`` M) or years (Y).

    Returns the periods that have bars, as datetime64 of that unit, and their returns.
    """
    periods, first = np.unique(time.astype(f"datetime64[{unit}]"), return_index=True)
    return periods, np.asarray(np.multiply.reduceat(1.0 + returns, first) - 1.0)


def runs(codes: IntArray) -> tuple[IntArray, IntArray]:
    """Return where each run of equal codes starts, with the length of all appended, and the run's code."""
    starts = np.flatnonzero(np.concatenate(([True], codes[1:] != codes[:-1])))
    return np.append(starts, len(codes)), codes[starts]
