"""A source's table becomes bars: the gate, repairs, resampling."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import numpy.typing as npt
from annotated_types import Gt
from pydantic import Field, field_validator

from windtunnel.bars import FIELDS, Bars, infer_periods_per_year
from windtunnel.errors import DataError, InvalidValueError, PluginError, WindtunnelError
from windtunnel.values import ConfigModel, FloatArray, IntArray, Request, Table, TimeArray

if TYPE_CHECKING:
    from windtunnel.gate import Admitted
    from windtunnel.plugin import DataSource

__all__ = ["DataSection", "Dataset", "QualitySection", "load", "resample"]

_TIMEFRAME = re.compile(r"([1-9][0-9]{0,4})([smhdwM])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400, "M": 28 * 86_400}
"""Least length of each unit."""
_MONDAY = 4
"""The first Monday of 1970, in days."""


class QualitySection(ConfigModel):
    """What to do about rows that break a rule of the gate."""

    repair: str | dict[str, str] = "none"
    """One repair for every rule that allows it, or one a rule: none, drop, forward_fill, mark_missing, sort,
    keep_first, keep_last."""

    @field_validator("repair")
    @classmethod
    def _is_legal(cls, repair: str | dict[str, str]) -> str | dict[str, str]:
        from windtunnel import gate

        gate.repairs(repair)
        return repair


class DataSection(ConfigModel):
    """Which bars the experiment runs on."""

    use: str
    """Name of the data source."""
    params: dict[str, Any] = Field(default_factory=dict)
    """Parameters of the data source."""
    symbols: tuple[str, ...] = ()
    """Symbols to load, in this order; empty means all that the source has."""
    start: str | None = None
    """First date or time, inclusive, in any ISO form: 1999, 2008-09 or 2008-09-15T14:30."""
    end: str | None = None
    """Last date or time, inclusive; a bare year, month or day means the whole of it."""
    timeframe: str | None = None
    """What to ask the source for, such as 1d or 1h; an error if it gives other bars."""
    resample: str | None = None
    """Longer bars to build from the source's own, such as 5m, 4h, 1d, 1w or 1M; stamped with their start."""
    quality: QualitySection = QualitySection()
    """What to do about broken rows."""
    periods_per_year: Annotated[float, Gt(0)] | None = None
    """Bars in a year, by which figures are annualised; inferred from the bars if left out."""

    @field_validator("symbols", mode="before")
    @classmethod
    def _are_several(cls, symbols: Any) -> Any:
        if isinstance(symbols, str):
            raise InvalidValueError("symbols", "must be a list of names", symbols)
        return tuple(symbols) if isinstance(symbols, list) else symbols

    @field_validator("symbols")
    @classmethod
    def _differ(cls, symbols: tuple[str, ...]) -> tuple[str, ...]:
        twice = sorted({symbol for symbol in symbols if symbols.count(symbol) > 1})
        if twice:
            raise InvalidValueError("symbols", "must be different names", twice[0])
        return symbols

    @field_validator("start", "end", mode="before")
    @classmethod
    def _year_is_text(cls, value: Any) -> Any:
        return str(value) if isinstance(value, int) and not isinstance(value, bool) else value

    @field_validator("start", "end")
    @classmethod
    def _is_a_time(cls, value: str | None, info: Any) -> str | None:
        from windtunnel import gate

        if value is not None:
            gate.instant(value, info.field_name)
        return value

    @field_validator("timeframe", "resample")
    @classmethod
    def _is_a_timeframe(cls, value: str | None, info: Any) -> str | None:
        if value is not None:
            _timeframe(value, info.field_name)
        return value


@dataclass(frozen=True, eq=False)
class Dataset:
    """The bars of an experiment, and what is known about them.

    Parameters
    ----------
    bars : Bars
    attributes : mapping of str to mapping
        For each symbol what the source knows of it (``sector``, …).
    truth : mapping or None
        Of synthetic data. No plugin ever sees it.
    repairs : mapping of str to int
        For each rule of the gate that was broken, the rows repaired; of all that the source gave.
    resampled_from : int or None
        Number of bars before resampling; None where nothing was resampled.
    """

    bars: Bars
    attributes: Mapping[str, Mapping[str, Any]]
    truth: Mapping[str, Any] | None
    repairs: Mapping[str, int]
    resampled_from: int | None


