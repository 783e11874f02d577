"""The compiled engine against the plain reference, on random markets, and the identities of accounting."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from windtunnel.bars import Bars
from windtunnel.engine import REASONS, simulate
from windtunnel.engine.reference import reference
from windtunnel.values import Orders, Rules


def market(rng: np.random.Generator, rows: int, columns: int, gaps: float, volatility: float) -> Bars:
    """Return a random panel with gaps, late starts and delistings."""
    close = 100 * np.exp(np.cumsum(rng.normal(0, volatility, (rows, columns)), axis=0))
    open_ = close * np.exp(rng.normal(0, volatility / 3, (rows, columns)))
    missing = rng.random((rows, columns)) < gaps
    last = np.full(columns, rows - 1)
    for symbol in range(columns):
        if rng.random() < 0.3:
            last[symbol] = rng.integers(0, rows)
            missing[last[symbol] + 1 :, symbol] = True
        missing[last[symbol], symbol] = False
    close[missing] = open_[missing] = np.nan
    close, open_ = np.asfortranarray(close), np.asfortranarray(open_)
    time = np.datetime64("2020-01-01", "ns") + np.arange(rows) * np.timedelta64(1, "D")
    names = tuple(f"S{i}" for i in range(columns))
    high, low = np.fmax(open_, close), np.fmin(open_, close)
    return Bars(time.astype("datetime64[ns]"), names, open_, high, low, close, np.ones_like(close), last)


def wishes(rng: np.random.Generator, shape: tuple[int, int], style: str) -> np.ndarray:
    if style == "bool":
        return rng.random(shape) < 0.5
    if style == "int8":
        return rng.integers(-1, 2, shape).astype(np.int8)
    wanted = rng.uniform(-1, 1, shape)
    if style == "halves":
        return np.round(2 * wanted) / 2
    if style == "sparse":
        wanted[rng.random(shape) < 0.7] = np.nan
    return wanted


@st.composite
def cases(draw: st.DrawFn) -> tuple[Bars, Orders, Rules]:
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    rows, columns = draw(st.integers(1, 40)), draw(st.integers(1, 6))
    bars = market(
        rng, rows, columns, draw(st.sampled_from([0, 0.1, 0.4])), draw(st.sampled_from([0.02, 0.3]))
    )
    style = draw(st.sampled_from(["bool", "int8", "halves", "sparse", "dense"]))
    rules = Rules(
        cash=draw(st.sampled_from([100.0, 1e6])),
        fees=draw(st.sampled_from([0.0, 0.001, 0.2])),
        fee_fixed=draw(st.sampled_from([0.0, 1.0, 60.0])),
        slippage=draw(st.sampled_from([0.0, 0.0005, 0.1])),
        fill=draw(st.sampled_from(["next_open", "close"])),
        cash_shortage=draw(st.sampled_from(["scale", "in_order"])),
    )
    return bars, Orders(wishes(rng, (rows, columns), style)), rules


@given(cases())
def test_kernel_equals_reference(case: tuple[Bars, Orders, Rules]) -> None:
    bars, orders, rules = case
    fast, slow = simulate(bars, orders, rules), reference(bars, orders, rules)
    for name in ("equity", "cash", "gross"):
        np.testing.assert_allclose(
            getattr(fast, name), getattr(slow, name), rtol=1e-9, atol=1e-9 * rules.cash
        )
    for name in ("bar", "symbol", "reason"):
        np.testing.assert_array_equal(getattr(fast.fills, name), getattr(slow.fills, name))
    for name in ("units", "price", "fee", "slippage", "position"):
        np.testing.assert_allclose(
            getattr(fast.fills, name), getattr(slow.fills, name), rtol=1e-9, atol=1e-9 * rules.cash
        )


@given(cases())
def test_accounting_identities(case: tuple[Bars, Orders, Rules]) -> None:
    bars, orders, rules = case
    run = simulate(bars, orders, rules)
    fills = run.fills
    spent = np.zeros(len(bars))
    np.add.at(spent, fills.bar, fills.units * fills.price + fills.fee)
    scale = 1e-9 * max(rules.cash, float(np.abs(run.gross).max()))
    np.testing.assert_allclose(run.cash, rules.cash - np.cumsum(spent), rtol=1e-9, atol=scale)

    row = np.where(bars.present, np.arange(len(bars))[:, None], 0)
    marks = np.take_along_axis(bars.close, np.maximum.accumulate(row, axis=0), axis=0)
    held = np.where(run.units != 0, run.units * marks, 0.0).sum(axis=1)
    np.testing.assert_allclose(run.cash + held, run.equity, rtol=1e-9, atol=scale)
    np.testing.assert_allclose(run.trades.fees.sum(), fills.fee.sum(), rtol=1e-9, atol=scale)
    np.testing.assert_allclose(run.trades.pnl.sum(), run.equity[-1] - rules.cash, rtol=1e-7, atol=scale)


@given(cases())
def test_no_opening_fill_outruns_equity(case: tuple[Bars, Orders, Rules]) -> None:
    """With fills at the close, gross exposure never exceeds equity on a bar that opened something."""
    bars, orders, rules = case
    run = simulate(bars, orders, Rules(**{**dict(rules), "fill": "close"}))
    before = np.vstack([np.zeros((1, bars.shape[1])), run.units[:-1]])
    grew = ((np.abs(run.units) > np.abs(before)) | (run.units * before < 0)).any(axis=1)
    assert (run.gross[grew] <= run.equity[grew] + 1e-9 * rules.cash).all()


@given(cases())
def test_no_fill_without_a_decision_before_it(case: tuple[Bars, Orders, Rules]) -> None:
    """The bars and wishes after a bar do not change what happened up to it."""
    bars, orders, rules = case
    run = simulate(bars, orders, rules)
    half = len(bars) // 2
    early = simulate(bars.cut(0, half), orders.cut(0, half), rules)
    assert early.equity.tobytes() == run.equity[:half].tobytes()
    signals = run.fills.reason == REASONS.index("signal")
    if rules.fill == "next_open":
        assert (run.fills.bar[signals] > 0).all()
