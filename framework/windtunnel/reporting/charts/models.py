"""What the models said: forecast volatility, and the scorer's opinion of entries."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from windtunnel.learn import realised_volatility
from windtunnel.reporting.charts.chart import (
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
from windtunnel.reporting.series import decimate
from windtunnel.reporting.text import bar_word, counted, percent

if TYPE_CHECKING:
    from windtunnel.pipeline.decide import Signals
    from windtunnel.pipeline.result import Result
    from windtunnel.values import BoolArray, Forecast

__all__ = ["contributions", "scores", "volatility"]

_SMOOTH = 21
_LEAST = 5
"""Below so many bars ahead, what came is drawn over 21: a day's is all noise."""
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
    shown = forecast.horizon if forecast.horizon >= _LEAST else _SMOOTH
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
    words = f"realised over the next {counted(shown, bar_word(bars.periods_per_year))}"
    return Chart(
        id="volatility",
        title=_volatility_title(result, forecast, column),
        data=[
            *band,
            line(words, x, came[rows], BENCHMARK, hover=".1%", width=1.2),
            line("forecast", x, mean[rows], STRATEGY, hover=".1%"),
        ],
        layout=layout(
            xaxis=date_axis(bars), yaxis=axis("volatility a year", tickformat=".0%", rangemode="tozero")
        ),
        height=280,
    )


def _volatility_title(result: Result, forecast: Forecast, column: int) -> str:
    """Say how the forecast compares with what came over its own horizon."""
    symbol, close = result.bars.symbols[column], result.bars.close[:, column]
    mean, low, high = (getattr(forecast, name)[:, column] for name in ("mean", "low", "high"))
    came = realised_volatility(close, forecast.horizon, result.bars.periods_per_year)
    known = ~np.isnan(mean) & ~np.isnan(came)
    if not known.any():
        return f"Forecast volatility of {symbol}."
    expected, realised = (float(np.sqrt(np.mean(values[known] ** 2))) for values in (mean, came))
    text = (
        f"Volatility of {symbol}: {percent(expected)} forecast, {percent(realised)} came (root mean square)"
    )
    banded = known & ~np.isnan(low) & ~np.isnan(high)
    if banded.any():
        inside = (came[banded] >= low[banded]) & (came[banded] <= high[banded])
        text += f"; the band held {percent(float(inside.mean()), 0)} of the outcomes"
    return f"{text}."


def scores(result: Result) -> Chart | str:
    """Draw the scorer's probability of each entry, taken or refused, beside what was asked of it."""
    signals = result.decision.signals
    if signals is None or not len(signals.features):
        return "Scores: no entry was scored."
    known = ~np.isnan(signals.scores.probability)
    if not known.any():
        count = counted(len(signals.features), "entry", "entries")
        return f"Scores: the scorer abstained on all of {count}."
    refused = known & (signals.scores.probability < signals.threshold)
    if not result.decision.refused_by_scorer:
        refused[:] = False
    taken = known & ~refused
    asked = line(
        "asked for",
        dates(result.bars, signals.features.bar[known]),
        signals.threshold[known],
        BENCHMARK,
        hover=".1%",
        width=1.2,
    )
    asked["line"]["shape"] = "hv"
    return Chart(
        id="scores",
        title=_scores_title(signals, taken, refused, len(result.bars)),
        data=[
            asked,
            _opinions(result, signals, taken, "taken", "circle", STRATEGY),
            _opinions(result, signals, refused, "refused", "x", WARNING),
        ],
        layout=layout(
            xaxis=date_axis(result.bars),
            yaxis=axis("probability of a win", tickformat=".0%"),
            hovermode="closest",
        ),
        height=280,
    )


def _scores_title(signals: Signals, taken: BoolArray, refused: BoolArray, bars: int) -> str:
    """Say how many entries were taken, and whether those were the better ones."""
    count = counted(int((taken | refused).sum()), "scored entry", "scored entries")
    text = f"Of {count} {taken.sum():,} were taken"
    ended = signals.outcomes.known < bars
    for rows, words in ((taken, "of them won"), (refused, "of those refused would have won")):
        if (rows & ended).any():
            text += f"; {percent(float(signals.outcomes.won[rows & ended].mean()), 0)} {words}"
    told = signals.scores.probability[taken | refused]
    if len(np.unique(told)) <= signals.fits:
        text += "; it said the same of every entry since each fit, and so tells nothing apart"
    return f"{text}."


def _opinions(
    result: Result, signals: Signals, rows: BoolArray, name: str, symbol: str, colour: str
) -> Trace:
    entry = signals.features.take(rows)
    words = [
        f"{safe(result.bars.symbols[column])}, {'long' if direction > 0 else 'short'}"
        for column, direction in zip(entry.symbol.tolist(), entry.direction.tolist(), strict=True)
    ]
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": dates(result.bars, entry.bar),
        "y": numbers(signals.scores.probability[rows]),
        "text": words,
        "marker": {"symbol": symbol, "color": colour, "size": 8},
        "hovertemplate": "%{x}<br>%{text}: %{y:.1%}<extra>" + name + "</extra>",
    }


def contributions(result: Result) -> Chart | str:
    """Draw what the scorer looked at: the mean absolute contribution of each feature."""
    signals = result.decision.signals
    if signals is None or np.isnan(signals.scores.probability).all():
        return "Contributions: no entry was scored."
    names = signals.features.names
    known = ~np.isnan(signals.scores.probability)
    weight = np.abs(signals.scores.contributions[known]).mean(axis=0)
    if not weight.any():
        return "Contributions: the scorer names none."
    best = np.argsort(-weight, kind="stable")[:_FEATURES][::-1]
    share = float(weight[best[-1]] / weight.sum())
    return Chart(
        id="contributions",
        title=f"The scorer looked most at {names[best[-1]]}: {percent(share, 0)} of all contributions.",
        data=[
            {
                "type": "bar",
                "orientation": "h",
                "x": numbers(weight[best]),
                "y": [safe(names[feature]) for feature in best],
                "marker": {"color": STRATEGY},
                "hovertemplate": "%{y}: %{x:.3~g}<extra></extra>",
            }
        ],
        layout=layout(
            xaxis=axis("mean absolute contribution", rangemode="tozero"),
            yaxis=axis("", type="category"),
            hovermode="closest",
        ),
        height=110 + 26 * len(best),
    )
