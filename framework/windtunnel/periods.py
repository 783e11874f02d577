"""How far apart bars are, what that is called, and how many of them make a year."""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import ceil

import numpy as np

from windtunnel.errors import InvalidValueError
from windtunnel.values import TimeArray

__all__ = ["Timeframe", "infer_periods_per_year", "least_gap", "nominal_periods_per_year", "spelled"]

_WRITTEN = re.compile(r"([1-9][0-9]{0,4})([smhdwM])")
_DAY = 86_400
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": _DAY, "w": 7 * _DAY, "M": 28 * _DAY}
"""Least length of each unit."""
_YEAR = 365.25
_MONTH = _YEAR / 12


@dataclass(frozen=True)
class Timeframe:
    """A length of bars, as ``5m`` is ``Timeframe(5, "m")``."""

    count: int
    unit: str

    @classmethod
    def read(cls, text: str, parameter: str) -> Timeframe:
        """Read a number of seconds, minutes, hours, days, weeks or months: ``30s 5m 4h 1d 1w 1M``.

        Raises
        ------
        InvalidValueError
            If it is none, or in hours or less and longer than a day.
        """
        match = _WRITTEN.fullmatch(text) if isinstance(text, str) else None
        if match is None:
            rule = "must be a number and one of s, m, h, d, w, M, such as 5m, 1h, 4h, 1d, 1w or 1M"
            raise InvalidValueError(parameter, rule, text)
        read = cls(int(match[1]), match[2])
        if read.unit in "smh" and read.seconds > _DAY:
            raise InvalidValueError(parameter, "must be written in days if it is longer than one", text)
        return read

    @property
    def seconds(self) -> int:
        """Its least length: a month counts as 28 days."""
        return self.count * _SECONDS[self.unit]


def least_gap(time: TimeArray) -> float:
    """Return the least number of whole seconds between two neighbours of ``time``; 0 for fewer than two."""
    if len(time) < 2:
        return 0.0
    return float(np.diff(time.astype("datetime64[s]")).astype(np.int64).min())


def spelled(gap: float) -> str:
    """Write seconds between two bars as a timeframe; the shortest day has 23 hours, a month 28 days."""
    seconds, hour = int(gap), _SECONDS["h"]
    for unit, least, most in (("M", 28 * _DAY, 31 * _DAY), ("w", 7 * _DAY, 7 * _DAY), ("d", _DAY, _DAY)):
        if least - hour <= seconds <= most + hour:
            return f"1{unit}"
    unit = next((unit for unit in "dhms" if seconds >= _SECONDS[unit] and not seconds % _SECONDS[unit]), "s")
    return f"{seconds // _SECONDS[unit]}{unit}"


def infer_periods_per_year(time: TimeArray) -> float:
    """Return how many bars make a year, from their spacing and the weekdays that they fall on.

    Parameters
    ----------
    time : array of datetime64, ``[T]``

    Returns
    -------
    float
        Days count as 252 a year, or 365 where Saturdays and Sundays have bars too; shorter bars count as
        that many times the median number of bars a day. Bars of five days or more count by their median
        spacing (52 for weeks, 12 for months), those between by their number in the time that they span.
        252 for fewer than two bars.
    """
    if len(time) < 2:
        return 252.0
    gap = float(np.median(np.diff(time.astype("datetime64[s]")).astype(np.int64))) / _DAY
    if gap >= 5:
        return float(max(1, round(_YEAR / gap)))
    if gap >= 1.5:
        span = float((time[-1] - time[0]) / np.timedelta64(1, "D"))
        return float(round((len(time) - 1) / span * _YEAR))
    dates, per_day = np.unique(time.astype("datetime64[D]"), return_counts=True)
    weekday = (dates.astype(np.int64) + 3) % 7
    share = np.bincount(weekday, minlength=7) / len(dates)
    trading_days = 365.0 if (share[5:] > 0.07).all() else 252.0
    return trading_days * (float(np.median(per_day)) if gap < 0.9 else 1.0)


def nominal_periods_per_year(timeframe: Timeframe, periods_per_year: float, gap: float) -> float:
    """Return how many bars of a longer timeframe make a year, without looking at any bar.

    Parameters
    ----------
    timeframe : Timeframe
    periods_per_year, gap : float
        Of the bars that the longer ones are made of: bars in a year, and seconds between two. Multiples of
        365 mean bars at weekends too.

    Returns
    -------
    float
        Days, and multiples of them with a weekday inside: 252 or 365 for single ones. Shorter bars: as many
        as a day's bars fill.
    """
    trading_days = 365.0 if periods_per_year % 365 == 0 else 252.0
    if timeframe.unit in "smh":
        session = periods_per_year / trading_days * gap
        return trading_days * max(1, ceil(session / timeframe.seconds))
    days = timeframe.count * {"d": 1, "w": 7, "M": _MONTH}[timeframe.unit]
    with_a_weekday = 1 - max(0, 3 - days) / 7 if trading_days == 252 else 1.0
    return min(trading_days, float(max(1, round(_YEAR / days * with_a_weekday))))
