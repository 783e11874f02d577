"""A digest of what every stage said, stretch by stretch, to find where two runs part."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from itertools import pairwise
from typing import Any

import numpy as np

from windtunnel.bars import Bars
from windtunnel.testing.differences import Array
from windtunnel.testing.stages import Said

__all__ = ["first_stretch", "trace"]

STRETCHES = 64
_BITS = 2.0**30
"""A float is digested to this share of its binary mantissa, 1e-9: the last bits are the machine's."""
_SIZE = 4


def trace(bars: Bars, said: Mapping[str, Said]) -> dict[str, Any]:
    """Return the first time of each stretch of bars, and for each stage the digests of all, joined.

    Parameters
    ----------
    bars : Bars
    said : mapping of str to mapping
        What each stage said, in the order of the stages.
    """
    starts = np.unique(np.linspace(0, len(bars), STRETCHES, endpoint=False).astype(np.int64))
    edges = [*starts.tolist(), len(bars)]
    stages = {
        stage: "".join(_digest(outputs, low, high) for low, high in pairwise(edges))
        for stage, outputs in said.items()
    }
    return {"starts": " ".join(np.datetime_as_string(bars.time[starts], unit="auto")), "stages": stages}


def first_stretch(was: Mapping[str, Any], now: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return the first stage that two traces have different, and the time of the stretch where it begins.

    None where they are the same, or of different bars.
    """
    if was["starts"] != now["starts"]:
        return None
    for stage, digests in was["stages"].items():
        others = now["stages"].get(stage, digests)
        for place, start in enumerate(was["starts"].split()):
            stretch = slice(place * 2 * _SIZE, (place + 1) * 2 * _SIZE)
            if digests[stretch] != others[stretch]:
                return stage, start
    return None


def _digest(said: Said, low: int, high: int) -> str:
    digest = blake2b(digest_size=_SIZE)
    for output in said.values():
        for values in output.stretch(low, high):
            digest.update(_rounded(values))
    return digest.hexdigest()


def _rounded(values: Array) -> bytes:
    if values.dtype.kind == "U":
        return "\0".join(values.ravel().tolist()).encode()
    if values.dtype.kind != "f":
        return np.ascontiguousarray(values).tobytes()
    mantissa, exponent = np.frexp(values)
    return np.round(mantissa * _BITS).tobytes() + exponent.tobytes()
