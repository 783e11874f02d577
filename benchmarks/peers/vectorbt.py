"""vectorbt: an array a stage, all combinations of a chunk side by side.

Its fastest public way: averages once, level signals by NumPy, one Portfolio a chunk.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import vectorbt as vbt
from cases import FEES, Case, single_windows
from data import Floats, market, monthly_weights, pairs, panel, times, windows
from measure import Task, serve

ENGINES = {"W1-5k": "rust", "W1-1M": "numba", "W2": "numba", "W3": "numba", "W4": "numba", "W5": "rust"}
"""The engine that was the faster one for each workload."""
CHUNKS = {"W1-5k": 1, "W1-1M": 1, "W2": 256, "W3": 64, "W5": 500}
DAILY = {"fees": FEES, "freq": "1D"}
"""``freq`` only sets the year of the Sharpe ratio: 365 periods, here for all bars."""


def five(portfolio: Any) -> Floats:
    """Return the five metrics, ``[K, 5]``."""
    found = (
        portfolio.total_return(),
        portfolio.sharpe_ratio(),
        portfolio.max_drawdown(),
        portfolio.trades.count(),
        portfolio.trades.win_rate(),
    )
    return np.column_stack([np.ravel(np.asarray(one, dtype=np.float64)) for one in found])


def crosses(close: pd.Series, fast: Any, slow: Any, every: list[int], chunk: int) -> Floats:
    averages = vbt.MA.run(close, window=every).ma.to_numpy().reshape(len(close), -1)
    column = {window: place for place, window in enumerate(every)}
    left, right = ([column[int(window)] for window in side] for side in (fast, slow))
    rows = []
    for start in range(0, len(left), chunk):
        long = averages[:, left[start : start + chunk]] > averages[:, right[start : start + chunk]]
        rows.append(five(vbt.Portfolio.from_signals(close, long, ~long, **DAILY)))
    return np.concatenate(rows)


def stops(chunk: int, bars: int) -> Any:
    index = pd.DatetimeIndex(times(bars))
    prices = market(bars)
    open_, high, low, close = (
        pd.Series(getattr(prices, name), index=index) for name in ("open", "high", "low", "close")
    )
    entries = np.zeros((bars, 1), dtype=bool)
    entries[5::20] = True
    loss, profit = np.meshgrid(np.linspace(0.005, 0.2, 100), np.linspace(0.01, 0.4, 100), indexing="ij")
    loss, profit = loss.ravel(), profit.ravel()

    def run(most: int = len(loss)) -> Floats:
        rows = []
        for start in range(0, most, chunk):
            a, b = loss[start : start + chunk], profit[start : start + chunk]
            shape = (bars, len(a))
            portfolio = vbt.Portfolio.from_signals(
                close,
                np.broadcast_to(entries, shape),
                np.broadcast_to(np.zeros((1, 1), dtype=bool), shape),
                open=open_,
                high=high,
                low=low,
                sl_stop=a[None, :],
                tp_stop=b[None, :],
                **DAILY,
            )
            rows.append(five(portfolio))
        return np.concatenate(rows)

    return run


def rotation(bars: int, symbols: int) -> Task:
    prices = panel(bars, symbols)
    weights = monthly_weights(prices)
    close = pd.DataFrame(prices, index=pd.DatetimeIndex(times(bars)))
    note: dict[str, object] = {}

    def call(_: int) -> Floats:
        portfolio = vbt.Portfolio.from_orders(
            close,
            weights,
            size_type="targetpercent",
            group_by=True,
            cash_sharing=True,
            call_seq="auto",
            init_cash=1_000_000.0,
            **DAILY,
        )
        note["orders"] = int(portfolio.orders.count())
        figures = portfolio.total_return(), portfolio.sharpe_ratio(), portfolio.max_drawdown()
        return np.array([[*map(float, figures), np.nan, np.nan]])

    return Task(call, note=note)


def prepare(work: Case) -> Task:
    engine = ENGINES[work.name]
    vbt.settings["engine"] = engine
    note: dict[str, object] = {"engine": engine}
    if work.name == "W4":
        task = rotation(work.bars, work.combinations)
        assert task.note is not None
        task.note.update(note)
        return task
    chunk = CHUNKS[work.name]
    if work.name == "W5":
        run = stops(chunk, work.bars)
        return Task(lambda _: run(), lambda: run(chunk), note)
    close = pd.Series(market(work.bars).close, index=pd.DatetimeIndex(times(work.bars)))
    if not work.largest:

        def single(call: int) -> Floats:
            fast, slow = single_windows(call)
            return crosses(close, [fast], [slow], [fast, slow], chunk)

        return Task(single, note=note)
    fast, slow = pairs(work.largest)
    every = windows(work.largest)
    return Task(
        lambda _: crosses(close, fast, slow, every, chunk),
        lambda: crosses(close.iloc[:500], fast[:3], slow[:3], every, chunk),
        note,
    )


if __name__ == "__main__":
    serve(vbt.__version__, prepare)
