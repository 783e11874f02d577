"""Where to cut the data, and what lies beyond the cut instead of the future."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from windtunnel.bars import FIELDS, Bars
from windtunnel.errors import InvalidValueError
from windtunnel.learn import folds
from windtunnel.pipeline import Candidate, Part
from windtunnel.plugin import Model, Strategy
from windtunnel.testing.findings import Provoked
from windtunnel.values import IntArray

__all__ = ["FUTURES", "cut_points", "learning_anew", "parts", "provoke", "refit"]

FUTURES: Mapping[Provoked, float] = {"halved": 0.5, "doubled": 2.0}
"""What prices and volume of the future are multiplied by."""
REACH = 252
"""Bars of another future that follow a cut; what lies further off is cut off."""
MARGIN = 10
"""Bars between the end of the warm-up and the first cut, where the data are long enough."""


def cut_points(length: int, candidate: Candidate, cuts: int, seed: int) -> tuple[int, ...]:
    """Choose the cuts: over the bars after warm-up and first fits, denser where runs are short.

    The last bar is always one, and some are next to each other.

    Parameters
    ----------
    length : int
        Number of bars.
    candidate : Candidate
    cuts : int
        How many to choose; where two coincide there are fewer.
    seed : int

    Raises
    ------
    InvalidValueError
        If ``cuts`` is less than 1.
    """
    if cuts < 1:
        raise InvalidValueError("cuts", "must be at least 1", cuts)
    learning = [part for part in parts(candidate) if refit(part) is not None]
    first_fits = [next(folds(part.section, length), None) for part in learning]
    least = max([1, *(fold.start + 1 for fold in first_fits if fold is not None)])
    warm = max(least, *(part.plugin.warmup for part in parts(candidate)))
    low = min(warm + MARGIN, max(least, length // 2), length - 1)
    neighbours = min(3, cuts // 4)
    count = cuts - 1 - neighbours
    place = (np.arange(count) + np.random.default_rng(seed).random(count)) / max(count, 1)
    spread: IntArray = (low + (length - 1 - low) * place**1.5).astype(np.int64)
    chosen = {*spread.tolist(), *(spread[:neighbours] + 1).tolist(), length - 1}
    return tuple(sorted(cut for cut in chosen if 0 < cut < length))


def learning_anew(cuts: Sequence[int]) -> Mapping[Provoked, frozenset[int]]:
    """Choose the runs in which models learn anew, by what is done to the future after each cut.

    A fit is given bars before the cut alone; these few runs are there for one that gets past them. Early,
    late and in the middle, and beside a doubled and a halved future.
    """
    first, middle, last = cuts[0], cuts[len(cuts) // 2], cuts[-1]
    chosen = {"truncated": {first, middle, last}, "halved": {first}, "doubled": {middle}}
    return {provoked: frozenset(chosen[provoked]) for provoked in ("truncated", "halved", "doubled")}


def parts(candidate: Candidate) -> Iterator[Part[Any, Any]]:
    """Yield the plugins of a candidate with their settings, in the order in which they are asked."""
    every = (
        candidate.volatility,
        candidate.regime,
        *candidate.patterns,
        candidate.reliability,
        candidate.strategy,
        candidate.scorer,
    )
    yield from (part for part in every if part is not None)


def refit(part: Part[Any, Any]) -> int | None:
    """Return the bars between two fits; None for a plugin that does not learn."""
    plugin = part.plugin
    learns = plugin.learns if isinstance(plugin, Model) else not isinstance(plugin, Strategy)
    return int(part.section.refit) if learns else None


def provoke(bars: Bars, provoked: Provoked | None, cut: int, reach: int = REACH) -> Bars:
    """Return bars that share no memory with these, and with another future from ``cut`` on, if any.

    ``reach`` is how many bars of another future there are. Bars that
    are cut off take along the knowledge of which symbols end there.
    """
    stop = cut if provoked == "truncated" else min(cut + reach, len(bars))
    fields: dict[str, Any] = {name: np.array(getattr(bars, name)[:stop], order="F") for name in FIELDS}
    if provoked is not None and provoked in FUTURES:
        for field in fields.values():
            field[cut:] *= FUTURES[provoked]
    last_bar = np.minimum(bars.last_bar, stop - 1)
    actions = None if bars.actions is None else bars.actions.cut(0, stop)
    return replace(bars, time=bars.time[:stop].copy(), last_bar=last_bar, actions=actions, **fields)
