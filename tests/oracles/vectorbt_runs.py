"""The runs of vectorbt 1.2: their bars, the signals that it recorded, and the rules that mean the same."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
from oracle_runs import both, closes, own_bars

from windtunnel.bars import Bars
from windtunnel.engine import Simulation
from windtunnel.values import Orders, Rules

__all__ = ["RUNS", "bars_of", "folder", "orders_of", "recorded_equity", "simulated"]

FEES, PORTFOLIO = {"fill": "close", "fees": 0.001}, {"fill": "close", "cash_shortage": "in_order"}
RUNS: dict[str, Rules] = {
    "00_goog_long_nofee": Rules(fill="close"),
    "01_goog_long_fee_slip": Rules(**FEES, slippage=0.0005),
    "02_goog_longshort_fee": Rules(**FEES),
    "03_goog_nextopen": Rules(fill="next_open", fees=0.002),
    "04_goog_fixedsize": Rules(fill="close", fees=0.0005, fee_fixed=1.0),
    "05_goog_slstop_ohlc": Rules(**FEES, stop_loss=0.05, take_profit=0.15, rebalance="never"),
    "06_goog_trailing": Rules(**FEES, trailing_stop=0.08, rebalance="never"),
    "07_sp500_golden_cross": Rules(fill="close", fees=0.0005, cash=1_000_000.0),
    "08_five_rebalance_equal": Rules(**PORTFOLIO, fees=0.001, cash=100_000.0),
    "09_five_momentum_top2": Rules(**PORTFOLIO, fees=0.001, slippage=0.0005, cash=100_000.0),
    "10_xau_longshort": Rules(fill="close", fees=0.0001, cash=100_000.0),
}


def folder(shared: Path) -> Path:
    return shared / "oracles" / "vectorbt"


def bars_of(shared: Path, run: str) -> Bars:
    data = shared / "data"
    if "goog" in run:
        return own_bars(shared, "GOOG")
    if "sp500" in run:
        table = pd.read_csv(data / "sp500_vix_daily" / "sp500_1999_2018.csv")
        return closes(table["Date"], table["Close"])
    if "xau" in run:
        table = pd.read_csv(data / "fx_hourly_ejtrader" / "XAUUSD_h1.csv.gz").tail(8000)
        return closes(table["datetime"], table["close"])
    table = pd.read_parquet(data / "us_sp500_daily_2013_2018" / "prices.parquet")
    table = table[table["symbol"].isin(["AAPL", "JPM", "MSFT", "PG", "XOM"])]
    wide = table.pivot(index="date", columns="symbol", values="close").ffill()
    return Bars.from_arrays(
        pd.to_datetime(wide.index).to_numpy(), wide.to_numpy(), symbols=list(wide.columns)
    )


def orders_of(shared: Path, run: str, bars: Bars) -> Orders:
    """Return the recorded signals: long, and flat or short, where there is one, NaN elsewhere."""
    if run.startswith("08"):
        weights = np.full(bars.shape, np.nan)
        weights[::21] = 0.2
        return Orders(weights)
    if run.startswith("09"):
        return Orders(pd.read_parquet(folder(shared) / "09_target_weights.parquet").to_numpy(float))
    signals = pd.read_parquet(folder(shared) / f"{run}_equity.parquet")
    opposite = -1.0 if "sig_short_entries" in signals else 0.0
    entry, leave = signals.iloc[:, 1].to_numpy(), signals.iloc[:, 2].to_numpy()
    size = 10.0 if "fixedsize" in run else 1.0
    wanted = np.where(entry, size, np.where(leave, opposite, np.nan))[:, None]
    return Orders(wanted, size="units" if "fixedsize" in run else "weight")


@cache
def simulated(shared: Path, run: str) -> Simulation:
    bars = bars_of(shared, run)
    return both(bars, orders_of(shared, run, bars), RUNS[run])


def recorded_equity(shared: Path, run: str) -> np.ndarray:
    return pd.read_parquet(folder(shared) / f"{run}_equity.parquet")["value"].to_numpy()
