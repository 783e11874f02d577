"""Random markets, orders and rules: everything that the engine knows, in one draw."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st

from windtunnel.bars import Bars
from windtunnel.values import Actions, Atr, Calendar, Drift, Orders, RangeShare, Rules

__all__ = ["Case", "cases", "market"]


@dataclass(repr=False)
class Case:
    """What an engine is given; the seed and the draws that made it are told by hypothesis."""

    bars: Bars
    orders: Orders
    rules: Rules

    def __repr__(self) -> str:
        changed = self.rules.model_dump(exclude_defaults=True)
        given = [self.orders.size, str(self.orders.exposure.dtype), *(n for n, _ in self.orders.panels())]
        return f"{self.bars.shape} {' '.join(given)} actions {self.bars.actions is not None} {changed}"


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
    high = np.fmax(open_, close) * np.exp(np.abs(rng.normal(0, volatility / 2, (rows, columns))))
    low = np.fmin(open_, close) * np.exp(-np.abs(rng.normal(0, volatility / 2, (rows, columns))))
    volume = rng.integers(0, 2_000, (rows, columns)).astype(np.float64)
    fields = [np.asfortranarray(np.where(missing, np.nan, x)) for x in (open_, high, low, close, volume)]
    time = np.datetime64("2020-01-20", "ns") + np.arange(rows) * np.timedelta64(1, "D")
    names = tuple(f"S{i}" for i in range(columns))
    return Bars(time.astype("datetime64[ns]"), names, *fields, last, actions=_actions(rng, ~missing))


def _actions(rng: np.random.Generator, present: np.ndarray) -> Actions | None:
    """Return a few dividends and splits, on bars that are there; often none."""
    if rng.random() < 0.6:
        return None
    bar, symbol = np.nonzero(present & (rng.random(present.shape) < 0.05))
    dividend = np.where(rng.random(len(bar)) < 0.5, rng.uniform(0, 3, len(bar)), 0.0)
    split = np.where(rng.random(len(bar)) < 0.5, rng.choice([0.5, 2.0, 7.0], len(bar)), 1.0)
    return Actions(bar.astype(np.int64), symbol.astype(np.int64), dividend, split)


def _exposure(rng: np.random.Generator, shape: tuple[int, int], style: str) -> np.ndarray:
    if style == "bool":
        return rng.random(shape) < 0.5
    if style == "int8":
        return rng.integers(-1, 2, shape).astype(np.int8)
    if style == "pulses":
        return np.where(rng.random(shape) < 0.2, rng.choice([-1.0, 0.0, 1.0], shape), np.nan)
    wanted = rng.uniform(-1, 1, shape)
    if style == "halves":
        return np.round(2 * wanted) / 2
    if style == "sparse":
        wanted[rng.random(shape) < 0.7] = np.nan
    if style == "steady":
        wanted[1:][rng.random((shape[0] - 1, shape[1])) < 0.8] = np.nan
        row = np.maximum.accumulate(np.where(np.isnan(wanted), 0, np.arange(shape[0])[:, None]), axis=0)
        wanted = np.take_along_axis(wanted, row, axis=0)
    return wanted


def _levels(rng: np.random.Generator, bars: Bars, spread: float, share: float) -> np.ndarray:
    """Return prices near the close, on a share of the bars."""
    level = bars.close * np.exp(rng.normal(0, spread, bars.shape))
    return np.where(rng.random(bars.shape) < share, level, np.nan)


def _orders(
    draw: st.DrawFn, rng: np.random.Generator, bars: Bars, rules: dict[str, Any], spread: float
) -> Orders:
    styles = ["bool", "int8", "halves", "sparse", "dense", "pulses", "steady"]
    exposure = _exposure(rng, bars.shape, draw(st.sampled_from(styles)))
    size = draw(st.sampled_from(["weight", "weight", "weight", "units", "risk"]))
    panels: dict[str, Any] = {}
    entry = draw(st.sampled_from(["market", "market", "limit", "stop"]))
    if entry != "market":
        panels[f"entry_{entry}"] = _levels(rng, bars, spread, 0.8)
    for name in ("exit_stop", "exit_target"):
        if draw(st.booleans()):
            panels[name] = _levels(rng, bars, 2 * spread, 0.3)
    if draw(st.booleans()):
        panels["rank"] = np.where(rng.random(bars.shape) < 0.9, rng.integers(0, 3, bars.shape), np.nan)
    atr = bars.high - bars.low
    atr[: len(atr) // 10] = np.nan
    panels["atr"] = np.where(atr > 0, atr, np.nan)
    if size == "risk" and "exit_stop" not in panels:
        rules["stop_loss"] = rules.get("stop_loss") or 0.1
    if size == "risk":
        exposure = np.asarray(exposure * 0.05)
    if size == "units":
        exposure = np.asarray(exposure * 10.0)
    if size != "weight" and isinstance(rules.get("rebalance"), Drift):
        rules["rebalance"] = "on_change"
    return Orders(exposure, size, **panels)


def _any_of(*values: Any) -> st.SearchStrategy[Any]:
    return st.sampled_from(values)


DISTANCES = _any_of(None, None, None, 0.02, 0.1, Atr(atr=1.5))
RULES: dict[str, st.SearchStrategy[Any]] = {
    "cash": _any_of(1e4, 1e4, 100.0, 1e6),
    "fill": _any_of("next_open", "close"),
    "sides": _any_of("both", "both", "both", "long", "short"),
    "fees": _any_of(0.0, 0.001, 0.001, 0.2),
    "fees_by_symbol": _any_of({}, {}, {"S0": 0.01}),
    "fee_fixed": _any_of(0.0, 0.0, 0.0, 1.0, 60.0),
    "fee_min": _any_of(0.0, 0.0, 2.0, 30.0),
    "slippage": _any_of(0.0, 0.0005, 0.1, RangeShare(range=0.1)),
    "borrow": _any_of(0.0, 0.0, 0.3),
    "financing": _any_of(0.0, 0.0, 0.2),
    "cash_shortage": _any_of("scale", "in_order"),
    "leverage": _any_of(1.0, 1.0, 2.0, 10.0),
    "maintenance_margin": _any_of(0.0, 0.0, 0.25, 0.5),
    "lot": _any_of(None, None, 1.0, 0.1),
    "min_notional": _any_of(0.0, 0.0, 0.0, 50.0),
    "max_participation": _any_of(None, None, None, 0.1, 1.0),
    "max_positions": _any_of(None, None, 1, 2),
    "rebalance": _any_of(
        "on_change", "on_change", "never", Calendar(every=5), Calendar(every="month"), Drift(drift=0.05)
    ),
    "stop_loss": DISTANCES,
    "take_profit": DISTANCES,
    "trailing_stop": DISTANCES,
    "max_bars": _any_of(None, None, 1, 4),
    "cooldown": _any_of(0, 0, 1, 3),
    "entry_valid": _any_of(None, 1, 3),
}


@st.composite
def cases(draw: st.DrawFn, plain: bool = False) -> Case:
    """Draw bars, orders and rules; ``plain`` leaves out everything but exposure and costs."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    rows, columns = draw(st.sampled_from([40, 20, 5, 2, 1])), draw(st.integers(1, 6))
    spread = draw(st.sampled_from([0.02, 0.3]))
    bars = market(rng, rows, columns, draw(st.sampled_from([0, 0.1, 0.4])), spread)
    simple = ("cash", "fees", "fee_fixed", "slippage", "fill", "cash_shortage")
    rules = {name: draw(values) for name, values in RULES.items() if not plain or name in simple}
    if plain:
        exposure = _exposure(rng, bars.shape, draw(st.sampled_from(["bool", "int8", "halves", "sparse"])))
        return Case(bars, Orders(exposure), Rules(**rules))
    orders = _orders(draw, rng, bars, rules, spread)
    return Case(bars, orders, Rules(**rules))
