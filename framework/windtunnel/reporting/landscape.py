"""The trials of an optimisation as a landscape: where each lies in the ranges searched, and how high."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from windtunnel.reporting.text import figure, plain
from windtunnel.values import (
    BoolArray,
    Bounds,
    Choices,
    Dimension,
    FloatArray,
    Fold,
    IntArray,
    Metric,
    Optimized,
    Span,
)

__all__ = ["Landscape", "brief", "listed", "named", "order", "short_names", "ticks"]

_GROUPS = 8
"""Groups of trials that importance compares."""
_STEPS = (1, 2, 5, 10)
_AWAY = 0.25


@dataclass(frozen=True, eq=False)
class Landscape:
    """An optimisation's K trials over its D parameters, by the first objective on all bars."""

    optimized: Optimized

    @property
    def metric(self) -> Metric:
        """The first objective."""
        return self.optimized.objectives[0]

    @property
    def paths(self) -> tuple[str, ...]:
        """The parameters' dotted paths, in the order of the space."""
        return tuple(self.optimized.space.dimensions)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """What the parameters are called for short."""
        return short_names(self.paths)

    @property
    def dimensions(self) -> list[Dimension]:
        """What was searched of each parameter."""
        return list(self.optimized.space.dimensions.values())

    @property
    def value(self) -> FloatArray:
        """The objective on all bars in its own sign, ``[K]``; NaN where not defined."""
        return self.objective(self.optimized.final)

    @cached_property
    def known(self) -> BoolArray:
        """Which trials have it, ``[K]``."""
        return np.isfinite(self.value)

    @cached_property
    def score(self) -> FloatArray:
        """The objective so that higher is better, ``[K]``."""
        return self.value * self.sign()

    def objective(self, fold: Fold, place: int = 0) -> FloatArray:
        """Return an objective on the bars that a fold learns from, of all trials, ``[K]``."""
        folds, column = self.optimized.folds, -1
        if fold is not self.optimized.final:
            column = next(at for at, one in enumerate(folds) if one is fold)
        found: FloatArray = self.optimized.trials.objectives[:, column, place]
        return found

    def point(self, row: int) -> str:
        """Return the parameters of a trial in words."""
        values = self.optimized.trials.point(row).values()
        return ", ".join(f"{name} {brief(value)}" for name, value in zip(self.names, values, strict=True))

    def sign(self, place: int = 0) -> float:
        """Return −1 for an objective of which less is better, else 1."""
        return -1.0 if self.optimized.objectives[place].higher_is_better is False else 1.0

    def shown(self, value: float, place: int = 0) -> str:
        """Return a value of an objective as text."""
        return figure(value, self.optimized.objectives[place].unit)

    @cached_property
    def shares(self) -> FloatArray:
        """How far on its way each parameter of each trial lies, 0 … 1, ``[K, D]``; NaN for other values."""
        columns = self.optimized.trials.parameters
        pairs = self.optimized.space.dimensions.items()
        return np.column_stack([_shares(dimension, columns.get(path, ())) for path, dimension in pairs])

    @cached_property
    def ordered(self) -> tuple[bool, ...]:
        """Of which parameters a value has neighbours: numbers have, words have not."""
        return tuple(isinstance(one, Span) or all(map(_is_number, one.values)) for one in self.dimensions)

    @cached_property
    def importance(self) -> FloatArray:
        """Share of the differences between trials that each parameter explains alone, ``[D]``.

        Of the ranks of the trials by the objective: by its values, or by eight groups of equally many trials
        where it has more, the parameter explains omega squared of their variance, which is 0 on average for
        one that does not matter. What it does only together with others is not in it. NaN for one that was
        not varied, for fewer than twice as many trials as groups, and where all trials are equal.

        Notes
        -----
        Source: Hays (1963), Statistics for psychologists, section 12.18 (omega squared).
        """
        from scipy.stats import rankdata

        ranks = rankdata(self.value[self.known])
        return np.array([_explained(column, ranks) for column in self.shares[self.known].T])

    @cached_property
    def ranking(self) -> list[int]:
        """The parameters, the most important first; by their order where that is not known."""
        return [int(at) for at in np.argsort(-np.nan_to_num(self.importance, nan=-1.0), kind="stable")]

    def sharpe(self, stretches: Sequence[Bounds], periods_per_year: float) -> FloatArray:
        """Return the Sharpe ratio a year of every trial over some stretches of whole blocks, ``[K]``.

        NaN where there are none, or returns do not vary.
        """
        edges, sums = self.optimized.edges, self.optimized.trials.sums
        inside = np.zeros(sums.shape[1], np.bool_)
        for first, stop in stretches:
            inside |= (edges[:-1] >= first) & (edges[1:] <= stop)
        count, total, square = sums[:, inside].sum(axis=1).T
        with np.errstate(invalid="ignore", divide="ignore"):
            variance = (square - total * total / count) / (count - 1)
            ratio = total / count / np.sqrt(np.maximum(variance, 0.0))
        return np.where(variance > 1e-28, ratio * math.sqrt(periods_per_year), np.nan)


