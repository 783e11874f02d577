"""From expectations to the strategy that is followed, its orders, and the reason in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from windtunnel.plugin import Strategy
from windtunnel.values import BoolArray, FloatArray, IntArray, Orders
from windtunnel_plugins.strategies._conditions import Conditions
from windtunnel_plugins.strategies._expectation import Expectation, influences
from windtunnel_plugins.strategies._holding import last_asked

__all__ = ["follow", "held", "labels", "latest_decision", "reasons", "spread"]


def follow(expected: FloatArray, symbol: IntArray, margin: float) -> IntArray:
    """Return which candidate is followed from each decision on, ``[n]``; -1 where nothing was ever expected.

    Parameters
    ----------
    expected : array of float64, ``[n, K]``
        A row with a NaN is no opinion: what is followed stays.
    symbol : array of int64, ``[n]``
        Decisions of a symbol stand together, in time order.
    margin : float
        What a change must add.
    """
    chosen, current, before = [], -1, -1
    for row, column in zip(expected.tolist(), symbol.tolist(), strict=True):
        if column != before:
            current, before = -1, column
        if not any(value != value for value in row):
            best = max(range(len(row)), key=row.__getitem__)
            if current < 0 or row[best] - row[current] > margin:
                current = best
        chosen.append(current)
    return np.array(chosen, np.int64)


def latest_decision(at: tuple[IntArray, IntArray], shape: tuple[int, int]) -> IntArray:
    """Return the row of the last decision up to each bar, ``[T, N]``; -1 before the first.

    ``at`` are bar and symbol of each decision.
    """
    decided = np.full(shape, -1)
    decided[at] = np.arange(len(at[0]))
    return np.maximum.accumulate(decided, axis=0)


def spread(values: FloatArray, latest: IntArray) -> FloatArray:
    """Give every bar the values, ``[n, K]``, of its last decision: ``[T, N, K]``; NaN before the first."""
    return np.where((latest >= 0)[..., None], values[latest], np.nan)


def held(wanted: Sequence[Orders], chosen: IntArray, present: BoolArray) -> dict[str, Any]:
    """Return the orders of the candidate that is followed on each bar, as arguments of Orders.

    Flat before the first; NaN where there is no bar. Where a candidate asks to keep what it holds on the bar
    of a change, the exposure is what it last asked for.
    """
    changed = np.concatenate([np.ones_like(chosen[:1], np.bool_), chosen[1:] != chosen[:-1]])
    exposure = np.zeros(chosen.shape)
    for place, orders in enumerate(wanted):
        own = orders.exposure.astype(np.float64)
        own = np.where(changed, last_asked(own), own)
        exposure = np.where(chosen == place, own, exposure)
    panels = {name for orders in wanted for name, _ in orders.panels()}
    said: dict[str, Any] = {name: np.full(chosen.shape, np.nan) for name in panels}
    for place, orders in enumerate(wanted):
        for name, panel in orders.panels():
            said[name] = np.where(chosen == place, panel, said[name])
    return {"exposure": np.where(present, exposure, np.nan), "size": wanted[0].size, **said}


def labels(candidates: Sequence[Strategy]) -> tuple[str, ...]:
    """Return what to call each: its name and what differs from its defaults; all where names repeat."""
    names = [candidate.name for candidate in candidates]
    return tuple(
        str(candidate) if names.count(candidate.name) > 1 else _short(candidate) for candidate in candidates
    )


def _short(candidate: Strategy) -> str:
    usual = {name: field.default for name, field in type(candidate).model_fields.items()}
    own = [f"{name}={value}" for name, value in dict(candidate).items() if value != usual[name]]
    return f"{candidate.name}({', '.join(own)})" if own else candidate.name


def reasons(
    now: Conditions,
    hoped: Expectation,
    state: Mapping[str, Any],
    chosen: IntArray,
    symbol: IntArray,
    symbols: int,
    names: Sequence[str],
) -> tuple[str, ...]:
    """Say of each symbol why a candidate is followed at its last decision; nothing where none is.

    What is expected of it, the regime, and the three conditions that moved the expectation most.
    """
    last = np.flatnonzero(np.append(symbol[1:] != symbol[:-1], True))
    last = last[(chosen[last] >= 0) & ~np.isnan(hoped.expected[last]).any(axis=1)]
    moved = influences(now, state, last, chosen[last])
    said = [""] * symbols
    for row, parts in zip(last.tolist(), moved, strict=True):
        said[symbol[row]] = _reason(now, hoped, row, int(chosen[row]), parts, names)
    return tuple(said)


def _reason(
    now: Conditions, hoped: Expectation, row: int, chosen: int, moved: FloatArray, names: Sequence[str]
) -> str:
    said = [f"Follows {names[chosen]}: {_signed(100 * hoped.expected[row, chosen], '.1f')}% expected"]
    regimes = [place for place, name in enumerate(now.names) if name.startswith("regime ")]
    if regimes and not np.isnan(now.values[row, regimes]).any():
        likeliest = max(regimes, key=lambda place: now.values[row, place])
        name = now.names[likeliest].removeprefix("regime ")
        said.append(f"{name} at {now.values[row, likeliest]:.0%}")
    counted = [place for place in np.argsort(-np.abs(moved), kind="stable")[:3].tolist() if moved[place]]
    if counted:
        words = [
            f"{_called(now, row, place, names)} (speaks {'for' if moved[place] > 0 else 'against'} it)"
            for place in counted
        ]
        said.append(f"what counted most: {', '.join(words)}")
    return "; ".join(said) + "."


def _called(now: Conditions, row: int, place: int, names: Sequence[str]) -> str:
    name, value = now.names[place], now.values[row, place]
    if name.startswith("held "):
        return f"{names[int(name.removeprefix('held '))]} holding {_signed(value, '.0f')}"
    return f"{name} unknown" if np.isnan(value) else f"{name} {_plain(value)}"


def _plain(value: float) -> str:
    return f"{value:.2g}".replace("-", "−")


def _signed(value: float, style: str) -> str:
    return f"{value:+{style}}".replace("-", "−")
