"""Reading a table: which column is what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from windtunnel.errors import DataError, InvalidValueError, nearest
from windtunnel.gate.numbers import read_numbers
from windtunnel.gate.rows import FIELDS, MISSING_TIME, PRICES, Rows
from windtunnel.gate.times import read_date_and_time, read_times
from windtunnel.values import BoolArray, FloatArray, IntArray

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["TIME_NAMES", "Reading", "read_arrays", "read_frame"]

TIME_NAMES = ("time", "date", "datetime", "timestamp", "ts")


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
    if frame.columns.nlevels > 1:
        return _read_levels(frame, reading)
    columns = _columns(frame)
    time_names = [name for name in columns if name.lower() in TIME_NAMES]
    times = [columns.pop(name) for name in time_names]
    names = {name.lower(): name for name in columns}
    clock = _read_clock(time_names, times, list(columns), reading)
    if _is_wide(columns, set(names)):
        return _wide({"close": columns}, *clock, reading)
    _refuse_unknown(columns, names)
    fields = {name: columns[names[name]] for name in FIELDS if name in names}
    symbol = columns[names["symbol"]] if "symbol" in names else None
    return _long(symbol, fields, *clock, reading)


def _columns(frame: pd.DataFrame) -> dict[str, pd.Series]:
    """Return the columns, and the levels of the index that have a meaning, by name."""
    import pandas as pd

    found: list[tuple[str, pd.Series]] = []
    for level in range(frame.index.nlevels):
        values = frame.index.get_level_values(level)
        name = str(values.name).strip() if values.name is not None else ""
        if name.lower() in (*TIME_NAMES, "symbol"):
            found.append((name, values.to_series(index=range(len(values)))))
        elif isinstance(values, pd.DatetimeIndex):
            found.append(("time", values.to_series(index=range(len(values)))))
    for place, label in enumerate(frame.columns):
        found.append((str(label).strip(), frame.iloc[:, place].reset_index(drop=True)))
    names = [name.lower() for name, _ in found]
    for name in names:
        if names.count(name) > 1:
            raise DataError(f"there are {names.count(name)} columns {name!r}", rule="duplicate_column")
    return dict(found)


def _read_clock(
    names: Sequence[str], columns: Sequence[pd.Series], others: Sequence[str], reading: Reading
) -> tuple[IntArray, str | None, pd.Series]:
    """Return the times, their zone, and what stood there."""
    form = reading.time_format, reading.timezone
    if len(names) == 1:
        return *read_times(columns[0], *form), columns[0]
    if sorted(name.lower() for name in names) == ["date", "time"]:
        date, time = columns if names[0].lower() == "date" else columns[::-1]
        return *read_date_and_time(date, time, *form), date.astype(str) + " " + time.astype(str)
    if names:
        raise DataError(f"{' and '.join(names)} are both columns of time", rule="duplicate_column")
    hint = next((found for name in TIME_NAMES if (found := nearest(name, others))), None)
    told = f"did you mean {hint!r}?" if hint else f"there are {', '.join(others[:12]) or 'none'}"
    raise DataError(f"no column of time ({', '.join(TIME_NAMES)}); {told}", rule="missing_column")


def _is_wide(columns: Mapping[str, pd.Series], names: set[str]) -> bool:
    """Say whether the columns are closes of one symbol each; one of them may be called LOW."""
    from pandas.api import types

    fields = names & {"symbol", *FIELDS}
    if (
        not columns
        or fields & {"symbol", "close", "volume"}
        or len(fields) > 1
        or len(columns) == len(fields)
    ):
        return False
    return all(
        types.is_numeric_dtype(values) and not types.is_bool_dtype(values) for values in columns.values()
    )


def _refuse_unknown(columns: Mapping[str, Any], names: Mapping[str, str]) -> None:
    known = ("symbol", *FIELDS)
    unknown = [name for name in columns if name.lower() not in known]
    if "close" not in names:
        hint = nearest("close", [name.lower() for name in unknown])
        told = f"did you mean {names[hint]!r}?" if hint else f"there are {', '.join(columns) or 'none'}"
        raise DataError(f"no column close; {told}", rule="missing_column")
    if unknown:
        hint = nearest(unknown[0].lower(), [name for name in known if name not in names])
        told = (
            f"did you mean {hint}?"
            if hint
            else f"known are time, {', '.join(known)}; rename it or leave it out"
        )
        raise DataError(
            f"{unknown[0]!r} is no column of bars; {told}", rule="unknown_column", count=len(unknown)
        )


def _read_levels(frame: pd.DataFrame, reading: Reading) -> Rows:
    """Read a wide table whose columns have two levels, field and symbol, in either order."""
    labels = [tuple(str(part).strip() for part in label) for label in frame.columns]
    if frame.columns.nlevels != 2:
        raise DataError("the columns must have one level or two", rule="unknown_column")
    first, second = ({label[level].lower() for label in labels} for level in (0, 1))
    level = 0 if len(first & set(FIELDS)) >= len(second & set(FIELDS)) else 1
    wide: dict[str, dict[str, pd.Series]] = {}
    for place, label in enumerate(labels):
        column = frame.iloc[:, place].reset_index(drop=True)
        symbols = wide.setdefault(label[level].lower(), {})
        if label[1 - level] in symbols:
            raise DataError(f"there are two columns {' '.join(label)}", rule="duplicate_column")
        symbols[label[1 - level]] = column
    _refuse_unknown(wide, {name: name for name in wide})
    if "symbol" in wide:
        raise DataError("'symbol' is no field of a table with two levels", rule="unknown_column")
    index = _columns(frame.iloc[:, :0])
    return _wide(wide, *_read_clock(list(index), list(index.values()), [], reading), reading)


def _long(
    symbol: pd.Series | None,
    columns: Mapping[str, pd.Series],
    time: IntArray,
    timezone: str | None,
    raw_time: pd.Series,
    reading: Reading,
) -> Rows:
    code, symbols = _codes(symbol, len(time), reading.symbols)
    fields, bad = {}, {}
    for name, values in columns.items():
        fields[name], bad[name] = read_numbers(values)

    def what(row: int, wanted: str) -> str:
        if wanted == "a time":
            return f"{raw_time.iloc[row]!r} is not {wanted} that can be read"
        name = next(name for name, mask in bad.items() if mask[row])
        return f"{name} is {columns[name].iloc[row]!r}, not {wanted}"

    _complete(fields)
    rows = Rows(
        time,
        code,
        np.arange(len(time)),
        fields,
        np.logical_or.reduce(list(bad.values())),
        what,
        symbols,
        timezone,
        clock=np.empty(0, np.int64),
    )
    if symbol is None and len(reading.symbols) == 1:
        return rows
    return _chosen(rows, reading.symbols) if reading.symbols else rows


def _codes(symbol: pd.Series | None, length: int, wanted: Sequence[str]) -> tuple[IntArray, tuple[str, ...]]:
    """Return the code of each row's symbol, -1 where it is missing, and the names in order of appearance."""
    import pandas as pd

    if symbol is None:
        return np.zeros(length, np.int64), (wanted[0] if len(wanted) == 1 else "asset",)
    try:
        code, found = pd.factorize(symbol)
    except TypeError:
        code, found = pd.factorize(symbol.astype(object).map(repr))
    names = [str(name).strip() for name in found]
    distinct = {name: index for index, name in enumerate(dict.fromkeys(name for name in names if name))}
    position = np.array([distinct.get(name, -1) for name in names] + [-1], np.int64)
    return position[code], tuple(distinct)


