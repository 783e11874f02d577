"""Rows of trials as a block of Parquet, and back: bit for bit, and in the types that they had."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from types import NoneType
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from windtunnel.errors import InvalidValueError
from windtunnel.values import Trials

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Shapes", "pack", "unpack"]

Shapes = Mapping[str, tuple[int, ...]]
"""Shape of one row of each array of :class:`~windtunnel.values.Trials`."""

_PARAMETER = "parameter:"
_JSON = (int, float, bool, str, NoneType, list)
_DATES = {"date": date, "datetime": datetime}


def pack(trials: Trials, shapes: Shapes) -> bytes:
    """Return trials as the bytes of a Parquet file.

    A parameter whose values are all int, float, bool or text, or None, is a column of that type; any other
    one is a column of JSON in bytes, in which ``{"tuple": [1, 2]}`` stands for a tuple. An array is a column
    of its rows' bytes, float64 in little-endian order, so that no NaN loses its bits.

    Raises
    ------
    InvalidValueError
        If a parameter holds anything but numbers, text, bool, None, dates, and lists, tuples and mappings of
        them.
    """
    import pyarrow as pa
    from pyarrow import parquet

    columns = {f"{_PARAMETER}{path}": _packed(path, values) for path, values in trials.parameters.items()}
    columns["problems"] = _packed("problems", trials.problems)
    texts = [name for name, column in columns.items() if column.type in (pa.string(), pa.binary())]
    for name, shape in shapes.items():
        if width := 8 * int(np.prod(shape)):
            rows = np.ascontiguousarray(getattr(trials, name), "<f8")
            columns[name] = pa.Array.from_buffers(pa.binary(width), len(trials), [None, pa.py_buffer(rows)])
    packed = io.BytesIO()
    parquet.write_table(
        pa.table(columns),
        packed,
        compression="lz4",
        use_dictionary=texts,
        write_statistics=False,
    )
    return packed.getvalue()


def unpack(block: bytes, shapes: Shapes) -> Trials:
    """Return the trials that :func:`pack` made a block of."""
    import pyarrow as pa
    from pyarrow import parquet

    table = parquet.ParquetFile(pa.BufferReader(block)).read(use_threads=False).combine_chunks()
    parameters = {
        name.removeprefix(_PARAMETER): _unpacked(table[name].combine_chunks())
        for name in table.column_names
        if name.startswith(_PARAMETER)
    }
    arrays = {name: _rows(table, name, shape) for name, shape in shapes.items()}
    return Trials(parameters, **arrays, problems=tuple(_unpacked(table["problems"].combine_chunks())))


def _rows(table: pa.Table, name: str, shape: tuple[int, ...]) -> npt.NDArray[np.float64]:
    if name not in table.column_names:
        return np.empty((len(table), *shape))
    column = table[name].combine_chunks()
    values = np.frombuffer(column.buffers()[1], "<f8")
    size = int(np.prod(shape))
    return values[column.offset * size :][: len(column) * size].reshape(len(column), *shape)


def _packed(path: str, values: Sequence[Any]) -> pa.Array:
    import pyarrow as pa

    plain = values.tolist() if isinstance(values, np.ndarray) else list(values)
    types = {int: pa.int64(), float: pa.float64(), bool: pa.bool_(), str: pa.string()}
    kinds = set(map(type, plain)) - {NoneType}
    kind = kinds.pop() if len(kinds) == 1 else NoneType if not kinds else object
    try:
        if kind in types or kind is NoneType:
            return pa.array(plain, types.get(kind, pa.bool_()))
    except (OverflowError, ValueError):
        pass  # whole numbers beyond 64 bits, and text that is not Unicode, fit into JSON
    return pa.array([json.dumps(_tagged(path, value)).encode() for value in plain], pa.binary())


def _unpacked(column: pa.Array) -> list[Any]:
    import pyarrow as pa

    if column.type != pa.binary():
        return list(column.to_pylist())
    coded = column.dictionary_encode()
    values = [json.loads(text, object_hook=_untagged) for text in coded.dictionary.to_pylist()]
    return [values[code] for code in coded.indices.to_pylist()]


def _tagged(path: str, value: Any) -> Any:
    """Return a value as JSON in which what JSON does not know carries its type."""
    kind = type(value)
    if kind is list:
        return [_tagged(path, item) for item in value]
    if kind in _JSON:
        return value
    if kind is tuple:
        return {"tuple": [_tagged(path, item) for item in value]}
    if isinstance(value, Mapping):
        return {"mapping": [[_tagged(path, part) for part in item] for item in value.items()]}
    if kind.__name__ in _DATES and isinstance(value, date):
        return {kind.__name__: value.isoformat()}
    if isinstance(value, np.generic) and type(value.item()) in _JSON:
        return value.item()
    rule = "must be a number, text, bool, None or a date, or a list, tuple or mapping of them"
    raise InvalidValueError(path, rule, value)


def _untagged(tagged: dict[str, Any]) -> Any:
    ((kind, content),) = tagged.items()
    if kind in _DATES:
        return _DATES[kind].fromisoformat(content)
    return tuple(content) if kind == "tuple" else dict(content)
