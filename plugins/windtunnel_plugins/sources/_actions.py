"""Reading a file of dividends and splits."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from windtunnel.errors import InvalidValueError
from windtunnel_plugins.sources._unreadable import unreadable

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

__all__ = ["read_actions"]

_TIMES = ("time", "date", "datetime", "timestamp", "ts")
_FEATHER = (".feather", ".arrow")


def read_actions(file: Path, *, text_times: bool) -> pd.DataFrame:
    """Return a file's columns as they are; symbols, and where asked times, as text.

    Raises
    ------
    InvalidValueError
        If there is no such file.
    DataError
        If it cannot be read (``unreadable``).
    """
    if not file.is_file():
        raise InvalidValueError("actions", "must be a CSV or Parquet file that is there", str(file))
    with unreadable(file):
        frame: pd.DataFrame = _table(file, text_times).to_pandas(date_as_object=False)
        return frame


def _table(file: Path, text_times: bool) -> pa.Table:
    import pyarrow as pa
    from pyarrow import csv, feather, parquet

    if file.suffix.lower() in (".parquet", ".pq"):
        return parquet.read_table(file)
    if file.suffix.lower() in _FEATHER:
        return feather.read_table(file)
    with csv.open_csv(file) as reader:
        names = reader.schema.names
    text = [name for name in names if name.strip().lower() in ("symbol", *(_TIMES if text_times else ()))]
    return csv.read_csv(
        file, convert_options=csv.ConvertOptions(column_types=dict.fromkeys(text, pa.string()))
    )
