"""Runs of vectorbt 1.2, from the signals that it recorded: every order, every trade, equity at every bar."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from oracle_runs import assert_same_trades
from vectorbt_runs import RUNS, bars_of, folder, orders_of, recorded_equity, simulated

import windtunnel as wt
from windtunnel.engine import Simulation
from windtunnel_plugins.strategies import Recorded


def check(shared: Path, run: str, simulation: Simulation) -> None:
    bars = simulation.bars
    np.testing.assert_allclose(simulation.equity, recorded_equity(shared, run), rtol=1e-9)

    place: Callable[[pd.Series], np.ndarray] = pd.DatetimeIndex(bars.time).get_indexer
    column = {name: i for i, name in enumerate(bars.symbols)}
    orders = pd.DataFrame(json.loads((folder(shared) / f"{run}_orders.json").read_text()))
    fills = simulation.fills
    mine = pd.DataFrame(
        {"bar": fills.bar, "symbol": fills.symbol, "units": fills.units, "price": fills.price}
    ).assign(fee=fills.fee)
    theirs = pd.DataFrame(
        {
            "bar": place(pd.to_datetime(orders["Timestamp"])),
            "symbol": [column.get(str(name), 0) for name in orders["Column"]],
            "units": orders["Size"] * np.where(orders["Side"] == "Buy", 1, -1),
            "price": orders["Price"],
            "fee": orders["Fees"],
        }
    )
    pd.testing.assert_frame_equal(
        *(frame.sort_values(["bar", "symbol"]).reset_index(drop=True) for frame in (mine, theirs)),
        check_dtype=False,
        rtol=1e-9,
        atol=1e-9,
    )

    trades = pd.DataFrame(json.loads((folder(shared) / f"{run}_trades.json").read_text()))
    table = pd.DataFrame(
        {
            "symbol": [column.get(str(name), 0) for name in trades["Column"]],
            "entry": place(pd.to_datetime(trades["Entry Timestamp"])),
            "exit": place(pd.to_datetime(trades["Exit Timestamp"])),
            "units": trades["Size"] * np.where(trades["Direction"] == "Long", 1, -1),
            "entry_price": trades["Avg Entry Price"],
            "exit_price": trades["Avg Exit Price"],
            "fees": trades["Entry Fees"] + trades["Exit Fees"],
            "pnl": trades["PnL"],
            "open": trades["Status"] == "Open",
        }
    )
    assert_same_trades(simulation, table, rtol=1e-9, atol=1e-7)


@pytest.mark.parametrize("run", RUNS)
def test_signals_give_the_same_orders_trades_and_equity(shared: Path, run: str) -> None:
    check(shared, run, simulated(shared, run))


@pytest.mark.parametrize("run", ["03_goog_nextopen", "06_goog_trailing", "09_five_momentum_top2"])
def test_the_same_through_a_strategy_that_reads_a_file(shared: Path, tmp_path: Path, run: str) -> None:
    bars = bars_of(shared, run)
    weights = orders_of(shared, run, bars).exposure
    table = pd.DataFrame(weights, index=pd.Index(bars.time, name="time"), columns=list(bars.symbols))
    table.dropna(how="all").to_csv(tmp_path / "weights.csv")
    strategy = Recorded(path=str(tmp_path / "weights.csv"))
    check(shared, run, wt.backtest(bars, strategy, rules=RUNS[run]).simulation)
