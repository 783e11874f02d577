"""Reading a table: which column is what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import numpy as np

from windtunnel.errors import DataError, InvalidValueError, nearest
from windtunnel.gate.numbers import read_numbers
from windtunnel.gate.rows import FIELDS, Rows, complete
from windtunnel.gate.times import Clock, are_dates, read_date_and_time, read_times
from windtunnel.gate.wide import wide_rows
from windtunnel.values import IntArray

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["TIME_NAMES", "Reading", "named_columns", "read_clock", "read_frame", "symbol_codes"]

TIME_NAMES = ("time", "date", "datetime", "timestamp", "ts")
_FORMER_INDEX = "index"
"""What pandas calls the column that it makes of an index without a name."""


@dataclass(frozen=True)
class Reading:
    """How to read a table: which symbols to keep, and what its times mean."""

    symbols: tuple[str, ...] = ()
    time_format: str | None = None
    timezone: str | None = None


def read_frame(frame: pd.DataFrame, reading: Reading) -> Rows:
    """Return the bars of a DataFrame, long or wide."""
    import pandas as pd

    if not isinstance(frame, pd.DataFrame):
        raise InvalidValueError("frame", "must be a pandas DataFrame", type(frame).__name__)
    if not len(frame):
        raise DataError("the table has no rows", rule="empty")
    rows = _read_levels(frame, reading) if frame.columns.nlevels > 1 else _read_flat(frame, reading)
    return rows.choose(reading.symbols) if reading.symbols else rows


def _read_flat(frame: pd.DataFrame, reading: Reading) -> Rows:
    columns = named_columns(frame)
    times = {name: columns.pop(name) for name in list(columns) if name.lower() in TIME_NAMES}
    names = {name.lower(): name for name in columns}
    clock = read_clock(times, list(columns), reading, frame.index)
    if _is_wide(columns, set(names)):
        return wide_rows({"close": columns}, clock)
    _refuse_unknown(columns, names)
    fields = {name: columns[names[name]] for name in FIELDS if name in names}
    if "symbol" in names:
        return _long(*symbol_codes(columns[names["symbol"]]), fields, clock)
    symbol = reading.symbols[0] if len(reading.symbols) == 1 else "asset"
    return _long(np.zeros(len(frame), np.int64), (symbol,), fields, clock)


def named_columns(frame: pd.DataFrame) -> dict[str, pd.Series]:
    """Return the columns, and the levels of the index that have a meaning, by name."""
    import pandas as pd

    found: list[tuple[str, pd.Series]] = []
    others: list[pd.Series] = []
    for level in range(frame.index.nlevels):
        index = frame.index.get_level_values(level)
        values = index.to_frame(index=False).iloc[:, 0]
        name = str(index.name).strip() if index.name is not None else ""
        if name.lower() in (*TIME_NAMES, "symbol"):
            found.append((name, values))
        elif isinstance(index, pd.DatetimeIndex):
            found.append(("time", values))
        else:
            others.append(values)
    for place, label in enumerate(frame.columns):
        found.append((str(label).strip(), frame.iloc[:, place].reset_index(drop=True)))
    names = [name.lower() for name, _ in found]
    for name in names:
        if names.count(name) > 1:
            raise DataError(f"there are {names.count(name)} columns {name!r}", rule="duplicate_column")
    timed = any(name in TIME_NAMES for name in names)
    return dict(found) if timed else _with_unnamed_time(dict(found), others)


def _with_unnamed_time(columns: Mapping[str, pd.Series], index: Sequence[pd.Series]) -> dict[str, pd.Series]:
    """Call ``time`` what can be nothing else: one level of dates, or a column ``index`` of datetimes."""
    from pandas.api import types

    dates = [values for values in index if are_dates(values)]
    if len(dates) == 1:
        return {"time": dates[0], **columns}
    return {
        "time" if name == _FORMER_INDEX and types.is_datetime64_any_dtype(values) else name: values
        for name, values in columns.items()
    }


def read_clock(
    times: Mapping[str, pd.Series], others: Sequence[str], reading: Reading, index: pd.Index
) -> Clock:
    """Read the times out of the columns named as such; ``others`` and ``index`` help to say what is wrong."""
    form = reading.time_format, reading.timezone
    if len(times) == 1:
        return read_times(next(iter(times.values())), *form)
    by_name = {name.lower(): values for name, values in times.items()}
    if set(by_name) == {"date", "time"}:
        return read_date_and_time(by_name["date"], by_name["time"], *form)
    if times:
        raise DataError(f"{' and '.join(times)} are both columns of time", rule="duplicate_column")
    there = ", ".join(others[:12]) or "none"
    told = f"no column of time ({', '.join(TIME_NAMES)}); there are {there}{_may_be_time(others, index)}"
    raise DataError(told, rule="missing_column")


def _may_be_time(others: Sequence[str], index: pd.Index) -> str:
    """Say what could be the times, but does not say so itself."""
    from pandas.api import types

    if _FORMER_INDEX in others:
        return f"; if {_FORMER_INDEX!r} is it, rename it to time"
    if types.is_numeric_dtype(index) or not len(index):
        return ""
    return f"; if the index is it ({index[0]!r}, …), name it: frame.rename_axis('time')"


def _is_wide(columns: Mapping[str, pd.Series], names: set[str]) -> bool:
    """Say whether the columns are closes of one symbol each; one of them may be called LOW."""
    from pandas.api import types

    fields = names & {"symbol", *FIELDS}
    if fields & {"symbol", "close", "volume"} or len(fields) > 1 or len(columns) == len(fields):
        return False
    return all(
        types.is_numeric_dtype(values) and not types.is_bool_dtype(values) for values in columns.values()
    )


def _refuse_unknown(columns: Mapping[str, Any], names: Mapping[str, str]) -> None:
    known = ("symbol", *FIELDS)
    unknown = [name for name in columns if name.lower() not in known]
    if "close" not in names:
        meant = get_close_matches("close", [name.lower() for name in unknown], n=1, cutoff=0.7)
        told = f"did you mean {names[meant[0]]!r}?" if meant else f"there are {', '.join(columns) or 'none'}"
        raise DataError(f"no column close; {told}", rule="missing_column")
    if unknown:
        hint = nearest(unknown[0].lower(), [name for name in known if name not in names])
        told = (
            f"did you mean {hint}?" if hint else "rename it or leave it out (of a file by columns or ignore)"
        )
        message = f"{unknown[0]!r} is none of time, {', '.join(known)}; {told}"
        raise DataError(message, rule="unknown_column", count=len(unknown))


def _read_levels(frame: pd.DataFrame, reading: Reading) -> Rows:
    """Read a wide table whose columns have two levels, field and symbol, in either order."""
    labels = [tuple(str(part).strip() for part in label) for label in frame.columns]
    if frame.columns.nlevels != 2:
        raise DataError("the columns must have one level or two", rule="unknown_column")
    first, second = ({label[level].lower() for label in labels} for level in (0, 1))
    level = 0 if len(first & set(FIELDS)) >= len(second & set(FIELDS)) else 1
    wide: dict[str, dict[str, pd.Series]] = {}
    for place, label in enumerate(labels):
        symbols = wide.setdefault(label[level].lower(), {})
        if label[1 - level] in symbols:
            raise DataError(f"there are two columns {' '.join(label)}", rule="duplicate_column")
        symbols[label[1 - level]] = frame.iloc[:, place].reset_index(drop=True)
    if "symbol" in wide:
        raise DataError("'symbol' is no field of a table with two levels", rule="unknown_column")
    _refuse_unknown(wide, {name: name for name in wide})
    return wide_rows(wide, read_clock(named_columns(frame.iloc[:, :0]), [], reading, frame.index))


def symbol_codes(symbol: pd.Series) -> tuple[IntArray, tuple[str, ...]]:
    """Return the code of each row's symbol, -1 where it is missing, and the names in order of appearance."""
    import pandas as pd

    try:
        code, found = pd.factorize(symbol)
    except TypeError:
        code, found = pd.factorize(symbol.astype(object).map(repr))
    names = [str(name).strip() for name in found]
    distinct = {name: index for index, name in enumerate(dict.fromkeys(name for name in names if name))}
    position = np.array([distinct.get(name, -1) for name in names] + [-1], np.int64)
    return position[code], tuple(distinct)


def _long(code: IntArray, symbols: tuple[str, ...], columns: Mapping[str, pd.Series], clock: Clock) -> Rows:
    fields, unreadable = {}, {}
    for name, values in columns.items():
        fields[name], unreadable[name] = read_numbers(values)
    complete(fields)

    def what(rule: str, row: int) -> str:
        if rule == "bad_time":
            return clock.unread(row)
        name = next(name for name, mask in unreadable.items() if mask[row])
        return f"{name} is {columns[name].iloc[row]!r}, not a number"

    return Rows(
        clock.time,
        code,
        np.arange(len(code)),
        fields,
        np.logical_or.reduce(list(unreadable.values())),
        what,
        symbols,
        clock.timezone,
        np.empty(0, np.int64),
    )
