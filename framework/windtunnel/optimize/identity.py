"""When two trials are the same: when they trade the same, however their parameters came about."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from hashlib import blake2b
from types import NoneType
from typing import Any

import numpy as np
import numpy.typing as npt

from windtunnel.errors import InvalidValueError

__all__ = ["trial_keys"]

_NESTED = (Mapping, list, tuple)
_NUMBERS = {int, float, str, NoneType}
_SWITCHES = {bool, str, NoneType}


def trial_keys(config: Mapping[str, Any], parameters: Mapping[str, Sequence[Any]]) -> npt.NDArray[np.uint64]:
    """Return the identity of every row of parameters in a configuration.

    Parameters
    ----------
    config : mapping
        What decides how is traded, resolved: the sections strategy, regime, patterns, … of an experiment.
    parameters : mapping of str to sequence, ``[K]`` each
        What is put in the place of a value, or a whole subtree, of the configuration, by dotted path
        (``strategy.params.fast``, ``patterns.0.params.clear``). A path may lead into a value that is a
        single one there: ``backtest.stop_loss.atr`` where ``stop_loss`` is null.

    Returns
    -------
    array of uint64, ``[K]``
        One row where nothing is put in place: the configuration's own identity.

    Raises
    ------
    InvalidValueError
        If columns differ in length, a path lies inside another one, or a value is none that a configuration
        can hold.

    Notes
    -----
    The identity is the sum, modulo 2⁶⁴, of the 64-bit BLAKE2b hashes of ``path=value`` over all leaves of
    the configuration, values as JSON. So a parameter that is fixed and one that is searched count alike, and
    a million rows cost one hash for each distinct value. Numbers are the same where they are equal (10 and
    10.0); true is not 1; a list and a tuple are the same. That two of n different trials share an identity
    has a probability of about n² / 2⁶⁵, 3e-8 for a million.
    """
    lengths = {path: len(values) for path, values in parameters.items()}
    if len(set(lengths.values())) > 1:
        raise InvalidValueError("parameters", "must all have as many values", lengths)
    for path in parameters:
        inner = next((other for other in parameters if other.startswith(f"{path}.")), None)
        if inner is not None:
            raise InvalidValueError("parameters", f"cannot hold {path} beside what lies inside it", inner)
    kept = (leaf for leaf in _leaves("", config) if not any(_touch(leaf[0], path) for path in parameters))
    keys = np.full(next(iter(lengths.values()), 1), _total(kept), np.uint64)
    for path, values in parameters.items():
        keys += _column(path, values)
    return keys


def _touch(leaf: str, path: str) -> bool:
    """Say whether a leaf goes when something is put at a path: it is there, below it, or in its way."""
    return leaf in ("", path) or leaf.startswith(f"{path}.") or path.startswith(f"{leaf}.")


def _column(path: str, values: Sequence[Any]) -> npt.NDArray[np.uint64]:
    given = values.tolist() if isinstance(values, np.ndarray) else values
    kinds = set(map(type, given))
    if kinds <= _NUMBERS or kinds <= _SWITCHES:
        totals: dict[Any, int] = {value: _hash(path, _text(path, value)) for value in set(given)}
        return np.fromiter(map(totals.__getitem__, given), np.uint64, len(given))
    leaves = [tuple(_leaves(path, value)) for value in given]
    totals = {one: _total(one) for one in set(leaves)}
    return np.fromiter(map(totals.__getitem__, leaves), np.uint64, len(leaves))


def _total(leaves: Iterable[tuple[str, str]]) -> int:
    return sum(_hash(path, text) for path, text in leaves) % 2**64


def _hash(path: str, text: str) -> int:
    return int.from_bytes(blake2b(f"{path}={text}".encode(), digest_size=8).digest(), "little")


def _leaves(path: str, value: Any) -> Iterator[tuple[str, str]]:
    """Yield path and text of every value that holds no others; an empty list or mapping is one."""
    if isinstance(value, _NESTED) and len(value):
        items = value.items() if isinstance(value, Mapping) else enumerate(value)
        for key, item in items:
            yield from _leaves(f"{path}.{key}" if path else str(key), item)
    else:
        yield path, _text(path, value)


def _text(path: str, value: Any) -> str:
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    if isinstance(value, bool | int | str | NoneType):
        return json.dumps(value)
    if isinstance(value, date):
        return json.dumps(value.isoformat())
    if isinstance(value, _NESTED):
        return "{}" if isinstance(value, Mapping) else "[]"
    raise InvalidValueError(path, "must be a value that a configuration can hold", value)
