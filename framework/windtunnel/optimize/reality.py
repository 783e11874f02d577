"""Whether any of many trials is better than the benchmark, or the best of them just lucky.

An advantage is a difference of Sharpe ratios, which is that of the mean returns when both are brought to the
same risk: a share of an index that rises has none over the index, however much it earned. Without a benchmark
it is over cash, whose returns are 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import inf, log, sqrt
from typing import NamedTuple, Self

import numpy as np

from windtunnel.engine.bootstrap import resampled_sums
from windtunnel.optimize.resampling import block_length_of, resampled_rows, times_drawn
from windtunnel.values import BoolArray, FloatArray, IntArray

__all__ = ["SAMPLES", "Advantage", "Reality", "Resampled", "advantage", "contributions"]

SAMPLES = 1000
"""Bootstrap samples of the tests."""
_NOISE = 1e-14


@dataclass(frozen=True)
class Advantage:
    """How much better than the benchmark one series of returns is.

    Parameters
    ----------
    sharpe : float
        Difference of the Sharpe ratios, per bar.
    error : float
        Its standard error; 0 where it does not vary.
    """

    sharpe: float
    error: float

    @property
    def statistic(self) -> float:
        """The difference in standard errors; −inf where it does not vary."""
        return self.sharpe / self.error if self.error > 0 else -inf

    @property
    def chance(self) -> float:
        """p-value of no advantage, one-sided: how often luck alone would show as much."""
        from scipy.special import ndtr

        return float(ndtr(-self.statistic))


def contributions(returns: FloatArray, benchmark: FloatArray | None = None) -> FloatArray:
    """Return what each bar contributes to the difference of Sharpe ratios, ``[T, K]``.

    The mean over bars is the difference, and to first order its sampling error is that of this mean.

    Parameters
    ----------
    returns : array of float64, ``[T, K]``
        Of K trials, finite. The ratio of one whose returns do not vary is 0.
    benchmark : array of float64, ``[T]``, optional

    Notes
    -----
    ``SR + z − SR (z² − 1) / 2`` with z the standardised return: the influence function of a ratio of mean and
    deviation. Source: Ledoit & Wolf (2008), Robust performance hypothesis testing with the Sharpe ratio,
    section 3.1 (the delta method).
    """
    own = _ratio_by_bar(returns)
    return own if benchmark is None else own - _ratio_by_bar(benchmark[:, None])


def _ratio_by_bar(returns: FloatArray) -> FloatArray:
    mean, spread = returns.mean(axis=0), returns.std(axis=0)
    still = ~(spread > _NOISE)
    spread = np.where(still, 1.0, spread)
    ratio = np.where(still, 0.0, mean / spread)
    scores = np.where(still, 0.0, (returns - mean) / spread)
    return np.asarray(ratio + scores - ratio / 2 * (scores * scores - 1) * ~still)


def advantage(returns: FloatArray, benchmark: FloatArray | None, seed: int) -> Advantage:
    """Return the advantage of one series of returns, ``[T]``, over the benchmark's.

    Notes
    -----
    The error is the deviation of the mean contribution over stationary bootstrap samples, with the block
    length of :func:`~windtunnel.engine.bootstrap.optimal_block_length`.
    """
    column = contributions(returns[:, None], benchmark)
    mean = float(column.mean())
    centred = column - mean
    totals = resampled_sums(centred, block_length_of(column[:, 0]), SAMPLES, seed)
    error = float(totals.std()) / len(column)
    return Advantage(mean, error if error > _NOISE else 0.0)


@dataclass(frozen=True, eq=False)
class Reality:
    """Tests of many trials against the benchmark, which know how the trials move together.

    Parameters
    ----------
    statistics : array of float64, ``[K]``
        Each trial's advantage in standard errors; −inf for one whose advantage does not vary.
    lower, consistent, upper : float
        p-values of superior predictive ability.
    white : float
        p-value of White's reality check.
    luckiest : array of float64, ``[B]``
        The highest statistic in each bootstrap sample of trials without any advantage, with the consistent
        choice of which trials matter.
    superior : array of int64
        Trials that the stepwise test finds better than the benchmark, in order.
    """

    statistics: FloatArray
    lower: float
    consistent: float
    upper: float
    white: float
    luckiest: FloatArray
    superior: IntArray

    def chance(self, statistic: float) -> float:
        """Return how often the luckiest trial would show as high a statistic, at least 1 / (B + 1)."""
        return _p(self.luckiest, statistic)


@dataclass(frozen=True, eq=False)
class Resampled:
    """Mean contributions of trials and of the benchmark, and those of bootstrap samples less these.

    Parameters
    ----------
    bars : int
        T.
    means : array of float64, ``[K]``
    draws : array of float64, ``[B, K]``
        Mean of each sample, less ``means``.
    benchmark : float
        0 for cash.
    benchmark_draws : array of float64, ``[B]``
    """

    bars: int
    means: FloatArray
    draws: FloatArray
    benchmark: float
    benchmark_draws: FloatArray

    @classmethod
    def of(
        cls,
        parts: Iterable[FloatArray],
        benchmark: FloatArray | None,
        *,
        block_length: float,
        seed: int,
        samples: int = SAMPLES,
    ) -> Self:
        """Resample the returns of trials, which come some at a time.

        Parameters
        ----------
        parts : iterable of array of float64, ``[T, k]``
            Returns of K trials in all, at least one.
        benchmark : array of float64, ``[T]``, optional
            Its returns over the same bars; cash if left out.
        block_length : float
            Mean length of a block of the stationary bootstrap.
        seed : int
            Same inputs and seed give the same tests.
        samples : int
            B.
        """
        drawn = [
            _resampled(contributions(part), block_length, samples, seed) for part in _with(parts, benchmark)
        ]
        bars = drawn[0].bars
        means = np.concatenate([one.means for one in drawn])
        draws = np.concatenate([one.draws for one in drawn], axis=1)
        if benchmark is None:
            return cls(bars, means, draws, 0.0, np.zeros(samples))
        return cls(bars, means[1:], draws[:, 1:], float(means[0]), draws[:, 0])

    def against(self, *, cash: bool = False, size: float = 0.05) -> Reality:
        """Test the trials against the benchmark, or against cash.

        Parameters
        ----------
        cash : bool
        size : float
            Chance that the stepwise test finds any trial that is no better.

        Notes
        -----
        Superior predictive ability: Hansen (2005), A test for superior predictive ability, sections 2.2 to
        2.4; the standard errors are those of the bootstrap samples. Reality check: White (2000), A reality
        check for data snooping, without studentising. Stepwise: Romano & Wolf (2005), Stepwise multiple
        testing as formalized data snooping, algorithm 3.1, with the critical values of the consistent test as
        in Hsu, Hsu & Kuan (2010), Testing the predictive ability of technical analysis using a new stepwise
        test without data snooping bias. A p-value counts the data as one sample, (1 + hits) / (1 + B):
        Davison & Hinkley (1997), Bootstrap methods and their application, section 4.2.5.
        """
        advantages = self.means if cash else self.means - self.benchmark
        moved = self.draws if cash else self.draws - self.benchmark_draws[:, None]
        error = moved.std(axis=0)
        varies = error > _NOISE
        scale = np.where(varies, error, 1.0)
        behind = np.where(varies, advantages / scale, 0.0)
        shown = np.where(varies, moved / scale, -np.inf)
        poor = behind < -sqrt(2 * log(max(log(self.bars), 1.0)))
        consistent = shown + np.where(poor, behind, 0.0)
        luckiest, best = _highest(consistent), max(float(behind.max()), 0.0)
        statistics = np.where(varies, behind, -np.inf)
        return Reality(
            statistics=statistics,
            lower=_p(_highest(shown + np.minimum(behind, 0.0)), best),
            consistent=_p(luckiest, best),
            upper=_p(_highest(shown), best),
            white=_p(_highest(moved), max(float(advantages.max()), 0.0)),
            luckiest=luckiest,
            superior=_stepwise(statistics, consistent, size),
        )


def _with(parts: Iterable[FloatArray], benchmark: FloatArray | None) -> Iterator[FloatArray]:
    """Put the benchmark before the first trial."""
    before = () if benchmark is None else (benchmark[:, None],)
    for part in parts:
        yield np.concatenate((*before, part), axis=1)
        before = ()


class _Drawn(NamedTuple):
    """Mean of each column, ``[k]``, and those of samples less these, ``[B, k]``."""

    bars: int
    means: FloatArray
    draws: FloatArray


def _resampled(part: FloatArray, block_length: float, samples: int, seed: int) -> _Drawn:
    means, bars = part.mean(axis=0), len(part)
    centred = part - means
    rows = resampled_rows(bars, block_length, samples, seed)
    return _Drawn(bars, means, np.concatenate([times_drawn(some) @ centred for some in rows]) / bars)


def _highest(draws: FloatArray) -> FloatArray:
    return np.asarray(draws.max(axis=1, initial=0.0))


def _p(luckiest: FloatArray, best: float) -> float:
    return (1 + int((luckiest >= best).sum())) / (len(luckiest) + 1)


def _stepwise(statistics: FloatArray, draws: FloatArray, size: float) -> IntArray:
    """Return the trials above the critical value, which falls as they are left out, until none is."""
    left: BoolArray = np.ones(len(statistics), np.bool_)
    while left.any():
        found = left & (statistics > np.quantile(_highest(draws[:, left]), 1 - size))
        if not found.any():
            break
        left &= ~found
    return np.flatnonzero(~left)
