"""What came of predictions, once the bars after them are there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from windtunnel.bars import Bars
from windtunnel.learn.labels import realised_volatility
from windtunnel.panels import by_symbol
from windtunnel.values import BoolArray, FloatArray, IntArray, TimeArray

if TYPE_CHECKING:
    import pandas as pd

    from windtunnel.store.predictions import PredictionLog

__all__ = ["forward_returns", "resolve", "time_after"]


def forward_returns(close: FloatArray, horizon: int) -> FloatArray:
    """Return the log return over a symbol's next ``horizon`` bars, ``[T, N]``; NaN without them."""

    def column(closes: FloatArray) -> FloatArray:
        ahead = np.full(len(closes), np.nan)
        if len(closes) > horizon:
            ahead[:-horizon] = np.log(closes[horizon:] / closes[:-horizon])
        return ahead

    return by_symbol(column, close)


def time_after(time: TimeArray, present: BoolArray, horizon: int) -> TimeArray:
    """Return the time of the symbol's ``horizon``-th bar after each, ``[T, N]``; NaT without one."""
    after = np.full(present.shape, np.datetime64("NaT", "ns"))
    for symbol in range(present.shape[1]):
        own = np.flatnonzero(present[:, symbol])
        if len(own) > horizon:
            after[own[:-horizon], symbol] = time[own[horizon:]]
    return after


def resolve(log: PredictionLog, bars: Bars) -> int:
    """Write down what came of the open answers of a log, as far as ``bars`` tell; return how many.

    A forecast of volatility meets the realised volatility of its horizon. Anything else came true if the
    price touched the target before the stop (the stop counts first within a bar); where it touched neither,
    or there are none, if it moved in the direction of the answer over the horizon. Costs are not counted.
    An answer without a direction stays open.
    """
    waiting = log.open()
    found = [
        outcome
        for symbol, rows in waiting.groupby("symbol", sort=True)
        if symbol in bars.symbols
        for outcome in _outcomes(rows, bars.select([str(symbol)]))
    ]
    if not found:
        return 0
    import pandas as pd

    return log.settle(pd.DataFrame(found))


def _outcomes(rows: pd.DataFrame, bars: Bars) -> list[dict[str, object]]:
    own = np.flatnonzero(bars.present[:, 0])
    time, close = bars.time[own], bars.close[own, 0]
    found: list[dict[str, object]] = []
    for row in rows.to_dict("records"):
        at = int(np.searchsorted(time, np.datetime64(row["time"], "ns")))
        horizon = int(row["horizon"])
        if at >= len(time) or time[at] != np.datetime64(row["time"], "ns"):
            continue
        if row["kind"] == "volatility":
            span = close[at : at + horizon + 1]
            value = float(realised_volatility(span, horizon, bars.periods_per_year)[0])
            end = at + horizon if len(span) == horizon + 1 else len(time)
        else:
            levels = float(row["target"]), float(row["stop"])
            after = own[at + 1 : at + 1 + horizon]
            value, end = _came_true(bars, close[at], after, int(row["direction"]), levels, horizon)
            end += at + 1
        if end < len(time) and value == value:
            key = {name: row[name] for name in ("kind", "model", "symbol", "time")}
            found.append({**key, "outcome": value, "known": time[end]})
    return found


def _came_true(
    bars: Bars, entry: float, after: IntArray, side: int, levels: tuple[float, float], horizon: int
) -> tuple[float, int]:
    """Return 1 or 0, and which of the bars after told; NaN where none did, or nothing was claimed."""
    if side == 0:
        return np.nan, 0
    target, stop = levels
    best, worst = (bars.high, bars.low) if side > 0 else (bars.low, bars.high)
    for place, bar in enumerate(after):
        if side * (worst[bar, 0] - stop) <= 0:
            return 0.0, place
        if side * (best[bar, 0] - target) >= 0:
            return 1.0, place
    if len(after) < horizon or not len(after):
        return np.nan, 0
    return float(side * (bars.close[after[-1], 0] - entry) > 0), len(after) - 1
