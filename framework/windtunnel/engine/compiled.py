"""How the engine's functions are compiled, and where the machine code is kept."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Any, TypeVar

import numba
from numba import njit

__all__ = ["compiled", "inlined", "inner"]

F = TypeVar("F", bound=Callable[..., Any])

_OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy"}


def inner(function: F) -> F:
    """Compile what only compiled code calls: there is no wrapper for Python."""
    made: F = njit(no_cpython_wrapper=True, no_cfunc_wrapper=True, **_OPTIONS)(function)  # type: ignore[call-overload]
    return made


def inlined(function: F) -> F:
    """Compile what only compiled code calls, into its very caller: for small functions in hot loops."""
    made: F = njit(  # type: ignore[call-overload]
        no_cpython_wrapper=True, no_cfunc_wrapper=True, forceinline=True, **_OPTIONS
    )(function)
    return made


def compiled(function: F) -> F:
    """Compile what Python calls, and keep the machine code for the next process.

    It is kept by a hash of the engine's whole source: numba itself looks at the one file in which a function
    stands, and would go on using what was compiled before a function that it calls changed.
    """
    config: Any = numba.config
    before = config.CACHE_DIR
    config.CACHE_DIR = str(_folder(before))
    try:
        made: F = njit(cache=True, **_OPTIONS)(function)
    finally:
        config.CACHE_DIR = before
    return made


@cache
def _folder(chosen: str) -> Path:
    room = Path(__file__).parent
    digest = blake2b(digest_size=6)
    for path in sorted(room.rglob("*.py")):
        digest.update(path.read_bytes())
    return (Path(chosen) if chosen else room / "__pycache__") / f"kernels-{digest.hexdigest()}"
