"""backtesting.py: a Python call a bar.

It trades whole units only, so the account starts with 1e8; and its Sharpe ratio is another formula, so that
is left out of the comparison.
"""

from __future__ import annotations

import os
import warnings
from typing import Any

os.environ["TQDM_DISABLE"] = "1"

import numpy as np
import pandas as pd
from backtesting import Backtest, Strategy, __version__
from cases import FEES, Case, single_windows
from data import Floats, market, times
from measure import Task, serve

warnings.filterwarnings("ignore")


def average(values: Any, window: int) -> Any:
    return pd.Series(values).rolling(window).mean()


class Cross(Strategy):
    fast = 10
    slow = 30

    def init(self) -> None:
        self.quick = self.I(average, self.data.Close, self.fast)
        self.calm = self.I(average, self.data.Close, self.slow)

    def next(self) -> None:
        long = self.quick[-1] > self.calm[-1]
        if long and not self.position:
            self.buy()
        elif not long and self.position:
            self.position.close()


def prepare(work: Case) -> Task:
    prices = market(work.bars)
    names = ("open", "high", "low", "close", "volume")
    frame = pd.DataFrame(
        {name.capitalize(): getattr(prices, name) for name in names}, index=pd.DatetimeIndex(times(work.bars))
    )

    def single(call: int, most: int = work.bars) -> Floats:
        fast, slow = single_windows(call)
        test = Backtest(
            frame.iloc[:most], Cross, cash=1e8, commission=FEES, trade_on_close=True, finalize_trades=True
        )
        found = test.run(fast=fast, slow=slow)
        figures = found["Return [%]"] / 100, found["Max. Drawdown [%]"] / 100, found["Win Rate [%]"] / 100
        return np.array([[figures[0], np.nan, figures[1], found["# Trades"], figures[2]]])

    long = work.bars > 10_000
    return Task(single, (lambda: single(0, 5_000)) if long else None)


if __name__ == "__main__":
    serve(__version__, prepare)
