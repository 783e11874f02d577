"""Figures computed from returns and equity: one pure function each.

Throughout, returns are simple returns per bar, ``[T]``, the first one against the starting cash; equity is
``[T]``, in currency, at each close. Both are finite. The risk-free rate is 0.
"""

from __future__ import annotations

import math

import numpy as np

from windtunnel.values import FloatArray

__all__ = [
    "alpha",
    "beta",
    "cagr",
    "calmar",
    "cvar",
    "deviation",
    "drawdown",
    "kurtosis",
    "max_drawdown",
    "max_drawdown_bars",
    "sharpe",
    "skew",
    "sortino",
    "tail_ratio",
    "total_return",
    "value_at_risk",
    "volatility",
]

_NOISE = 1e-14
"""A return is a ratio less one, so rounding alone moves it by some 1e-16: what is below this is zero."""


def deviation(returns: FloatArray) -> float:
    """Return the sample standard deviation (divisor T − 1) per bar; NaN if the returns do not vary.

    NaN, not 0, so that every ratio over it is NaN as well. Fewer than two bars do not vary.
    """
    if len(returns) < 2:
        return math.nan
    value = float(returns.std(ddof=1))
    return value if value > _NOISE else math.nan


def total_return(equity: FloatArray, cash: float) -> float:
    """Return the last equity over the starting cash, less one, as a fraction. Higher is better.

    NaN without bars.
    """
    return float(equity[-1]) / cash - 1.0 if len(equity) else math.nan


def cagr(equity: FloatArray, cash: float, periods_per_year: float) -> float:
    """Return the compound annual growth rate, ``(1 + total return) ** (periods / T) − 1``. Higher is better.

    −1 where the account ends with nothing or with a debt; NaN without bars, and where the rate is too large
    to be a number (a few minutes of gains, compounded over a year).
    """
    if not len(equity):
        return math.nan
    return _compound(float(equity[-1]) / cash, periods_per_year / len(equity))


def volatility(returns: FloatArray, periods_per_year: float) -> float:
    """Return the sample standard deviation of the returns × √periods, as a fraction. Lower is better.

    NaN with fewer than two bars.
    """
    return float(returns.std(ddof=1)) * math.sqrt(periods_per_year) if len(returns) > 1 else math.nan


def sharpe(returns: FloatArray, periods_per_year: float) -> float:
    """Return the mean over the sample standard deviation of the returns × √periods. Higher is better.

    Sharpe, "The Sharpe Ratio", Journal of Portfolio Management 21(1), 1994, equations 4 to 6, annualised as
    if returns were independent. NaN with fewer than two bars and where returns do not vary.
    """
    spread = deviation(returns)
    if math.isnan(spread):
        return math.nan
    return float(returns.mean()) / spread * math.sqrt(periods_per_year)


def sortino(returns: FloatArray, periods_per_year: float) -> float:
    """Return the mean over the downside deviation of the returns × √periods. Higher is better.

    The downside deviation is √(Σ min(r, 0)² / T), over all T returns and against a target of 0: Sortino and
    Price, "Performance Measurement in a Downside Risk Framework", Journal of Investing 3(3), 1994. NaN with
    fewer than two bars and where no return is negative.
    """
    if len(returns) < 2:
        return math.nan
    below = np.minimum(returns, 0.0)
    downside = math.sqrt(float((below * below).sum()) / len(returns))
    if downside <= _NOISE:
        return math.nan
    return float(returns.mean()) / downside * math.sqrt(periods_per_year)


def calmar(equity: FloatArray, cash: float, periods_per_year: float) -> float:
    """Return the compound annual growth rate over the size of the worst drawdown. Higher is better.

    Young, "Calmar Ratio: A Smoother Tool", Futures 20(1), 1991, taken over all bars, not over 36 months.
    NaN where there is no drawdown.
    """
    worst = -max_drawdown(equity, cash)
    return cagr(equity, cash, periods_per_year) / worst if worst > _NOISE else math.nan


def drawdown(equity: FloatArray, cash: float) -> FloatArray:
    """Return equity over its highest value so far, less one, ``[T]``; the starting cash is the first peak.

    0 at a peak, negative below it, under −1 where the account is in debt.
    """
    return np.asarray(equity / np.maximum.accumulate(np.maximum(equity, cash)) - 1.0)


def max_drawdown(equity: FloatArray, cash: float) -> float:
    """Return the deepest fall from a peak, as a negative fraction; 0 if none. Higher is better.

    NaN without bars.
    """
    return float(drawdown(equity, cash).min()) if len(equity) else math.nan


