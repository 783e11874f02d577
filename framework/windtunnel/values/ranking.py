"""What a strategy that chooses among others says beside its orders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from windtunnel.values.arrays import Exposure, FloatArray, IntArray
from windtunnel.values.orders import Orders

__all__ = ["RankedOrders", "Ranking", "Recommendation"]

_PANELS = ("chosen", "expected", "probability", "risk")


@dataclass(frozen=True)
class Recommendation:
    """What is expected of one candidate.

    Parameters
    ----------
    candidate : str
        The strategy, as a call with what differs from its defaults.
    chosen : bool
        Whether it is the one that is followed.
    probability : float
        Of doing best of all candidates over the bars ahead, in [0, 1].
    expected : float
        Net return expected over the bars ahead, as a fraction.
    risk : float
        Probability of losing money over the bars ahead, in [0, 1].
    """

    candidate: str
    chosen: bool
    probability: float
    expected: float
    risk: float


@dataclass(frozen=True, eq=False)
class Ranking:
    """Which of K strategies was followed, and what was expected of each, as known at each bar's close.

    Parameters
    ----------
    names : tuple of str
        The K candidates, as calls.
    ahead : int
        Bars that expectations are about.
    chosen : array of int64, ``[T, N]``
        Index into ``names``; -1 where there was no opinion.
    expected, probability, risk : array of float64, ``[T, N, K]``
        Of the last decision up to the bar, as for :class:`Recommendation`; NaN where there was none.
    reasons : tuple of str
        Why, one sentence a symbol, at the last decision; ``""`` where there was none.
    wanted : tuple of Orders
        What each candidate wanted, followed or not.
    """

    names: tuple[str, ...]
    ahead: int
    chosen: IntArray
    expected: FloatArray
    probability: FloatArray
    risk: FloatArray
    reasons: tuple[str, ...]
    wanted: tuple[Orders, ...]

    def at(self, symbol: int, bar: int = -1) -> tuple[Recommendation, ...]:
        """Return what was expected of each candidate, best first; empty without an opinion."""
        expected, followed = self.expected[bar, symbol], int(self.chosen[bar, symbol])
        if followed < 0 or np.isnan(expected).any():
            return ()
        return tuple(
            Recommendation(
                self.names[place],
                place == followed,
                *(float(panel[bar, symbol, place]) for panel in (self.probability, self.expected, self.risk)),
            )
            for place in np.argsort(-expected, kind="stable").tolist()
        )

    def of_columns(self, columns: Sequence[int]) -> Ranking:
        """Return those of some symbols, in their order."""
        panels: dict[str, Any] = {name: getattr(self, name)[:, columns] for name in _PANELS}
        return replace(
            self,
            **panels,
            reasons=tuple(self.reasons[column] for column in columns),
            wanted=tuple(orders.of_columns(columns) for orders in self.wanted),
        )

    def cut(self, start: int, stop: int) -> Ranking:
        """Return the bars ``start`` to ``stop`` (exclusive); the reasons are those of the last bar."""
        panels: dict[str, Any] = {name: getattr(self, name)[start:stop] for name in _PANELS}
        whole = stop >= len(self.chosen)
        return replace(
            self,
            **panels,
            reasons=self.reasons if whole else ("",) * len(self.reasons),
            wanted=tuple(orders.cut(start, stop) for orders in self.wanted),
        )

    @classmethod
    def join(cls, parts: Sequence[Ranking]) -> Ranking:
        """Put pieces, in time order, together again."""
        panels: dict[str, Any] = {
            name: np.concatenate([getattr(part, name) for part in parts]) for name in _PANELS
        }
        wanted = tuple(map(Orders.join, zip(*(part.wanted for part in parts), strict=True)))
        return replace(parts[-1], **panels, wanted=wanted)

    @classmethod
    def unknown(cls, names: tuple[str, ...], ahead: int, wanted: tuple[Orders, ...]) -> Ranking:
        """Return a ranking without an opinion on any bar."""
        shape = wanted[0].exposure.shape
        blank = np.full((*shape, len(names)), np.nan)
        return cls(names, ahead, np.full(shape, -1), blank, blank, blank, ("",) * shape[1], wanted)


@dataclass(frozen=True, eq=False)
class RankedOrders(Orders):
    """Orders of a strategy that follows one of several, with the ranking that it went by."""

    ranking: Ranking | None = None

    def of_columns(self, columns: Sequence[int]) -> RankedOrders:
        """Return those of some symbols, in their order."""
        ranking = None if self.ranking is None else self.ranking.of_columns(columns)
        return self._with(super().of_columns(columns), ranking)

    def cut(self, start: int, stop: int) -> RankedOrders:
        """Return the bars ``start`` to ``stop`` (exclusive), without copying."""
        ranking = None if self.ranking is None else self.ranking.cut(start, stop)
        return self._with(super().cut(start, stop), ranking)

    @classmethod
    def join(cls, parts: Sequence[Orders]) -> RankedOrders:
        """Put pieces, in time order, together again."""
        rankings = [part.ranking for part in parts if isinstance(part, RankedOrders) and part.ranking]
        joined = super().join(parts)
        if len(rankings) < len(parts):
            return cls._with(joined, None)
        ranking = Ranking.join(rankings)
        starts = np.cumsum([len(part.exposure) for part in parts[:-1]])
        return cls._with(replace(joined, exposure=_taken_over(joined.exposure, ranking, starts)), ranking)

    def abstaining(self, bars: int) -> RankedOrders:
        """Return orders that stay flat for ``bars`` bars, with no opinion."""
        flat = super().abstaining(bars)
        ranking = self.ranking
        if ranking is not None:
            nothing = tuple(orders.abstaining(bars) for orders in ranking.wanted)
            ranking = Ranking.unknown(ranking.names, ranking.ahead, nothing)
        return self._with(flat, ranking)

    @classmethod
    def _with(cls, orders: Orders, ranking: Ranking | None) -> RankedOrders:
        return cls(orders.exposure, orders.size, **dict(orders.panels()), ranking=ranking)


def _taken_over(exposure: Exposure, ranking: Ranking, starts: IntArray) -> Exposure:
    """Let a candidate that takes over where pieces join hold what it last asked for, if it asks to keep."""
    taken = exposure.copy()
    for bar in starts[starts > 0].tolist():
        chosen, before = ranking.chosen[bar], ranking.chosen[bar - 1]
        for symbol in np.flatnonzero((chosen != before) & (chosen >= 0) & np.isnan(taken[bar])):
            asked = ranking.wanted[chosen[symbol]].exposure[: bar + 1, symbol].astype(np.float64)
            numbers = asked[~np.isnan(asked)]
            taken[bar, symbol] = numbers[-1] if len(numbers) else 0.0
    return taken
