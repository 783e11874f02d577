"""A source's table becomes bars: the gate, repairs, resampling."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from windtunnel.values import ConfigModel

__all__ = ["DataSection", "QualitySection"]


class QualitySection(ConfigModel):
    """What to do about rows that break a rule of the gate."""

    repair: str | dict[str, str] = "none"
    """One repair for every rule, or one a rule: none, drop, forward_fill, mark_missing."""


class DataSection(ConfigModel):
    """Which bars the experiment runs on."""

    use: str
    """Name of the data source."""
    params: dict[str, Any] = Field(default_factory=dict)
    """Parameters of the data source."""
    symbols: tuple[str, ...] = ()
    """Symbols to load; empty means all that the source has."""
    start: str | None = None
    """First date or time, inclusive, in any ISO form: 1999, 2008-09 or 2008-09-15T14:30."""
    end: str | None = None
    """Last date or time, inclusive; a bare year, month or day means the whole of it."""
    timeframe: str | None = None
    """What to ask the source for, such as 1d or 1h."""
    resample: str | None = None
    """Longer bars to build from the source's own, such as 1h, 1d or 1w."""
    quality: QualitySection = QualitySection()
    """What to do about broken rows."""
