"""Stationary bootstrap samples as rows of the data, for statistics that are no sums."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from windtunnel.engine.bootstrap import optimal_block_length
from windtunnel.values import FloatArray, IntArray

__all__ = ["block_length_of", "resampled_rows", "times_drawn"]

_ELEMENTS = 4_000_000
"""Rows drawn in one go."""
_FEWEST = 30


def resampled_rows(count: int, block_length: float, samples: int, seed: int) -> Iterator[IntArray]:
    """Yield the rows of stationary bootstrap samples, ``[n, T]`` a time, ``samples`` in all.

    Parameters
    ----------
    count : int
        T, the number of rows of the data, and of each sample.
    block_length : float
        Mean length of a block, at least 1.
    samples : int
    seed : int
        Same arguments give the same rows.

    Notes
    -----
    Source: Politis & Romano (1994), The stationary bootstrap, section 2.
    """
    generator = np.random.default_rng(seed)
    at_once = max(1, _ELEMENTS // count)
    steps = np.arange(count)
    for first in range(0, samples, at_once):
        shape = (min(at_once, samples - first), count)
        begins = generator.random(shape) < 1 / block_length
        begins[:, 0] = True
        begun = np.maximum.accumulate(np.where(begins, steps, 0), axis=1)
        starts = generator.integers(count, size=shape)
        yield (np.take_along_axis(starts, begun, axis=1) + steps - begun) % count


def times_drawn(rows: IntArray) -> FloatArray:
    """Return how often each row of the data is in each sample, ``[n, T]``."""
    samples, count = rows.shape
    places = rows + count * np.arange(samples)[:, None]
    return np.bincount(places.ravel(), minlength=samples * count).reshape(samples, count).astype(np.float64)


def block_length_of(values: FloatArray) -> float:
    """Return the mean block length for a series, ``[T]``; 1 for one that is short or does not vary."""
    return optimal_block_length(values) if len(values) >= _FEWEST and np.ptp(values) > 0 else 1.0
