"""Trend following by two moving averages."""

from __future__ import annotations

from typing import Annotated, Self

import numpy as np
from annotated_types import Ge, Le
from pydantic import model_validator

from windtunnel.market import Market
from windtunnel.plugin import Strategy
from windtunnel.values import Exposure, Tune

__all__ = ["SmaCross"]


class SmaCross(Strategy):
    """Long while the fast average is above the slow one."""

    name = "sma_cross"

    fast: Annotated[int, Ge(2), Le(100_000), Tune(5, 50)] = 10
    """Fast window, in bars."""
    slow: Annotated[int, Ge(3), Le(100_000), Tune(20, 200)] = 50
    """Slow window, in bars."""
    short: bool = False
    """Whether to be short, instead of flat, while the fast average is below the slow one."""

    @model_validator(mode="after")
    def _fast_below_slow(self) -> Self:
        if self.fast >= self.slow:
            raise ValueError(f"fast must be less than slow (got fast = {self.fast}, slow = {self.slow})")
        return self

    @property
    def warmup(self) -> int:
        """Bars before the slow average exists."""
        return self.slow - 1

    def exposure(self, market: Market) -> Exposure:
        """Return where to be long, as bool; as int8 in -1, 0, 1 with ``short``."""
        fast, slow = market.sma(self.fast), market.sma(self.slow)
        if not self.short:
            return fast > slow
        return np.subtract(fast > slow, fast < slow, dtype=np.int8)
