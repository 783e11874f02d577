"""Whether a plugin's answers can be relied on once the warm-up that it states is over."""

from __future__ import annotations

from collections.abc import Sequence
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
AGREED = 10
"""Bars for which two runs must have named the same regime, which may have to stand for some bars at least."""
UNKNOWN = "unknown"
LEAST, SETTLED = 6, 0.1
"""A plugin is found out if it is wrong so much oftener than right, in as many places; it has settled where it
is wrong no oftener than this share."""

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Short:
    """A warm-up that is too short.

    Parameters
    ----------
    bar, symbol, start : int
        The first answer that is wrong, and where the bars began that it was asked with.
    full, late : bool, int, float, str or None
        What is said with all bars, and with those from ``start`` on.
    more : int
        Bars that the warm-up lacks, at least.
    runs : int
        How many starts showed a wrong answer.
    """

    bar: int
    symbol: int
    start: int
    full: Any
    late: Any
    more: int
    runs: int


@dataclass(frozen=True, eq=False)
class _Compared:
    """What can be held against each other of one start: n answers, and which of them differ.

    ``after`` counts the symbol's own bars since the end of its warm-up.
    """

    start: int
    after: IntArray
    bar: IntArray
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
    one of few values are compared where both runs had agreed for some bars and one of them moves on, for a
    position carried over from before the start is nobody's fault; to be silent where the full run answers is
    always wrong. Patterns are compared where they lie behind the warm-up as a whole. Wrong answers must
    outnumber the right ones up to some bar and be rare from there on: what depends on its first bar for ever
    (a choice every so many bars) has no warm-up that would do.

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
        age = np.cumsum(market.bars.present[start:stop], axis=0) - 1 - warmup
        judge = _patterns if isinstance(full, Patterns) else _panels
        seen.append(judge(full, late, start, age))
    return _summed(seen)


def _must_learn(plugin: Plugin) -> bool:
    return isinstance(plugin, LearnedStrategy) or (isinstance(plugin, Model) and plugin.learns)


def _asked(part: Part[Any, Any], market: Market, state: State) -> Any:
    """Return what a plugin says: the value that counts, ``[T, N]``, or the patterns."""
    plugin = renewed(part.plugin)
    if isinstance(plugin, PatternDetector):
        return plugin.detect(market, state)
    if isinstance(plugin, VolatilityModel):
        return plugin.forecast(market, state, part.section.horizon).mean
    if isinstance(plugin, RegimeModel):
        regimes = plugin.predict(market, state)
        return np.array((*regimes.names, UNKNOWN))[regimes.codes]
    asked = plugin.exposure(market) if isinstance(plugin, Strategy) else plugin.exposure(market, state)
    return asked.exposure if isinstance(asked, Orders) else asked


def _panels(full: Array, late: Array, start: int, age: IntArray) -> _Compared:
    """Judge a value for every bar and symbol."""
    mine = full[start : start + len(late)]
    few = mine.dtype.kind != "f" or len(np.unique(full[~np.isnan(full)])) <= CODES
    judged, wrong = (_codes if few else _numbers)(mine, late)
    bar, symbol = np.nonzero(judged & (age >= 0))
    at = bar, symbol
    return _Compared(start, age[at], start + bar, symbol, wrong[at], mine[at], late[at])


def _codes(full: Array, late: Array) -> tuple[BoolArray, BoolArray]:
    """Judge where both had agreed so far and one moves on, or the late one is silent."""
    alike = (full == late) | (_silent(full) & _silent(late))
    bar = np.arange(len(alike))[:, None]
    since = bar - np.maximum.accumulate(np.where(alike, -1, bar), axis=0)
    judged = _silent(late) & ~_silent(full)
    agreed = AGREED if full.dtype.kind == "U" else 1
    judged[1:] |= (since[:-1] >= agreed) & (_moves(full) | _moves(late))
    return judged, ~alike


def _silent(values: Array) -> BoolArray:
    return np.asarray(values == UNKNOWN) if values.dtype.kind == "U" else np.asarray(values != values)


def _moves(values: Array) -> BoolArray:
    now, before = values[1:], values[:-1]
    return np.asarray((now != before) & ~((now != now) & (before != before)))


def _numbers(full: Array, late: Array) -> tuple[BoolArray, BoolArray]:
    """Judge wherever the full run has a number, ``[T, N]``; NaN instead of it is wrong."""
    size = np.maximum(np.abs(full), np.nanmedian(np.abs(full)) if (full == full).any() else 0.0)
    return ~np.isnan(full), ~(np.abs(late - full) <= TOLERANCE * size)


def _patterns(full: Patterns, late: Patterns, start: int, age: IntArray) -> _Compared:
    """Judge every pattern that either run found wholly behind the warm-up."""
    mine, others = _places(full, 0, start, age), _places(late, start, start, age)
    every = sorted(mine | others)
    bar, symbol = (np.array([place[i] for place in every], np.int64) for i in (0, 1))
    label = np.array([place[2] for place in every], np.str_)
    there, found = (np.array([place in run for place in every], np.bool_) for run in (mine, others))
    said = (np.where(one, label, "none") for one in (there, found))
    return _Compared(start, age[bar - start, symbol], bar, symbol, there != found, *said)


def _places(patterns: Patterns, shift: int, start: int, age: IntArray) -> set[tuple[int, int, str]]:
    columns = (patterns.confirmed + shift, patterns.symbol, patterns.type, patterns.first + shift)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return {
        (bar, symbol, label)
        for bar, symbol, label, first in rows
        if start <= first and bar < start + len(age) and age[first - start, symbol] >= 0
    }


def _summed(seen: Sequence[_Compared]) -> Short | None:
    """Find the bar up to which wrong answers outnumber right ones the most, and are rare behind it."""
    if not any(one.wrong.any() for one in seen):
        return None
    rows = [(one, row) for one in seen for row in range(len(one.wrong))]
    rows.sort(key=lambda each: (each[0].after[each[1]], each[0].start, each[1]))
    after = np.array([one.after[row] for one, row in rows])
    wrong = np.array([one.wrong[row] for one, row in rows])
    ends = np.flatnonzero(np.diff(after, append=after[-1] + 1))
    balance = np.cumsum(np.where(wrong, 1, -1))[ends]
    end = int(ends[balance.argmax()])
    rest = wrong[end + 1 :]
    head = [(one, row) for (one, row), bad in zip(rows[: end + 1], wrong, strict=False) if bad]
    places = {(int(one.bar[row]), int(one.symbol[row])) for one, row in head}
    if min(len(places), balance.max()) < LEAST or len(rest) < LEAST or rest.mean() > SETTLED:
        return None
    one, row = head[0]
    return Short(
        bar=int(one.bar[row]),
        symbol=int(one.symbol[row]),
        start=one.start,
        full=plain(one.full[row]),
        late=plain(one.late[row]),
        more=int(after[end]) + 1,
        runs=len({id(one) for one, _ in head}),
    )
