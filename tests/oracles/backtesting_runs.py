"""The runs of backtesting.py 0.6.6: their bars, their strategies, and the rules that mean the same.

It fills at the next open and trades whole units, and its strategies never resize what they hold, so its runs
are ``lot=1`` and ``rebalance="never"``. What is still open at the end it closes at the open of the last bar,
as an order of the bar before would; the tests make that order.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
from oracle_runs import TRADE_COLUMNS, both, cross_above, own_bars, sma

from windtunnel.bars import Bars
from windtunnel.engine import Simulation, simulate
from windtunnel.values import Orders, Rules

__all__ = ["RUNS", "SHARES", "folder", "recorded", "recorded_equity", "simulated", "sma_cross"]

SHARES = {"lot": 1.0, "rebalance": "never"}


def column(values: np.ndarray) -> np.ndarray:
    return values[:, None]


def sma_cross(bars: Bars, fast: int, slow: int, opposite: float, size: float = 1.0) -> Orders:
    """Long when the fast average crosses above the slow one, ``opposite`` when below."""
    close = bars.close[:, 0]
    one, other = sma(close, fast), sma(close, slow)
    up, down = cross_above(one, other), cross_above(other, one)
    return Orders(column(np.where(up, size, np.where(down, opposite * size, np.nan))))


def rsi_reversion(bars: Bars, window: int, low: float, high: float) -> Orders:
    change = pd.Series(bars.close[:, 0]).diff()
    gain, loss = (
        part.clip(lower=0).ewm(alpha=1 / window, adjust=False, min_periods=window).mean()
        for part in (change, -change)
    )
    rsi = (100 - 100 / (1 + gain / loss)).to_numpy()
    return Orders(column(np.where(rsi < low, 1.0, np.where(rsi > high, 0.0, np.nan))))


def breakout(bars: Bars, entry: int, leave: int) -> Orders:
    """Long above the highest high of the bars before, flat below their lowest low.

    The strategy is first asked one bar after its indicators are there.
    """
    close = bars.close[:, 0]
    highest = pd.Series(bars.high[:, 0]).rolling(entry).max().shift(1)
    lowest = pd.Series(bars.low[:, 0]).rolling(leave).min().shift(1)
    wanted = np.where(close > highest, 1.0, np.where(close < lowest, 0.0, np.nan))
    wanted[: entry + 1] = np.nan
    return Orders(column(wanted))


def limit_entry(bars: Bars, window: int, distance: float) -> Orders:
    """Above the average, a limit below the close, which a new close makes a new order."""
    close = bars.close[:, 0]
    average = sma(close, window)
    wanted = np.where(close > average, 1.0, np.where(close < average, 0.0, np.nan))
    wanted[:window] = np.nan
    limit = np.where(close > average, close * (1 - distance), np.nan)
    return Orders(column(wanted), entry_limit=column(limit))


def knowing_the_position(bars: Bars, rules: Rules, decide: Callable[[np.ndarray], Orders]) -> Orders:
    """Return the orders of a strategy that sees at each close whether it holds something.

    What is held by a close depends on earlier orders only, so there is one answer, and asking again with the
    positions of the last answer finds it.
    """
    held = np.zeros(len(bars), bool)
    for _ in range(len(bars)):
        orders = decide(held)
        now = simulate(bars, orders, rules).units[:, 0] != 0
        if (now == held).all():
            return orders
        held = now
    raise AssertionError("the positions do not settle")


def bracket(bars: Bars, rules: Rules, stop: float, target: float) -> Orders:
    close = bars.close[:, 0]
    crossed = cross_above(sma(close, 10), sma(close, 20))

    def decide(held: np.ndarray) -> Orders:
        enter = crossed & ~held
        stops, targets = (np.where(enter, close * share, np.nan) for share in (1 - stop, 1 + target))
        wanted = np.where(enter, 1.0, np.nan)
        return Orders(column(wanted), exit_stop=column(stops), exit_target=column(targets))

    return knowing_the_position(bars, rules, decide)


def trailing(bars: Bars, rules: Rules, fast: int, slow: int, ranges: float) -> Orders:
    """Enter on a cross; while held, a stop so many average true ranges below each close."""
    close, high, low = bars.close[:, 0], bars.high[:, 0], bars.low[:, 0]
    before = np.concatenate(([np.nan], close[:-1]))
    true_range = np.fmax(high - low, np.fmax(np.abs(high - before), np.abs(before - low)))
    level = close - ranges * pd.Series(true_range).rolling(100).mean().bfill().to_numpy()
    crossed = cross_above(sma(close, fast), sma(close, slow))

    def decide(held: np.ndarray) -> Orders:
        wanted = np.where(crossed & ~held, 1.0, np.nan)
        return Orders(column(wanted), exit_stop=column(np.where(held, level, np.nan)))

    return knowing_the_position(bars, rules, decide)


def bars_of(shared: Path, run: str) -> Bars:
    if "GOOG" in run or "documented" in run:
        return own_bars(shared, "GOOG")
    if "EURUSD" in run:
        return own_bars(shared, "EURUSD")
    if "SP500" in run:
        table = pd.read_csv(shared / "data" / "sp500_vix_daily" / "sp500_1999_2018.csv", parse_dates=["Date"])
        return Bars.from_frame(table.drop(columns="Adj Close").set_index("Date"))
    table = pd.read_parquet(shared / "data" / "us_sp500_daily_2013_2018" / "prices.parquet")
    table = table[table["symbol"] == "AAPL"].drop(columns="symbol")
    return Bars.from_frame(table.assign(date=pd.to_datetime(table["date"])).set_index("date"))


BORROWED = 10 / (1 - 9 * 0.0001)
"""The leverage that buys what they do with a margin of 0.1: theirs does not count the entry's commission."""

