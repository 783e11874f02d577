"""Did it beat the benchmark? The difference of two Sharpe ratios, with an interval."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from windtunnel.engine.bootstrap import optimal_block_length, resampled_sums
from windtunnel.engine.metrics.returns import deviation, sharpe
from windtunnel.errors import InvalidValueError
from windtunnel.values import FloatArray

__all__ = ["Comparison", "Special", "Verdict", "compare"]

Verdict: TypeAlias = Literal["beat", "did not beat", "did worse"]
Special: TypeAlias = Literal["never traded", "few bars", "constant", "constant benchmark", "identical"]

_FEWEST_BARS = 30
_SAME = 1e-12
_MOST_BLOCKS = 5_000
"""More blocks than this in a sample cost time and do not change the interval."""


@dataclass(frozen=True)
class Comparison:
    """Sharpe ratios of a strategy and of its benchmark over the same bars, all annualised.

    Parameters
    ----------
    bars : int
        T, the number of bars.
    level : float
        Confidence level of the intervals.
    sharpe, sharpe_low, sharpe_high : float
        The strategy's ratio and its interval.
    benchmark_sharpe, benchmark_low, benchmark_high : float
        The benchmark's.
    difference, low, high : float
        The strategy's ratio less the benchmark's, and its interval.
    verdict : {"beat", "did not beat", "did worse"}
        Whether that interval lies above 0, neither, or below 0.
    block_length : float
        Mean length of the blocks that were resampled, in bars.
    special : str or None
        Why the difference says nothing: "never traded", "few bars" (under 30), "constant" (returns that
        never vary), "constant benchmark", "identical". None where it does say something.

    Notes
    -----
    Whatever is not defined is NaN: the ratio of returns that do not vary, an interval from too few bars.
    """

    bars: int
    level: float
    sharpe: float
    sharpe_low: float
    sharpe_high: float
    benchmark_sharpe: float
    benchmark_low: float
    benchmark_high: float
    difference: float
    low: float
    high: float
    verdict: Verdict
    block_length: float
    special: Special | None = None

    def sentence(self, benchmark_name: str) -> str:
        """Return the verdict as one sentence, with the interval that it rests on."""
        holding = f"holding {benchmark_name}"
        match self.special:
            case "never traded":
                return f"It never traded, so there is nothing to compare with {holding}."
            case "few bars":
                count = f"{self.bars} bar{'' if self.bars == 1 else 's'}"
                return f"Only {count}: too few to say whether it beat {holding}."
            case "constant":
                return f"Its returns never vary, so it has no Sharpe ratio to compare with {holding}."
            case "constant benchmark":
                return f"The returns of {holding} never vary, so it has no Sharpe ratio to compare with."
            case "identical":
                return f"Its returns are those of {holding}, bar by bar."
        than = " than" if self.verdict == "did worse" else ""
        return (
            f"After costs it {self.verdict}{than} {holding}: Sharpe difference {_signed(self.difference)}, "
            f"{100 * self.level:g}% interval [{_signed(self.low)}, {_signed(self.high)}]."
        )


def compare(
    returns: FloatArray,
    benchmark_returns: FloatArray,
    periods_per_year: float,
    *,
    seed: int,
    samples: int = 2000,
    level: float = 0.95,
    traded: bool = True,
) -> Comparison:
    """Compare two series of returns by their Sharpe ratios.

    Both are resampled together by the stationary bootstrap, so that an interval knows how they move with each
    other and with their own past; the interval is that of the percentiles.

    Parameters
    ----------
    returns, benchmark_returns : array of float64, ``[T]``
        Simple returns per bar after costs, over the same bars; finite.
    periods_per_year : float
        Bars in a year.
    seed : int
        Same inputs and seed give the same bits.
    samples : int
        Resamples, at least 100.
    level : float
        Confidence level, between 0 and 1.
    traded : bool
        Whether the strategy traded at all; says so in the sentence if not.

    Returns
    -------
    Comparison

    Raises
    ------
    InvalidValueError
        If an argument breaks one of these rules.

    Notes
    -----
    Politis and Romano, "The Stationary Bootstrap", Journal of the American Statistical Association 89(428),
    1994; that a Sharpe difference needs such a bootstrap: Ledoit and Wolf, "Robust Performance Hypothesis
    Testing with the Sharpe Ratio", Journal of Empirical Finance 15(5), 2008 (they studentise, this does not).
    To first order a ratio, or a difference of two, is the mean of what each bar contributes to it: the block
    length is the longest that :func:`~windtunnel.engine.bootstrap.optimal_block_length` finds for the
    contributions to the two ratios and to their difference.
    A resample in which an account stood still counts as a ratio of 0.
    """
    _check(returns, benchmark_returns, periods_per_year, samples, level)
    bars = len(returns)
    special = _special(returns, benchmark_returns, traded)
    ratio, benchmark_ratio = (sharpe(series, periods_per_year) for series in (returns, benchmark_returns))
    difference = 0.0 if special == "identical" else ratio - benchmark_ratio
    intervals = np.full((3, 2), np.nan)
    block_length = math.nan
    if bars >= _FEWEST_BARS:
        series = np.column_stack((returns, benchmark_returns))
        block_length = _block_length(series)
        draws = _resampled_ratios(series, block_length, samples, seed) * math.sqrt(periods_per_year)
        spread = np.zeros(samples) if special == "identical" else draws[:, 0] - draws[:, 1]
        tails = ((1 - level) / 2, (1 + level) / 2)
        intervals = np.quantile(np.column_stack((draws, spread)), tails, axis=0).T
    (sharpe_low, sharpe_high), (benchmark_low, benchmark_high), (low, high) = intervals.tolist()
    return Comparison(
        bars=bars,
        level=level,
        sharpe=ratio,
        sharpe_low=sharpe_low,
        sharpe_high=sharpe_high,
        benchmark_sharpe=benchmark_ratio,
        benchmark_low=benchmark_low,
        benchmark_high=benchmark_high,
        difference=difference,
        low=low,
        high=high,
        verdict="beat" if low > 0 else "did worse" if high < 0 else "did not beat",
        block_length=block_length,
        special=special,
    )


def _check(
    returns: FloatArray, benchmark_returns: FloatArray, periods_per_year: float, samples: int, level: float
) -> None:
    if returns.ndim != 1:
        raise InvalidValueError("returns", "must be one-dimensional", returns.shape)
    if benchmark_returns.shape != returns.shape:
        rule = f"must have the shape {returns.shape} of returns"
        raise InvalidValueError("benchmark_returns", rule, benchmark_returns.shape)
    for name, series in (("returns", returns), ("benchmark_returns", benchmark_returns)):
        if not np.isfinite(series).all():
            bar = int(np.argmin(np.isfinite(series)))
            raise InvalidValueError(f"{name}[{bar}]", "must be finite", float(series[bar]))
    if not 0 < periods_per_year < math.inf:
        raise InvalidValueError("periods_per_year", "must be positive and finite", periods_per_year)
    if samples < 100:
        raise InvalidValueError("samples", "must be at least 100", samples)
    if not 0 < level < 1:
        raise InvalidValueError("level", "must be between 0 and 1", level)


def _special(returns: FloatArray, benchmark_returns: FloatArray, traded: bool) -> Special | None:
    if not traded:
        return "never traded"
    if len(returns) < _FEWEST_BARS:
        return "few bars"
    if np.abs(returns - benchmark_returns).max() <= _SAME:
        return "identical"
    if math.isnan(deviation(returns)):
        return "constant"
    return "constant benchmark" if math.isnan(deviation(benchmark_returns)) else None


def _standardised(series: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return ``[T, 2]`` as deviations from the mean in units of deviation, and mean over deviation, ``[2]``.

    NaN for a series that does not vary.
    """
    spread = np.array([deviation(column) for column in series.T])
    mean = series.mean(axis=0)
    return (series - mean) / spread, mean / spread


def _block_length(series: FloatArray) -> float:
    scores, ratio = _standardised(series)
    influence = scores - ratio / 2 * (scores * scores - 1)
    known = [
        column for column in (*influence.T, influence[:, 0] - influence[:, 1]) if not np.isnan(column[0])
    ]
    longest = max((optimal_block_length(column) for column in known if column.any()), default=1.0)
    return max(longest, len(series) / _MOST_BLOCKS)


def _resampled_ratios(series: FloatArray, block_length: float, samples: int, seed: int) -> FloatArray:
    """Return mean over deviation of the resampled columns, ``[samples, 2]``; NaN for one that is constant."""
    count = len(series)
    scores, ratio = _standardised(series)
    totals = resampled_sums(np.hstack((scores, scores * scores)), block_length, samples, seed)
    mean = totals[:, :2] / count
    variance = (totals[:, 2:] - count * mean * mean) / (count - 1)
    still = variance <= _SAME
    return np.where(still, 0.0, (ratio + mean) / np.sqrt(np.where(still, 1.0, variance)))


def _signed(value: float) -> str:
    return f"{value:+z.2f}".replace("-", "−")
