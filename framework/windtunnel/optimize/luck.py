"""What luck would have shown in a sweep."""

from __future__ import annotations

from math import sqrt

import numpy as np

from windtunnel.optimize.backtest_overfitting import overfitting
from windtunnel.optimize.sharpe import deflated_sharpe, expected_maximum
from windtunnel.pipeline import Sweep
from windtunnel.values import FloatArray, Luck

__all__ = ["MOST", "blocks_of", "luck_of"]

BLOCKS = 10
"""Blocks of bars that are halved in all ways: 252 of them."""
MOST = 100_000
"""Most trials whose returns are added up in blocks."""
_RANKED = 20_000
"""Most trials that are ranked; of more every so many-th."""
_LEAST = 100


def blocks_of(bars: int, trials: int) -> tuple[int, ...]:
    """Return the first bars of the blocks, and one past the last; none for few bars or very many trials."""
    if bars < _LEAST or not 2 <= trials <= MOST:
        return ()
    return tuple(bars // BLOCKS * place for place in range(BLOCKS + 1))


def luck_of(sweep: Sweep, returns: FloatArray, periods_per_year: float) -> Luck | None:
    """Return what luck alone would have shown; None where a sweep has no blocks, or too few trials.

    Parameters
    ----------
    sweep : Sweep
        With the blocks of :func:`blocks_of`.
    returns : array of float64, ``[T]``
        Of the trial that was chosen.
    periods_per_year : float

    Notes
    -----
    Every trial counts, however alike they are: the number of independent ones is smaller, which would make
    luck look smaller than it is known to be. See :func:`~windtunnel.optimize.deflated_sharpe` and
    :func:`~windtunnel.optimize.overfitting`.
    """
    from scipy.stats import kurtosis, skew

    year = sqrt(periods_per_year)
    ratios = sweep.metric("sharpe") / year
    ratios = ratios[np.isfinite(ratios)]
    deviation = float(returns.std(ddof=1)) if len(returns) > 1 else 0.0
    if not sweep.sums.shape[1] or len(ratios) < 2 or not deviation > 0:
        return None
    sharpe, variance = float(returns.mean()) / deviation, float(ratios.var(ddof=1))
    rows = np.unique(np.linspace(0, len(sweep) - 1, min(len(sweep), _RANKED)).astype(np.int64))
    found = overfitting(sweep.sums[rows])
    return Luck(
        trials=len(sweep),
        years=len(returns) / periods_per_year,
        sharpe=sharpe * year,
        expected=sqrt(variance) * expected_maximum(len(sweep)) * year,
        deflated=deflated_sharpe(
            sharpe,
            len(returns),
            trials=len(sweep),
            variance=variance,
            skewness=float(skew(returns)),
            kurtosis=float(kurtosis(returns, fisher=False)),
        ),
        overfit=found.probability,
        halvings=len(found.logits),
    )
