"""Longer bars out of shorter ones."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from windtunnel.bars import FIELDS, Bars
from windtunnel.errors import InvalidValueError
from windtunnel.gate.instants import to_utc
from windtunnel.periods import Timeframe, infer_periods_per_year, spelled
from windtunnel.values import Actions, FloatArray, IntArray, TimeArray

__all__ = ["resample"]

_MONDAY = 4
"""The first Monday of 1970, in days."""


def resample(bars: Bars, timeframe: str, *, parameter: str = "resample") -> Bars:
    """Build longer bars: open first, high highest, low lowest, close last, volume summed.

    Parameters
    ----------
    bars : Bars
        Stamped with their start.
    timeframe : str
        A number of seconds, minutes, hours, days, weeks or months: ``30s``, ``5m``, ``4h``, ``1d``, ``1w``,
        ``1M``. Seconds to hours are counted from each midnight, days from 1970, weeks from Monday, months
        from January, all on the exchange's clock.
    parameter : str
        What errors call the timeframe.

    Returns
    -------
    Bars
        Stamped with the start of each bucket that holds a bar of any symbol. A symbol without a bar there
        has NaN; volume is NaN where it is NaN throughout. A dividend or split stands at the bucket that holds
        its bar. A bucket is in the units at its end: what came before a split inside it is divided by the
        split, prices and dividends alike, and volume multiplied.

    Raises
    ------
    InvalidValueError
        If ``timeframe`` is not one, or shorter than the bars.
    """
    read = _longer(bars, timeframe, parameter)
    if not len(bars):
        return bars
    label = _labels(bars, read.count, read.unit)
    first = np.flatnonzero(np.concatenate(([True], label[1:] > label[:-1])))
    bucket = np.searchsorted(first, np.clip(bars.last_bar, 0, len(bars) - 1), side="right") - 1
    last_bar = np.where(bars.last_bar < 0, -1, np.where(bars.last_bar < len(bars), bucket, len(first)))
    even = _in_units_at_the_end(bars, first)
    columns = [_aggregate(even, column, first) for column in range(len(bars.symbols))]
    fields: dict[str, Any] = {
        name: np.asfortranarray(np.column_stack([column[name] for column in columns])) for name in FIELDS
    }
    starts = label[first]
    return replace(
        bars,
        time=starts,
        last_bar=last_bar,
        periods_per_year=infer_periods_per_year(starts),
        spacing=float("nan"),
        actions=_in_buckets(bars.actions, first),
        **fields,
    )


def _longer(bars: Bars, timeframe: str, parameter: str) -> Timeframe:
    read = Timeframe.read(timeframe, parameter)
    if read.seconds < bars.spacing:
        rule = f"must not be shorter than the bars, which are {spelled(bars.spacing)} apart"
        raise InvalidValueError(parameter, rule, timeframe)
    return read


def _in_units_at_the_end(bars: Bars, first: IntArray) -> Bars:
    """Divide prices by the splits that come later in their bucket, and multiply volume."""
    actions = bars.actions if bars.actions is not None else Actions.empty()
    begin = first[np.searchsorted(first, actions.bar, side="right") - 1]
    rows = np.flatnonzero((actions.split != 1) & (begin < actions.bar))
    if not len(rows):
        return bars
    fields: dict[str, Any] = {name: getattr(bars, name).copy(order="F") for name in FIELDS}
    for row in rows:
        before = slice(begin[row], actions.bar[row]), actions.symbol[row]
        for name, field in fields.items():
            if name == "volume":
                field[before] *= actions.split[row]
            else:
                field[before] /= actions.split[row]
    return replace(bars, **fields)


def _in_buckets(actions: Actions | None, first: IntArray) -> Actions | None:
    if actions is None:
        return None
    bucket = np.searchsorted(first, actions.bar, side="right") - 1
    return Actions.merged(bucket, actions.symbol, actions.bar, actions.dividend, actions.split)


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
    step = np.timedelta64(Timeframe(count, unit).seconds, "s").astype("timedelta64[ns]")
    return np.asarray(midnight + (bars.time - midnight) // step * step)


def _midnights(days: npt.NDArray[np.datetime64], timezone: str | None) -> TimeArray:
    """Return when each day of the zone's calendar begins, as datetime64[ns]."""
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
