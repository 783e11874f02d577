"""The market of the benchmarks: geometric Brownian motion from a fixed seed, the same bits for every system.

Nothing but NumPy is imported here, for this runs in the environment of every peer.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["SEED", "Market", "market", "monthly_weights", "pairs", "panel", "times", "windows"]

SEED = 20261121
DAYS = 252
"""Trading days in a year of the process that makes the prices."""

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Market:
    """One symbol; five arrays of float64, ``[T]``, in units of currency and shares."""

    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats


def market(bars: int) -> Market:
    """Return a symbol with 8% drift and 20% volatility a year.

    The more bars, the shorter each of them (days, quarter hours, minutes), so that prices stay sane.
    """
    a_day = 1 if bars <= 10_000 else 26 if bars < 500_000 else 390
    return _walk(bars, np.random.default_rng(SEED), step=1 / (DAYS * a_day))


def _walk(
    bars: int, random: np.random.Generator, step: float, drift: float = 0.08, sigma: float = 0.2
) -> Market:
    shock = sigma * np.sqrt(step) * random.standard_normal(bars)
    close = 100.0 * np.exp(np.cumsum((drift - sigma * sigma / 2) * step + shock))
    open_ = np.concatenate(([100.0], close[:-1]))
    above, below = np.abs(random.standard_normal((2, bars))) * 0.25 * sigma * np.sqrt(step)
    volume = random.integers(1_000, 1_000_000, bars).astype(np.float64)
    return Market(
        open_, np.maximum(open_, close) * (1 + above), np.minimum(open_, close) * (1 - below), close, volume
    )


def panel(bars: int, symbols: int, sigma: float = 0.25, common: float = 0.15) -> Floats:
    """Return daily closes, ``[T, N]``, of symbols that share a common factor."""
    random = np.random.default_rng(SEED + 1)
    step = 1 / DAYS
    factor = random.standard_normal((bars, 1)) * common * np.sqrt(step)
    own = random.standard_normal((bars, symbols)) * np.sqrt(sigma**2 - common**2) * np.sqrt(step)
    drift = random.normal(0.08, 0.05, symbols) * step
    return 100 * np.exp(np.cumsum(drift - sigma * sigma * step / 2 + factor + own, axis=0))


def times(bars: int) -> npt.NDArray[np.datetime64]:
    """Return a stamp a bar: calendar days up to 10,000 bars, minutes beyond."""
    unit = "D" if bars <= 10_000 else "m"
    return (np.datetime64("2000-01-01", unit) + np.arange(bars)).astype("datetime64[ns]")


def windows(largest: int) -> list[int]:
    """Return the windows 2 … ``largest`` of a grid: 47 gives 1,035 pairs and 143 gives 10,011."""
    return list(range(2, largest + 1))


def pairs(largest: int) -> tuple[Ints, Ints]:
    """Return the fast and the slow window of every pair with fast < slow, slow running first."""
    every = np.array(windows(largest), dtype=np.int64)
    fast, slow = np.triu_indices(len(every), 1)
    return every[fast], every[slow]


def monthly_weights(close: Floats, *, lookback: int = 252, every: int = 21, best: int = 50) -> Floats:
    """Return weights, ``[T, N]``: equal in the best of the past year, set every 21 bars; NaN between."""
    weights = np.full(close.shape, np.nan)
    for row in range(lookback, len(close), every):
        momentum = close[row] / close[row - lookback]
        weights[row] = 0.0
        weights[row, np.argpartition(-momentum, best)[:best]] = 1 / best
    return weights
