"""The recursion of a variance: fitting it, running it, and what it says of a horizon."""

from __future__ import annotations

from typing import Literal

import numpy as np

from windtunnel.values import FloatArray

__all__ = ["likeliest", "mean_variance", "multiples"]

NAMES = ("mu", "omega", "alpha[1]", "gamma[1]", "beta[1]", "nu")
ABSENT = (0.0, 0.0, 0.0, 0.0, 0.0, np.inf)
"""What a parameter is that the model does not have: the normal distribution is t with ν = ∞."""
RISKMETRICS = (0.0, 0.0, 0.06, 0.0, 0.94, np.inf)
"""What stands in for a fit that does not converge."""


def likeliest(returns: FloatArray, asymmetric: bool, innovations: Literal["t", "normal"]) -> FloatArray:
    """Return μ, ω, α, γ, β, ν and the variance before the first return, in units of the returns.

    They are fitted to returns in units of their deviation, so that bars of any length are as well scaled.
    """
    from warnings import catch_warnings, simplefilter

    from arch.univariate import GARCH, ConstantMean, Normal, StudentsT
    from threadpoolctl import threadpool_limits

    unit = float(returns.std())
    model = ConstantMean(returns / unit, rescale=False)
    model.volatility = GARCH(p=1, o=int(asymmetric), q=1)
    model.distribution = StudentsT() if innovations == "t" else Normal()
    with threadpool_limits(1), catch_warnings():
        simplefilter("ignore")
        result = model.fit(disp="off", show_warning=False)
    found = np.array(RISKMETRICS)
    if result.convergence_flag == 0 and np.isfinite(result.params).all():
        named = dict(result.params)
        found = np.array([named.get(name, default) for name, default in zip(NAMES, ABSENT, strict=True)])
    before = float(model.volatility.backcast((returns - returns.mean()) / unit))
    return np.asarray(np.append(found, before) * np.array([unit, unit**2, 1, 1, 1, 1, unit**2]))


def mean_variance(parameters: FloatArray, returns: FloatArray, horizon: int) -> FloatArray:
    """Return the mean squared return that is expected of the ``horizon`` bars after each return, ``[n]``.

    Notes
    -----
    σ² of the first of these bars is the recursion's; each further one is expected at ω + φ times the one
    before, φ = α + γ/2 + β, which gives its mean over the horizon in closed form.
    """
    from scipy.signal import lfilter

    mean, omega, alpha, gamma, beta, _, before = parameters
    shock = returns - mean
    impulse = omega + (alpha + gamma * (shock < 0)) * shock**2
    persistence = alpha + gamma / 2 + beta
    first = omega + persistence * before
    following, _ = lfilter([1.0], [1.0, -beta], impulse, zi=np.array([beta * first]))
    powers = persistence ** np.arange(horizon)
    added = omega * np.concatenate(([0.0], np.cumsum(powers)[:-1])).mean()
    return np.asarray(mean**2 + added + powers.mean() * following)


def multiples(freedom: float, horizon: int, coverage: float) -> tuple[float, float]:
    """Return both ends of the interval of realised volatility, as multiples of the mean.

    The squares of h returns that share one mixing variable: their mean over the variance, times
    ν / (ν - 2), follows an F distribution with h and ν degrees of freedom; chi-square / h for the normal.
    """
    from scipy.special import fdtri, gammaincinv

    tails = np.array([1 - coverage, 1 + coverage]) / 2
    if np.isinf(freedom):
        low, high = np.sqrt(2 * gammaincinv(horizon / 2, tails) / horizon)
    else:
        low, high = np.sqrt(fdtri(horizon, freedom, tails) * (freedom - 2) / freedom)
    return float(low), float(high)
