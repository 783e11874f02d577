"""Refusing entries, and sizing what remains."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from windtunnel.errors import InvalidValueError
from windtunnel.learn import entries, held_direction
from windtunnel.pipeline.sections import GateSection, NotIn, SizingSection
from windtunnel.values import BoolArray, Exposure, FloatArray, Forecast, IntArray, Orders, Patterns, Regimes

__all__ = ["gate_refuses", "per_segment", "refuse", "sized"]


def gate_refuses(
    gate: GateSection, side: IntArray, regimes: Regimes | None, patterns: Patterns | None
) -> BoolArray:
    """Say where the gate would refuse an entry in the direction of ``side``, ``[T, N]``.

    What abstains refuses nothing.
    """
    refused = np.zeros(side.shape, np.bool_)
    if gate.regime is not None and regimes is not None:
        if isinstance(gate.regime, NotIn):
            refused |= regimes.is_any(gate.regime.not_, "gate.regime.not")
        else:
            refused |= ~regimes.is_any(gate.regime, "gate.regime") & (regimes.codes >= 0)
    if gate.pattern is not None and patterns is not None:
        bullish, bearish = (patterns.active(sign, gate.within, side.shape[1]) for sign in (1, -1))
        along, against = np.where(side > 0, bullish, bearish), np.where(side > 0, bearish, bullish)
        allowed = {"bullish": bullish, "bearish": bearish, "same": along, "not_opposite": ~against}
        searched = np.arange(len(side))[:, None] >= patterns.known_from
        refused |= ~allowed[gate.pattern] & searched
    return refused


def per_segment(exposure: Exposure, present: BoolArray, at_entry: FloatArray) -> FloatArray:
    """Carry the value at each entry over the bars until the next entry, ``[T, N]``; 1 before the first."""
    entry = entries(exposure, present)
    row = np.where(entry, np.arange(len(entry))[:, None], -1)
    last = np.maximum.accumulate(row, axis=0)
    carried = np.take_along_axis(at_entry, np.maximum(last, 0), axis=0)
    return np.asarray(np.where(last >= 0, carried, 1.0))


def refuse(exposure: Exposure, present: BoolArray, refused: BoolArray) -> Exposure:
    """Return the exposure with every refused entry flat until the next signal.

    Parameters
    ----------
    exposure : array, ``[T, N]``
    present : array of bool, ``[T, N]``
        Where a symbol has a bar.
    refused : array of bool, ``[T, N]``
        Read at entries only. Nothing that is held is closed by it.
    """
    kept = per_segment(exposure, present, np.where(refused, 0.0, 1.0)) > 0
    flat = np.zeros_like(exposure)
    chosen: Exposure = np.where(kept | np.isnan(exposure), exposure, flat)
    return chosen


def sized(orders: Orders, present: BoolArray, sizing: SizingSection, forecast: Forecast | None) -> Orders:
    """Say how large each position is; the size is fixed when an order is made, then left alone.

    Exposure × fraction × min(1, target volatility ÷ forecast) is a weight, a forecast that abstains changing
    nothing; times ``fixed_units`` or ``risk`` it is units, or a share of equity at risk. ``equal`` divides it
    by the number of symbols wanted on each bar. What needs no sizing passes through as it is.

    Raises
    ------
    InvalidValueError
        If the strategy sizes its orders itself and the section would too.
    """
    if sizing.is_default:
        return orders
    if orders.size != "weight" and sizing.own_size is not None:
        raise InvalidValueError(f"sizing.{sizing.own_size}", "the strategy sizes its own orders", orders.size)
    exposure = orders.exposure
    scale = np.full(exposure.shape, sizing.fraction)
    if sizing.target_volatility is not None and forecast is not None:
        known = forecast.mean > 0
        ratio = sizing.target_volatility / np.where(known, forecast.mean, 1.0)
        scale *= np.where(known, np.minimum(1.0, ratio), 1.0)
    scaled = np.asarray(exposure * _at_orders(exposure.astype(np.float64), present, scale))
    if sizing.fixed_units is not None:
        return replace(orders, exposure=scaled * sizing.fixed_units, size="units")
    if sizing.risk is not None:
        return replace(orders, exposure=scaled * sizing.risk, size="risk")
    if sizing.equal:
        wanted = (held_direction(exposure, present) != 0).sum(axis=1, keepdims=True)
        scaled = scaled / np.maximum(wanted, 1)
    return replace(orders, exposure=scaled)


def _at_orders(exposure: FloatArray, present: BoolArray, values: FloatArray) -> FloatArray:
    """Carry the value at each order over the bars until the next order."""
    rows = np.arange(len(exposure))[:, None]
    seen = np.maximum.accumulate(np.where(present, rows, -1), axis=0)
    before = np.vstack([np.full((1, exposure.shape[1]), -1), seen[:-1]])
    previous = np.where(before >= 0, np.take_along_axis(exposure, np.maximum(before, 0), axis=0), np.nan)
    order = present & ~np.isnan(exposure) & (exposure != previous)
    last = np.maximum.accumulate(np.where(order, rows, 0), axis=0)
    return np.take_along_axis(values, last, axis=0)
