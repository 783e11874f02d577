"""What must hold for the metrics of any returns."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from windtunnel.engine.metrics.returns import (
    alpha,
    beta,
    cagr,
    cvar,
    kurtosis,
    max_drawdown,
    max_drawdown_bars,
    sharpe,
    skew,
    sortino,
    tail_ratio,
    total_return,
    value_at_risk,
    volatility,
)
from windtunnel.values import FloatArray

CASH = 100.0
per_mille = st.integers(-400, 400).map(lambda value: value / 1000)
several_returns = arrays(np.float64, st.integers(5, 60), elements=per_mille)


@given(several_returns, st.floats(0.01, 1.0))
def test_ratios_do_not_depend_on_scale_and_change_sign_with_the_returns(
    returns: FloatArray, scale: float
) -> None:
    for ratio in (lambda r: sharpe(r, 252), skew):
        assert ratio(returns * scale) == pytest.approx(ratio(returns), rel=1e-6, abs=1e-9, nan_ok=True)
        assert ratio(-returns) == pytest.approx(-ratio(returns), rel=1e-9, abs=1e-12, nan_ok=True)
    assert sortino(returns * scale, 252) == pytest.approx(sortino(returns, 252), rel=1e-9, nan_ok=True)
    assert kurtosis(-returns) == pytest.approx(kurtosis(returns), rel=1e-9, abs=1e-9, nan_ok=True)
    assert volatility(returns * scale, 252) == pytest.approx(
        volatility(returns, 252) * scale, rel=1e-9, abs=1e-15
    )


@given(several_returns)
def test_tails(returns: FloatArray) -> None:
    assert returns.min() - 1e-15 <= cvar(returns) <= value_at_risk(returns) + 1e-15
    assert value_at_risk(returns) <= np.median(returns) + 1e-15
    there, back = tail_ratio(returns), tail_ratio(-returns)
    assert math.isnan(there) or math.isnan(back) or there * back == pytest.approx(1, rel=1e-9)


@given(several_returns, st.integers(-3, 3))
def test_equity_figures_do_not_depend_on_the_currency(returns: FloatArray, power: int) -> None:
    equity, cash = CASH * np.cumprod(1 + returns), CASH
    other, other_cash = equity * 2.0**power, cash * 2.0**power
    for figure in (total_return, max_drawdown, max_drawdown_bars):
        assert figure(equity, cash) == figure(other, other_cash)
    assert cagr(equity, cash, 252) == pytest.approx(cagr(other, other_cash, 252), rel=1e-12, nan_ok=True)
    assert -1 < max_drawdown(equity, cash) <= min(0.0, total_return(equity, cash) + 1e-12)


@given(arrays(np.float64, st.integers(0, 30), elements=st.integers(90, 110)))
def test_drawdown_equals_a_plain_loop(equity: FloatArray) -> None:
    peak, peak_bar, deepest, longest, below = CASH, -1, 0.0, 0, False
    for bar, value in enumerate(equity):
        if value >= peak:
            longest = max(longest, bar - peak_bar if below else 0)
            peak, peak_bar, below = value, bar, False
        else:
            deepest, below = min(deepest, value / peak - 1), True
    longest = max(longest, len(equity) - 1 - peak_bar if below else 0)
    assert max_drawdown_bars(equity, CASH) == longest
    if len(equity):
        assert max_drawdown(equity, CASH) == pytest.approx(deepest, abs=1e-15)


@given(several_returns, st.floats(-2, 2), st.floats(-0.01, 0.01))
def test_beta_and_alpha_of_a_line(benchmark: FloatArray, slope: float, level: float) -> None:
    returns = level + slope * benchmark
    if benchmark.std() < 1e-6:
        return
    assert beta(returns, benchmark) == pytest.approx(slope, abs=1e-7)
    assert alpha(returns, benchmark, 12) == pytest.approx((1 + level) ** 12 - 1, abs=1e-6)
