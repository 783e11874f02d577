"""Intervals of the headline metrics."""

from __future__ import annotations

from math import isnan, sqrt

import numpy as np
import pytest

from windtunnel.engine.metrics import returns as metrics
from windtunnel.optimize.intervals import HEADLINE, intervals


def test_values_are_those_of_the_metrics() -> None:
    series = np.random.default_rng(1).normal(0.0005, 0.01, 700)
    equity = np.cumprod(1 + series)
    found = intervals(series, 252.0, seed=1, samples=100)
    assert tuple(found) == HEADLINE
    known = {
        "total_return": metrics.total_return(equity, 1.0),
        "cagr": metrics.cagr(equity, 1.0, 252.0),
        "volatility": metrics.volatility(series, 252.0),
        "sharpe": metrics.sharpe(series, 252.0),
        "sortino": metrics.sortino(series, 252.0),
        "calmar": metrics.calmar(equity, 1.0, 252.0),
        "max_drawdown": metrics.max_drawdown(equity, 1.0),
    }
    for name, value in known.items():
        assert found[name][0] == pytest.approx(value, rel=1e-10), name
        assert found[name][1] < value < found[name][2], name


def test_a_sharpe_ratio_is_as_uncertain_as_theory_says() -> None:
    years = 10
    series = np.random.default_rng(2).normal(0.0, 0.01, 252 * years)
    _, low, high = intervals(series, 252.0, seed=1)["sharpe"]
    assert (high - low) / 2 == pytest.approx(1.96 / sqrt(years), rel=0.15)
    narrow = intervals(series, 252.0, seed=1, level=0.5)["sharpe"]
    assert narrow[2] - narrow[1] < 0.5 * (high - low)


def test_the_seed_decides() -> None:
    series = np.random.default_rng(3).normal(0.0, 0.01, 300)
    assert intervals(series, 252.0, seed=1) == intervals(series, 252.0, seed=1)
    assert intervals(series, 252.0, seed=1) != intervals(series, 252.0, seed=2)


def test_what_is_not_defined_is_not_a_number() -> None:
    few = intervals(np.array([0.01, -0.02, 0.01]), 252.0, seed=1)
    assert few["total_return"][0] == pytest.approx(1.01 * 0.98 * 1.01 - 1)
    assert isnan(few["sharpe"][1])
    assert all(isnan(value) for row in intervals(np.empty(0), 252.0, seed=1).values() for value in row)
    flat = intervals(np.zeros(100), 252.0, seed=1)
    assert flat["total_return"] == (0.0, 0.0, 0.0)
    assert all(isnan(value) for value in flat["sharpe"])
    rising = intervals(np.full(100, 0.01), 252.0, seed=1)
    assert isnan(rising["calmar"][0])
    assert rising["max_drawdown"] == (0.0, 0.0, 0.0)


def test_an_account_that_is_gone_stays_gone() -> None:
    series = np.random.default_rng(4).normal(0.0, 0.01, 100)
    series[50] = -1.0
    found = intervals(series, 252.0, seed=1)
    assert found["cagr"][0] == -1.0
    assert found["max_drawdown"][0] == -1.0