def load(source: DataSource, section: DataSection) -> Dataset:
    """Ask a source for data and make bars of them: gate, symbols, end, resampling, start.

    ``end`` cuts the source's own bars, so that no resampled bar holds anything later; ``start`` keeps
    the resampled bars that begin there or later.

    Raises
    ------
    PluginError
        If the source fails or does not return a Table.
    InvalidValueError
        If a symbol is not there, the source has no bars of this timeframe, or ``resample`` is finer than
        the bars.
    DataError
        If the data break a rule of the gate, or no bar lies between start and end.
    """
    table = _ask(source, section)
    admitted = _admit(table, section)
    whole = Bars.from_admitted(admitted)
    if section.timeframe is not None:
        _refuse_other(whole, section.timeframe)
    bars = whole.between(end=section.end)
    before = None
    if section.resample is not None:
        before = len(bars)
        bars = resample(bars, section.resample)
    bars = bars.between(start=section.start)
    if not bars.present.any():
        wanted = f"from {section.start or 'the beginning'} to {section.end or 'the end'}"
        first, last = (np.datetime_as_string(time, unit="auto") for time in whole.local_time[[0, -1]])
        raise DataError(f"no bars {wanted}; the data span {first} … {last}", rule="empty")
    periods = section.periods_per_year or infer_periods_per_year(bars.time)
    bars = replace(bars, periods_per_year=periods)
    attributes = {name: table.attributes[name] for name in bars.symbols if name in table.attributes}
    return Dataset(bars, attributes, table.truth, admitted.repairs, before)


def _ask(source: DataSource, section: DataSection) -> Table:
    request = Request(section.symbols, section.start, section.end, section.timeframe)
    try:
        table: Any = source.load(request)
    except WindtunnelError:
        raise
    except Exception as error:
        raise PluginError(f"data source {source.name}: {type(error).__name__}: {error}") from error
    if not isinstance(table, Table):
        raise PluginError(f"data source {source.name} must return a Table (got {type(table).__name__})")
    return table


def _admit(table: Table, section: DataSection) -> Admitted:
    """Let a table in; what is wrong in a row is told by the row of its file."""
    from windtunnel import gate

    try:
        return gate.admit(
            table.frame,
            repair=section.quality.repair,
            symbols=section.symbols,
            time_format=table.time_format,
            timezone=table.timezone,
        )
    except DataError as error:
        place = None if error.row is None else table.place(error.row)
        if place is not None:
            error.file, error.row, error.line = place
        raise


def _refuse_other(bars: Bars, timeframe: str) -> None:
    """Refuse bars that are not of the timeframe asked for; a day of 23 hours and a month of 31 days are."""
    count, unit = _timeframe(timeframe, "timeframe")
    gap, asked = _least_gap(bars), np.timedelta64(count * _SECONDS[unit], "s")
    if len(bars) > 1 and not 0.9 * asked < gap < 1.15 * asked:
        rule = f"must be what the source has, bars {_spelled(gap)} apart; resample makes longer ones"
        raise InvalidValueError("timeframe", rule, timeframe)


def _least_gap(bars: Bars) -> np.timedelta64:
    """Return the least time between two bars, 0 where there are fewer."""
    gaps = np.diff(bars.time.astype("datetime64[s]"))
    return np.timedelta64(gaps.min() if len(gaps) else 0, "s")


def _spelled(gap: np.timedelta64) -> str:
    """Write the time between two bars as a timeframe; the shortest day has 23 hours, a month 28 days."""
    seconds, hour, day = int(gap.astype(np.int64)), _SECONDS["h"], _SECONDS["d"]
    for unit, least, most in (("M", 28 * day, 31 * day), ("w", 7 * day, 7 * day), ("d", day, day)):
        if least - hour <= seconds <= most + hour:
            return f"1{unit}"
    unit = next((unit for unit in "dhms" if seconds >= _SECONDS[unit] and not seconds % _SECONDS[unit]), "s")
    return f"{seconds // _SECONDS[unit]}{unit}"


