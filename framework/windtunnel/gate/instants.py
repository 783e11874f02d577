"""Dates and times as people write them."""

from __future__ import annotations

import re
from datetime import datetime

import numpy as np

from windtunnel.errors import InvalidValueError

__all__ = ["instant", "to_utc"]

_PERIOD = re.compile(r"[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?|[0-9]{8}")
_ISO = re.compile(r"([0-9]{4})[^W]*")
_NANOSECOND = np.timedelta64(1, "ns")


def instant(text: str, parameter: str, last: bool = False, timezone: str | None = None) -> np.datetime64:
    """Return the moment that an ISO date or time names, as datetime64[ns].

    Parameters
    ----------
    text : str
        A year, month, day or time: ``1999``, ``2008-09``, ``2008-09-15``, ``2008-09-15T14:30``,
        ``2008-09-15 14:30:00.5+02:00``.
    parameter : str
        What the error calls it.
    last : bool
        Return the last nanosecond of a bare year, month or day instead of its first.
    timezone : str, optional
        The zone whose clock ``text`` reads where it has no offset of its own; the result is then in UTC.
        Without it the result is on the clock of ``text``, or in UTC where that has an offset.

    Raises
    ------
    InvalidValueError
        If it is no ISO date or time, or lies outside 1678 … 2261, the range of datetime64[ns].
    """
    form = "must be an ISO date or time such as 1999, 2008-09, 2008-09-15 or 2008-09-15T14:30"
    if not isinstance(text, str):
        raise InvalidValueError(parameter, form, text)
    text = text.strip()
    year = _ISO.fullmatch(text)
    if year is None:
        raise InvalidValueError(parameter, form, text)
    if not 1678 <= int(year[1]) <= 2261:
        raise InvalidValueError(parameter, "must lie between 1678 and 2261", text)
    try:
        if not _PERIOD.fullmatch(text):
            moment = datetime.fromisoformat(text)
            offset = moment.utcoffset()
            local = np.datetime64(moment.replace(tzinfo=None), "ns")
            return local - np.timedelta64(offset, "ns") if offset is not None else to_utc(local, timezone)
        day = f"{text[:4]}-{text[4:6]}-{text[6:]}" if len(text) == 8 else text
        period = np.datetime64(day)
    except ValueError as error:
        raise InvalidValueError(parameter, form, text) from error
    if last:
        return to_utc((period + 1).astype("datetime64[ns]"), timezone) - _NANOSECOND
    return to_utc(period.astype("datetime64[ns]"), timezone)


def to_utc(local: np.datetime64, timezone: str | None) -> np.datetime64:
    """Turn a time on the clock of ``timezone`` into UTC; of two, the earlier; a skipped one moves forward."""
    if timezone is None or timezone == "UTC":
        return local
    import pandas as pd

    moment = pd.Timestamp(local).tz_localize(timezone, ambiguous=True, nonexistent="shift_forward")
    return np.datetime64(moment.as_unit("ns").value, "ns")
