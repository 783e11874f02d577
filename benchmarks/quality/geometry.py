"""Chart patterns by definition, read off the closes of a span alone: no pivots, nothing of the detector's."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from windtunnel.values import FloatArray

__all__ = ["meets"]

LEVEL, LEAN = 0.5, 0.1
"""How far what is level may differ, and how far what leans must, as a share of the height."""


def meets(name: str, logs: FloatArray, direction: int) -> bool:
    """Say whether the log closes of a span, the last of which breaks out, form the pattern."""
    definition, mirrored = DEFINITIONS[name]
    turned = direction > 0 if mirrored is None else mirrored
    return len(logs) >= 6 and definition(-logs if turned else logs)


def _is_double_top(y: FloatArray) -> bool:
    """Best pair of tops: their lower one stands furthest over the lowest close between; that breaks last."""
    body = y[:-1]
    left, right = np.maximum.accumulate(body), np.maximum.accumulate(body[::-1])[::-1]
    valley = int(np.argmax(np.minimum(left, right) - body))
    first = int(np.argmax(body[:valley])) if valley else 0
    second = valley + int(np.argmax(body[valley:]))
    if not first < valley < second:
        return False
    depth = (y[first] + y[second]) / 2 - y[valley]
    level = abs(y[first] - y[second]) <= LEVEL * depth
    rhythm = _even(valley - first, second - valley)
    return bool(level and rhythm and y[0] <= y[valley] + LEVEL * depth and y[-1] < y[valley])


def _is_head_and_shoulders(y: FloatArray) -> bool:
    """The highest close, the largest fall before it and the largest rise after it; their line breaks last."""
    head = int(np.argmax(y))
    before, after = y[:head], y[head + 1 : -1]
    if len(before) < 3 or len(after) < 2:
        return False
    peaks = np.maximum.accumulate(before)
    low = int(np.argmax(peaks - before))
    left = int(np.argmax(before[: low + 1]))
    troughs = np.minimum.accumulate(after)
    right = int(np.argmax(after - troughs))
    other_low = head + 1 + int(np.argmin(after[: right + 1]))
    right += head + 1
    slope = (y[other_low] - y[low]) / (other_low - low)
    line = y[low] + slope * (np.arange(len(y)) - low)
    height = y[head] - line[head]
    if height <= 0:
        return False
    shoulders = np.array([y[left] - line[left], y[right] - line[right]])
    level = np.ptp(shoulders) <= LEVEL * height and abs(y[other_low] - y[low]) <= LEVEL * height
    stands = shoulders.min() >= 0.1 * height and max(y[left], y[right]) <= y[head] - 0.1 * height
    return bool(level and stands and _even(head - left, right - head) and y[-1] < line[-1])


def _is_descending_triangle(y: FloatArray) -> bool:
    """Highest close, fall to the floor, a lower rally of a quarter of the height or more; floor breaks."""
    body = y[:-1]
    top, floor, height = int(np.argmax(body)), float(body.min()), float(np.ptp(body))
    near = top + np.flatnonzero(body[top:] <= floor + LEVEL / 2 * height)
    if not len(near) or y[-1] >= floor:
        return False
    rally = float(body[near[0] :].max())
    return bool(floor + LEVEL / 2 * height <= rally <= body[top] - LEAN * height)


def _is_symmetric_triangle(y: FloatArray) -> bool:
    """Each of two swings falls short of the one before."""
    return _narrows(y[:-1])


def _is_rising_wedge(y: FloatArray) -> bool:
    """Higher highs and lows in the second half, and a smaller range about the trend."""
    body = y[:-1]
    wide, narrow = _ranges(body)
    return min(_moves(body)) > 0 and narrow < wide


def _is_channel(y: FloatArray) -> bool:
    """Highs and lows of the second half have moved alike, and the range about the trend stays."""
    body = y[:-1]
    high, low = _moves(body)
    wide, narrow = _ranges(body)
    return abs(high - low) <= LEVEL * 0.7 and max(wide, narrow) <= 1.6 * min(wide, narrow)


def _narrows(y: FloatArray, swings: int = 2) -> bool:
    """Say whether each of so many swings is shorter by a tenth or more than the one before it."""
    rest = y
    for _ in range(swings):
        height = float(np.ptp(rest))
        end = max(int(np.argmax(rest)), int(np.argmin(rest)))
        rest = rest[end:]
        if len(rest) < 3 or np.ptp(rest) > (1 - LEAN) * height:
            return False
    return True


def _moves(body: FloatArray) -> tuple[float, float]:
    """Return how far high and low move from the first half to the second, in heights of the span."""
    parts, height = np.array_split(body, 2), float(np.ptp(body))
    if not height:
        return 0.0, 0.0
    return float(parts[1].max() - parts[0].max()) / height, float(parts[1].min() - parts[0].min()) / height


def _ranges(body: FloatArray) -> tuple[float, float]:
    """Return the range of each half about the trend of the whole."""
    bar = np.arange(len(body)) - (len(body) - 1) / 2
    first, second = np.array_split(body - bar * (bar @ body) / (bar @ bar), 2)
    return float(np.ptp(first)), float(np.ptp(second))


def _is_bear_flag(y: FloatArray) -> bool:
    """Highest close first, a fall, a rally that wins back 5 to 70 % in thrice the time; the low breaks."""
    end = int(np.argmin(y[:-1]))
    pole = y[0] - y[end]
    if not end or pole <= 0 or end == len(y) - 2:
        return False
    rally = end + int(np.argmax(y[end:-1]))
    back = (y[rally] - y[end]) / pole
    return bool(
        0.05 <= back <= 0.7 and rally - end <= 3 * end and y[: end + 1].max() == y[0] and y[-1] < y[end]
    )


def _even(before: int, after: int) -> bool:
    return max(before, after) <= 4 * min(before, after)


DEFINITIONS: Mapping[str, tuple[Callable[[FloatArray], bool], bool | None]] = {
    "double_top": (_is_double_top, False),
    "double_bottom": (_is_double_top, True),
    "head_and_shoulders": (_is_head_and_shoulders, False),
    "inverse_head_and_shoulders": (_is_head_and_shoulders, True),
    "descending_triangle": (_is_descending_triangle, False),
    "ascending_triangle": (_is_descending_triangle, True),
    "symmetric_triangle": (_is_symmetric_triangle, None),
    "rising_wedge": (_is_rising_wedge, False),
    "falling_wedge": (_is_rising_wedge, True),
    "bear_flag": (_is_bear_flag, False),
    "bull_flag": (_is_bear_flag, True),
    "channel": (_is_channel, None),
}
"""The definition of each, and whether prices are turned for it; None turns those that break upwards."""