def resample(bars: Bars, timeframe: str) -> Bars:
    """Build longer bars: open first, high highest, low lowest, close last, volume summed.

    Parameters
    ----------
    bars : Bars
        Stamped with their start.
    timeframe : str
        A number of seconds, minutes, hours, days, weeks or months: ``30s``, ``5m``, ``4h``, ``1d``, ``1w``,
        ``1M``. Seconds to hours are counted from each midnight, days from 1970, weeks from Monday, months
        from January, all on the exchange's clock.

    Returns
    -------
    Bars
        Stamped with the start of each bucket that holds a bar of any symbol. A symbol without a bar there
        has NaN; volume is NaN where it is NaN throughout.

    Raises
    ------
    InvalidValueError
        If ``timeframe`` is not one, or shorter than the bars.
    """
    count, unit = _timeframe(timeframe, "resample")
    if not len(bars):
        return bars
    gap = _least_gap(bars)
    if np.timedelta64(count * _SECONDS[unit], "s") < gap:
        rule = f"must not be shorter than the bars, which are {_spelled(gap)} apart"
        raise InvalidValueError("resample", rule, timeframe)
    label = _labels(bars, count, unit)
    first = np.flatnonzero(np.concatenate(([True], label[1:] > label[:-1])))
    bucket = np.searchsorted(first, np.clip(bars.last_bar, 0, len(bars) - 1), side="right") - 1
    last_bar = np.where(bars.last_bar < 0, -1, np.where(bars.last_bar < len(bars), bucket, len(first)))
    columns = [_aggregate(bars, column, first) for column in range(len(bars.symbols))]
    fields: dict[str, Any] = {
        name: np.asfortranarray(np.column_stack([column[name] for column in columns])) for name in FIELDS
    }
    starts = label[first]
    periods = infer_periods_per_year(starts)
    return replace(bars, time=starts, last_bar=last_bar, periods_per_year=periods, **fields)


def _labels(bars: Bars, count: int, unit: str) -> TimeArray:
    """Return the start of each bar's bucket, ``[T]``, in the same clock as ``bars.time``."""
    local = bars.local_time
    days = local.astype("datetime64[D]").astype(np.int64)
    if unit == "M":
        months = local.astype("datetime64[M]").astype(np.int64) // count * count
        return _midnights(months.astype("datetime64[M]").astype("datetime64[D]"), bars.timezone)
    if unit in "dw":
        length, origin = (count, 0) if unit == "d" else (7 * count, _MONDAY)
        start = (days - origin) // length * length + origin
        return _midnights(start.astype("datetime64[D]"), bars.timezone)
    midnight = _midnights(days.astype("datetime64[D]"), bars.timezone)
    step = np.timedelta64(count * _SECONDS[unit], "s").astype("timedelta64[ns]")
    return np.asarray(midnight + (bars.time - midnight) // step * step)


def _midnights(days: npt.NDArray[np.datetime64], timezone: str | None) -> TimeArray:
    """Return when each day of the zone's calendar begins, as datetime64[ns]."""
    from windtunnel.gate.instants import to_utc

    distinct, place = np.unique(days, return_inverse=True)
    if timezone in (None, "UTC"):
        return days.astype("datetime64[ns]")
    starts = [to_utc(day.astype("datetime64[ns]"), timezone) for day in distinct]
    return np.array(starts, "datetime64[ns]")[place]


def _aggregate(bars: Bars, column: int, first: IntArray) -> dict[str, FloatArray]:
    """Return one symbol's fields per bucket; ``first`` holds the row where each bucket begins."""
    open_, high, low, close, volume = (getattr(bars, name)[:, column] for name in FIELDS)
    present, known = bars.present[:, column], ~np.isnan(volume)
    row = np.arange(len(bars))
    opened = np.minimum.reduceat(np.where(present, row, len(bars)), first)
    closed = np.maximum.reduceat(np.where(present, row, -1), first)
    traded = closed >= 0
    counted = np.logical_or.reduceat(known, first)
    return {
        "open": np.where(traded, open_[np.where(traded, opened, 0)], np.nan),
        "high": np.fmax.reduceat(high, first),
        "low": np.fmin.reduceat(low, first),
        "close": np.where(traded, close[np.where(traded, closed, 0)], np.nan),
        "volume": np.where(counted, np.add.reduceat(np.where(known, volume, 0.0), first), np.nan),
    }


def _timeframe(text: str, parameter: str) -> tuple[int, str]:
    match = _TIMEFRAME.fullmatch(text)
    if match is None:
        rule = "must be a number and one of s, m, h, d, w, M, such as 5m, 1h, 4h, 1d, 1w or 1M"
        raise InvalidValueError(parameter, rule, text)
    count, unit = int(match[1]), match[2]
    if unit in "smh" and count * _SECONDS[unit] > _SECONDS["d"]:
        raise InvalidValueError(parameter, "must be written in days if it is longer than one", text)
    return count, unit
