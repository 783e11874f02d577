"""Columns of times: what people write, read without guessing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from windtunnel.errors import DataError, InvalidValueError
from windtunnel.gate.rows import MISSING_TIME
from windtunnel.values import IntArray

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Clock", "are_dates", "read_date_and_time", "read_times"]

_FORM = r"^([0-9]{1,2})[/.\-]([0-9]{1,2})[/.\-]([0-9]{4})(?:[ T]+(.*))?$"
_ISO_DATE = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[ T]|$)"
_EPOCH_UNITS = ((1e8, 10**9), (1e11, 10**6), (1e14, 10**3), (1e17, 1))
_EPOCH_END = 9.2e18


@dataclass(frozen=True, eq=False)
class Clock:
    """The times of a table.

    Parameters
    ----------
    time : array of int64, ``[n]``
        Nanoseconds since 1970, in UTC where there is a zone; ``MISSING_TIME`` where missing, unreadable,
        outside 1678 … 2261, or skipped or doubled by the zone's clock.
    timezone : str or None
    source : Series, ``[n]``
        What stood there.
    """

    time: IntArray
    timezone: str | None
    source: pd.Series

    def unread(self, row: int) -> str:
        """Say what stood where no time could be read."""
        return f"{self.source.iloc[row]!r} is not a time that can be read"


def are_dates(values: pd.Series) -> bool:
    """Say whether a column without a name of time holds dates and nothing else: objects, or ISO text."""
    from pandas.api import types

    kind = types.infer_dtype(values, skipna=True)
    if kind == "string":
        return bool(values.dropna().astype(str).str.match(_ISO_DATE).all())
    return kind in ("datetime", "datetime64", "date")


def read_times(values: pd.Series, time_format: str | None = None, timezone: str | None = None) -> Clock:
    """Read a column of times.

    Understood are datetimes and dates; ISO text, ``20150102``, ``20150102 09:30`` and ``2015/01/02``;
    ``1/13/2015 9:30`` where the column itself shows which is the month; numbers of seconds, milli-, micro-
    or nanoseconds since 1970 (from 1973 on, the unit by its size, all in one), which are UTC; numbers such as
    20150102.

    Parameters
    ----------
    values : Series, ``[n]``
    time_format : str, optional
        strptime format of text, for what cannot be read without one.
    timezone : str, optional
        Zone of the clock that naive times read; others are shown in it.

    Raises
    ------
    DataError
        ``mixed_timezones``, ``ambiguous_time``, or ``bad_time`` where the column as a whole holds no times.
    InvalidValueError
        If ``time_format`` or ``timezone`` is not valid.
    """
    return _clock(_parse(values, time_format, timezone), timezone, values)


def read_date_and_time(
    dates: pd.Series, times: pd.Series, time_format: str | None = None, timezone: str | None = None
) -> Clock:
    """Read a column of dates and one of times of day as :func:`read_times` reads a single one."""
    import pandas as pd

    text = times.astype(object).map(str)
    both = (dates.astype(object).map(str) + " " + text).where(dates.notna() & times.notna())
    if time_format is not None:
        return read_times(both, time_format, timezone)
    days = read_times(dates)
    codes, distinct = pd.factorize(text)
    clock = pd.Index(distinct).astype(str)
    clock = clock.where(clock.str.count(":") != 1, clock + ":00")
    of_day = pd.to_timedelta(clock.where(clock.str.match(r"^[0-9]{1,2}:")), errors="coerce").as_unit("ns")
    since = of_day.asi8[codes]
    missing = (days.time == MISSING_TIME) | (since == MISSING_TIME) | (since >= 86_400 * 10**9)
    moment = np.where(missing, MISSING_TIME, days.time + np.where(missing, 0, since))
    index = pd.DatetimeIndex(moment.view("datetime64[ns]"))
    return _clock(index if days.timezone is None else index.tz_localize("UTC"), timezone, both)


def _clock(index: pd.DatetimeIndex, timezone: str | None, source: pd.Series) -> Clock:
    import pandas as pd

    first, end = np.array(["1678", "2262"], f"datetime64[{index.unit}]").view(np.int64)
    index = pd.DatetimeIndex(index.where((index.asi8 >= first) & (index.asi8 < end))).as_unit("ns")
    if timezone is not None:
        try:
            if index.tz is None:
                index = index.tz_localize(timezone, ambiguous="NaT", nonexistent="NaT")
            index = index.tz_convert(timezone)
        except (KeyError, ValueError, TypeError, OSError) as error:
            rule = "must be the name of a time zone, such as America/New_York"
            raise InvalidValueError("timezone", rule, timezone) from error
        return Clock(index.asi8.copy(), timezone, source)
    return Clock(index.asi8.copy(), None if index.tz is None else _zone_name(index.tz), source)


def _zone_name(zone: Any) -> str:
    """Return the name by which pandas finds the zone again; UTC where it has none."""
    import pandas as pd

    try:
        pd.Timestamp(0, tz="UTC").tz_convert(str(zone))
    except (KeyError, ValueError, TypeError, OSError):
        return "UTC"
    return str(zone)


def _parse(values: pd.Series, time_format: str | None, timezone: str | None) -> pd.DatetimeIndex:
    import pandas as pd

    kinds = pd.api.types
    if kinds.is_datetime64_any_dtype(values):
        return pd.DatetimeIndex(values)
    if (
        kinds.is_numeric_dtype(values)
        and not kinds.is_bool_dtype(values)
        and not kinds.is_complex_dtype(values)
    ):
        return _from_numbers(values)
    try:
        codes, distinct = pd.factorize(values.astype(object))
    except TypeError:
        return _unreadable(len(values))
    found = pd.Series(distinct, dtype=object)
    kind = kinds.infer_dtype(found, skipna=True)
    if kind == "string":
        parsed = _from_text(found.astype(str), time_format, timezone, codes)
    elif kind in ("datetime", "datetime64", "date"):
        parsed = _from_objects(found, codes)
    elif kind in ("integer", "floating", "decimal", "mixed-integer-float"):
        parsed = _from_numbers(pd.to_numeric(found, errors="coerce"))
    else:
        return _unreadable(len(values))
    return pd.DatetimeIndex(parsed.take(codes).where(codes >= 0))


def _unreadable(length: int) -> pd.DatetimeIndex:
    import pandas as pd

    return pd.DatetimeIndex(np.full(length, "NaT", "datetime64[ns]"))


def _from_objects(found: pd.Series, codes: IntArray) -> pd.DatetimeIndex:
    import pandas as pd

    zones = [str(getattr(value, "tzinfo", None)) for value in found]
    _refuse_mixture(zones, codes)
    parsed = pd.to_datetime(found, errors="coerce", utc=zones[0] != "None")
    index = pd.DatetimeIndex(parsed)
    return index if zones[0] == "None" else index.tz_convert(found.iloc[0].tzinfo)


def _refuse_mixture(zones: list[str], codes: IntArray) -> None:
    """Refuse several zones among distinct times; an empty name belongs to what is no time."""
    known = [index for index, zone in enumerate(zones) if zone]
    other = next((index for index in known if zones[index] != zones[known[0]]), None)
    if other is None:
        return
    first, second = (zones[index].replace("None", "no time zone") for index in (known[0], other))
    row = int(np.argmax(codes == other))
    raise DataError(f"the times mix {first} and {second}", rule="mixed_timezones", row=row)


def _from_text(
    found: pd.Series, time_format: str | None, timezone: str | None, codes: IntArray
) -> pd.DatetimeIndex:
    import pandas as pd

    text = found.str.strip()
    if time_format is None:
        text = text.where(text.str.match(r"^[0-9]"))
        if text.str.match(_FORM).any():
            text = _month_and_day(text, codes)
    else:
        text = text.where(~text.str.lower().isin(["now", "today"]))
    try:
        return pd.DatetimeIndex(pd.to_datetime(text, format=time_format or "ISO8601", errors="coerce"))
    except ValueError as error:
        return _from_offsets(text, time_format, timezone, codes, error)


def _from_offsets(
    text: pd.Series, time_format: str | None, timezone: str | None, codes: IntArray, error: ValueError
) -> pd.DatetimeIndex:
    """Read text with several offsets from UTC: that is one clock if its zone is known, else a mixture."""
    import pandas as pd

    form = time_format or "ISO8601"
    try:
        aware = pd.to_datetime(text, format=form, errors="coerce", utc=True)
    except ValueError:
        raise InvalidValueError("time_format", "must be a strptime format", time_format) from error
    zones = [
        "" if pd.isna(moment) else str(pd.to_datetime(value, format=form).tzinfo)
        for value, moment in zip(text, aware, strict=True)
    ]
    if timezone is None or "None" in zones:
        _refuse_mixture(zones, codes)
    return pd.DatetimeIndex(aware)


def _month_and_day(text: pd.Series, codes: IntArray) -> pd.Series:
    """Turn ``1/13/2015 9:30`` into ISO text where the column shows which number is the month."""
    parts = text.str.extract(_FORM)
    here = parts[0].notna().to_numpy()
    one, two = (parts[column].where(here, "0").astype(int).to_numpy() for column in (0, 1))
    row = int(np.argmax(np.isin(codes, np.flatnonzero(here & (one != two)))))
    if (one > 12).any() and (two > 12).any():
        raise DataError(
            "some dates have the day first, some the month; state the time_format",
            rule="ambiguous_time",
            row=int(np.argmax(np.isin(codes, np.flatnonzero((one if one[here][0] <= 12 else two) > 12)))),
        )
    if not (one > 12).any() and not (two > 12).any() and (one != two).any():
        example = text.iloc[codes[row]]
        raise DataError(
            f"{example!r} does not say which number is the month; state the time_format",
            rule="ambiguous_time",
            row=row,
            count=int(np.isin(codes, np.flatnonzero(here)).sum()),
        )
    day, month = (parts[0], parts[1]) if (one > 12).any() else (parts[1], parts[0])
    clock = parts[3].fillna("0:00")
    return text.where(~here, parts[2] + "-" + month.str.zfill(2) + "-" + day.str.zfill(2) + " " + clock)


def _from_numbers(values: pd.Series) -> pd.DatetimeIndex:
    import pandas as pd

    size = values.to_numpy(np.float64, na_value=np.nan)
    if _are_days(size):
        days = pd.Series(size, copy=False).astype("Int64").astype("string")
        return pd.DatetimeIndex(pd.to_datetime(days, format="%Y%m%d", errors="coerce"))
    edges = np.array([low for low, _ in _EPOCH_UNITS] + [_EPOCH_END])
    unit = np.searchsorted(edges, np.where(np.isnan(size), 0, size), side="right")
    first = unit[unit > 0][:1]
    legible = (unit == first) if first.size and first[0] <= len(_EPOCH_UNITS) else np.zeros(len(size), bool)
    nanoseconds = np.full(len(size), MISSING_TIME)
    if legible.any():
        nanoseconds[legible] = _scaled(values[legible], _EPOCH_UNITS[int(first[0]) - 1][1])
    return pd.DatetimeIndex(nanoseconds.view("datetime64[ns]"), tz="UTC")


def _are_days(size: np.ndarray) -> bool:
    given = size[~np.isnan(size)]
    return bool(given.size and ((given >= 19000101) & (given <= 21001231) & (given == np.floor(given))).all())


def _scaled(values: pd.Series, factor: int) -> IntArray:
    import pandas as pd

    if pd.api.types.is_integer_dtype(values):
        return np.asarray(values.to_numpy(np.int64) * factor)
    number = values.to_numpy(np.float64)
    whole = np.floor(number)
    return np.asarray(whole.astype(np.int64) * factor + np.rint((number - whole) * factor).astype(np.int64))
