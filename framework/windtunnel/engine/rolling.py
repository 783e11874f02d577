"""Rolling means at the speed of the machine."""

from __future__ import annotations

from typing import Any

import numpy as np

from windtunnel.engine.compiled import compiled, inlined

__all__ = ["means"]

_PIECE = 2048
"""Results worked out at a time: few enough that they stay in the processor's cache."""


@inlined
def _merge(older: Any, newer: Any, share: float, out: Any) -> None:
    """Merge the means of neighbouring blocks, the newer one having this share of the values."""
    for k in range(len(newer)):
        out[k] = older[k] + (newer[k] - older[k]) * share


@compiled
def means(values: Any, window: int) -> Any:
    """Return the mean of the last ``window`` values, ``[T]``; NaN in the warm-up.

    Blocks of 1, 2, 4, … neighbours are merged pair by pair, and those that make up ``window`` joined, as in
    :mod:`windtunnel.panels`: a result rests on its window alone, whatever came before.
    """
    rows = len(values)
    result = np.empty(rows)
    result[: min(window - 1, rows)] = np.nan
    room = _PIECE + window
    block, whole, other = np.empty(room), np.empty(room), np.empty(room)
    for start in range(window - 1, rows, _PIECE):
        first, stop = start - window + 1, min(start + _PIECE, rows)
        length = stop - first
        block[:length] = values[first:stop]
        size, covered = 1, 0
        while True:
            if window & size:
                reach = length - size - covered + 1
                if covered:
                    _merge(block, whole[size : size + reach], covered / (size + covered), other)
                    whole, other = other, whole
                else:
                    whole[:reach] = block[:reach]
                covered += size
            if covered == window:
                break
            _merge(block, block[size : length - size + 1], 0.5, other)
            block, other = other, block
            size *= 2
        result[start:stop] = whole[: stop - start]
    return result
