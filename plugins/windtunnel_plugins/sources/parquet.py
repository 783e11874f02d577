"""Bars from Parquet and Feather files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Self

from windtunnel_plugins.sources._files import _FileSource

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    from pyarrow import dataset

__all__ = ["Parquet"]

_UNNAMED_INDEX = "__index_level_0__"


class Parquet(_FileSource):
    """Reads Parquet, Feather and Arrow files: one file, a long table, or a folder with one file a symbol.

    Files are memory-mapped, and only the columns and symbols asked for are read.
    """

    name = "parquet"
    suffixes: ClassVar[tuple[str, ...]] = (".parquet", ".pq", ".feather", ".arrow")

    @classmethod
    def example(cls) -> Self:
        """Return an instance that names a file."""
        return cls(path="prices.parquet")

    def _names(self, file: Path) -> list[str]:
        import pyarrow as pa

        fields = self._open(file).schema
        return [
            field.name
            for field in fields
            if field.name != _UNNAMED_INDEX or pa.types.is_timestamp(field.type)
        ]

    def _chosen(self, names: Sequence[str], file: Path) -> dict[str, str]:
        chosen = super()._chosen(names, file)
        return {column: "time" if name == _UNNAMED_INDEX else name for column, name in chosen.items()}

    def _read(self, file: Path, columns: Mapping[str, str], symbols: Sequence[str]) -> pd.DataFrame:
        import pandas as pd
        import pyarrow as pa
        from pyarrow import compute

        data = self._open(file)
        symbol = next((column for column, name in columns.items() if name.strip().lower() == "symbol"), None)
        if symbols and symbol is not None and _is_text(data.schema.field(symbol).type):
            only = data.to_table(columns=list(columns), filter=compute.field(symbol).isin(list(symbols)))
            if len(only[symbol].unique()) == len(symbols):
                names = data.to_table(columns=[symbol])[symbol]
                rows = compute.indices_nonzero(compute.is_in(names, value_set=pa.array(symbols, names.type)))
                return _frame(only).set_axis(pd.Index(rows.to_numpy()))
        return _frame(data.to_table(columns=list(columns)))

    def _open(self, file: Path) -> dataset.Dataset:
        from pyarrow import dataset, fs

        kind = "parquet" if file.suffix.lower() in (".parquet", ".pq") else "feather"
        system = fs.LocalFileSystem(use_mmap=True)
        return dataset.dataset(str(file.absolute()), format=kind, filesystem=system)


def _is_text(kind: pa.DataType) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _frame(table: pa.Table) -> pd.DataFrame:
    frame: pd.DataFrame = table.to_pandas(ignore_metadata=True, date_as_object=False)
    return frame
