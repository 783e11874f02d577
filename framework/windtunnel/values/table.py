"""What a data source is asked for, and what it gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Origin", "Request", "Table"]


@dataclass(frozen=True)
class Request:
    """What an experiment asks of a data source.

    Parameters
    ----------
    symbols : tuple of str
        Empty means all that the source has.
    start, end : str or None
        ISO dates or times, both inclusive; a bare year, month or day means the whole of it.
        A source may ignore them: the framework cuts the bars again.
    timeframe : str or None
        Such as ``1d`` or ``1h``; None means as the source has it.
    """

    symbols: tuple[str, ...] = ()
    start: str | None = None
    end: str | None = None
    timeframe: str | None = None


@dataclass(frozen=True, eq=False)
class Origin:
    """The file that some rows of a table come from.

    Parameters
    ----------
    file : str
        Its name.
    rows : sequence of int, or Index
        For each of these rows, its row in the file, from 0.
    line : callable or None
        Takes a row of the file and returns its line, from 1; None where the file is not text.
    """

    file: str
    rows: Sequence[int] | pd.Index
    line: Callable[[int], int] | None = None


@dataclass(frozen=True, eq=False)
class Table:
    """Market data as a source has them, before the gate.

    Parameters
    ----------
    frame : DataFrame
        Long: a time column (or a DatetimeIndex), ``symbol`` where there is more than one, and
        ``open high low close volume``, any of the prices except ``close`` absent where the source has none.
        Column names are matched without regard to case.
    attributes : mapping of str to mapping
        For each symbol what is known of it (``sector``, …).
    truth : mapping or None
        For synthetic data, what really happened (regimes, planted patterns). No plugin ever sees it.
    time_format : str or None
        strptime format of times that are text and cannot be read without one.
    timezone : str or None
        Zone of the clock that naive times read; None leaves them as they are.
    origin : tuple of Origin
        Where the rows come from, in their order; empty where there are no files. Errors then name file and
        row.
    actions : DataFrame or None
        Dividends and splits, where prices are raw: ``time``, the ex-date, ``symbol`` where there is more than
        one, ``dividend`` (cash per unit, after a split of that time) and ``split`` (new units for each old
        one), either of them absent or NaN where there is none. None where prices are adjusted.
    actions_origin : tuple of Origin
        As ``origin``.
    """

    frame: pd.DataFrame
    attributes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    truth: Mapping[str, Any] | None = None
    time_format: str | None = None
    timezone: str | None = None
    origin: tuple[Origin, ...] = ()
    actions: pd.DataFrame | None = None
    actions_origin: tuple[Origin, ...] = ()

    def place(self, row: int) -> tuple[str, int, int | None] | None:
        """Return the file that a row comes from, its row there and its line; None where that is not known."""
        return _place(self.origin, row)

    def place_of_action(self, row: int) -> tuple[str, int, int | None] | None:
        """Return the same of a row of ``actions``."""
        return _place(self.actions_origin, row)


def _place(origin: Sequence[Origin], row: int) -> tuple[str, int, int | None] | None:
    for part in origin:
        if row < len(part.rows):
            there = int(part.rows[row])
            return part.file, there, part.line(there) if part.line is not None else None
        row -= len(part.rows)
    return None
