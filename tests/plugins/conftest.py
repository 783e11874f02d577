"""Bars for the plugins' tests, made without a source or a gate."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import ArrayLike

from windtunnel.bars import Bars

Panel = Callable[..., Bars]


def _column(values: ArrayLike) -> np.ndarray:
    array = np.array(values, float)
    return np.asfortranarray(array[:, None] if array.ndim == 1 else array)


def make_panel(
    close: ArrayLike,
    *,
    open: ArrayLike | None = None,
    high: ArrayLike | None = None,
    low: ArrayLike | None = None,
    volume: ArrayLike | None = None,
    symbols: tuple[str, ...] | None = None,
) -> Bars:
    """Daily bars from arrays [T] or [T, N]; prices left out equal the close, NaN is a missing bar."""
    closes = _column(close)
    rows, columns = closes.shape
    fields = [closes if field is None else _column(field) for field in (open, high, low)]
    volumes = np.full(closes.shape, np.nan, order="F") if volume is None else _column(volume)
    present = ~np.isnan(closes)
    return Bars(
        np.datetime64("2015-01-01", "ns") + np.arange(rows) * np.timedelta64(1, "D"),
        symbols or tuple("ABCDEFGH"[:columns]),
        *(field.copy("F") for field in fields),
        closes.copy("F"),
        volumes,
        np.where(present.any(axis=0), rows - 1 - present[::-1].argmax(axis=0), -1),
    )


@pytest.fixture(scope="session")
def panel() -> Panel:
    return make_panel


@pytest.fixture(scope="session")
def rough() -> Bars:
    """400 bars of four symbols: one whole, one with gaps, one that starts late, one that ends early."""
    random = np.random.default_rng(11)
    shape = 400, 4
    volatility = np.where(np.arange(400) % 130 > 100, 0.04, 0.012)[:, None]
    close = 100 * np.exp(np.cumsum(random.normal(0.0005, 1, shape) * volatility, axis=0))
    open = np.vstack((np.full(4, 100.0), close[:-1])) * np.exp(random.normal(0, 0.004, shape))
    high = np.maximum(open, close) * np.exp(np.abs(random.normal(0, 0.006, shape)))
    low = np.minimum(open, close) * np.exp(-np.abs(random.normal(0, 0.006, shape)))
    volume = random.uniform(1e5, 2e5, shape)
    missing = np.zeros(shape, bool)
    missing[:, 1] = random.random(400) < 0.1
    missing[200:215, 1] = True
    missing[:120, 2] = True
    missing[300:, 3] = True
    for field in (open, high, low, close, volume):
        field[missing] = np.nan
    return make_panel(close, open=open, high=high, low=low, volume=volume)
