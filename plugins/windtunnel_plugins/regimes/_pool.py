"""The log returns of several symbols, made alike, so that one model learns from all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from windtunnel.market import Market
from windtunnel.values import FloatArray, IntArray

__all__ = ["Scales", "own_rows", "pooled"]

_SPAN = 504
"""Bars whose volatility is compared, between symbols and from one such span to the next: long beside a
regime, so that neighbouring spans tell of different ones."""

_CHANCE = 0.001
"""Probability by chance above which symbols are taken to be alike."""


@dataclass(frozen=True)
class Scales:
    """In what the returns of each symbol are measured, so that calm and wild ones can be told of together.

    Parameters
    ----------
    own : mapping of str to float
        Deviation of the returns of the symbols learned from.
    other : float
        That of any other symbol; NaN where there is none.
    """

    own: Mapping[str, float]
    other: float

    @classmethod
    def learned(cls, market: Market) -> Scales:
        """Return those of a market.

        A symbol's volatility over the training bars says as much of the regimes that it went through as of
        the symbol. So its logarithm, over spans of 504 bars, is taken as that of all symbols, plus the
        symbol's own, plus the span's; the symbol's own is estimated as in credibility theory: the more it
        is believed, the more symbols differ, the less spans do, and the more spans there are; not at all
        where symbols differ no more than by chance (an F test at 0.1 %).

        Source: Bühlmann & Straub (1970), Glaubwürdigkeit für Schadensätze, Mitteilungen der Vereinigung
        Schweizerischer Versicherungsmathematiker 70; with equal weights.
        """
        spans = {
            symbol: _spans(market.log_returns()[:, column]) for column, symbol in enumerate(market.symbols)
        }
        spans = {symbol: logs for symbol, logs in spans.items() if len(logs)}
        if not spans:
            return cls({}, np.nan)
        count = np.array([len(logs) for logs in spans.values()])
        mean = np.array([logs.mean() for logs in spans.values()])
        centre = float(np.average(mean, weights=count))
        squares = float(sum(((logs - logs.mean()) ** 2).sum() for logs in spans.values()))
        belief = _belief(count, float((count * (mean - centre) ** 2).sum()), squares)
        own = np.exp(centre + belief * (mean - centre)).tolist()
        return cls(dict(zip(spans, own, strict=True)), float(np.exp(centre)))

    @classmethod
    def of_state(cls, state: Mapping[str, Any]) -> Scales:
        """Return those that were learned."""
        return cls(state["scales"], state["other_scale"])

    def state(self) -> dict[str, Any]:
        """Return what a state keeps of them."""
        return {"scales": dict(self.own), "other_scale": self.other}

    def panel(self, symbols: Sequence[str]) -> FloatArray:
        """Return the scale of each symbol, ``[N]``."""
        return np.array([self.own.get(symbol, self.other) for symbol in symbols])


def _belief(count: IntArray, between: float, within: float) -> FloatArray:
    """Return how far each symbol's own mean is believed, from the sums of squares."""
    from scipy.special import fdtrc

    groups, freedom = len(count) - 1, int(count.sum()) - len(count)
    if groups < 1 or freedom < 1:
        return np.zeros(len(count))
    noise = max(within / freedom, 1e-12)
    if fdtrc(groups, freedom, between / groups / noise) > _CHANCE:
        return np.zeros(len(count))
    size = (count.sum() - (count**2).sum() / count.sum()) / groups
    differ = (between / groups - noise) / size
    return np.asarray(differ / (differ + noise / count))


def _spans(returns: FloatArray) -> FloatArray:
    """Return the logarithm of the volatility of each span, the last of them whole; one where it is short."""
    own = returns[own_rows(returns)]
    pieces = [own[stop - _SPAN : stop] for stop in range(len(own), _SPAN - 1, -_SPAN)] or [own]
    moved = [piece.std() for piece in pieces if len(piece) > 1 and piece.std() > 0]
    return np.log(moved)


def own_rows(values: FloatArray) -> IntArray:
    """Return the rows of a column that are not NaN."""
    return np.flatnonzero(~np.isnan(values))


def pooled(returns: FloatArray, most: int, seed: int) -> list[FloatArray]:
    """Return the sequences of some symbols drawn by lot, with no more than ``most`` bars in all.

    The first that is drawn is always there; of it the last ``most`` bars.
    """
    chosen: list[FloatArray] = []
    left = most
    for column in np.random.default_rng(seed).permutation(returns.shape[1]):
        one = returns[own_rows(returns[:, column]), column]
        if len(one) > 1 and (len(one) <= left or not chosen):
            chosen.append(np.ascontiguousarray(one[-most:]))
            left -= len(chosen[-1])
    return chosen