RUNS: dict[str, tuple[Rules, Callable[[Bars, Rules], Orders]]] = {
    "00_GOOG_sma_cross": (Rules(fees=0.002, **SHARES), lambda bars, _: sma_cross(bars, 10, 20, -1)),
    "01_GOOG_sma_cross": (Rules(**SHARES), lambda bars, _: sma_cross(bars, 10, 30, 0)),
    "03_GOOG_sma_cross": (
        Rules(fees=0.002, fill="close", **SHARES),
        lambda bars, _: sma_cross(bars, 10, 20, 0),
    ),
    "04_GOOG_rsi_mr": (Rules(fees=0.001, **SHARES), lambda bars, _: rsi_reversion(bars, 14, 35, 65)),
    "05_GOOG_breakout": (Rules(fees=0.001, **SHARES), lambda bars, _: breakout(bars, 20, 10)),
    "06_GOOG_sl_tp": (Rules(fees=0.001, **SHARES), lambda bars, rules: bracket(bars, rules, 0.05, 0.1)),
    "07_GOOG_trail": (Rules(fees=0.001, **SHARES), lambda bars, rules: trailing(bars, rules, 10, 20, 3)),
    "08_GOOG_limit_entry": (Rules(entry_valid=1, **SHARES), lambda bars, _: limit_entry(bars, 50, 0.01)),
    "09_EURUSD_sma_cross": (
        Rules(cash=1e6, fees=0.0001, **SHARES),
        lambda bars, _: sma_cross(bars, 20, 60, -1),
    ),
    "10_EURUSD_rsi_mr": (Rules(cash=1e6, **SHARES), lambda bars, _: rsi_reversion(bars, 14, 30, 60)),
    "11_EURUSD_breakout": (Rules(cash=1e6, fees=5e-5, **SHARES), lambda bars, _: breakout(bars, 48, 24)),
    "12_EURUSD_trail": (
        Rules(cash=1e6, fees=0.0001, **SHARES),
        lambda bars, rules: trailing(bars, rules, 20, 60, 4),
    ),
    "13_SP500_sma_cross": (
        Rules(cash=1e6, fees=0.0005, **SHARES),
        lambda bars, _: sma_cross(bars, 50, 200, 0),
    ),
    "14_AAPL13_sma_cross": (Rules(fees=0.001, **SHARES), lambda bars, _: sma_cross(bars, 10, 20, 0)),
    "15_EURUSD_sma_cross": (
        Rules(cash=1e5, fees=0.0001, leverage=BORROWED, **SHARES),
        lambda bars, _: sma_cross(bars, 20, 60, -1, BORROWED),
    ),
    "documented_test": (Rules(**SHARES), lambda bars, _: sma_cross(bars, 10, 30, -1)),
    "documented_readme": (Rules(fees=0.002, **SHARES), lambda bars, _: sma_cross(bars, 10, 20, -1)),
}


@cache
def simulated(shared: Path, run: str) -> Simulation:
    rules, strategy = RUNS[run]
    bars = bars_of(shared, run)
    orders = strategy(bars, rules)
    orders.exposure[-2] = 0.0
    return both(bars, orders, rules)


def folder(shared: Path) -> Path:
    return shared / "oracles" / "backtesting_py"


def recorded(shared: Path, run: str) -> pd.DataFrame:
    table = pd.DataFrame(json.loads((folder(shared) / f"{run}_trades.json").read_text()))
    names = ["symbol", "EntryBar", "ExitBar", "Size", "EntryPrice", "ExitPrice", "Commission", "PnL", "open"]
    table = table.assign(symbol=0, open=False)[names]
    return table.set_axis(TRADE_COLUMNS, axis=1)


def recorded_equity(shared: Path, run: str) -> np.ndarray:
    return pd.read_parquet(folder(shared) / f"{run}_equity.parquet")["equity"].to_numpy()
