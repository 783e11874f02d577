"""Letting a table in: every rule applied, every repair counted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from windtunnel.errors import DataError, InvalidValueError
from windtunnel.gate.rows import FIELDS, MISSING_TIME, PRICES, Rows
from windtunnel.gate.rules import REPAIRS, Repair, broken_bars, repairs
from windtunnel.gate.tables import Reading, read_frame
from windtunnel.gate.wide import read_arrays
from windtunnel.values import BoolArray, FloatArray, IntArray, TimeArray

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Admitted", "admit", "admit_arrays"]


@dataclass(frozen=True, eq=False)
class Admitted:
    """A panel that keeps every rule of the gate.

    Parameters
    ----------
    time : array of datetime64[ns], ``[T]``
        Strictly increasing; UTC where ``timezone`` is set.
    symbols : tuple of str
        The N columns, each with at least one bar.
    fields : mapping of str to array of float64, ``[T, N]``
        Open, high, low, close and volume, each symbol contiguous; NaN where a symbol has no bar.
    timezone : str or None
        Zone of the times' clock; None where the source does not say.
    repairs : mapping of str to int
        For each rule that was broken and repaired, the number of rows.
    """

    time: TimeArray
    symbols: tuple[str, ...]
    fields: Mapping[str, FloatArray]
    timezone: str | None
    repairs: Mapping[str, int]


def admit(
    frame: pd.DataFrame,
    *,
    repair: Repair = "none",
    symbols: Sequence[str] = (),
    time_format: str | None = None,
    timezone: str | None = None,
) -> Admitted:
    """Check a table against every rule, repair what may be repaired, and align its symbols.

    Parameters
    ----------
    frame : DataFrame
        Long: a column of time (``time date datetime timestamp ts``, a ``date`` beside a ``time``, or the
        index), ``symbol`` where there is more than one, ``close``, and any of ``open high low volume``.
        Wide: columns of two levels (field, symbol) in either order, or one column of closes a symbol; a
        cell without any price is no bar. Names are matched without regard to case; any other column is an
        error. Prices left out equal the close, volume left out is NaN.
    repair : str or mapping of str to str
        See :func:`repairs`. ``drop`` removes the row; ``mark_missing`` keeps its time as a missing bar;
        ``forward_fill`` makes a flat bar of volume 0 at the symbol's last close (missing where there is
        none); ``sort`` orders a symbol's times; ``keep_first`` and ``keep_last`` choose among rows of equal
        symbol and time.
    symbols : sequence of str
        Which to keep, in that order; all if empty. One name also names a table without a symbol column.
    time_format : str, optional
        strptime format of times that are text.
    timezone : str, optional
        Zone of the clock that naive times read.

    Raises
    ------
    DataError
        For the first rule of :data:`REPAIRS` that is broken and not repaired; names symbol, row and count.
    InvalidValueError
        If an argument is wrong or one of ``symbols`` is not in the table.
    """
    if isinstance(symbols, str):
        raise InvalidValueError("symbols", "must be a list of names", symbols)
    chosen = repairs(repair)
    return _admit(read_frame(frame, Reading(tuple(symbols), time_format, timezone)), chosen)


def admit_arrays(
    time: npt.ArrayLike,
    close: npt.ArrayLike,
    open: npt.ArrayLike | None = None,
    high: npt.ArrayLike | None = None,
    low: npt.ArrayLike | None = None,
    volume: npt.ArrayLike | None = None,
    symbols: Sequence[str] | None = None,
) -> Admitted:
    """Check arrays ``[T]`` or ``[T, N]`` as :func:`admit` checks a wide table, without repairs.

    Raises
    ------
    DataError
        If a rule is broken.
    InvalidValueError
        If the shapes do not fit together.
    """
    others = {"open": open, "high": high, "low": low, "volume": volume}
    given = {name: values for name, values in others.items() if values is not None}
    return _admit(read_arrays(time, {"close": close, **given}, symbols), {})


def _admit(rows: Rows, chosen: Mapping[str, str]) -> Admitted:
    mended = _Mended(chosen, {})
    unread = rows.time == MISSING_TIME
    if mended.by("bad_time", rows, unread, lambda at: rows.what("bad_time", int(rows.position[at]))):
        rows = rows.take(~unread)
    nameless = rows.code == -1
    if mended.by("bad_symbol", rows, nameless, lambda at: "the symbol is missing"):
        rows = rows.take(~nameless)
    rows, filled = _mend_bars(rows, mended)
    order = _ordered(rows, mended)
    rows = rows.take(order)
    _forward_fill(rows, filled[order])
    return _panel(rows, mended.counts)


@dataclass(frozen=True)
class _Mended:
    """The repair chosen for each rule, none if there is no choice, and the rows that each has cost so far."""

    chosen: Mapping[str, str]
    counts: dict[str, int]

    def by(self, rule: str, rows: Rows, mask: BoolArray, message: Callable[[int], str]) -> str | None:
        """Return the repair for the rows in ``mask``, None where there are none; raise where it is none."""
        count = int(np.count_nonzero(mask))
        if not count:
            return None
        repair = self.chosen.get(rule)
        if repair is None or repair == "none":
            raise rows.error(rule, mask, message, () if repair is None else REPAIRS[rule])
        self.counts[rule] = self.counts.get(rule, 0) + count
        return repair


def _mend_bars(rows: Rows, mended: _Mended) -> tuple[Rows, BoolArray]:
    """Apply the rules about single bars; return the rows that stay, and which of them are to be filled."""
    dropped, filled, marked = (np.zeros(len(rows), bool) for _ in range(3))
    for rule, broken, message in broken_bars(rows):
        fresh = broken & ~(dropped | filled | marked)
        repair = mended.by(rule, rows, fresh, message)
        if repair is not None:
            {"drop": dropped, "forward_fill": filled, "mark_missing": marked}[repair][fresh] = True
    if not (dropped.any() or filled.any() or marked.any()):
        return rows, filled
    void = filled | marked
    fields = {name: np.where(void, np.nan, values) for name, values in rows.fields.items()}
    return replace(rows, fields=fields).take(~dropped), filled[~dropped]


def _ordered(rows: Rows, mended: _Mended) -> IntArray:
    """Return the rows by symbol and time, each pair of these once."""
    order = np.argsort(rows.code, kind="stable")
    same, time = _neighbours(rows, order)
    late = _later_of(order, same & (time[1:] < time[:-1]))
    if mended.by("unsorted", rows, late, lambda at: "comes after a later bar of its symbol"):
        order = np.lexsort((rows.time, rows.code))
        same, time = _neighbours(rows, order)
    equal = same & (time[1:] == time[:-1])
    repeated = _later_of(order, equal)
    repair = mended.by(
        "duplicate", rows, repeated, lambda at: "there is a bar of this symbol and time before"
    )
    if repair is None:
        return order
    keep = np.ones(len(order), bool)
    keep[slice(1, None) if repair == "keep_first" else slice(None, -1)] = ~equal
    return order[keep]


def _neighbours(rows: Rows, order: IntArray) -> tuple[BoolArray, IntArray]:
    """Say which rows have the symbol of the one before, and return the times, both in ``order``."""
    code = rows.code[order]
    return code[1:] == code[:-1], rows.time[order]


def _later_of(order: IntArray, pairs: BoolArray) -> BoolArray:
    """Mark the later row of each pair of neighbours in ``order``."""
    mask = np.zeros(len(order), bool)
    mask[order[1:][pairs]] = True
    return mask


def _forward_fill(rows: Rows, filled: BoolArray) -> None:
    """Set the filled bars to their symbol's last close; the rows are ordered by symbol and time."""
    if not filled.any():
        return
    close = rows.fields["close"]
    last = np.maximum.accumulate(np.where(np.isnan(close), -1, np.arange(len(close))))[filled]
    known = (last >= 0) & (rows.code[last] == rows.code[filled])
    target = np.flatnonzero(filled)[known]
    for name in PRICES:
        rows.fields[name][target] = close[last[known]]
    if not np.isnan(rows.fields["volume"]).all():
        rows.fields["volume"][target] = 0.0


def _panel(rows: Rows, counts: Mapping[str, int]) -> Admitted:
    present = ~np.isnan(rows.fields["close"])
    bars = np.bincount(rows.code[present], minlength=len(rows.symbols))
    if not bars.all() or not len(bars):
        symbol = rows.symbols[int(np.argmin(bars))] if len(bars) else None
        raise DataError("not one bar is left" if counts else "there are no bars", rule="empty", symbol=symbol)
    time = np.unique(np.concatenate((rows.time, rows.clock)))
    shape = len(time), len(rows.symbols)
    at = np.searchsorted(time, rows.time), rows.code
    fields = {}
    for name in FIELDS:
        fields[name] = np.full(shape, np.nan, order="F")
        fields[name][at] = rows.fields[name]
    return Admitted(time.view("datetime64[ns]"), rows.symbols, fields, rows.timezone, counts)
