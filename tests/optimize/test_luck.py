"""What luck alone would show in a sweep, on noise and where there is an edge."""

from __future__ import annotations

from math import sqrt
from typing import Any

import numpy as np
import pytest

import windtunnel as wt
from windtunnel.optimize import blocks_of, expected_maximum, luck_of
from windtunnel.values import Luck
from windtunnel_plugins.strategies import SmaCross

SPACE = {"fast": range(2, 12), "slow": range(15, 60, 5)}


def swept(close: np.ndarray) -> tuple[Any, Luck]:
    bars = wt.Bars.from_arrays(np.datetime64("2010-01-01") + np.arange(len(close)), close)
    trials = len(SPACE["fast"]) * len(SPACE["slow"])
    table = wt.sweep(bars, SmaCross, SPACE, edges=blocks_of(len(bars), trials))
    best = table.best("sharpe")
    chosen = SmaCross(fast=best["fast"], slow=best["slow"])
    found = luck_of(table, wt.backtest(bars, chosen).simulation.returns, bars.periods_per_year)
    assert found is not None
    return (bars, table, best), found


def test_luck_is_what_the_formulas_say() -> None:
    (bars, table, best), found = swept(
        100 * np.exp(np.cumsum(np.random.default_rng(4).normal(0, 0.01, 1500)))
    )
    year = sqrt(bars.periods_per_year)
    assert found.trials == 90
    assert found.halvings == 252
    assert found.years == pytest.approx(1500 / bars.periods_per_year)
    assert found.sharpe == pytest.approx(best["sharpe"], rel=1e-9)
    spread = np.std(table.metric("sharpe"), ddof=1) / year
    assert found.expected == pytest.approx(spread * expected_maximum(90) * year, rel=1e-9)
    assert 0.0 <= found.deflated <= 1.0
    assert f"more than luck with a probability of {found.deflated:.0%}" in found.sentence


def test_an_edge_is_more_than_luck() -> None:
    rng = np.random.default_rng(6)
    trend = np.repeat(rng.choice([-0.004, 0.004], 50), 60)
    _, found = swept(100 * np.exp(np.cumsum(trend + rng.normal(0, 0.008, 3000))))
    _, noise = swept(100 * np.exp(np.cumsum(rng.normal(0, 0.009, 3000))))
    assert found.deflated > 0.99
    assert noise.deflated < 0.95
    assert found.sharpe > 2 * found.expected


def test_without_blocks_or_trades_nothing_is_claimed() -> None:
    bars = wt.Bars.from_arrays(np.datetime64("2010-01-01") + np.arange(300), np.full(300, 50.0))
    table = wt.sweep(bars, SmaCross, SPACE, edges=blocks_of(300, 90))
    assert luck_of(table, np.zeros(300), 252.0) is None
    unblocked = wt.sweep(bars, SmaCross, SPACE)
    assert luck_of(unblocked, np.random.default_rng(0).normal(size=300), 252.0) is None
    assert blocks_of(99, 90) == ()
    assert blocks_of(300, 1) == ()
    assert blocks_of(300, 100_001) == ()
    assert blocks_of(305, 2) == (0, 30, 60, 90, 120, 150, 180, 210, 240, 270, 300)