def short_names(paths: Sequence[str]) -> tuple[str, ...]:
    """Return the last part of each dotted path, or the last two where several end alike."""
    last = [path.rpartition(".")[2] for path in paths]
    parted = [[part for part in path.split(".") if part != "params"] for path in paths]
    return tuple(
        name if last.count(name) == 1 else ".".join(parts[-2:])
        for name, parts in zip(last, parted, strict=True)
    )


def brief(value: Any) -> str:
    """Return a parameter's value for people: five digits of a fraction, and ``off`` for null."""
    if value is None:
        return "off"
    return f"{value:.5g}" if isinstance(value, float) else plain(value)


def named(dimension: Dimension, share: float) -> str:
    """Return what lies at a share of the way."""
    if isinstance(dimension, Choices):
        values = order(dimension)
        return brief(values[round(share * (len(values) - 1))])
    tune = dimension.tune
    low, high = (math.log(tune.low), math.log(tune.high)) if tune.log else (tune.low, tune.high)
    value = low + share * (high - low)
    return f"{math.exp(value) if tune.log else value:.4g}"


def listed(names: Sequence[str]) -> str:
    """Return names as a list in words."""
    return " and ".join([*([", ".join(names[:-1])] if names[1:] else []), *names[-1:]])


def order(choices: Choices) -> list[Any]:
    """Return the choices: by size where all are numbers, else as they were given."""
    return sorted(choices.values) if all(map(_is_number, choices.values)) else list(choices.values)


def ticks(dimension: Dimension, most: int = 6, *, ends: bool = False) -> list[tuple[float, str]]:
    """Return at most so many round values, or choices, with their shares of the way.

    With ``ends``, those of a range of numbers too, and no other near them.
    """
    if isinstance(dimension, Choices):
        values = order(dimension)
        step = -(-len(values) // most)
        last = max(len(values) - 1, 1)
        return [(at / last, brief(values[at])[:24]) for at in range(0, len(values), step)]
    tune = dimension.tune
    rounds = _decades(tune.low, tune.high) if tune.log else []
    if not 2 <= len(rounds) <= most:
        rounds = _even(tune.low, tune.high, most)
    found = [(dimension.share(value), f"{value:g}") for value in rounds]
    if not ends:
        return found
    inner = [mark for mark in found if _AWAY < mark[0] < 1 - _AWAY]
    return [(0.0, f"{tune.low:g}"), *inner, (1.0, f"{tune.high:g}")]


def _decades(low: float, high: float) -> list[float]:
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for digits in ((1, 2, 5), (1, 3), (1,)):
        found = [digit * 10.0**power for power in powers for digit in digits]
        found = [value for value in found if low <= value <= high]
        if len(found) <= 6:
            break
    return found


def _even(low: float, high: float, most: int) -> list[float]:
    power = 10.0 ** math.floor(math.log10((high - low) / (most - 1)))
    step = next(power * one for one in _STEPS if (high - low) / (power * one) <= most - 1 + 1e-9)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [step * count for count in range(first, last + 1)] or [low, high]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _shares(dimension: Dimension, values: Sequence[Any]) -> FloatArray:
    if isinstance(dimension, Choices):
        ranks = {plain(value): at for at, value in enumerate(order(dimension))}
        places = np.array([ranks.get(plain(value), math.nan) for value in values], np.float64)
        return places / max(len(ranks) - 1, 1)
    tune = dimension.tune
    found = np.array([value if _is_number(value) else math.nan for value in values], np.float64)
    if not tune.log:
        return np.asarray((found - tune.low) / (tune.high - tune.low))
    logs = np.log(np.where(found > 0, found, np.nan))
    return np.asarray((logs - math.log(tune.low)) / (math.log(tune.high) - math.log(tune.low)))


def _explained(shares: FloatArray, ranks: FloatArray) -> float:
    """Return omega squared of ranks by groups of shares."""
    groups = _grouped(shares)
    sizes = np.bincount(groups)
    count, kinds = len(ranks), len(sizes)
    spread = float(((ranks - ranks.mean()) ** 2).sum()) if count else 0.0
    if kinds < 2 or count < 2 * kinds or not spread > 0:
        return math.nan
    means = np.bincount(groups, ranks) / sizes
    between = float((sizes * (means - ranks.mean()) ** 2).sum())
    noise = (spread - between) / (count - kinds)
    return max(0.0, (between - (kinds - 1) * noise) / (spread + noise))


def _grouped(shares: FloatArray) -> IntArray:
    """Return the group of each trial, from 0 without gaps."""
    distinct, groups = np.unique(shares, return_inverse=True)
    if len(distinct) > _GROUPS:
        inner = np.nanquantile(shares, np.arange(1, _GROUPS) / _GROUPS)
        groups = np.unique(np.searchsorted(inner, shares, side="right"), return_inverse=True)[1]
    return np.asarray(groups, np.int64)
