"""Whether a plugin's answers can be relied on once the warm-up that it states is over."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from windtunnel.market import Market
from windtunnel.pipeline import Part
from windtunnel.plugin import (
    LearnedStrategy,
    Model,
    PatternDetector,
    Plugin,
    RegimeModel,
    State,
    Strategy,
    VolatilityModel,
)
from windtunnel.testing.differences import plain
from windtunnel.testing.memory import renewed
from windtunnel.values import BoolArray, IntArray, Orders, Patterns

__all__ = ["Short", "is_stated", "short", "starts"]

STARTS = 32
"""How many start points are tried, besides those around the warm-up itself."""
AFTER = 250
"""Bars after the warm-up that are compared."""
TOLERANCE = 0.1
"""Numbers that differ by no more than this share agree.

Averages without end (exponential, Wilder's, a GARCH recursion) never forget their start, only weigh it less
and less: RiskMetrics speaks once 1 % of the weights are missing, which moves a volatility by some per cent.
"""
CODES = 12
"""A panel with no more values than this says which, not how much."""
LEAST, SETTLED = 5, 0.1
"""A plugin is found out if it is wrong at least so much oftener than right; it has settled where it is wrong
no oftener than this share."""

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Short:
    """A warm-up that is too short.

    Parameters
    ----------
    what : str
        The output.
    bar, symbol, start : int
        The first answer that is wrong, and where the bars began that it was asked with.
    full, late : bool, int, float, str or None
        What is said with all bars, and with those from ``start`` on.
    more : int
        Bars that the warm-up lacks, at least.
    """

    what: str
    bar: int
    symbol: int
    start: int
    full: Any
    late: Any
    more: int


@dataclass(frozen=True, eq=False)
class _Compared:
    """What can be held against each other of one start: n answers, and which of them differ."""

    offset: IntArray
    symbol: IntArray
    wrong: BoolArray
    full: Array
    late: Array


def is_stated(plugin: Plugin) -> bool:
    """Say whether a plugin states a warm-up of its own."""
    return type(plugin).warmup is not Plugin.warmup


def starts(length: int, warmup: int, seed: int) -> tuple[int, ...]:
    """Choose where bars begin: just before and after the warm-up, and spread over what leaves enough bars."""
    last = length - warmup - 2
    if last < 1:
        return ()
    place = (np.arange(STARTS) + np.random.default_rng(seed).random(STARTS)) / STARTS
    spread = (1 + place * (last - 1)).astype(np.int64).tolist()
    return tuple(sorted({start for start in (*spread, warmup - 1, warmup, warmup + 1) if 1 <= start <= last}))


def short(part: Part[Any, Any], market: Market, state: State, seed: int) -> Short | None:
    """Return how a plugin's warm-up is too short; None where it is not, or where that cannot be told.

    The plugin is asked with all bars, and with those from a later start on, about what follows its warm-up. A
    model that learns is asked with one state, learned from all bars, and from its ``first`` fit on, before
    which it is never heard: what it would have learned from fewer bars is another question. Answers that take
    one of few values are compared where both runs agreed at the bar before and one of them moves on, for a
    position carried over from before the start is nobody's fault; patterns, where they lie behind the warm-up
    as a whole. Wrong answers must outnumber the right ones up to some bar and be rare from there on: what
    depends on its first bar for ever (a choice every so many bars) has no warm-up that would do.

    Parameters
    ----------
    part : Part
    market : Market
        All bars, with what other models said.
    state : mapping or None
        What the plugin learned.
    seed : int
        Of the start points.
    """
    plugin, bars = part.plugin, len(market.bars)
    learns = state is not None
    if isinstance(plugin, Model | LearnedStrategy) and not learns and _must_learn(plugin):
        return None
    warmup = max(plugin.warmup, part.section.first) if learns else plugin.warmup
    points = starts(bars, warmup, seed)
    if not points:
        return None
    full, seen = _asked(part, market, state), []
    for start in points:
        stop = min(bars, start + warmup + AFTER)
        try:
            late = _asked(part, market.window(start, stop), state)
        except Exception:  # noqa: BLE001, S112 - a stranger's code may raise anything, for want of bars too
            continue
        seen.append((start, _compared(full, late, start, stop, warmup)))
    more = _lacking(np.concatenate([np.empty(0, np.int64), *(one.offset for _, one in seen)]),
                    np.concatenate([np.empty(0, np.bool_), *(one.wrong for _, one in seen)]))
    return _first(seen, warmup, more, full) if more else None


def _must_learn(plugin: Plugin) -> bool:
    return isinstance(plugin, LearnedStrategy) or (isinstance(plugin, Model) and plugin.learns)


def _asked(part: Part[Any, Any], market: Market, state: State) -> Array | Patterns:
    """Return what a plugin says: the value that counts, ``[T, N]``, or the patterns."""
    plugin = renewed(part.plugin)
    if isinstance(plugin, PatternDetector):
        return plugin.detect(market, state)
    if isinstance(plugin, VolatilityModel):
        return plugin.forecast(market, state, part.section.horizon).mean
    if isinstance(plugin, RegimeModel):
        regimes = plugin.predict(market, state)
        return np.asarray(regimes.codes)
    asked = plugin.exposure(market) if isinstance(plugin, Strategy) else plugin.exposure(market, state)
    return asked.exposure if isinstance(asked, Orders) else asked


def _compared(full: Array | Patterns, late: Array | Patterns, start: int, stop: int, warmup: int) -> _Compared:
    if isinstance(full, Patterns) and isinstance(late, Patterns):
        return _patterns(full, late, start, stop, warmup)
    assert not isinstance(full, Patterns) and not isinstance(late, Patterns)
    before = max(warmup, 1) - 1
    mine, others = full[start + before : stop], late[before:]
    few = mine.dtype.kind != "f" or len(np.unique(full[~np.isnan(full)])) <= CODES
    judged, wrong = _codes(mine, others) if few else _numbers(mine, others)
    bar, symbol = np.nonzero(judged)
    at = bar + 1, symbol
    return _Compared(bar + 1 + before - warmup, symbol, wrong[bar, symbol], mine[at], others[at])


def _codes(full: Array, late: Array) -> tuple[BoolArray, BoolArray]:
    """Judge where both agreed at the bar before and one moves on, ``[T - 1, N]``."""
    alike = (full == late) | ((full != full) & (late != late))
    moves = _moves(full) | _moves(late)
    return alike[:-1] & moves, ~alike[1:]


def _moves(values: Array) -> BoolArray:
    now, before = values[1:], values[:-1]
    return np.asarray((now != before) & ~((now != now) & (before != before)))


def _numbers(full: Array, late: Array) -> tuple[BoolArray, BoolArray]:
    """Judge wherever the full run has a number, ``[T - 1, N]``; NaN instead of it is wrong."""
    size = np.maximum(np.abs(full), np.nanmedian(np.abs(full)) if (full == full).any() else 0.0)
    right = np.abs(late - full) <= TOLERANCE * size
    return ~np.isnan(full[1:]), ~right[1:]


def _patterns(full: Patterns, late: Patterns, start: int, stop: int, warmup: int) -> _Compared:
    """Judge every pattern that either run found behind the warm-up."""
    mine, others = _places(full, 0, start + warmup, stop), _places(late, start, start + warmup, stop)
    every = sorted(mine | others)
    bar, symbol = (np.array([place[i] for place in every], np.int64) for i in (0, 1))
    label = np.array([place[2] for place in every], np.str_)
    there, found = (np.array([place in run for place in every], np.bool_) for run in (mine, others))
    return _Compared(
        bar - start - warmup, symbol, there != found, np.where(there, label, ""), np.where(found, label, "")
    )


def _places(patterns: Patterns, shift: int, low: int, stop: int) -> set[tuple[int, int, str]]:
    columns = (patterns.confirmed + shift, patterns.symbol, patterns.type, patterns.first + shift)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return {(bar, symbol, label) for bar, symbol, label, first in rows if first >= low and bar < stop}


def _lacking(offset: IntArray, wrong: BoolArray) -> int:
    """Return the bars up to which wrong answers outnumber right ones the most; 0 where they do not settle."""
    order = np.argsort(offset, kind="stable")
    offset, wrong = offset[order], wrong[order]
    ends = np.flatnonzero(np.diff(offset, append=offset[-1:] + 1))
    balance = np.cumsum(np.where(wrong, 1, -1))[ends]
    if not len(ends) or balance.max() < LEAST:
        return 0
    end = int(ends[balance.argmax()])
    rest = wrong[end + 1 :]
    return int(offset[end]) + 1 if len(rest) >= LEAST and rest.mean() <= SETTLED else 0


def _first(seen: Sequence[tuple[int, _Compared]], warmup: int, more: int, full: Array | Patterns) -> Short:
    """Return the wrong answer that is closest to the end of the warm-up."""
    offset, row, start, one = min(_wrong(seen), key=lambda each: each[:3])
    what = "pattern" if isinstance(full, Patterns) else "answer"
    bar, symbol = start + warmup + offset, int(one.symbol[row])
    return Short(what, bar, symbol, start, plain(one.full[row]), plain(one.late[row]), more)


def _wrong(seen: Sequence[tuple[int, _Compared]]) -> Iterator[tuple[int, int, int, _Compared]]:
    for start, one in seen:
        for row in np.flatnonzero(one.wrong).tolist():
            yield int(one.offset[row]), row, start, one
