"""Arrays that are computed once and kept within a budget."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from threading import Lock
from typing import Any, TypeAlias, TypeVar

import numpy.typing as npt

__all__ = ["Memo", "read_only"]

Array: TypeAlias = npt.NDArray[Any]
_Array = TypeVar("_Array", bound=Array)
_Kept = TypeVar("_Kept", bound="Array | tuple[Array, ...]")


class Memo:
    """Arrays, or tuples of arrays, by key; safe among threads.

    Parameters
    ----------
    budget : int
        Bytes that may be kept: the value kept longest goes first, and one larger than the budget is handed
        out but not kept.

    Attributes
    ----------
    look : callable
        Returns the value of a key, None if it is not kept. It needs no lock: what another thread has just
        dropped is computed again.
    """

    def __init__(self, budget: int) -> None:
        self.budget = budget
        self.used = 0
        self._values: dict[Hashable, Any] = {}
        self.look: Callable[[Hashable], Any] = self._values.get
        self._lock = Lock()

    def get(self, key: Hashable, compute: Callable[[], _Kept]) -> _Kept:
        """Return the value of ``key``, read-only, from ``compute`` the first time.

        The lock is not held while computing: two threads may compute the same value, and both get the one
        that was kept.
        """
        kept: _Kept | None = self.look(key)
        if kept is not None:
            return kept
        value = compute()
        for array in _arrays(value):
            read_only(array)
        with self._lock:
            if _size(value) <= self.budget and key not in self._values:
                self._values[key] = value
                self.used += _size(value)
                self._shrink()
            return self._values.get(key, value)  # type: ignore[no-any-return]

    def kept(self) -> dict[Any, tuple[Array, ...]]:
        """Return what is kept now, every value as a tuple."""
        with self._lock:
            return {key: _arrays(value) for key, value in self._values.items()}

    def _shrink(self) -> None:
        while self.used > self.budget:
            self.used -= _size(self._values.pop(next(iter(self._values))))


def read_only(array: _Array) -> _Array:
    """Return the same array, made read-only."""
    array.flags.writeable = False
    return array


def _arrays(value: Array | tuple[Array, ...]) -> tuple[Array, ...]:
    return value if isinstance(value, tuple) else (value,)


def _size(value: Array | tuple[Array, ...]) -> int:
    return sum(array.nbytes for array in _arrays(value))
