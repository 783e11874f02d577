"""What a model has learned, as files and back: JSON, arrays without pickle, estimators by skops."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from zipfile import ZIP_STORED, BadZipFile, ZipFile

import numpy as np

from windtunnel.errors import MissingExtraError, StoreError
from windtunnel.store.trusted import TRUSTED, check_trees, class_name

if TYPE_CHECKING:
    from windtunnel.plugin import State

__all__ = ["freeze", "thaw"]

STRUCTURE, ARRAYS = "state.json", "arrays.npz"
_DEEPEST = 50
_PLAIN = (bool, int, str, type(None))
_UNREADABLE = (
    *(ValueError, TypeError, KeyError, IndexError, AttributeError, ImportError),
    *(EOFError, OSError, MemoryError, OverflowError, RuntimeError, BadZipFile),
)


def freeze(state: State) -> dict[str, bytes]:
    """Return a state as files: name → content.

    Parameters
    ----------
    state : mapping or None
        Mappings with keys of text or whole numbers, lists and tuples of NumPy arrays (not of objects), NumPy
        scalars, int, float, bool, str, None, and the scikit-learn estimators of
        :data:`~windtunnel.store.trusted.TRUSTED`.

    Raises
    ------
    StoreError
        If there is anything else in it; names the place, such as ``state['scaler'][0]``.
    MissingExtraError
        If it holds an estimator and skops is not installed.
    """
    arrays: dict[str, np.ndarray[Any, Any]] = {}
    files: dict[str, bytes] = {}
    structure = _written(state, "state", 0, arrays, files)
    packed = io.BytesIO()
    np.savez(packed, allow_pickle=False, **arrays)
    text = json.dumps(structure, separators=(",", ":"), allow_nan=False)
    return {STRUCTURE: text.encode(), ARRAYS: packed.getvalue(), **files}


def _written(
    value: Any, path: str, depth: int, arrays: dict[str, np.ndarray[Any, Any]], files: dict[str, bytes]
) -> list[Any]:
    """Return a value as a pair of what it is and what it holds; arrays and estimators go beside it."""
    if depth > _DEEPEST:
        raise StoreError(f"{path[:60]}… is nested more than {_DEEPEST} deep")
    if type(value) in _PLAIN:
        return ["plain", value]
    if type(value) is float:
        return ["plain", value] if math.isfinite(value) else ["float", str(value)]
    if isinstance(value, np.generic) or type(value) is np.ndarray:
        if value.dtype.hasobject:
            raise StoreError(f"{path} holds Python objects, which a stored state may not")
        arrays[name := f"a{len(arrays)}"] = np.asarray(value)
        return ["array" if type(value) is np.ndarray else "scalar", name]
    if isinstance(value, Mapping):
        items = []
        for key, item in value.items():
            if type(key) not in (str, int):
                raise StoreError(f"{path} has the key {key!r}; keys must be text or whole numbers")
            items.append([key, _written(item, f"{path}[{key!r}]", depth + 1, arrays, files)])
        return ["mapping", items]
    if type(value) in (list, tuple):
        parts = [
            _written(item, f"{path}[{place}]", depth + 1, arrays, files) for place, item in enumerate(value)
        ]
        return [type(value).__name__, parts]
    name = f"{len(files)}.skops"
    files[name] = _dumped(value, path)
    return ["estimator", [class_name(value), name]]


def thaw(files: Mapping[str, bytes]) -> State:
    """Return the state that :func:`freeze` made files of.

    Raises
    ------
    StoreError
        If a file is missing, is something else, or holds a type that is not on the list.
    MissingExtraError
        If it holds an estimator and skops is not installed.
    """
    try:
        structure = json.loads(files[STRUCTURE])
        with np.load(_uncompressed(files[ARRAYS]), allow_pickle=False) as packed:
            arrays = {name: packed[name] for name in packed.files}
        state: State = _read(structure, 0, arrays, files)
    except _UNREADABLE as error:
        raise StoreError(f"the state cannot be read: {type(error).__name__}: {error}") from error
    return state


def _read(
    node: Any, depth: int, arrays: Mapping[str, np.ndarray[Any, Any]], files: Mapping[str, bytes]
) -> Any:
    what, content = node
    if depth > _DEEPEST + 1:
        raise StoreError("the state is nested too deeply")
    match what:
        case "plain":
            return content
        case "float":
            return float(content)
        case "array":
            return arrays[content]
        case "scalar":
            return arrays[content][()]
        case "mapping":
            return {key: _read(item, depth + 1, arrays, files) for key, item in content}
        case "list" | "tuple":
            parts = [_read(item, depth + 1, arrays, files) for item in content]
            return parts if what == "list" else tuple(parts)
        case "estimator":
            name, file = content
            return _loaded(name, file, files)
    raise StoreError(f"the state holds {what!r}, which is nothing that is stored")


def _uncompressed(content: bytes) -> io.BytesIO:
    """Return an archive to read; one that could grow when unpacked is refused."""
    with ZipFile(stream := io.BytesIO(content)) as archive:
        if any(member.compress_type != ZIP_STORED for member in archive.infolist()):
            raise StoreError("the state holds compressed data, which is never written")
    stream.seek(0)
    return stream


def _skops() -> Any:
    try:
        import skops.io
    except ImportError:
        raise MissingExtraError("skops, which stores scikit-learn estimators,", "ml") from None
    return skops.io


def _dumped(estimator: Any, path: str) -> bytes:
    name = class_name(estimator)
    if name not in TRUSTED:
        raise StoreError(f"{path} is a {name}, which a stored state may not hold")
    skops = _skops()
    try:
        data: bytes = skops.dumps(estimator)
    except (TypeError, ValueError, AttributeError) as error:
        raise StoreError(f"{path}, a {name}, cannot be stored: {error}") from error
    _check_types(skops, data, name, path)
    return data


def _loaded(name: str, file: str, files: Mapping[str, bytes]) -> Any:
    if name not in TRUSTED:
        raise StoreError(f"{file} is a {name}, which a stored state may not hold")
    _uncompressed(files[file])
    skops = _skops()
    _check_types(skops, files[file], name, file)
    estimator = skops.loads(files[file], trusted=sorted(TRUSTED[name]))
    if class_name(estimator) != name:
        raise StoreError(f"{file} is a {class_name(estimator)}, not the {name} that it is said to be")
    check_trees(estimator)
    return estimator


def _check_types(skops: Any, data: bytes, name: str, path: str) -> None:
    foreign = sorted(set(skops.get_untrusted_types(data=data)) - TRUSTED[name])
    if foreign:
        raise StoreError(f"{path}, a {name}, holds {foreign[0]}, which is not on the list")
