"""Bars from CSV files."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from io import TextIOWrapper
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, Self

from annotated_types import Ge, Len

from windtunnel_plugins.sources._files import _FileSource

if TYPE_CHECKING:
    import pandas as pd
    from pyarrow import csv

__all__ = ["Csv"]


class Csv(_FileSource):
    """Reads CSV files, which may be compressed: one file, a long table, or a folder with one file a symbol.

    Numbers are read to the last bit. Rows whose number of fields is not that of the header are an error.
    """

    name = "csv"
    suffixes: ClassVar[tuple[str, ...]] = (".csv", ".csv.gz", ".csv.bz2", ".csv.zst", ".csv.lz4")

    separator: Annotated[str, Len(1, 1)] = ","
    """What stands between two fields."""
    decimal: Literal[".", ","] = "."
    """The decimal mark."""
    header: tuple[str, ...] | None = None
    """Names of the columns, for files that have none in their first row or wrong ones."""
    skip: Annotated[int, Ge(0)] = 0
    """Rows to leave out at the beginning, before the header."""

    @classmethod
    def example(cls) -> Self:
        """Return an instance that names a file."""
        return cls(path="prices.csv")

    @property
    def _rows_before(self) -> int:
        return self.skip + (self.header is None)

    def _lines(self, file: Path) -> Callable[[int], int]:
        def line(row: int) -> int:
            import pyarrow as pa

            with TextIOWrapper(pa.input_stream(str(file), compression="detect"), "latin-1") as text:
                rest = islice(enumerate(text, 1), self.skip, None)
                filled = (number for number, content in rest if content != "\n")
                return next(islice(filled, (self.header is None) + row, None))

        return line

    def _names(self, file: Path) -> list[str]:
        from pyarrow import csv

        if self.header is not None:
            return list(self.header)
        with csv.open_csv(file, self._reading(), self._parsing()) as reader:
            return list(reader.schema.names)

    def _read(self, file: Path, columns: Mapping[str, str], symbols: Sequence[str]) -> pd.DataFrame:
        import pyarrow as pa
        from pyarrow import csv

        times = ("time", "date", "datetime", "timestamp", "ts") if self.time_format else ()
        text = [column for column, name in columns.items() if name.strip().lower() in ("symbol", *times)]
        options = csv.ConvertOptions(
            include_columns=list(columns),
            column_types=dict.fromkeys(text, pa.string()),
            decimal_point=self.decimal,
        )
        table = csv.read_csv(file, self._reading(), self._parsing(), options)
        frame: pd.DataFrame = table.to_pandas(date_as_object=False)
        return frame

    def _reading(self) -> csv.ReadOptions:
        from pyarrow import csv

        return csv.ReadOptions(use_threads=False, skip_rows=self.skip, column_names=self.header)

    def _parsing(self) -> csv.ParseOptions:
        from pyarrow import csv

        return csv.ParseOptions(delimiter=self.separator)
