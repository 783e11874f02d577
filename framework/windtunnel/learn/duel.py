"""One model against another, on the same symbols and times."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from windtunnel.engine.bootstrap import optimal_block_length, resampled_sums
from windtunnel.learn.track import losses
from windtunnel.values import FloatArray

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Duel", "duel"]

_FEWEST = 30
_SAMPLES = 2_000
_LEVEL = 0.95


@dataclass(frozen=True)
class Duel:
    """Champion and challenger on the same symbols and times.

    Parameters
    ----------
    times, predictions : int
        What they have in common.
    champion, challenger : float
        Mean loss over these.
    difference, low, high : float
        The champion's loss less the challenger's, and its 95% interval: above 0 the challenger is better.
    p_value : float
        Of a difference at least as far from 0 where there is none.
    """

    times: int
    predictions: int
    champion: float
    challenger: float
    difference: float
    low: float
    high: float
    p_value: float

    @property
    def verdict(self) -> str:
        """What follows."""
        if self.low != self.low:
            return f"They met on {self.times} times: too few to tell them apart."
        if self.low > 0:
            return "The challenger is better."
        return "The champion is better." if self.high < 0 else "They cannot be told apart."


def duel(champion: pd.DataFrame, challenger: pd.DataFrame, *, seed: int = 0) -> Duel:
    """Compare two models of one kind on the symbols and times of which both spoke.

    The losses of a time are averaged over its symbols. The interval and the p-value of their mean difference
    are those of 2,000 samples of the stationary bootstrap, whose blocks allow for outcomes that overlap
    (Politis & Romano 1994, The stationary bootstrap). With fewer than 30 times there are none.
    """
    own, other = (_by_day(table) for table in (champion, challenger))
    both = own.to_frame("own").join(other.to_frame("other"), how="inner").dropna()
    days = both.groupby(level="time").mean()
    gap = (days["own"] - days["other"]).to_numpy()
    low, high, p_value = _interval(gap, seed)
    means = float(days["own"].mean()), float(days["other"].mean())
    return Duel(len(days), len(both), *means, float(gap.mean()) if len(gap) else np.nan, low, high, p_value)


def _by_day(table: pd.DataFrame) -> pd.Series[float]:
    keyed = table.assign(loss=losses(table), symbol=table["symbol"].astype("str"))
    return keyed.groupby(["symbol", "time"])["loss"].mean()


def _interval(gap: FloatArray, seed: int) -> tuple[float, float, float]:
    if len(gap) < _FEWEST:
        return np.nan, np.nan, np.nan
    mean = float(gap.mean())
    centred = gap - mean
    if not np.abs(centred).max() > 1e-12:
        return mean, mean, float(mean == 0)
    sums = resampled_sums(centred[:, None], optimal_block_length(gap), _SAMPLES, seed)[:, 0] / len(gap)
    tail = (1 - _LEVEL) / 2
    below, above = np.quantile(sums, [tail, 1 - tail])
    p_value = (1 + int((np.abs(sums) >= abs(mean)).sum())) / (1 + _SAMPLES)
    return mean - float(above), mean - float(below), p_value
