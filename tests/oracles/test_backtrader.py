"""The strategy that backtrader's own tests publish: one unit, a crossing of a moving average."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from oracle_runs import both, cross_above, sma

from windtunnel.bars import Bars
from windtunnel.values import Orders, Rules


@pytest.fixture(scope="module")
def bars(shared: Path) -> Bars:
    file = shared / "data" / "backtrader_samples" / "2006-day-001.txt"
    table = pd.read_csv(file, parse_dates=["Date"]).drop(columns="OpenInterest")
    return Bars.from_frame(table.set_index("Date"))


@pytest.fixture(scope="module")
def published(shared: Path) -> dict[str, Any]:
    file = shared / "oracles" / "backtesting_py" / "backtrader_published_strategy.json"
    found: dict[str, Any] = json.loads(file.read_text())
    return found


def signals(bars: Bars, units: float) -> Orders:
    close = bars.close[:, 0]
    average = sma(close, 15)
    up, down = cross_above(close, average), cross_above(average, close)
    return Orders(np.where(up, units, np.where(down, 0.0, np.nan))[:, None], size="units")


def written(values: np.ndarray) -> list[str]:
    return [f"{value:.2f}" for value in values]


def test_of_shares(bars: Bars, published: dict[str, Any]) -> None:
    run = both(bars, signals(bars, 1.0), Rules())
    bought = run.fills.units > 0
    assert written(run.fills.price[bought]) == published["buy_exec"]
    assert written(run.fills.price[~bought]) == published["sell_exec"]
    close = bars.close[:, 0]
    assert written(close[run.fills.bar[bought] - 1]) == published["buy_signal_close"]
    assert written(close[run.fills.bar[~bought] - 1]) == published["sell_signal_close"]
    assert f"{run.equity[-1]:.2f}" == published["stocklike"]["final_value"]
    assert f"{run.cash[-1]:.2f}" == published["stocklike"]["final_cash"]


def test_of_futures(bars: Bars, published: dict[str, Any]) -> None:
    """Ten units stand for a multiplier of ten; theirs sets the margin aside and so shows another cash."""
    futures = published["futures"]
    rules = Rules(leverage=10.0, fee_fixed=futures["commission"])
    run = both(bars, signals(bars, float(futures["mult"])), rules)
    assert f"{run.equity[-1]:.2f}" == futures["final_value"]
    assert run.equity[-1] - futures["margin"] == pytest.approx(float(futures["final_cash"]))
