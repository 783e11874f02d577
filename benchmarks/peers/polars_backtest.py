"""polars_backtest: weights in, returns out. It fills on the bar after, so only its speed compares."""

from __future__ import annotations

from importlib.metadata import version

import numpy as np
import polars as pl
import polars_backtest
from cases import FEES, Case
from data import Floats, monthly_weights, panel, times
from measure import Task, serve


def prepare(work: Case) -> Task:
    closes = panel(work.bars, work.combinations)
    weights = monthly_weights(closes)
    rows = np.flatnonzero(~np.isnan(weights[:, 0]))
    names = [f"s{column}" for column in range(work.combinations)]
    dates = pl.Series("date", times(work.bars)).cast(pl.Date)
    prices = pl.DataFrame([dates]).hstack(pl.DataFrame(closes, schema=names))
    wanted = pl.DataFrame([dates.gather(rows)]).hstack(pl.DataFrame(weights[rows], schema=names))

    def call(_: int) -> Floats:
        found = polars_backtest.backtest_wide(prices, wanted, fee_ratio=FEES, tax_ratio=0.0)
        growth = float(found[found.columns[-1]][-1])
        return np.array([[growth - 1, np.nan, np.nan, np.nan, np.nan]])

    return Task(call)


if __name__ == "__main__":
    serve(version("polars_backtest"), prepare)
