"""A source's table becomes bars: the gate, repairs, actions, resampling."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from annotated_types import Gt
from pydantic import Field, field_validator

from windtunnel.bars import Bars
from windtunnel.errors import DataError, InvalidValueError, PluginError, WindtunnelError
from windtunnel.periods import Timeframe, infer_periods_per_year, spelled
from windtunnel.resampling import resample
from windtunnel.values import Actions, ConfigModel, Request, Table

if TYPE_CHECKING:
    from windtunnel.gate import Admitted
    from windtunnel.plugin import DataSource

__all__ = ["DataSection", "Dataset", "QualitySection", "load"]


class QualitySection(ConfigModel):
    """What to do about rows that break a rule of the gate."""

    repair: str | dict[str, str] = "none"
    """One repair for every rule that allows it, or one a rule: none, drop, forward_fill, mark_missing, sort,
    keep_first, keep_last."""

    @field_validator("repair")
    @classmethod
    def _is_legal(cls, repair: str | dict[str, str]) -> str | dict[str, str]:
        from windtunnel import gate

        gate.repairs(repair)
        return repair


class DataSection(ConfigModel):
    """Which bars the experiment runs on."""

    use: str
    """Name of the data source."""
    params: dict[str, Any] = Field(default_factory=dict)
    """Parameters of the data source."""
    symbols: tuple[str, ...] = ()
    """Symbols to load, in this order; empty means all that the source has."""
    start: str | None = None
    """First date or time, inclusive, in any ISO form: 1999, 2008-09 or 2008-09-15T14:30."""
    end: str | None = None
    """Last date or time, inclusive; a bare year, month or day means the whole of it."""
    timeframe: str | None = None
    """What to ask the source for, such as 1d or 1h; an error if it gives other bars."""
    resample: str | None = None
    """Longer bars to build from the source's own, such as 5m, 4h, 1d, 1w or 1M; stamped with their start."""
    quality: QualitySection = QualitySection()
    """What to do about broken rows."""
    periods_per_year: Annotated[float, Gt(0)] | None = None
    """Bars in a year, by which figures are annualised; inferred from the bars if left out."""

    @field_validator("symbols", mode="before")
    @classmethod
    def _are_several(cls, symbols: Any) -> Any:
        if isinstance(symbols, str):
            raise InvalidValueError("symbols", "must be a list of names", symbols)
        return tuple(symbols) if isinstance(symbols, list) else symbols

    @field_validator("symbols")
    @classmethod
    def _differ(cls, symbols: tuple[str, ...]) -> tuple[str, ...]:
        twice = sorted({symbol for symbol in symbols if symbols.count(symbol) > 1})
        if twice:
            raise InvalidValueError("symbols", "must be different names", twice[0])
        return symbols

    @field_validator("start", "end", mode="before")
    @classmethod
    def _year_is_text(cls, value: Any) -> Any:
        return str(value) if isinstance(value, int) and not isinstance(value, bool) else value

    @field_validator("start", "end")
    @classmethod
    def _is_a_time(cls, value: str | None, info: Any) -> str | None:
        from windtunnel import gate

        if value is not None:
            gate.instant(value, info.field_name)
        return value

    @field_validator("timeframe", "resample")
    @classmethod
    def _is_a_timeframe(cls, value: str | None, info: Any) -> str | None:
        if value is not None:
            Timeframe.read(value, info.field_name)
        return value


@dataclass(frozen=True, eq=False)
class Dataset:
    """The bars of an experiment, and what is known about them.

    Parameters
    ----------
    bars : Bars
    attributes : mapping of str to mapping
        For each symbol what the source knows of it (``sector``, …).
    truth : mapping or None
        Of synthetic data. No plugin ever sees it.
    repairs : mapping of str to int
        For each rule of the gate that was broken, the rows repaired; of all that the source gave.
    resampled_from : int or None
        Number of bars before resampling; None where nothing was resampled.
    """

    bars: Bars
    attributes: Mapping[str, Mapping[str, Any]]
    truth: Mapping[str, Any] | None
    repairs: Mapping[str, int]
    resampled_from: int | None


def load(source: DataSource, section: DataSection) -> Dataset:
    """Ask a source for data and make bars of them: gate, symbols, actions, end, resampling, start.

    ``end`` cuts the source's own bars, so that no resampled bar holds anything later; ``start`` keeps
    the resampled bars that begin there or later.

    Raises
    ------
    PluginError
        If the source fails or does not return a Table.
    InvalidValueError
        If a symbol is not there, the source has no bars of this timeframe, or ``resample`` is finer than
        the bars.
    DataError
        If the data or actions break a rule of the gate, or no bar lies between start and end.
    """
    table = _ask(source, section)
    admitted = _admit(table, section)
    whole = Bars.from_admitted(admitted, _actions(table, admitted, section))
    if section.timeframe is not None:
        _refuse_other(whole, section.timeframe)
    bars = whole.between(end=section.end)
    before = None
    if section.resample is not None:
        before = len(bars)
        bars = resample(bars, section.resample)
    bars = bars.between(start=section.start)
    if not bars.present.any():
        wanted = f"from {section.start or 'the beginning'} to {section.end or 'the end'}"
        first, last = (np.datetime_as_string(time, unit="auto") for time in whole.local_time[[0, -1]])
        raise DataError(f"no bars {wanted}; the data span {first} … {last}", rule="empty")
    periods = section.periods_per_year or infer_periods_per_year(bars.time)
    bars = replace(bars, periods_per_year=periods)
    attributes = {name: table.attributes[name] for name in bars.symbols if name in table.attributes}
    return Dataset(bars, attributes, table.truth, admitted.repairs, before)


def _ask(source: DataSource, section: DataSection) -> Table:
    request = Request(section.symbols, section.start, section.end, section.timeframe)
    try:
        table: Any = source.load(request)
    except WindtunnelError:
        raise
    except Exception as error:
        raise PluginError(f"data source {source.name}: {type(error).__name__}: {error}") from error
    if not isinstance(table, Table):
        raise PluginError(f"data source {source.name} must return a Table (got {type(table).__name__})")
    return table


def _admit(table: Table, section: DataSection) -> Admitted:
    """Let a table in; what is wrong in a row is told by the row of its file."""
    from windtunnel import gate

    try:
        return gate.admit(
            table.frame,
            repair=section.quality.repair,
            symbols=section.symbols,
            time_format=table.time_format,
            timezone=table.timezone,
        )
    except DataError as error:
        place = None if error.row is None else table.place(error.row)
        if place is not None:
            error.file, error.row, error.line = place
        raise


def _actions(table: Table, admitted: Admitted, section: DataSection) -> Actions | None:
    """Put a table's actions on the bars, without those of symbols that were not asked for."""
    from windtunnel import gate

    if table.actions is None:
        return None
    try:
        return gate.admit_actions(
            table.actions, admitted, time_format=table.time_format, others=bool(section.symbols)
        )
    except DataError as error:
        place = None if error.row is None else table.place_of_action(error.row)
        if place is not None:
            error.file, error.row, error.line = place
        raise


def _refuse_other(bars: Bars, timeframe: str) -> None:
    """Refuse bars that are not of the timeframe asked for; a day of 23 hours and a month of 31 days are."""
    asked = Timeframe.read(timeframe, "timeframe").seconds
    if len(bars) > 1 and not 0.9 * asked < bars.spacing < 1.15 * asked:
        rule = f"must be what the source has, bars {spelled(bars.spacing)} apart; resample makes longer ones"
        raise InvalidValueError("timeframe", rule, timeframe)
