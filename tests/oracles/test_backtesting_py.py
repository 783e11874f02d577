"""Runs of backtesting.py 0.6.6, from the rules of their strategies: every trade, and equity at every bar."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from backtesting_runs import RUNS, SHARES, folder, recorded, recorded_equity, simulated, sma_cross
from oracle_runs import assert_same_trades, both, own_bars

from windtunnel.values import Rules


@pytest.mark.parametrize("run", RUNS)
def test_rules_give_the_same_trades(shared: Path, run: str) -> None:
    assert_same_trades(simulated(shared, run), recorded(shared, run), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("run", [run for run in RUNS if run[0].isdigit() and not run.startswith("03")])
def test_rules_give_the_same_equity(shared: Path, run: str) -> None:
    np.testing.assert_allclose(simulated(shared, run).equity, recorded_equity(shared, run), rtol=1e-9)


def test_a_fill_at_the_close_is_paid_for_on_its_own_bar(shared: Path) -> None:
    """Theirs carries out an order at the close of bar t while it works on t + 1, and charges it there."""
    run = "03_GOOG_sma_cross"
    ours, theirs = simulated(shared, run), recorded_equity(shared, run)
    fees = np.zeros(len(theirs))
    fees[ours.fills.bar] = ours.fills.fee
    assert np.count_nonzero(fees) == 94
    np.testing.assert_allclose(ours.equity + fees, theirs, rtol=1e-9)


def test_published_values(shared: Path) -> None:
    """Those of its own test suite."""
    documented = json.loads((folder(shared) / "documented_examples.json").read_text())
    published, run = documented["published_test_values"], simulated(shared, "documented_test")
    trades = run.trades
    assert run.equity[-1] == pytest.approx(published["Equity Final [$]"], rel=1e-12)
    assert run.equity.max() == pytest.approx(published["Equity Peak [$]"], rel=1e-12)
    assert len(trades) == published["# Trades"]
    assert 100 * (trades.pnl > 0).mean() == pytest.approx(published["Win Rate [%]"])
    assert 100 * trades.returns.max() == pytest.approx(published["Best Trade [%]"])
    assert 100 * trades.returns.min() == pytest.approx(published["Worst Trade [%]"])


def test_theirs_pays_the_spread_on_entries_only(shared: Path) -> None:
    """Ours moves the price of every market fill: exits are worse by the spread, and so are later sizes."""
    run, bars = "02_GOOG_sma_cross", own_bars(shared, "GOOG")
    orders = sma_cross(bars, 10, 20, 0)
    orders.exposure[-2] = 0.0
    ours = both(bars, orders, Rules(fees=0.002, slippage=0.001, **SHARES))
    theirs = recorded(shared, run)
    first = theirs.iloc[0]
    assert len(theirs) == 47
    assert ours.trades.units[0] == first["units"]
    worse = theirs.assign(exit_price=theirs["exit_price"] * 0.999)
    assert_same_trades(ours, worse.drop(columns=["units", "fees", "pnl"]), rtol=1e-9, atol=1e-9)
