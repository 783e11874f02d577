"""Figures computed from positions, fills and round trips: one pure function each."""

from __future__ import annotations

import math

import numpy as np

from windtunnel.values import FloatArray

__all__ = ["expectancy", "fees", "profit_factor", "time_invested", "trade_count", "turnover", "win_rate"]


def time_invested(gross: FloatArray) -> float:
    """Return the share of bars at whose close anything is held, long or short. Neither direction is better.

    ``gross`` is the sum of absolute positions at each close, ``[T]``. NaN without bars.
    """
    return np.count_nonzero(gross > 0) / len(gross) if len(gross) else math.nan


def turnover(units: FloatArray, price: FloatArray, equity: FloatArray, periods_per_year: float) -> float:
    """Return what is traded in a year over the average equity, two-way. Neither direction is better.

    ``Σ |units × price| / mean(equity) × periods / T``: buys and sells both count, so buying and selling the
    whole account once a year is 2. Times the proportional fee, it is the yearly cost as a share of equity.

    Parameters
    ----------
    units, price : array of float64
        One element a fill; sold units are negative.
    equity : array of float64, ``[T]``
        NaN is returned without bars and where the average is not positive.
    periods_per_year : float
    """
    average = float(equity.mean()) if len(equity) else 0.0
    if average <= 0:
        return math.nan
    return float((np.abs(units) * price).sum()) / average * periods_per_year / len(equity)


def trade_count(pnl: FloatArray) -> int:
    """Return the number of round trips, the one still open included. Neither direction is better.

    ``pnl`` is the net profit of each round trip, in currency. A position closed in two fills is two.
    """
    return len(pnl)


def win_rate(pnl: FloatArray) -> float:
    """Return the share of round trips with a net profit above 0. Higher is better. NaN without trades."""
    return np.count_nonzero(pnl > 0) / len(pnl) if len(pnl) else math.nan


def profit_factor(pnl: FloatArray) -> float:
    """Return the sum of the profits over the sum of the losses. Higher is better.

    ``pnl`` is net of costs, in currency, one element a round trip. NaN without a losing trade.
    """
    lost = -float(pnl[pnl < 0].sum())
    return float(pnl[pnl > 0].sum()) / lost if lost > 0 else math.nan


def expectancy(pnl: FloatArray) -> float:
    """Return the mean net profit of a round trip, in currency. Higher is better. NaN without trades."""
    return float(pnl.mean()) if len(pnl) else math.nan


def fees(fee: FloatArray) -> float:
    """Return the fees of all fills together, in currency. Lower is better. Slippage is in the prices."""
    return float(fee.sum())
