"""Whether a data source, asked for less, gives the same bars."""

from __future__ import annotations

import numpy as np

from windtunnel.bars import Bars
from windtunnel.data import DataSection, load
from windtunnel.errors import DataError, InvalidValueError
from windtunnel.plugin import DataSource, Host
from windtunnel.reporting.text import stamp
from windtunnel.testing.differences import Difference, first_difference
from windtunnel.testing.findings import Finding
from windtunnel.testing.memory import renewed
from windtunnel.testing.stages import data

__all__ = ["source_leak"]

TIMES = 6
"""About how often a source is asked for less."""


def source_leak(
    source: DataSource, section: DataSection, bars: Bars, cuts: tuple[int, ...], host: Host
) -> Finding | None:
    """Return the first difference between bars and those that their source gives when asked for less.

    Prices that were adjusted by what came later, before the source read them, cannot be told from others.
    Where bars are resampled the last one is left out, for it may be made of less.

    Parameters
    ----------
    source : DataSource
        Never called itself, only another with the same parameters.
    section : DataSection
        What was asked for.
    bars : Bars
        What the source gave.
    cuts : tuple of int
        Bars at which it may be asked to end.
    host : Host
        Knows where the source comes from.
    """
    whole = section.resample is None and section.timeframe is None
    for cut in cuts[:: -max(1, len(cuts) // TIMES)]:
        end = f"{bars.time[cut - 1]}{'' if bars.timezone is None else '+00:00'}"
        try:
            less = load(renewed(source), section.model_copy(update={"end": end})).bars
        except (DataError, InvalidValueError):
            continue
        known = min(cut, len(less)) - (not whole)
        found = _survivors(bars, less, known) or _prices(bars, less, known)
        if found is not None:
            return _finding(source, bars, *found, known, host)
    return None


def _survivors(bars: Bars, less: Bars, known: int) -> tuple[str, Difference] | None:
    """Return a symbol that is there only because, or not there only although, it lived on."""
    for symbol in less.symbols:
        if symbol not in bars.symbols:
            first = int(less.present[:, less.column(symbol)].argmax())
            return symbol, Difference("bar", 0, min(first, known), None, "there")
    for column, symbol in enumerate(bars.symbols):
        present = bars.present[:known, column]
        if symbol not in less.symbols and present.any():
            return symbol, Difference("bar", column, int(present.argmax()), "there", None)
    return None


def _prices(bars: Bars, less: Bars, known: int) -> tuple[str, Difference] | None:
    """Return the first bar that differs; symbols without bars so far are left out."""
    if bars.symbols != less.symbols:
        there = [symbol for symbol in bars.symbols if symbol in less.symbols]
        bars, less = bars.select(there), less.select(there)
        seen = np.flatnonzero(bars.present[:known].any(axis=1))
        if len(seen) != known:
            return None
    found = first_difference(data(bars), data(less), known)
    return None if found is None else (bars.symbols[found.symbol], found)


def _finding(
    source: DataSource, bars: Bars, symbol: str, difference: Difference, known: int, host: Host
) -> Finding:
    time = bars.local_time
    return Finding(
        stage="data",
        plugin=source.name,
        package=str(host.provenance(type(source))),
        what=difference.what,
        symbol=symbol,
        time=stamp(time[difference.bar]),
        bar=difference.bar,
        before=difference.before,
        after=difference.after,
        cut=known,
        known=stamp(time[known - 1]),
        provoked="reloaded",
        ahead=known - difference.bar,
        runs=1,
        cause="symbols are chosen, or prices adjusted, filled or scaled, by what came later",
    )
