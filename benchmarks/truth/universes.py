"""Simulated markets in which it is known whether there is an edge."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import sqrt

import numpy as np

from windtunnel import Bars
from windtunnel.values import FloatArray

__all__ = ["MARKETS", "YEAR", "Market", "bars_of"]

YEAR = 252
YEARS = 10
_ARCH, _GARCH, _FREEDOM, _VOLATILITY = 0.08, 0.90, 6.0, 0.16
_DWELL = 60.0
_BURN = 500
_START = np.datetime64("2010-01-01", "D")


@dataclass(frozen=True)
class Market:
    """A kind of market.

    Parameters
    ----------
    name : str
    held : float
        Population Sharpe ratio a year of holding.
    short : bool
        Whether strategies also go short.
    benchmark : bool
        Whether an edge must be one over holding, at equal risk; else over cash.
    strength : float
        Planted trend in daily deviations, such that the best grid point's population net Sharpe ratio is 1.5:
        ``run.py --calibrate``.
    """

    name: str
    held: float
    short: bool
    benchmark: bool
    strength: float


MARKETS = (
    Market("index, long or flat, against holding it", 0.4, False, True, 0.216),
    Market("spread, long or short, against cash", 0.0, True, False, 0.203),
)


def bars_of(market: Market, strength: float, seed: int, years: int = YEARS) -> Bars:
    """Return daily bars of one symbol.

    Returns are GARCH(1, 1) with innovations of Student's t. The premium is proportional to the variance of
    the day, so that holding has the highest Sharpe ratio of all that may be done without knowing the future,
    and no timing of volatility is an edge. A planted edge is a trend that turns up or down at random times,
    ``strength`` daily deviations a day and 60 days long on average. A bar opens at the close before.
    """
    random = np.random.default_rng([seed, int(market.short), int(strength > 0)])
    count = YEAR * years + _BURN
    shocks = random.standard_t(_FREEDOM, count) / sqrt(_FREEDOM / (_FREEDOM - 2))
    variance = _variances(shocks)
    turns = np.cumsum(random.random(count) < 1 / _DWELL) + random.integers(2)
    deviation = _VOLATILITY / sqrt(YEAR)
    premium = market.held / sqrt(YEAR) / deviation * variance
    trend = strength * deviation * np.where(turns % 2, 1.0, -1.0)
    returns = (premium + trend + np.sqrt(variance) * shocks)[_BURN:]
    close = 100 * np.cumprod(1 + returns)
    opened = np.concatenate(([100.0], close[:-1]))
    days = np.busday_offset(_START, np.arange(len(close)), roll="forward")
    bars = Bars.from_arrays(
        days.astype("datetime64[ns]"),
        close,
        open=opened,
        high=np.maximum(opened, close),
        low=np.minimum(opened, close),
    )
    return replace(bars, periods_per_year=YEAR)


def _variances(shocks: FloatArray) -> FloatArray:
    long_run = _VOLATILITY**2 / YEAR
    variance = np.empty(len(shocks))
    now = long_run
    for day, shock in enumerate(shocks.tolist()):
        variance[day] = now
        now = (1 - _ARCH - _GARCH) * long_run + (_ARCH * shock * shock + _GARCH) * now
    return variance
