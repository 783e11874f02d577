"""What a sweep computes, and how an all-in account and its exposure are written for the kernel."""

from __future__ import annotations

import numpy as np

__all__ = ["ITEM", "KEEP", "SHORT", "SWEEP_METRICS"]

SWEEP_METRICS = ("total_return", "sharpe", "max_drawdown", "trades", "win_rate")
"""What a sweep computes of every combination, as :data:`windtunnel.engine.metrics.METRICS` defines it."""

SHORT, KEEP = 255, 2
"""Codes of a bar's exposure beside 0 and 1: -1 as a byte, and NaN."""

ITEM = np.dtype(
    [
        (name, np.float64)
        for name in (
            "at_close",
            "least",
            "most",
            "fees",
            "fee_fixed",
            "slippage",
            "stop_share",
            "target_share",
            "cooldown",
            "long_share",
            "short_share",
        )
    ]
)
"""The terms that an all-in account on one symbol may have; ``fees`` is that symbol's. The last two are the
notional of a position over the equity that it takes, costs included."""
