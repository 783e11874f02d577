"""An account over some stretches of bars only."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from windtunnel import Bars, Orders, Rules
from windtunnel.engine import simulate
from windtunnel.engine.metrics import Performance, compute
from windtunnel.engine.stretches import within


def account(bars: int = 60, seed: int = 0):
    random = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(0.02 * random.standard_normal((bars, 2)), axis=0))
    panel = Bars.from_arrays(np.datetime64("2020-01-01") + np.arange(bars), close)
    wanted = random.choice([0.0, 0.4, -0.4], size=(bars, 2))
    return simulate(panel, Orders(np.repeat(wanted[::5], 5, axis=0)[:bars]), Rules(fees=0.001, borrow=0.02))


def test_all_bars_are_the_account_itself():
    whole = account()
    assert within(whole, [(0, 60)]) is whole


def test_a_stretch_by_hand():
    """100 units are bought at 10 on bar 1; equity 1000, 1000, 1100, 1320, 1188."""
    close = np.array([10.0, 10.0, 11.0, 13.2, 11.88])
    bars = Bars.from_arrays(np.datetime64("2020-01-01") + np.arange(5), close)
    whole = simulate(bars, Orders(np.ones((5, 1), bool)), Rules(cash=1000.0, fill="close"))
    part = within(whole, [(2, 4)])
    assert part.equity.tolist() == pytest.approx([1100.0, 1320.0])
    assert part.returns.tolist() == pytest.approx([0.1, 0.2])
    assert len(part.fills) == 0
    assert len(part.trades) == 0
    last = within(whole, [(3, 5)])
    assert last.equity.tolist() == pytest.approx([1200.0, 1080.0])
    assert last.trades.pnl.tolist() == pytest.approx([188.0 * 1080 / 1188])
    assert last.trades.exit_bar.tolist() == [1]


@given(st.integers(0, 5), st.integers(1, 25), st.integers(1, 20), st.integers(1, 10))
def test_stretches_join_returns_fills_and_trades(seed, first, length, gap):
    whole = account(seed=seed)
    stretches = [(first, first + length), (first + length + gap, 60)]
    part = within(whole, stretches)
    rows = np.concatenate([np.arange(*bounds) for bounds in stretches])
    assert np.allclose(part.returns, whole.returns[rows], atol=1e-14)
    assert part.equity[-1] == pytest.approx(whole.rules.cash * np.prod(1 + whole.returns[rows]))
    assert len(part.bars) == len(rows) == len(part.gross)
    kept = np.isin(whole.fills.bar, rows)
    assert np.array_equal(rows[part.fills.bar], whole.fills.bar[kept])
    ended = np.isin(whole.trades.exit_bar, rows)
    assert np.allclose(part.trades.returns, whole.trades.returns[ended])
    share = np.divide(part.gross, part.equity)
    assert np.allclose(share, (whole.gross / whole.equity)[rows])


def test_figures_of_a_stretch_by_the_whole_account():
    whole = account(seed=1)
    figures = compute(Performance(within(whole, [(20, 40)]), 252.0))
    assert figures["total_return"] == pytest.approx(whole.equity[39] / whole.equity[19] - 1)
    assert figures["trades"] == ((whole.trades.exit_bar >= 20) & (whole.trades.exit_bar < 40)).sum()
