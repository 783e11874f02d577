"""What the tests against other programs share: their data, and the comparison of trades."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from windtunnel.bars import Bars
from windtunnel.engine import REASONS, Simulation, simulate
from windtunnel.engine.reference import reference
from windtunnel.values import Orders, Rules

__all__ = ["TRADE_COLUMNS", "assert_same_trades", "both", "closes", "cross_above", "own_bars", "sma"]

TRADE_COLUMNS = ["symbol", "entry", "exit", "units", "entry_price", "exit_price", "fees", "pnl", "open"]


def own_bars(shared: Path, name: str) -> Bars:
    """Return the bars of ``GOOG`` or ``EURUSD``, as they come with backtesting.py."""
    return Bars.from_frame(pd.read_parquet(shared / "oracles" / "indicators" / f"input_{name}.parquet"))


def closes(time: object, close: object) -> Bars:
    """Return bars of nothing but closes."""
    return Bars.from_arrays(pd.to_datetime(time).to_numpy(), np.asarray(close, float))


def sma(values: np.ndarray, window: int) -> np.ndarray:
    """Return the rolling mean, NaN until the window is full."""
    return pd.Series(values).rolling(window).mean().to_numpy()


def cross_above(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Say where ``one`` is above ``other`` and was below it a bar before."""
    crossed = np.zeros(len(one), bool)
    crossed[1:] = (one[:-1] < other[:-1]) & (one[1:] > other[1:])
    return crossed


def both(bars: Bars, orders: Orders, rules: Rules) -> Simulation:
    """Simulate, after checking that the reference agrees."""
    fast, slow = simulate(bars, orders, rules), reference(bars, orders, rules)
    np.testing.assert_allclose(fast.equity, slow.equity, rtol=1e-12)
    np.testing.assert_array_equal(fast.fills.bar, slow.fills.bar)
    return fast


def trades_of(simulation: Simulation) -> pd.DataFrame:
    """Return the trades, units negative for a short, in the columns of :data:`TRADE_COLUMNS`."""
    trades = simulation.trades
    return pd.DataFrame(
        {
            "symbol": trades.symbol,
            "entry": trades.entry_bar,
            "exit": trades.exit_bar,
            "units": trades.units * trades.direction,
            "entry_price": trades.entry_price,
            "exit_price": trades.exit_price,
            "fees": trades.fees,
            "pnl": trades.pnl,
            "open": trades.reason == REASONS.index("end"),
        }
    )


def assert_same_trades(simulation: Simulation, theirs: pd.DataFrame, rtol: float, atol: float) -> None:
    """Compare trade by trade, in the order of symbol and entry, all that ``theirs`` has."""
    keys = ["symbol", "entry", "exit", "open"]
    mine = trades_of(simulation).sort_values(keys).reset_index(drop=True)
    given = [name for name in TRADE_COLUMNS if name in theirs]
    theirs = theirs[given].sort_values([key for key in keys if key in given]).reset_index(drop=True)
    pd.testing.assert_frame_equal(mine[given], theirs, check_dtype=False, rtol=rtol, atol=atol)
