"""The built-in metrics, in the order in which they are shown."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from windtunnel.engine.metrics.returns import (
    alpha,
    beta,
    cagr,
    calmar,
    cvar,
    kurtosis,
    max_drawdown,
    max_drawdown_bars,
    sharpe,
    skew,
    sortino,
    tail_ratio,
    total_return,
    value_at_risk,
    volatility,
)
from windtunnel.engine.metrics.trades import (
    expectancy,
    fees,
    profit_factor,
    time_invested,
    trade_count,
    turnover,
    win_rate,
)
from windtunnel.engine.simulation import Simulation
from windtunnel.errors import InvalidValueError
from windtunnel.values import FloatArray, Metric

__all__ = ["METRICS", "Performance", "compute"]


@dataclass(frozen=True, eq=False)
class Performance:
    """What a metric is computed from.

    Parameters
    ----------
    simulation : Simulation
    periods_per_year : float
        Bars in a year.
    benchmark : array of float64, ``[T]``, optional
        Simple returns of the benchmark over the same bars; without them alpha and beta are NaN.

    Raises
    ------
    InvalidValueError
        If ``periods_per_year`` is not positive, or the benchmark does not have a finite return for each bar.
    """

    simulation: Simulation
    periods_per_year: float
    benchmark: FloatArray | None = None

    def __post_init__(self) -> None:
        if not 0 < self.periods_per_year < math.inf:
            raise InvalidValueError("periods_per_year", "must be positive and finite", self.periods_per_year)
        if self.benchmark is None:
            return
        shape = self.equity.shape
        if self.benchmark.shape != shape:
            raise InvalidValueError(
                "benchmark", f"must have the shape {shape} of the equity", self.benchmark.shape
            )
        if not np.isfinite(self.benchmark).all():
            bar = int(np.argmin(np.isfinite(self.benchmark)))
            raise InvalidValueError(f"benchmark[{bar}]", "must be finite", float(self.benchmark[bar]))

    @property
    def returns(self) -> FloatArray:
        """Simple returns, ``[T]``, the first against the starting cash."""
        return self.simulation.returns

    @property
    def equity(self) -> FloatArray:
        """Equity at each close, ``[T]``, in currency."""
        return self.simulation.equity

    @property
    def cash(self) -> float:
        """Starting cash, in currency."""
        return self.simulation.rules.cash

    @property
    def pnl(self) -> FloatArray:
        """Net profit of each round trip, the one still open included, in currency."""
        return self.simulation.trades.pnl


def _turnover(p: Performance) -> float:
    fills = p.simulation.fills
    return turnover(fills.units, fills.price, p.equity, p.periods_per_year)


def _alpha(p: Performance) -> float:
    return math.nan if p.benchmark is None else alpha(p.returns, p.benchmark, p.periods_per_year)


def _beta(p: Performance) -> float:
    return math.nan if p.benchmark is None else beta(p.returns, p.benchmark)


METRICS: tuple[Metric, ...] = (
    Metric("total_return", "Total return", lambda p: total_return(p.equity, p.cash), True, "fraction"),
    Metric("cagr", "A year (CAGR)", lambda p: cagr(p.equity, p.cash, p.periods_per_year), True, "fraction"),
    Metric(
        "volatility", "Volatility", lambda p: volatility(p.returns, p.periods_per_year), False, "fraction"
    ),
    Metric("sharpe", "Sharpe ratio", lambda p: sharpe(p.returns, p.periods_per_year), True, "ratio"),
    Metric("sortino", "Sortino ratio", lambda p: sortino(p.returns, p.periods_per_year), True, "ratio"),
    Metric("calmar", "Calmar ratio", lambda p: calmar(p.equity, p.cash, p.periods_per_year), True, "ratio"),
    Metric("max_drawdown", "Worst drawdown", lambda p: max_drawdown(p.equity, p.cash), True, "fraction"),
    Metric(
        "max_drawdown_bars", "Longest drawdown", lambda p: max_drawdown_bars(p.equity, p.cash), False, "bars"
    ),
    Metric("time_invested", "Time invested", lambda p: time_invested(p.simulation.gross), None, "fraction"),
    Metric("turnover", "Turnover a year", _turnover, None, "ratio"),
    Metric("trades", "Trades", lambda p: trade_count(p.pnl), None, "count"),
    Metric("win_rate", "Winning trades", lambda p: win_rate(p.pnl), True, "fraction"),
    Metric("profit_factor", "Profit factor", lambda p: profit_factor(p.pnl), True, "ratio"),
    Metric("expectancy", "Mean profit of a trade", lambda p: expectancy(p.pnl), True, "currency"),
    Metric("fees", "Fees paid", lambda p: fees(p.simulation.fills.fee), False, "currency"),
    Metric("var_95", "Value at risk (95%)", lambda p: value_at_risk(p.returns), True, "fraction"),
    Metric("cvar_95", "Expected shortfall (95%)", lambda p: cvar(p.returns), True, "fraction"),
    Metric("skew", "Skewness", lambda p: skew(p.returns), True, "ratio"),
    Metric("kurtosis", "Excess kurtosis", lambda p: kurtosis(p.returns), False, "ratio"),
    Metric("tail_ratio", "Tail ratio", lambda p: tail_ratio(p.returns), True, "ratio"),
    Metric("alpha", "Alpha a year", _alpha, True, "fraction"),
    Metric("beta", "Beta", _beta, None, "ratio"),
)
"""Every built-in metric; its ``compute`` takes a :class:`Performance`."""


def compute(performance: Performance, extra: Sequence[Metric] = ()) -> dict[str, float]:
    """Return every metric by name: the built-in ones in their order, then ``extra``.

    Values are plain Python numbers: int where a metric counts, else float; NaN where a figure is not defined
    or not finite.

    Raises
    ------
    InvalidValueError
        If an extra metric takes a name that is in use.
    """
    figures: dict[str, float] = {}
    for metric in (*METRICS, *extra):
        if metric.name in figures:
            raise InvalidValueError("metric", "must have a name that no other metric has", metric.name)
        value = metric.compute(performance)
        figures[metric.name] = value if isinstance(value, int) else _finite(float(value))
    return figures


def _finite(value: float) -> float:
    return value if math.isfinite(value) else math.nan
