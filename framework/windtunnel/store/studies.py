"""What trials have in common: their study, and the family that studies belong to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from math import inf

import numpy as np
import numpy.typing as npt

from windtunnel.engine.sweep import SWEEP_METRICS
from windtunnel.errors import InvalidValueError
from windtunnel.store.blocks import Shapes
from windtunnel.values import FloatArray

__all__ = ["Family", "Keys", "Study", "moment"]

Keys = npt.NDArray[np.uint64]
"""Identities of trials, a number each."""


@dataclass(frozen=True)
class Study:
    """What trials have in common.

    Parameters
    ----------
    key : str
        Hash of everything but the point that decides a trial's row.
    experiment : str
        Its name.
    plugin : str
        The strategy's name: with symbols and dates the family.
    symbols : tuple of str
    start, end : str
        First and last bar, in ISO 8601 without a time zone.
    data : str
        Hash of the bars.
    periods_per_year : float
        Bars a year.
    paths : tuple of str
        What is searched.
    edges : tuple of int
        First bar of each block of ``sums`` and one past the last; empty where there are no blocks.
    folds : int
    objectives : tuple of str

    Raises
    ------
    InvalidValueError
        If ``start`` or ``end`` is no date, the end is before the start, or there are not more than 0 bars a
        year.
    """

    key: str
    experiment: str
    plugin: str
    symbols: tuple[str, ...]
    start: str
    end: str
    data: str
    periods_per_year: float
    paths: tuple[str, ...]
    edges: tuple[int, ...]
    folds: int
    objectives: tuple[str, ...]

    def __post_init__(self) -> None:
        start, end = self.dates
        if not start <= end:
            raise InvalidValueError("study.end", f"must not be before the start, {self.start}", self.end)
        if not 0 < self.periods_per_year < inf:
            raise InvalidValueError("study.periods_per_year", "must be more than 0", self.periods_per_year)

    @property
    def dates(self) -> tuple[datetime, datetime]:
        """Time of the first and of the last bar."""
        return moment("study.start", self.start), moment("study.end", self.end)

    @property
    def shapes(self) -> Shapes:
        """Shape of one row of the arrays of its trials."""
        return {
            "objectives": (self.folds, len(self.objectives)),
            "metrics": (len(SWEEP_METRICS),),
            "sums": (max(len(self.edges) - 1, 0), 3),
        }


@dataclass(frozen=True, eq=False)
class Family:
    """All trials ever run with one strategy on one set of symbols, on dates that overlap.

    Parameters
    ----------
    keys : array of uint64, ``[N]``
        Identities of the trials, each once, in the order of the latest time.
    sharpes : array of float64, ``[N]``
        Sharpe ratio of each per bar (not a year), the latest; NaN where not defined.
    studies : int
        How many studies they come from.
    first : str
        Date of the first of them, UTC; empty where there is none.
    """

    keys: Keys
    sharpes: FloatArray
    studies: int
    first: str


def moment(parameter: str, text: str) -> datetime:
    """Return a time written in ISO 8601, its time zone left out.

    Raises
    ------
    InvalidValueError
        If it is no time.
    """
    try:
        return datetime.fromisoformat(text).replace(tzinfo=None)
    except ValueError:
        raise InvalidValueError(parameter, "must be a date in ISO 8601", text) from None
