"""What the sources that read files have in common."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from annotated_types import MinLen
from pydantic import Field, field_validator

from windtunnel.errors import DataError, InvalidValueError, nearest
from windtunnel.plugin import DataSource
from windtunnel.values import Origin, Request, Table
from windtunnel_plugins.sources._actions import read_actions
from windtunnel_plugins.sources._unreadable import unreadable

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["_FileSource"]

_NAMES = ("time", "date", "symbol", "open", "high", "low", "close", "volume")


class _FileSource(DataSource):
    """Reads one file, or a folder with one file a symbol."""

    path: Annotated[str, MinLen(1)]
    """A file, or a folder with one file a symbol, which is named like the file. A single file without a
    symbol column is called as the one symbol that is asked for, else as the file."""
    columns: dict[str, str] = Field(default_factory=dict)
    """Which column is which, where the names differ: ``{time: Day, close: Adj Close}``; keys are time, date,
    symbol, open, high, low, close and volume."""
    ignore: tuple[str, ...] = ()
    """Columns to leave out; any that is neither known nor ignored is an error."""
    time_format: str | None = None
    """strptime format of the times, such as ``%m/%d/%Y %H:%M``, where they cannot be read without one."""
    timezone: str | None = None
    """Zone of the clock that the times read, such as America/New_York; they are then kept in UTC."""
    attributes: Annotated[Path, Field(strict=False)] | None = None
    """A CSV file with a column ``symbol`` and others, such as ``sector``, that describe the symbols."""

    actions: Annotated[Path, Field(strict=False)] | None = None
    """A CSV or Parquet file of dividends and splits, where prices are raw: columns ``time`` (the ex-date),
    ``symbol`` (absent if you like where the data have one symbol), ``dividend`` (cash per unit) and ``split``
    (new units for each old one)."""

    suffixes: ClassVar[tuple[str, ...]] = ()
    """Endings of the files that belong to a folder's data."""

    @field_validator("columns")
    @classmethod
    def _map_known_names(cls, columns: dict[str, str]) -> dict[str, str]:
        for name in columns:
            if name not in _NAMES:
                hint = nearest(name, _NAMES)
                told = f"; did you mean {hint}?" if hint else ""
                raise InvalidValueError("columns", f"keys must be among {', '.join(_NAMES)}{told}", name)
        return columns

    @property
    def fingerprint(self) -> str:
        """A hash of the file of actions; empty where there is none."""
        if self.actions is None or not self.actions.is_file():
            return ""
        return blake2b(self.actions.read_bytes(), digest_size=8).hexdigest()

    def load(self, request: Request) -> Table:
        """Return the columns that are known, with a symbol column wherever there are closes.

        Raises
        ------
        InvalidValueError
            If there is no such file, or no such column.
        DataError
            If a file cannot be read (``unreadable``); names the row where the reader does.
        """
        import pandas as pd

        files = self._files(request.symbols)
        lone = request.symbols[0] if len(files) == len(request.symbols) == 1 else None
        frames = [self._load(file, lone or self._symbol(file), request.symbols) for file in files]
        frame = frames[0] if len(frames) == 1 else pd.concat(frames, ignore_index=True)
        attributes = {} if self.attributes is None else _attributes(self.attributes)
        origin = [
            Origin(file.name, part.index, self._lines(file)) for file, part in zip(files, frames, strict=True)
        ]
        table = Table(
            frame, attributes, time_format=self.time_format, timezone=self.timezone, origin=tuple(origin)
        )
        return table if self.actions is None else self._with_actions(table, self.actions)

    def _with_actions(self, table: Table, file: Path) -> Table:
        actions = read_actions(file, text_times=self.time_format is not None)
        return replace(table, actions=actions, actions_origin=(Origin(file.name, range(len(actions))),))

    @property
    def _rows_before(self) -> int:
        """Number of rows in the file before the first one of data."""
        return 0

    def _lines(self, file: Path) -> Callable[[int], int] | None:
        """Return what finds the line of a row, from 1, in a file of text."""
        return None

    @abstractmethod
    def _names(self, file: Path) -> list[str]:
        """Return the names of a file's columns."""

    @abstractmethod
    def _read(self, file: Path, columns: Mapping[str, str], symbols: Sequence[str]) -> pd.DataFrame:
        """Return the columns named by the keys; values say which is what.

        Other symbols may be left out; the index holds each row's number in the file.
        """

    def _files(self, symbols: Sequence[str]) -> list[Path]:
        path = Path(self.path)
        if path.is_file():
            return [path]
        if not path.is_dir():
            raise InvalidValueError("path", "must be a file or folder that is there", self.path)
        found = {self._symbol(file): file for file in sorted(path.iterdir()) if self._belongs(file)}
        if not found:
            listed = ", ".join(self.suffixes)
            raise InvalidValueError("path", f"must be a folder with files that end in {listed}", self.path)
        wanted = [found[symbol] for symbol in symbols if symbol in found]
        return wanted if symbols and len(wanted) == len(symbols) else list(found.values())

    def _belongs(self, file: Path) -> bool:
        return file.is_file() and not file.name.startswith(".") and self._symbol(file) != file.name

    def _symbol(self, file: Path) -> str:
        endings = [ending for ending in self.suffixes if file.name.lower().endswith(ending)]
        return file.name[: -len(max(endings, key=len))] if endings else file.name

    def _load(self, file: Path, symbol: str, symbols: Sequence[str]) -> pd.DataFrame:
        reading = file, self._rows_before, self._lines(file)
        with unreadable(*reading):
            names = self._names(file)
        chosen = self._chosen(names, file)
        with unreadable(*reading):
            frame = self._read(file, chosen, symbols)
        frame = frame.rename(columns=chosen)
        known = {name.lower() for name in chosen.values()}
        if "close" in known and "symbol" not in known:
            frame.insert(0, "symbol", symbol)
        return frame

    def _chosen(self, names: Sequence[str], file: Path) -> dict[str, str]:
        """Return the columns to read, and what to call them."""
        meant = {column: name for name, column in self.columns.items()}
        for column, name in meant.items():
            if column not in names:
                hint = nearest(column, names)
                told = f"; did you mean {hint}?" if hint else ""
                raise InvalidValueError(f"columns.{name}", f"must be a column of {file.name}{told}", column)
        displaced = [name for name in names if name.strip().lower() in self.columns and name not in meant]
        left_out = {*self.ignore, *displaced}
        for name in names:
            if names.count(name) > 1 and name not in left_out:
                message = f"there are {names.count(name)} columns {name!r}"
                raise DataError(message, rule="duplicate_column", file=file.name)
        return {name: meant.get(name, name) for name in names if name not in left_out}


def _attributes(file: Path) -> Mapping[str, Mapping[str, Any]]:
    from pyarrow import csv, string

    if not file.is_file():
        raise InvalidValueError("attributes", "must be a file that is there", str(file))
    with unreadable(file):
        table = csv.read_csv(file, convert_options=csv.ConvertOptions(column_types={"symbol": string()}))
    if "symbol" not in table.column_names:
        raise DataError("no column symbol", rule="missing_column", file=file.name)
    found: dict[str, Mapping[str, Any]] = {}
    for row, record in enumerate(table.to_pylist()):
        symbol = record.pop("symbol")
        if symbol in found:
            raise DataError(
                "the symbol is there twice", rule="duplicate", symbol=symbol, row=row, file=file.name
            )
        found[symbol] = record
    return found
