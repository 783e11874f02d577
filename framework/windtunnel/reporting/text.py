"""Numbers, dates and small pictures as text, the same in the report and on the command line."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from windtunnel.values import FloatArray, TimeArray

__all__ = [
    "NOTHING",
    "bar_word",
    "called",
    "counted",
    "duration",
    "figure",
    "interval",
    "number",
    "percent",
    "plain",
    "spacing",
    "sparkline",
    "stamp",
]

NOTHING = "–"
"""Stands where a figure is not defined."""

_SHOWN = 6
"""Parameters of a component that are shown."""
_BLOCKS = "▁▂▃▄▅▆▇█"


def number(value: float, digits: int = 2, *, signed: bool = False) -> str:
    """Format with thousands separators and a true minus sign; NaN is a dash, and there is no minus zero."""
    if math.isnan(value):
        return NOTHING
    if math.isinf(value):
        return "−∞" if value < 0 else "∞"
    return f"{value:{'+' if signed else ''}z,.{digits}f}".replace("-", "−")


def percent(value: float, digits: int = 1, *, signed: bool = False) -> str:
    """Format a fraction in per cent: 0.123 is ``12.3%``."""
    text = number(value * 100, digits, signed=signed)
    return text if text == NOTHING else f"{text}%"


def figure(value: float, unit: str) -> str:
    """Format a metric in its unit: fraction, ratio, count, bars or currency (see :class:`Metric`)."""
    if unit == "fraction":
        return percent(value)
    return number(value, 0 if unit in ("count", "bars") else 2)


def interval(low: float, high: float, digits: int = 2, *, signed: bool = False) -> str:
    """Format an interval, such as ``[−0.21, +0.36]``; empty where a bound is not defined."""
    if math.isnan(low) or math.isnan(high):
        return ""
    return f"[{number(low, digits, signed=signed)}, {number(high, digits, signed=signed)}]"


def counted(count: float, noun: str, plural: str = "") -> str:
    """Format a count and its noun, with an s unless ``plural`` is given: ``1 trade``, ``1,204 trades``."""
    return f"{number(count, 0)} {noun if count == 1 else plural or noun + 's'}"


def duration(days: float) -> str:
    """Say a length of time as people do: hours, days, weeks, months or years."""
    for limit, unit, name in ((1, 1 / 24, "hour"), (14, 1, "day"), (70, 7, "week"), (1461, 30.4375, "month")):
        if days < limit:
            return counted(round(days / unit), name)
    return f"{days / 365.25:.1f} years"


def bar_word(periods_per_year: float) -> str:
    """Return what a bar is called: year, quarter, month, week, day, hour, or bar."""
    names = {1: "year", 4: "quarter", 12: "month", 52: "week", 252: "day", 365: "day", 8760: "hour"}
    return names.get(round(periods_per_year), "bar")


def spacing(time: TimeArray) -> str:
    """Return how far apart bars of less than a day stand, such as ``30s``, ``1m`` or ``4h``; else nothing.

    Parameters
    ----------
    time : array of datetime64, ``[T]``
        The median distance counts.
    """
    gaps = np.diff(time.astype("datetime64[s]")).astype(np.int64)
    seconds = round(float(np.median(gaps))) if len(gaps) else 0
    if not 0 < seconds < 0.9 * 86_400:
        return ""
    length, unit = next(pair for pair in ((3600, "h"), (60, "m"), (1, "s")) if seconds % pair[0] == 0)
    return f"{seconds // length}{unit}"


def plain(value: Any) -> str:
    """Return a value of a configuration as YAML would show it, on one line of at most 60 characters."""
    if value is None or isinstance(value, bool):
        text = {None: "null", True: "true", False: "false"}[value]
    elif isinstance(value, float):
        text = str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    elif isinstance(value, list | tuple):
        text = f"[{', '.join(map(plain, value))}]"
    elif isinstance(value, Mapping) and value.keys() == {"use", "params"}:
        text = str(value["use"])
    elif isinstance(value, Mapping):
        text = f"{{{', '.join(f'{key}: {plain(item)}' for key, item in value.items())}}}"
    else:
        text = str(value)
        text = text if text.isprintable() else text.encode("unicode_escape").decode("ascii")
    return text if len(text) <= 60 else f"{text[:59]}…"


def called(component: Mapping[str, Any]) -> str:
    """Return a component of a configuration as a call: ``sma_cross(fast=20, short=false)``.

    A plugin among its parameters is named only, and of many parameters the first six are shown.
    """
    listed = [f"{key}={plain(value)}" for key, value in (component.get("params") or {}).items()]
    shown = listed[:_SHOWN] + ["…"] * (len(listed) > _SHOWN)
    return f"{component['use']}({', '.join(shown)})" if shown else str(component["use"])


def stamp(time: np.datetime64) -> str:
    """Format an instant: the date, and hours and minutes unless it is midnight."""
    whole_day = time == time.astype("datetime64[D]")
    return str(np.datetime_as_string(time, unit="D" if whole_day else "m")).replace("T", " ")


def sparkline(values: FloatArray, width: int = 60) -> str:
    """Draw a series on one line of block characters.

    Parameters
    ----------
    values : array of float64, ``[T]``
        Drawn from its least to its greatest finite value; where it is NaN or infinite there is a blank.
    width : int
        Most characters to use; a longer series is averaged in so many parts.
    """
    finite = np.where(np.isfinite(values), values, np.nan)
    parts = [part for part in np.array_split(finite, min(width, len(finite)) or 1) if len(part)]
    means = np.array([np.nan if np.isnan(part).all() else np.nanmean(part) for part in parts])
    if np.isnan(means).all():
        return " " * len(means)
    low, high = np.nanmin(means), np.nanmax(means)
    level = (means - low) / (high - low) if high > low else np.full(len(means), 0.5)
    return "".join(" " if math.isnan(share) else _BLOCKS[min(int(share * 8), 7)] for share in level)
