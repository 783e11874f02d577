"""The probability of backtest overfitting, from sums over blocks of bars."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from windtunnel.errors import InvalidValueError
from windtunnel.values import FloatArray

__all__ = ["Overfitting", "block_sums", "overfitting"]


@dataclass(frozen=True, eq=False)
class Overfitting:
    """What happened out of sample to the trial that was best in sample, in every way to halve the blocks.

    Parameters
    ----------
    logits : array of float64, ``[C]``
        Log odds of its relative rank out of sample: 0 is the middle, below 0 the worse half.
    inside, outside : array of float64, ``[C]``
        Its Sharpe ratio per bar in sample and out of sample.
    """

    logits: FloatArray
    inside: FloatArray
    outside: FloatArray

    @property
    def probability(self) -> float:
        """Share of the halvings in which the best in sample fell into the worse half; NaN without any."""
        return float((self.logits <= 0).mean()) if len(self.logits) else float("nan")

    @property
    def slope(self) -> float:
        """Slope of the line from Sharpe ratios in sample to those out of sample; NaN where all are equal."""
        spread = self.inside - self.inside.mean()
        square = float(spread @ spread)
        return float(spread @ self.outside) / square if square > 0 else float("nan")


def block_sums(returns: FloatArray, blocks: int) -> FloatArray:
    """Return n, Σr and Σr² of each trial in each block of bars, ``[N, S, 3]``.

    Parameters
    ----------
    returns : array of float64, ``[T, N]``
        Of N trials.
    blocks : int
        S, even; of equal length, the remainder of the bars is left out at the end.

    Raises
    ------
    InvalidValueError
        If S is odd or less than 2, or there are fewer than two bars a block.
    """
    rows = len(returns) // max(blocks, 1)
    if blocks < 2 or blocks % 2:
        raise InvalidValueError("blocks", "must be even and at least 2", blocks)
    if rows < 2:
        raise InvalidValueError("blocks", f"must leave two of {len(returns)} bars a block", blocks)
    parts = returns[: rows * blocks].reshape(blocks, rows, -1)
    sums = np.stack([np.full(parts[:, 0].shape, rows, float), parts.sum(axis=1), (parts**2).sum(axis=1)])
    return np.ascontiguousarray(np.moveaxis(sums, (0, 1, 2), (2, 1, 0)))


def overfitting(sums: FloatArray) -> Overfitting:
    """Compare in sample with out of sample over all ways to halve the blocks.

    Parameters
    ----------
    sums : array of float64, ``[N, S, 3]``
        Of :func:`block_sums`, or of a sweep; N ≥ 2 trials. A trial without variance ranks lowest.

    Notes
    -----
    Combinatorially symmetric cross-validation; the relative rank of equals is their mean rank. Source:
    Bailey, Borwein, López de Prado & Zhu (2017), The probability of backtest overfitting, section 3.

    Raises
    ------
    InvalidValueError
        If there are fewer than two trials.
    """
    trials, blocks = sums.shape[:2]
    if trials < 2:
        raise InvalidValueError("trials", "must be at least 2", trials)
    total = sums.sum(axis=1)
    halves = [list(half) for half in combinations(range(blocks), blocks // 2)]
    logits, inside, outside = (np.empty(len(halves)) for _ in range(3))
    for place, half in enumerate(halves):
        chosen = sums[:, half].sum(axis=1)
        seen, unseen = _sharpe(chosen), _sharpe(total - chosen)
        best = int(np.argmax(seen))
        below, equal = (unseen < unseen[best]).sum(), (unseen == unseen[best]).sum()
        share = (float(below) + (float(equal) + 1) / 2) / (trials + 1)
        logits[place] = np.log(share / (1 - share))
        inside[place], outside[place] = seen[best], unseen[best]
    return Overfitting(logits, inside, outside)


def _sharpe(sums: FloatArray) -> FloatArray:
    """Return the Sharpe ratio per bar, with the sample deviation; -inf where there is none."""
    count, total, squares = sums.T
    mean = total / count
    variance = (squares - mean * total) / (count - 1)
    ratio = np.full(len(sums), -np.inf)
    np.divide(mean, np.sqrt(np.maximum(variance, 0.0)), out=ratio, where=variance > 1e-28)
    return ratio
