"""Dividends and splits: from a table to the bars on which they take effect."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from windtunnel.errors import DataError, InvalidValueError, nearest
from windtunnel.gate.admission import Admitted
from windtunnel.gate.numbers import read_numbers
from windtunnel.gate.rows import MISSING_TIME
from windtunnel.gate.tables import TIME_NAMES, Reading, named_columns, read_clock, symbol_codes
from windtunnel.gate.times import Clock
from windtunnel.values import Actions, BoolArray, FloatArray, IntArray

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["admit_actions"]

_KNOWN = ("symbol", "dividend", "split")


def admit_actions(
    frame: pd.DataFrame, admitted: Admitted, *, time_format: str | None = None, others: bool = False
) -> Actions:
    """Check a table of dividends and splits, and put each on its bar.

    An action takes effect on the open of its symbol's first bar at or after its time; one before the symbol's
    first bar or after its last is left out. What lands on one bar is put together: splits multiply, and a
    dividend paid before a later one of them is divided by it.

    Parameters
    ----------
    frame : DataFrame
        A column of time, as bars have it, the ex-date; ``symbol``, which may be absent where the bars have
        one only; ``dividend``, cash per unit after a split of that time; ``split``, new units for each old
        one. Either of these may be absent, or NaN, for none.
    admitted : Admitted
        The bars. Naive times are on their clock.
    time_format : str, optional
        strptime format of times that are text.
    others : bool
        Leave out symbols that the bars do not have, instead of refusing them.

    Raises
    ------
    DataError
        ``action_column``, ``action_time``, ``action_symbol``, ``action_dividend`` or ``action_split``; names
        the row.
    InvalidValueError
        If ``frame`` is not a DataFrame.
    """
    import pandas as pd

    if not isinstance(frame, pd.DataFrame):
        raise InvalidValueError("actions", "must be a pandas DataFrame", type(frame).__name__)
    columns, clock = _read(frame, time_format, admitted.timezone)
    code = _codes(columns.get("symbol"), len(frame), admitted.symbols, others)
    wanted = code >= 0
    _refuse("action_time", wanted & (clock.time == MISSING_TIME), clock.unread)
    if clock.timezone is not None and admitted.timezone is None and wanted.any():
        raise DataError("the times have a time zone, those of the bars have none", rule="action_time")
    dividend = _amounts(columns, "dividend", wanted)
    split = _amounts(columns, "split", wanted)
    bar = _landings(clock.time, code, admitted)
    kept = (bar >= 0) & ((dividend != 0) | (split != 1))
    return Actions.merged(bar[kept], code[kept], clock.time[kept], dividend[kept], split[kept])


def _read(
    frame: pd.DataFrame, time_format: str | None, timezone: str | None
) -> tuple[dict[str, pd.Series], Clock]:
    """Return the columns by name, and the times."""
    try:
        columns = named_columns(frame)
        times = {name: columns.pop(name) for name in list(columns) if name.lower() in TIME_NAMES}
        _refuse_unknown(list(columns))
        clock = read_clock(times, list(columns), Reading((), time_format, timezone), frame.index)
    except DataError as error:
        rule = "action_column" if error.rule.endswith("_column") else "action_time"
        raise DataError(error.message, rule=rule, row=error.row, count=error.count) from error
    return {name.lower(): values for name, values in columns.items()}, clock


def _refuse_unknown(names: Sequence[str]) -> None:
    for name in names:
        if name.lower() not in _KNOWN:
            hint = nearest(name.lower(), _KNOWN)
            told = f"; did you mean {hint}?" if hint else ""
            raise DataError(f"{name!r} is none of time, {', '.join(_KNOWN)}{told}", rule="action_column")
    if not {"dividend", "split"} & {name.lower() for name in names}:
        raise DataError("there is neither a column dividend nor a column split", rule="action_column")


def _codes(symbol: pd.Series | None, rows: int, symbols: Sequence[str], others: bool) -> IntArray:
    """Return the column of the bars that each row is about; -1 where that is left out."""
    if symbol is None:
        if len(symbols) > 1:
            message = f"no column symbol; the bars have {len(symbols)} symbols"
            raise DataError(message, rule="action_column")
        return np.zeros(rows, np.int64)
    code, names = symbol_codes(symbol)
    _refuse("action_symbol", code == -1, lambda row: "the symbol is missing")
    places = {name: place for place, name in enumerate(symbols)}
    column = np.array([places.get(name, -1) for name in names], np.int64)[code]

    def unknown(row: int) -> str:
        hint = nearest(names[code[row]], symbols)
        told = f"; did you mean {hint}?" if hint else ""
        return f"{names[code[row]]} is no symbol of the bars{told}"

    if not others:
        _refuse("action_symbol", column == -1, unknown)
    return column


def _amounts(columns: Mapping[str, pd.Series], name: str, wanted: BoolArray) -> FloatArray:
    """Return a column of dividends or splits, with 0 or 1 where there is none."""
    none = 0.0 if name == "dividend" else 1.0
    if name not in columns:
        return np.full(len(wanted), none)
    amount, unreadable = read_numbers(columns[name])
    low = amount < 0 if name == "dividend" else amount <= 0
    rule = "a number of 0 or more" if name == "dividend" else "a number above 0"
    _refuse(
        f"action_{name}",
        wanted & (unreadable | np.isinf(amount) | low),
        lambda row: f"{name} is {columns[name].iloc[row]}, not {rule}",
    )
    return np.where(np.isnan(amount), none, amount)


def _refuse(rule: str, broken: BoolArray, message: Callable[[int], str]) -> None:
    """Refuse the rows in ``broken``, naming the first."""
    if broken.any():
        row = int(np.argmax(broken))
        raise DataError(message(row), rule=rule, row=row, count=int(broken.sum()))


def _landings(time: IntArray, code: IntArray, admitted: Admitted) -> IntArray:
    """Return the row of the bar on which each action takes effect; -1 where it has none."""
    clock = admitted.time.view(np.int64)
    bar = np.full(len(time), -1)
    for symbol in np.unique(code[code >= 0]):
        rows = np.flatnonzero(~np.isnan(admitted.fields["close"][:, symbol]))
        own = code == symbol
        place = np.searchsorted(clock[rows], time[own])
        inside = (time[own] >= clock[rows[0]]) & (place < len(rows))
        bar[own] = np.where(inside, rows[np.minimum(place, len(rows) - 1)], -1)
    return bar
