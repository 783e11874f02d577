"""Reading what is a matrix already: a column a symbol, or arrays."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from windtunnel.errors import DataError, InvalidValueError
from windtunnel.gate.numbers import read_numbers
from windtunnel.gate.rows import MISSING_TIME, PRICES, Rows, complete
from windtunnel.gate.times import Clock, read_times
from windtunnel.values import BoolArray, FloatArray

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["read_arrays", "wide_rows"]


def wide_rows(columns: Mapping[str, Mapping[str, pd.Series]], clock: Clock) -> Rows:
    """Turn a table with a column for each field and symbol into rows; a cell without any price is no bar."""
    symbols = tuple(columns["close"])
    for name, given in columns.items():
        for symbol in dict.fromkeys((*symbols, *given)):
            if symbol not in given or symbol not in symbols:
                lacking = name if symbol not in given else "close"
                raise DataError(f"no column {lacking}", rule="missing_column", symbol=symbol)
    shape = len(clock.time), len(symbols)
    fields = {name: np.empty(shape, order="F") for name in columns}
    unreadable = np.zeros(shape, bool, order="F")
    for name, given in columns.items():
        for index, symbol in enumerate(symbols):
            fields[name][:, index], bad = read_numbers(given[symbol])
            unreadable[:, index] |= bad

    def what(rule: str, row: int) -> str:
        if rule == "bad_time":
            return clock.unread(row)
        cells = ((name, given[symbol].iloc[[row]]) for symbol in symbols for name, given in columns.items())
        name, cell = next((name, cell) for name, cell in cells if read_numbers(cell)[1].any())
        return f"{name} is {cell.iloc[0]!r}, not a number"

    return _flatten(clock, fields, unreadable, what, symbols)


def read_arrays(
    time: npt.ArrayLike, fields: Mapping[str, npt.ArrayLike], symbols: Sequence[str] | None
) -> Rows:
    """Return the bars of arrays ``[T]`` or ``[T, N]``."""
    import pandas as pd

    try:
        times = pd.Series(time).reset_index(drop=True)
    except (TypeError, ValueError) as error:
        raise InvalidValueError("time", "must be a sequence of times", type(time).__name__) from error
    arrays = {name: _matrix(values, name) for name, values in fields.items()}
    shape = arrays["close"].shape
    for name, values in arrays.items():
        if values.shape != shape or len(values) != len(times):
            rule = f"must have a row a time ({len(times)}) and the shape of close {shape}"
            raise InvalidValueError(name, rule, values.shape)
    names = _names(symbols, shape[1])
    if not len(times):
        raise DataError("there are no bars", rule="empty")
    clock = read_times(times)
    return _flatten(clock, arrays, np.zeros(shape, bool), lambda _, row: clock.unread(row), names)


def _matrix(values: npt.ArrayLike, name: str) -> FloatArray:
    rule = "must be an array of numbers, [T] or [T, N]"
    try:
        array = np.asarray(values)
        numbers = array.astype(np.float64) if array.dtype.kind in "iufO" else None
    except (TypeError, ValueError, OverflowError) as error:
        raise InvalidValueError(name, rule, type(values).__name__) from error
    if numbers is None or numbers.ndim not in (1, 2):
        raise InvalidValueError(name, rule, f"{array.ndim} dimensions of {array.dtype}")
    return numbers[:, None] if numbers.ndim == 1 else numbers


def _names(symbols: Sequence[str] | None, count: int) -> tuple[str, ...]:
    if symbols is None:
        return ("asset",) if count == 1 else tuple(f"asset{index}" for index in range(count))
    names = () if isinstance(symbols, str) or not isinstance(symbols, Iterable) else tuple(map(str, symbols))
    if len(names) != count or len(set(names)) != count:
        raise InvalidValueError("symbols", f"must be {count} different names", symbols)
    return names


def _flatten(
    clock: Clock,
    fields: Mapping[str, FloatArray],
    unreadable: BoolArray,
    what: Callable[[str, int], str],
    symbols: tuple[str, ...],
) -> Rows:
    given = np.logical_or.reduce([~np.isnan(fields[name]) for name in PRICES if name in fields]) | unreadable
    code, position = np.nonzero(given.T)
    flat = {name: values[position, code] for name, values in fields.items()}
    complete(flat)
    return Rows(
        clock.time[position],
        code,
        position,
        flat,
        unreadable[position, code],
        what,
        symbols,
        clock.timezone,
        clock.time[clock.time != MISSING_TIME],
    )
