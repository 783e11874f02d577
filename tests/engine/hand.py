"""Hand-computed cases: a few bars written down, orders, rules, and the fills that come of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from windtunnel.bars import Bars
from windtunnel.engine import REASONS, Simulation, simulate
from windtunnel.engine.reference import reference
from windtunnel.values import Orders, Rules

__all__ = ["fills", "panel", "run"]


def columns(values: Any) -> Any:
    """Return ``[T, N]`` from the values of one symbol or of several."""
    found = np.array(values, float)
    return found[:, None] if found.ndim == 1 else found.T


def panel(close: Any, time: Any = None, **fields: Any) -> Bars:
    """Return bars, each symbol a list; a field that is left out equals the close, or the range of the bar."""
    closes = columns(close)
    given = {name: columns(values) for name, values in fields.items()}
    open_ = given.setdefault("open", closes)
    given.setdefault("high", np.fmax(open_, closes))
    given.setdefault("low", np.fmin(open_, closes))
    when = np.datetime64("2024-01-01") + np.arange(len(closes)) if time is None else np.array(time, "M8[m]")
    return Bars.from_arrays(when, closes, **given, symbols=list("ABC")[: closes.shape[1]])


def run(bars: Bars, exposure: Any, size: str = "weight", **given: Any) -> Simulation:
    """Simulate orders and rules, after checking that the reference says the same."""
    fields = Orders.__dataclass_fields__
    panels = {name: columns(given.pop(name)) for name in tuple(given) if name in fields}
    orders = Orders(columns(exposure), size, **panels)  # type: ignore[arg-type]
    rules = Rules(**{"cash": 1000.0} | given)
    fast, slow = simulate(bars, orders, rules), reference(bars, orders, rules)
    np.testing.assert_allclose(fast.equity, slow.equity, rtol=1e-12)
    assert fills(fast) == fills(slow)
    return fast


def fills(simulation: Simulation) -> list[tuple[Any, ...]]:
    """Return symbol where there are several, bar, units, price and reason of each fill."""
    of, names = simulation.fills, simulation.bars.symbols
    return [
        (
            *((names[of.symbol[k]],) if len(names) > 1 else ()),
            int(of.bar[k]),
            round(float(of.units[k]), 9),
            round(float(of.price[k]), 9),
            REASONS[of.reason[k]],
        )
        for k in range(len(of))
    ]
