"""How long a regime stands at least."""

from __future__ import annotations

import numpy as np

from windtunnel.values import BoolArray, FloatArray, IntArray

__all__ = ["UNKNOWN", "settle", "standing"]

UNKNOWN = -1


def settle(raw: IntArray, dwell: int) -> IntArray:
    """Return the codes that stand: a change waits until the code before it has stood for ``dwell`` bars."""
    settled: list[int] = []
    current, free = UNKNOWN, 0
    for bar, code in enumerate(raw.tolist()):
        if code != current and bar >= free:
            current, free = code, bar + dwell
        settled.append(current)
    return np.array(settled, np.int64)


def standing(probabilities: FloatArray, dwell: int) -> FloatArray:
    """Make each regime the likeliest for ``dwell`` bars at least, ``[T, K]`` of one symbol's own bars.

    Where another has become likelier before its time, it changes probabilities with the one that stands;
    rows still sum to 1, and the confidence stays that of the likeliest. On these bars a probability is
    not the model's for its regime. Rows of NaN stay.
    """
    known: BoolArray = np.asarray(~np.isnan(probabilities).any(axis=1))
    raw = np.where(known, np.where(known[:, None], probabilities, 0.0).argmax(axis=1), UNKNOWN)
    stands = settle(raw, dwell)
    held = np.flatnonzero(known & (stands != raw) & (stands != UNKNOWN))
    changed = probabilities.copy()
    changed[held, stands[held]] = probabilities[held, raw[held]]
    changed[held, raw[held]] = probabilities[held, stands[held]]
    return changed