def max_drawdown_bars(equity: FloatArray, cash: float) -> int:
    """Return the longest time from a peak until it is reached again, or to the end, in bars. Lower is better.

    A peak at bar 2 that is reached again at bar 5 counts 3. The starting cash is a peak one bar before the
    first. 0 where equity never falls below a peak.
    """
    at_peak = np.flatnonzero(equity >= np.maximum.accumulate(np.maximum(equity, cash)))
    last = len(equity) - 1
    recovered = int(np.diff(at_peak, prepend=-1).max(initial=0))
    unrecovered = last - (int(at_peak[-1]) if len(at_peak) else -1)
    return max(recovered if recovered > 1 else 0, unrecovered)


def value_at_risk(returns: FloatArray, share: float = 0.05) -> float:
    """Return the empirical quantile of the returns at ``share``, as a fraction. Higher is better.

    Historical value at risk, negative unless gains prevail. Linear between order statistics: type 7 of
    Hyndman and Fan, "Sample Quantiles in Statistical Packages", American Statistician 50(4), 1996. NaN
    without bars.
    """
    return float(np.quantile(returns, share)) if len(returns) else math.nan


def cvar(returns: FloatArray, share: float = 0.05) -> float:
    """Return the mean of the worst returns, as a fraction. Higher is better.

    Historical expected shortfall (Rockafellar and Uryasev, "Optimization of Conditional Value-at-Risk",
    Journal of Risk 2(3), 2000), over the ⌊(T − 1) × share⌋ + 1 lowest returns. NaN without bars.
    """
    if not len(returns):
        return math.nan
    last = int((len(returns) - 1) * share)
    return float(np.partition(returns, last)[: last + 1].mean())


def skew(returns: FloatArray) -> float:
    """Return the bias-corrected sample skewness. Higher is better.

    G1 of Joanes and Gill, "Comparing Measures of Sample Skewness and Kurtosis", The Statistician 47(1), 1998.
    NaN with fewer than three bars and where returns do not vary.
    """
    count = len(returns)
    if count < 3 or math.isnan(deviation(returns)):
        return math.nan
    centred = returns - returns.mean()
    squares = centred * centred
    biased = float((squares * centred).mean()) / math.pow(float(squares.mean()), 1.5)
    return biased * math.sqrt(count * (count - 1)) / (count - 2)


def kurtosis(returns: FloatArray) -> float:
    """Return the bias-corrected sample excess kurtosis, 0 for normal returns. Lower is better.

    G2 of Joanes and Gill (1998), see :func:`skew`. NaN with fewer than four bars and where returns do not
    vary.
    """
    count = len(returns)
    if count < 4 or math.isnan(deviation(returns)):
        return math.nan
    centred = returns - returns.mean()
    squares = centred * centred
    biased = float((squares * squares).mean()) / float(squares.mean()) ** 2 - 3.0
    return (count - 1) / ((count - 2) * (count - 3)) * ((count + 1) * biased + 6.0)


def tail_ratio(returns: FloatArray) -> float:
    """Return the size of the 95th over the size of the 5th percentile of the returns. Higher is better.

    As defined by empyrical; percentiles as in :func:`value_at_risk`. NaN without bars and where the 5th
    percentile is 0, as it is for an account that is rarely invested.
    """
    if not len(returns):
        return math.nan
    low, high = (abs(float(value)) for value in np.quantile(returns, (0.05, 0.95)))
    return high / low if low > _NOISE else math.nan


def beta(returns: FloatArray, benchmark: FloatArray) -> float:
    """Return the covariance of the returns with the benchmark's over the benchmark's variance.

    The slope of the regression on the benchmark, ``[T]`` (Jensen, "The Performance of Mutual Funds in the
    Period 1945–1964", Journal of Finance 23(2), 1968). Neither direction is better. NaN with fewer than two
    bars and where the benchmark does not vary.
    """
    if math.isnan(deviation(benchmark)):
        return math.nan
    centred = benchmark - benchmark.mean()
    return float((centred * returns).sum()) / float((centred * centred).sum())


def alpha(returns: FloatArray, benchmark: FloatArray, periods_per_year: float) -> float:
    """Return what the returns add to beta × the benchmark, compounded over a year. Higher is better.

    ``(1 + mean(returns − beta × benchmark)) ** periods − 1``, as in empyrical. NaN where :func:`beta` is, and
    where the rate is too large to be a number.
    """
    slope = beta(returns, benchmark)
    if math.isnan(slope):
        return math.nan
    return _compound(1.0 + float(returns.mean()) - slope * float(benchmark.mean()), periods_per_year)


def _compound(growth: float, times: float) -> float:
    if growth <= 0:
        return -1.0
    exponent = times * math.log(growth)
    return math.expm1(exponent) if exponent < 709 else math.nan
