"""A figure that describes a run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

__all__ = ["Metric"]


@dataclass(frozen=True)
class Metric:
    """A named figure, how to compute it and how to read it.

    Parameters
    ----------
    name : str
        Key in ``metrics.json``.
    title : str
        What people read.
    compute : callable
        Takes a ``windtunnel.engine.metrics.Performance`` and returns the figure; NaN where it is not defined.
    higher_is_better : bool or None
        None where neither direction is better.
    unit : {"fraction", "ratio", "count", "bars", "currency"}
        How to print it; a fraction is printed in per cent.
    """

    name: str
    title: str
    compute: Callable[[Any], float]
    higher_is_better: bool | None
    unit: Literal["fraction", "ratio", "count", "bars", "currency"]
