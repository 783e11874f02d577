"""How much a Sharpe ratio is worth, given its length, its tails, and how many were tried.

All Sharpe ratios are per bar, never annualised; ``kurtosis`` is 3 for a normal distribution.
"""

from __future__ import annotations

from math import e, inf, nan, sqrt

__all__ = [
    "deflated_sharpe",
    "expected_maximum",
    "minimum_backtest_length",
    "minimum_track_record",
    "probabilistic_sharpe",
    "sharpe_variance",
]

_EULER = 0.5772156649015329


def sharpe_variance(sharpe: float, *, skewness: float = 0.0, kurtosis: float = 3.0) -> float:
    """Return the variance of an estimated Sharpe ratio times the bars less one.

    Notes
    -----
    Source: Mertens (2002), Comments on variance of the IID estimator in Lo (2002), as in Bailey & López de
    Prado (2012), equation 4.
    """
    return 1.0 - skewness * sharpe + (kurtosis - 1.0) / 4.0 * sharpe**2


def probabilistic_sharpe(
    sharpe: float, bars: int, *, skewness: float = 0.0, kurtosis: float = 3.0, benchmark: float = 0.0
) -> float:
    """Return the probability that the true Sharpe ratio exceeds a benchmark's.

    Parameters
    ----------
    sharpe, benchmark : float
        Per bar.
    bars : int
        Number of returns; NaN for fewer than two.
    skewness, kurtosis : float
        Of the returns.

    Notes
    -----
    Source: Bailey & López de Prado (2012), The Sharpe ratio efficient frontier, equation 11.
    """
    from scipy.special import ndtr

    variance = sharpe_variance(sharpe, skewness=skewness, kurtosis=kurtosis)
    if bars < 2 or not variance > 0:
        return nan
    return float(ndtr((sharpe - benchmark) * sqrt((bars - 1) / variance)))


def expected_maximum(trials: float) -> float:
    """Return about how large the largest of so many independent standard normal numbers is, on average.

    Notes
    -----
    Source: Bailey & López de Prado (2014), The deflated Sharpe ratio, equation 1 (the false strategy
    theorem); 0 for a single trial.
    """
    from scipy.special import ndtri

    if trials <= 1:
        return 0.0
    return float((1 - _EULER) * ndtri(1 - 1 / trials) + _EULER * ndtri(1 - 1 / (trials * e)))


def deflated_sharpe(
    sharpe: float,
    bars: int,
    *,
    trials: float,
    variance: float,
    skewness: float = 0.0,
    kurtosis: float = 3.0,
) -> float:
    """Return the probability that a Sharpe ratio is more than the luck of the best of many trials.

    Parameters
    ----------
    sharpe : float
        Of the best trial, per bar.
    bars : int
    trials : float
        How many were tried.
    variance : float
        Of the Sharpe ratios of the trials, per bar.
    skewness, kurtosis : float
        Of the returns of the best trial.

    Notes
    -----
    Source: Bailey & López de Prado (2014), The deflated Sharpe ratio, equation 2.
    """
    luck = sqrt(max(variance, 0.0)) * expected_maximum(trials)
    return probabilistic_sharpe(sharpe, bars, skewness=skewness, kurtosis=kurtosis, benchmark=luck)


def minimum_track_record(
    sharpe: float,
    *,
    skewness: float = 0.0,
    kurtosis: float = 3.0,
    benchmark: float = 0.0,
    confidence: float = 0.95,
) -> float:
    """Return how many bars it takes to be so sure that the true Sharpe ratio exceeds a benchmark's.

    Infinite where it does not exceed it.

    Notes
    -----
    Source: Bailey & López de Prado (2012), equation 13.
    """
    from scipy.special import ndtri

    if not sharpe > benchmark:
        return inf
    ratio = float(ndtri(confidence)) / (sharpe - benchmark)
    return 1.0 + sharpe_variance(sharpe, skewness=skewness, kurtosis=kurtosis) * ratio**2


def minimum_backtest_length(trials: float, sharpe: float = 1.0) -> float:
    """Return the years that a search of so many trials needs, lest luck alone shows ``sharpe`` a year.

    Notes
    -----
    Source: Bailey, Borwein, López de Prado & Zhu (2014), Pseudo-mathematics and financial charlatanism,
    theorem 2.
    """
    return (expected_maximum(trials) / sharpe) ** 2
