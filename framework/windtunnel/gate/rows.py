"""What the gate works on: a table's bars, one element a bar."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from windtunnel.errors import DataError, InvalidValueError, nearest
from windtunnel.values import BoolArray, FloatArray, IntArray

__all__ = ["FIELDS", "MISSING_TIME", "PRICES", "Rows", "complete"]

PRICES = ("open", "high", "low", "close")
FIELDS = (*PRICES, "volume")
MISSING_TIME = int(np.iinfo(np.int64).min)


@dataclass(frozen=True, eq=False)
class Rows:
    """The bars of a table, in the table's order, before any rule was applied.

    Parameters
    ----------
    time : array of int64, ``[n]``
        Nanoseconds since 1970, UTC where ``timezone`` is set; ``MISSING_TIME`` where none could be read.
    code : array of int64, ``[n]``
        Index into ``symbols``; -1 where the row names no symbol.
    position : array of int64, ``[n]``
        Row of the source's table, from 0.
    fields : mapping of str to array of float64, ``[n]``
        Open, high, low, close, volume; NaN where missing or not a number.
    unreadable : array of bool, ``[n]``
        Where a field held something that is not a number.
    what : callable
        Takes a rule, ``bad_time`` or ``not_a_number``, and a table row that breaks it, and says how.
    symbols : tuple of str
    timezone : str or None
    clock : array of int64, ``[T]``
        Times that stay even where no symbol has a bar: the rows of a wide table.
    """

    time: IntArray
    code: IntArray
    position: IntArray
    fields: Mapping[str, FloatArray]
    unreadable: BoolArray
    what: Callable[[str, int], str]
    symbols: tuple[str, ...]
    timezone: str | None
    clock: IntArray

    def __len__(self) -> int:
        return len(self.time)

    def take(self, rows: BoolArray | IntArray) -> Rows:
        """Return the chosen rows."""
        return replace(
            self,
            time=self.time[rows],
            code=self.code[rows],
            position=self.position[rows],
            fields={name: values[rows] for name, values in self.fields.items()},
            unreadable=self.unreadable[rows],
        )

    def choose(self, wanted: Sequence[str]) -> Rows:
        """Return the rows of the wanted symbols, in that order, and the rows that name none.

        Raises
        ------
        InvalidValueError
            If one of them is not in the table or named twice.
        """
        if len(set(wanted)) < len(wanted):
            raise InvalidValueError("symbols", "must be different names", tuple(wanted))
        position = np.full(len(self.symbols) + 1, -2, np.int64)
        position[-1] = -1
        for index, name in enumerate(wanted):
            if name not in self.symbols:
                hint = nearest(name, self.symbols)
                listed = ", ".join(self.symbols[:8]) + (", …" if len(self.symbols) > 8 else "")
                told = f"did you mean {hint}?" if hint else f"there are {listed}"
                raise InvalidValueError("symbols", f"must be symbols of the data; {told}", name)
            position[self.symbols.index(name)] = index
        code = position[self.code]
        return replace(self, code=code, symbols=tuple(wanted)).take(code > -2)

    def error(
        self, rule: str, mask: BoolArray, message: Callable[[int], str], repairs: Sequence[str]
    ) -> DataError:
        """Return the error for the rows in ``mask``, which names the one that comes first in the table."""
        offenders = np.flatnonzero(mask)
        first = int(offenders[self.position[offenders].argmin()])
        symbol = self.symbols[self.code[first]] if self.code[first] >= 0 else None
        when = "" if self.time[first] == MISSING_TIME else f"{self.when(first)}: "
        return DataError(
            when + message(first),
            rule=rule,
            symbol=symbol,
            row=int(self.position[first]),
            count=len(offenders),
            repairs=repairs,
        )

    def when(self, index: int) -> str:
        """Return the time of a row as people write it: a bare date at midnight."""
        text = str(np.datetime_as_string(np.datetime64(int(self.time[index]), "ns"), unit="auto"))
        return text.replace("T", " ") + (" UTC" if self.timezone is not None and "T" in text else "")


def complete(fields: dict[str, FloatArray]) -> None:
    """Set the fields that a table does not have: prices to the close, volume to NaN."""
    for name in PRICES:
        fields.setdefault(name, fields["close"])
    fields.setdefault("volume", np.full(len(fields["close"]), np.nan))
