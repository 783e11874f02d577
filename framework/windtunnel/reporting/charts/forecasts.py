"""Whether volatility came as forecast: how often the interval held it, and how far off the mean was."""

from __future__ import annotations

from math import isnan, nan
from typing import TYPE_CHECKING

import numpy as np

from windtunnel.indicators import log_returns
from windtunnel.learn import realised_volatility
from windtunnel.learn.losses import coverage as held
from windtunnel.learn.losses import diebold_mariano, mincer_zarnowitz, qlike
from windtunnel.panels import by_symbol, rolling_mean
from windtunnel.reporting.charts.chart import (
    BENCHMARK,
    STRATEGY,
    Chart,
    axis,
    date_axis,
    dates,
    layout,
    line,
    main_column,
)
from windtunnel.reporting.series import decimate
from windtunnel.reporting.text import bar_word, counted, number, percent

if TYPE_CHECKING:
    from windtunnel.pipeline.result import Result
    from windtunnel.values import FloatArray

__all__ = ["coverage", "losses"]

_ROLLING, _NAIVE = 250, 21


def coverage(result: Result) -> Chart | str:
    """Draw the share of outcomes inside the interval over time, beside the nominal one."""
    forecast = result.decision.forecast
    if forecast is None:
        return "Coverage: the experiment forecasts no volatility."
    column = main_column(result)
    mean, low, high = (getattr(forecast, name)[:, column] for name in ("mean", "low", "high"))
    came = _came(result, forecast.horizon)
    known = np.flatnonzero(~np.isnan(came + low + high + mean))
    if len(known) < _ROLLING:
        return f"Coverage: fewer than {_ROLLING} forecasts with an interval have an outcome yet."
    inside = ((low <= came) & (came <= high)).astype(np.float64)[known]
    share = np.full(len(came), np.nan)
    share[known] = rolling_mean(inside, _ROLLING)
    rows = decimate([share])
    x, nominal = dates(result.bars, rows), _nominal(result)
    drawn = [line(f"inside, of {_ROLLING} forecasts", x, share[rows], STRATEGY, hover=".0%")]
    if not isnan(nominal):
        drawn.append(line("nominal", x, np.full(len(rows), nominal), BENCHMARK, hover=".0%", width=1.2))
    found = held(came, low, high, forecast.horizon)
    words = "outcome" if forecast.horizon == 1 else "outcome without overlap"
    count = counted(found.windows, words, words.replace("outcome", "outcomes"))
    asked = "" if isnan(nominal) else f" of nominally {percent(nominal, 0)}"
    return Chart(
        id="forecast-coverage",
        title=(
            f"The interval{asked} held {percent(found.share)} of {count} for "
            f"{result.bars.symbols[column]} (95% interval {percent(found.low)} to {percent(found.high)})."
        ),
        data=drawn,
        layout=layout(
            xaxis=date_axis(result.bars), yaxis=axis("share inside", tickformat=".0%", range=[0, 1.02])
        ),
        height=240,
    )


def losses(result: Result) -> Chart | str:
    """Draw how much less QLIKE the forecasts have lost so far than the volatility of the last 21 bars."""
    forecast = result.decision.forecast
    if forecast is None:
        return "Losses: the experiment forecasts no volatility."
    column, bars = main_column(result), result.bars
    variance, came = forecast.mean[:, column] ** 2, _came(result, forecast.horizon) ** 2
    naive = _naive(result)
    gained = qlike(came, naive) - qlike(came, variance)
    known = np.flatnonzero(~np.isnan(gained))
    if len(known) < forecast.horizon + 2:
        return "Losses: too few forecasts have an outcome yet."
    total = np.full(len(came), np.nan)
    total[known] = np.cumsum(gained[known])
    rows = decimate([total])
    test = diebold_mariano(qlike(came, variance), qlike(came, naive), forecast.horizon)
    fit = mincer_zarnowitz(came, variance)
    word = "lower" if test.difference < 0 else "higher"
    p = "" if isnan(test.p) else f" (Diebold–Mariano p {number(test.p, 3)})"
    slope = (
        "" if isnan(fit.beta) else f"; where the variance forecast was 1 higher, {number(fit.beta)} more came"
    )
    return Chart(
        id="forecast-losses",
        title=(
            f"Over {counted(len(known), 'forecast')} for {bars.symbols[column]} the mean QLIKE was "
            f"{number(abs(test.difference), 3)} {word} than that of the last {_NAIVE} "
            f"{bar_word(bars.periods_per_year)}s' volatility{p}{slope}."
        ),
        data=[line("QLIKE saved so far", dates(bars, rows), total[rows], STRATEGY, hover=".3~g")],
        layout=layout(xaxis=date_axis(bars), yaxis=axis("QLIKE saved, summed")),
        height=240,
    )


def _came(result: Result, horizon: int) -> FloatArray:
    """Return what came over the horizon, of the main symbol."""
    close = result.bars.close[:, main_column(result)]
    return realised_volatility(close, horizon, result.bars.periods_per_year)


def _naive(result: Result) -> FloatArray:
    """Return the annualised mean squared log return of the last 21 bars, of the main symbol."""
    squares = log_returns(result.bars.close[:, main_column(result)]) ** 2
    return by_symbol(lambda own: rolling_mean(own, _NAIVE), squares) * result.bars.periods_per_year


def _nominal(result: Result) -> float:
    """Return how often the interval should hold the outcome; NaN where that is not written down."""
    section = result.config.get("volatility") or {}
    source = section if section.get("interval", "conformal") == "conformal" else section.get("params", {})
    return float(source.get("coverage", nan))
