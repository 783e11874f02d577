"""raptorbt: compiled; takes signals, and runs a batch of them in parallel."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

import numpy as np
import raptorbt
from cases import FEES, PERIODS, Case, single_windows
from data import Floats, market, pairs, times, windows
from measure import Task, serve

CHUNKS = {"W2": 256, "W3": 64}


def five(result: Any) -> tuple[float, ...]:
    found = result.metrics
    return (
        found.total_return_pct / 100,
        found.sharpe_ratio,
        -found.max_drawdown_pct / 100,
        found.total_trades,
        found.win_rate_pct / 100,
    )


def averages(close: Floats, every: list[int]) -> dict[int, Floats]:
    """Return the moving averages, each from one running sum; NaN before the first."""
    total = np.concatenate(([0.0], np.cumsum(close)))
    found = {}
    for window in every:
        found[window] = np.full(len(close), np.nan)
        found[window][window - 1 :] = (total[window:] - total[:-window]) / window
    return found


def prepare(work: Case) -> Task:
    prices = market(work.bars)
    bars = (
        times(work.bars).astype(np.int64),
        prices.open,
        prices.high,
        prices.low,
        prices.close,
        prices.volume,
    )
    config = raptorbt.BacktestConfig(initial_capital=100.0, fees=FEES, periods_per_year=PERIODS)
    if not work.largest:

        def single(call: int) -> Floats:
            fast, slow = single_windows(call)
            by_window = averages(prices.close, [fast, slow])
            long = by_window[fast] > by_window[slow]
            return np.array([five(raptorbt.run_single_backtest(*bars, long, ~long, 1, 1.0, "A", config))])

        return Task(single)
    fast, slow = pairs(work.largest)
    chunk = CHUNKS[work.name]

    def grid(most: int = len(fast)) -> Floats:
        by_window = averages(prices.close, windows(work.largest))
        rows: list[tuple[float, ...]] = []
        for start in range(0, most, chunk):
            items = []
            stop = min(start + chunk, most)
            for a, b in zip(fast[start:stop].tolist(), slow[start:stop].tolist(), strict=True):
                long = by_window[a] > by_window[b]
                items.append(raptorbt.BatchSingleItem(f"{a}/{b}", long, ~long))
            rows += [five(result) for _, result in raptorbt.batch_single_backtest(*bars, items, config)]
        return np.array(rows)

    return Task(lambda _: grid(), lambda: grid(chunk))


if __name__ == "__main__":
    serve(version("raptorbt"), prepare)