def _chosen(rows: Rows, wanted: Sequence[str]) -> Rows:
    """Keep the wanted symbols, in that order, and the rows that name none."""
    if len(set(wanted)) < len(wanted):
        raise InvalidValueError("symbols", "must be different names", tuple(wanted))
    position = np.full(len(rows.symbols) + 1, -2, np.int64)
    position[-1] = -1
    for index, name in enumerate(wanted):
        if name not in rows.symbols:
            hint = nearest(name, rows.symbols)
            listed = ", ".join(rows.symbols[:8]) + (", …" if len(rows.symbols) > 8 else "")
            told = f"did you mean {hint}?" if hint else f"there are {listed}"
            raise InvalidValueError("symbols", f"must be symbols of the data; {told}", name)
        position[rows.symbols.index(name)] = index
    code = position[rows.code]
    return replace(rows, code=code, symbols=tuple(wanted)).take(code > -2)


def _complete(fields: dict[str, FloatArray]) -> None:
    """Set the fields that a table does not have: prices to the close, volume to NaN."""
    for name in PRICES:
        fields.setdefault(name, fields["close"])
    fields.setdefault("volume", np.full(len(fields["close"]), np.nan))


def _wide(
    columns: Mapping[str, Mapping[str, pd.Series]],
    time: IntArray,
    timezone: str | None,
    raw_time: pd.Series,
    reading: Reading,
) -> Rows:
    """Turn a wide table into rows; a cell without any price is no bar."""
    symbols = tuple(columns["close"])
    for name, given in columns.items():
        for symbol in dict.fromkeys((*symbols, *given)):
            if symbol not in given or symbol not in symbols:
                lacking = name if symbol not in given else "close"
                raise DataError(f"no column {lacking}", rule="missing_column", symbol=symbol)
    shape = len(time), len(symbols)
    fields = {name: np.empty(shape, order="F") for name in columns}
    unreadable = np.zeros(shape, bool, order="F")
    for name, given in columns.items():
        for index, symbol in enumerate(symbols):
            fields[name][:, index], bad = read_numbers(given[symbol])
            unreadable[:, index] |= bad

    def what(row: int, wanted: str) -> str:
        if wanted == "a time":
            return f"{raw_time.iloc[row]!r} is not {wanted} that can be read"
        for name, given in columns.items():
            for values in given.values():
                if read_numbers(values.iloc[[row]])[1].any():
                    return f"{name} is {values.iloc[row]!r}, not {wanted}"
        return f"not {wanted}"

    rows = _flatten(time, timezone, fields, unreadable, what, symbols)
    return rows if not reading.symbols else _chosen(rows, reading.symbols)


