"""Refusing entries, and sizing what remains."""

from __future__ import annotations

import numpy as np

from windtunnel.learn import entries
from windtunnel.pipeline.sections import GateSection, NotIn, SizingSection
from windtunnel.values import BoolArray, Exposure, FloatArray, Forecast, IntArray, Patterns, Regimes

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


def sized(
    exposure: Exposure, present: BoolArray, sizing: SizingSection, forecast: Forecast | None
) -> Exposure:
    """Turn exposure into weights; the size is fixed when an order is made, then left alone.

    Weight = exposure × fraction × min(1, target volatility ÷ forecast); a forecast that abstains changes
    nothing. An exposure that needs no sizing passes through as it is.
    """
    if sizing.target_volatility is None and sizing.fraction == 1:
        return exposure
    scale = np.full(exposure.shape, sizing.fraction)
    if sizing.target_volatility is not None and forecast is not None:
        known = forecast.mean > 0
        ratio = sizing.target_volatility / np.where(known, forecast.mean, 1.0)
        scale *= np.where(known, np.minimum(1.0, ratio), 1.0)
    return np.asarray(exposure * _at_orders(exposure.astype(np.float64), present, scale))


def _at_orders(exposure: FloatArray, present: BoolArray, values: FloatArray) -> FloatArray:
    """Carry the value at each order over the bars until the next order."""
    rows = np.arange(len(exposure))[:, None]
    seen = np.maximum.accumulate(np.where(present, rows, -1), axis=0)
    before = np.vstack([np.full((1, exposure.shape[1]), -1), seen[:-1]])
    previous = np.where(before >= 0, np.take_along_axis(exposure, np.maximum(before, 0), axis=0), np.nan)
    order = present & ~np.isnan(exposure) & (exposure != previous)
    last = np.maximum.accumulate(np.where(order, rows, 0), axis=0)
    return np.take_along_axis(values, last, axis=0)
