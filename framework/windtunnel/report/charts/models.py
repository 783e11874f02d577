"""What the models said: forecast volatility, and the scorer's opinion of entries."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from windtunnel.report.charts.chart import (
    BENCHMARK,
    SOFT,
    STRATEGY,
    WARNING,
    Chart,
    Trace,
    axis,
    date_axis,
    dates,
    layout,
    line,
    main_column,
    numbers,
    safe,
)
from windtunnel.report.series import decimate, realised_volatility
from windtunnel.report.text import bar_word, counted, number, percent

if TYPE_CHECKING:
    from windtunnel.pipeline.result import Result
    from windtunnel.values import BoolArray, FloatArray

__all__ = ["contributions", "scores", "volatility"]

_SMOOTH = 21
_FEATURES = 8


def volatility(result: Result) -> Chart | str:
    """Draw the forecast with its band beside what came."""
    forecast = result.decision.forecast
    if forecast is None:
        return "Volatility: the experiment forecasts none."
    bars, column = result.bars, main_column(result)
    mean, low, high = (getattr(forecast, name)[:, column] for name in ("mean", "low", "high"))
    if np.isnan(mean).all():
        return "Volatility: the model abstained on every bar."
    close = bars.close[:, column]
    shown = max(forecast.horizon, _SMOOTH)
    came = realised_volatility(close, shown, bars.periods_per_year)
    rows = decimate([mean, came])
    x = dates(bars, rows)
    edge = {"mode": "lines", "showlegend": False, "hoverinfo": "skip", "hovertemplate": None}
    band = [
        line("low", x, low[rows], "rgba(0,0,0,0)", hover=".1%", width=0) | edge,
        line("high", x, high[rows], "rgba(0,0,0,0)", hover=".1%", width=0)
        | edge
        | {"fill": "tonexty", "fillcolor": SOFT},
    ]
    word = bar_word(bars.periods_per_year)
    return Chart(
        id="volatility",
        title=_volatility_title(bars.symbols[column], mean, low, high, result),
        data=[
            *band,
            line(f"realised over the next {counted(shown, word)}", x, came[rows], BENCHMARK, hover=".1%", width=1.2),
            line("forecast", x, mean[rows], STRATEGY, hover=".1%"),
        ],
        layout=layout(
            xaxis=date_axis(bars), yaxis=axis("volatility a year", tickformat=".0%", rangemode="tozero")
        ),
        height=280,
    )  # fmt: skip


def _volatility_title(
    symbol: str, mean: FloatArray, low: FloatArray, high: FloatArray, result: Result
) -> str:
    forecast = result.decision.forecast
    assert forecast is not None
    close = result.bars.close[:, main_column(result)]
    came = realised_volatility(close, forecast.horizon, result.bars.periods_per_year)
    known = ~np.isnan(mean) & ~np.isnan(came)
    if not known.any():
        return f"Forecast volatility of {symbol}."
    expected, realised = (float(np.sqrt(np.mean(values[known] ** 2))) for values in (mean, came))
    text = f"Volatility of {symbol}: {percent(expected)} forecast, {percent(realised)} came (root mean square)"
    banded = known & ~np.isnan(low) & ~np.isnan(high)
    if banded.any():
        inside = (came[banded] >= low[banded]) & (came[banded] <= high[banded])
        text += f"; the band held {percent(float(inside.mean()), 0)} of the outcomes"
    return f"{text}."


def scores(result: Result) -> Chart | str:
    """Draw the scorer's probability of each entry, taken or refused."""
    said, signals = result.decision.scores, result.decision.signals
    if said is None or signals is None or not len(signals):
        return "Scores: no entry was scored."
    known = ~np.isnan(said.probability)
    if not known.any():
        return f"Scores: the scorer abstained on all {counted(len(signals), 'entry').replace('entrys', 'entries')}."
    taken = np.nan_to_num(result.decision.weights[signals.bar, signals.symbol]) != 0
    low, high = float(said.probability[known].min()), float(said.probability[known].max())
    title = (
        f"Of {number(float(known.sum()), 0)} scored entries {number(float((known & taken).sum()), 0)} were taken; "
        f"the scorer gave them {percent(low, 0)} to {percent(high, 0)} to win."
    )
    return Chart(
        id="scores",
        title=title,
        data=[
            _opinions(result, known & taken, "taken", "circle", STRATEGY),
            _opinions(result, known & ~taken, "refused", "x", WARNING),
        ],
        layout=layout(
            xaxis=date_axis(result.bars),
            yaxis=axis("probability of a win", tickformat=".0%"),
            hovermode="closest",
        ),
        height=260,
    )


def _opinions(result: Result, rows: BoolArray, name: str, symbol: str, colour: str) -> Trace:
    signals, said = result.decision.signals, result.decision.scores
    assert signals is not None
    assert said is not None
    words = [
        f"{safe(result.bars.symbols[column])}, {'long' if direction > 0 else 'short'}"
        for column, direction in zip(signals.symbol[rows], signals.direction[rows], strict=True)
    ]
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": dates(result.bars, signals.bar[rows]),
        "y": numbers(said.probability[rows]),
        "text": words,
        "marker": {"symbol": symbol, "color": colour, "size": 8},
        "hovertemplate": "%{x}<br>%{text}: %{y:.1%}<extra>" + name + "</extra>",
    }


def contributions(result: Result) -> Chart | str:
    """Draw what the scorer looked at: the mean absolute contribution of each feature."""
    said, signals = result.decision.scores, result.decision.signals
    if said is None or signals is None or not len(signals):
        return "Contributions: no entry was scored."
    known = ~np.isnan(said.probability)
    weight = np.abs(said.contributions[known]).mean(axis=0) if known.any() else np.zeros(len(signals.names))
    if not weight.any():
        return "Contributions: the scorer names none."
    best = np.argsort(-weight, kind="stable")[:_FEATURES][::-1]
    share = float(weight[best[-1]] / weight.sum())
    return Chart(
        id="contributions",
        title=f"The scorer looked most at {signals.names[best[-1]]}: {percent(share, 0)} of all contributions.",
        data=[
            {
                "type": "bar",
                "orientation": "h",
                "x": numbers(weight[best]),
                "y": [safe(signals.names[feature]) for feature in best],
                "marker": {"color": STRATEGY},
                "hovertemplate": "%{y}: %{x:.3~g}<extra></extra>",
            }
        ],
        layout=layout(
            xaxis=axis("mean absolute contribution, in the scorer's units", rangemode="tozero"),
            yaxis=axis("", type="category"),
            hovermode="closest",
            margin={"l": 56, "r": 12, "t": 8, "b": 40},
        ),
        height=90 + 26 * len(best),
    )