def _flatten(
    time: IntArray,
    timezone: str | None,
    fields: Mapping[str, FloatArray],
    unreadable: BoolArray,
    what: Any,
    symbols: tuple[str, ...],
) -> Rows:
    given = np.logical_or.reduce([~np.isnan(fields[name]) for name in PRICES if name in fields]) | unreadable
    code, position = np.nonzero(given.T)
    flat = {name: values[position, code] for name, values in fields.items()}
    _complete(flat)
    clock = time[time != MISSING_TIME]
    return Rows(
        time[position], code, position, flat, unreadable[position, code], what, symbols, timezone, clock
    )


def read_arrays(
    time: npt.ArrayLike,
    fields: Mapping[str, npt.ArrayLike],
    symbols: Sequence[str] | None,
) -> Rows:
    """Return the bars of arrays ``[T]`` or ``[T, N]``."""
    import pandas as pd

    try:
        raw_time = pd.Series(time).reset_index(drop=True)
    except (TypeError, ValueError) as error:
        raise InvalidValueError("time", "must be a sequence of times", type(time).__name__) from error
    arrays = {name: _matrix(values, name) for name, values in fields.items()}
    shape = arrays["close"].shape
    for name, values in arrays.items():
        if values.shape != shape or len(values) != len(raw_time):
            rule = f"must have a row a time ({len(raw_time)}) and the shape of close {shape}"
            raise InvalidValueError(name, rule, values.shape)
    names = _default_names(shape[1]) if symbols is None else tuple(str(name) for name in symbols)
    if isinstance(symbols, str) or len(names) != shape[1] or len(set(names)) != len(names):
        raise InvalidValueError("symbols", f"must be {shape[1]} different names", symbols)
    if not len(raw_time):
        raise DataError("there are no bars", rule="empty")
    clock, timezone = read_times(raw_time)
    unreadable = np.zeros(shape, bool)

    def what(row: int, wanted: str) -> str:
        return f"{raw_time.iloc[row]!r} is not {wanted} that can be read"

    return _flatten(clock, timezone, arrays, unreadable, what, names)


def _matrix(values: npt.ArrayLike, name: str) -> FloatArray:
    """Return an array of float64 ``[T, N]``."""
    rule = "must be an array of numbers, [T] or [T, N]"
    try:
        array = np.asarray(values)
        if array.dtype.kind not in "iufO" or array.ndim not in (1, 2):
            raise InvalidValueError(name, rule, f"{array.ndim} dimensions of {array.dtype}")
        array = array.astype(np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        if isinstance(error, InvalidValueError):
            raise
        raise InvalidValueError(name, rule, type(values).__name__) from error
    return array[:, None] if array.ndim == 1 else array


def _default_names(count: int) -> tuple[str, ...]:
    return ("asset",) if count == 1 else tuple(f"asset{index}" for index in range(count))
