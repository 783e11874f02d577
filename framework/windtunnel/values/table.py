"""What a data source is asked for, and what it gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Request", "Table"]


@dataclass(frozen=True)
class Request:
    """What an experiment asks of a data source.

    Parameters
    ----------
    symbols : tuple of str
        Empty means all that the source has.
    start, end : str or None
        ISO dates or times, both inclusive; a bare year, month or day means the whole of it.
        A source may ignore them: the framework cuts the bars again.
    timeframe : str or None
        Such as ``1d`` or ``1h``; None means as the source has it.
    """

    symbols: tuple[str, ...] = ()
    start: str | None = None
    end: str | None = None
    timeframe: str | None = None


@dataclass(frozen=True, eq=False)
class Table:
    """Market data as a source has them, before the gate.

    Parameters
    ----------
    frame : DataFrame
        Long: a time column (or a DatetimeIndex), ``symbol`` where there is more than one, and
        ``open high low close volume``, any of the prices except ``close`` absent where the source has none.
        Column names are matched without regard to case.
    attributes : mapping of str to mapping
        For each symbol what is known of it (``sector``, …).
    truth : mapping or None
        For synthetic data, what really happened (regimes, planted patterns). No plugin ever sees it.
    time_format : str or None
        strptime format of times that are text and cannot be read without one.
    timezone : str or None
        Zone of the clock that naive times read; None leaves them as they are.
    """

    frame: pd.DataFrame
    attributes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    truth: Mapping[str, Any] | None = None
    time_format: str | None = None
    timezone: str | None = None
