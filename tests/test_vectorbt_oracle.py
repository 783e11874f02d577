"""Runs of vectorbt, reproduced from weights in a file, fill by fill."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import windtunnel as wt
from windtunnel.bars import Bars
from windtunnel.engine import Simulation
from windtunnel.values import Rules
from windtunnel_plugins.strategies import Recorded


def check(shared: Path, run: str, simulation: Simulation) -> None:
    folder = shared / "oracles" / "vectorbt"
    equity = pd.read_parquet(folder / f"{run}_equity.parquet")["value"].to_numpy()
    np.testing.assert_allclose(simulation.equity, equity, rtol=1e-9)
    orders = json.loads((folder / f"{run}_orders.json").read_text())
    assert len(simulation.fills) == len(orders)
    np.testing.assert_allclose(
        np.sort(simulation.fills.fee), np.sort([row["Fees"] for row in orders]), rtol=1e-8
    )
    trades = json.loads((folder / f"{run}_trades.json").read_text())
    assert len(simulation.trades) == len(trades)
    np.testing.assert_allclose(
        np.sort(simulation.trades.pnl), np.sort([row["PnL"] for row in trades]), rtol=1e-7, atol=1e-6
    )


def replay(bars: Bars, weights: np.ndarray, rules: Rules, folder: Path) -> Simulation:
    """Write the weights to a file, an empty cell where there is none, and run the strategy that reads it."""
    table = pd.DataFrame(weights, index=pd.Index(bars.time, name="time"), columns=list(bars.symbols))
    table.dropna(how="all").to_csv(folder / "weights.csv")
    return wt.backtest(bars, Recorded(path=str(folder / "weights.csv")), rules=rules).simulation


@pytest.mark.parametrize(
    ("run", "opposite", "rules"),
    [
        ("00_goog_long_nofee", 0.0, Rules(fill="close")),
        ("01_goog_long_fee_slip", 0.0, Rules(fill="close", fees=0.001, slippage=0.0005)),
        ("02_goog_longshort_fee", -1.0, Rules(fill="close", fees=0.001)),
        ("03_goog_nextopen", 0.0, Rules(fill="next_open", fees=0.002)),
    ],
)
def test_signals_on_one_symbol(shared: Path, tmp_path: Path, run: str, opposite: float, rules: Rules) -> None:
    prices = pd.read_parquet(shared / "oracles" / "indicators" / "input_GOOG.parquet")
    signals = (
        pd.read_parquet(shared / "oracles" / "vectorbt" / f"{run}_equity.parquet").iloc[:, 1:].to_numpy()
    )
    wanted = np.where(signals[:, 0], 1.0, np.where(signals[:, 1], opposite, np.nan))[:, None]
    check(shared, run, replay(Bars.from_frame(prices), wanted, rules, tmp_path))


@pytest.fixture(scope="module")
def five(shared: Path) -> Bars:
    table = pd.read_parquet(shared / "data" / "us_sp500_daily_2013_2018" / "prices.parquet")
    table = table[table["symbol"].isin(["AAPL", "JPM", "MSFT", "PG", "XOM"])]
    closes = table.pivot(index="date", columns="symbol", values="close").ffill()
    return Bars.from_arrays(
        pd.to_datetime(closes.index).to_numpy(), closes.to_numpy(), symbols=list(closes.columns)
    )


def test_equal_weights_every_21_bars(shared: Path, tmp_path: Path, five: Bars) -> None:
    weights = np.full(five.shape, np.nan)
    weights[::21] = 0.2
    rules = Rules(cash=100_000.0, fees=0.001, fill="close", cash_shortage="in_order")
    check(shared, "08_five_rebalance_equal", replay(five, weights, rules, tmp_path))


def test_momentum_weights(shared: Path, tmp_path: Path, five: Bars) -> None:
    weights = pd.read_parquet(shared / "oracles" / "vectorbt" / "09_target_weights.parquet").to_numpy(float)
    rules = Rules(cash=100_000.0, fees=0.001, slippage=0.0005, fill="close", cash_shortage="in_order")
    check(shared, "09_five_momentum_top2", replay(five, weights, rules, tmp_path))
