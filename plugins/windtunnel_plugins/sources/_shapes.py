"""The shapes of the chart patterns that the synthetic source plants."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from windtunnel.values import FloatArray

__all__ = ["SHAPES", "increments"]

_Pivots = tuple[tuple[float, float], ...]

_BEARISH: Mapping[str, _Pivots] = {
    "double_top": ((0, 0), (0.25, 1), (0.5, 0.4), (0.75, 1), (1, -0.1)),
    "head_and_shoulders": ((0, 0), (0.15, 0.6), (0.3, 0.2), (0.5, 1), (0.7, 0.2), (0.85, 0.6), (1, -0.1)),
    "descending_triangle": ((0, 0), (0.2, -1), (0.35, -0.3), (0.5, -1), (0.65, -0.6), (0.8, -1), (1, -1.5)),
    "rising_wedge": ((0, 0), (0.2, 0.6), (0.35, 0.35), (0.5, 0.85), (0.65, 0.7), (0.8, 1), (1, 0.2)),
    "bear_flag": ((0, 0), (0.3, -1), (0.45, -0.75), (0.55, -0.9), (0.7, -0.6), (0.8, -0.75), (1, -1.4)),
}
_MIRRORS = {
    "double_top": "double_bottom",
    "head_and_shoulders": "inverse_head_and_shoulders",
    "descending_triangle": "ascending_triangle",
    "rising_wedge": "falling_wedge",
    "bear_flag": "bull_flag",
}

SHAPES: Mapping[str, tuple[int, _Pivots]] = {
    **{name: (-1, pivots) for name, pivots in _BEARISH.items()},
    **{_MIRRORS[name]: (1, tuple((x, -y) for x, y in pivots)) for name, pivots in _BEARISH.items()},
}
"""Direction, 1 bullish or -1 bearish, and the pivots: share of the pattern's span, height in amplitudes.

The last leg is the breakout that completes the pattern.
"""


def increments(name: str, bars: int) -> FloatArray:
    """Return the steps of a shape of height 1 over ``bars`` bars, ``[bars - 1]``: straight legs, no noise."""
    where, height = np.array(SHAPES[name][1], np.float64).T
    return np.diff(np.interp(np.linspace(0.0, 1.0, bars), where, height))
