"""Whether a scorer's probabilities came true, out of sample, and whether its risk levels mean anything."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from windtunnel.learn.calibration import auc, brier_skill
from windtunnel.reporting.charts.chart import (
    BENCHMARK,
    MUTED,
    STRATEGY,
    WARNING,
    Chart,
    Trace,
    axis,
    layout,
    line,
    numbers,
)
from windtunnel.reporting.text import counted, interval, number, percent

if TYPE_CHECKING:
    from windtunnel.pipeline.result import Result
    from windtunnel.values import BoolArray, FloatArray, IntArray

__all__ = ["Interval", "bootstrap", "reliability", "risk"]

_BINS, _LEAST, _DRAWS = 10, 20, 1000
_LEVELS = ("low", "medium", "high")


class Interval(NamedTuple):
    """A figure and its 95 % interval."""

    value: float
    low: float
    high: float


def bootstrap(statistic: Callable[[FloatArray], float], block: IntArray, seed: int) -> Interval:
    """Return a statistic with the interval of its draws, whole blocks of time drawn with replacement.

    Parameters
    ----------
    statistic : callable
        Of the weight of each signal, ``[n]``.
    block : array of int64, ``[n]``
        Which block each signal belongs to; NaN bounds with fewer than two.
    seed : int
    """
    random = np.random.default_rng(seed)
    names, place = np.unique(block, return_inverse=True)
    value = statistic(np.ones(len(block)))
    if len(names) < 2:
        return Interval(value, np.nan, np.nan)
    draws = np.empty(_DRAWS)
    for draw in range(_DRAWS):
        drawn = random.integers(len(names), size=len(names))
        draws[draw] = statistic(np.bincount(drawn, minlength=len(names))[place].astype(np.float64))
    known = draws[~np.isnan(draws)]
    low, high = np.quantile(known, [0.025, 0.975]) if len(known) else (np.nan, np.nan)
    return Interval(value, float(low), float(high))


def reliability(result: Result) -> Chart | str:
    """Draw how often signals won, by the probability they were given; the error bars are intervals of 95 %.

    The naive answer is the share of wins among all outcomes known when the signal came. Time is drawn anew in
    blocks as long as the mean outcome takes.
    """
    signals = result.decision.signals
    if signals is None:
        return "Reliability: no entry was scored."
    bar, known = signals.features.bar, signals.outcomes.known
    base = _share_before(bar, known, signals.outcomes.won)
    rows = np.flatnonzero(
        ~np.isnan(signals.scores.probability) & (known < len(result.bars)) & ~np.isnan(base)
    )
    if len(rows) < _LEAST:
        return f"Reliability: fewer than {_LEAST} scored entries have a known outcome."
    said, won, base = signals.scores.probability[rows], signals.outcomes.won[rows], base[rows]
    block = bar[rows] // max(1, round(float((known - bar)[rows].mean())))
    return Chart(
        id="reliability",
        title=_title(said, won, base, block),
        data=[
            *_naive(said, float(won.mean())),
            _curve(said, won, block),
        ],
        layout=layout(
            xaxis=axis("probability said", tickformat=".0%"),
            yaxis=axis("share that won", tickformat=".0%", range=[-0.02, 1.02]),
            hovermode="closest",
        ),
        height=320,
    )


def _share_before(bar: IntArray, known: IntArray, won: BoolArray) -> FloatArray:
    """Return the share of wins among the outcomes known at each signal's bar; NaN before the first."""
    order = np.argsort(known, kind="stable")
    count = np.searchsorted(known[order], bar, side="right")
    wins = np.concatenate(([0], np.cumsum(won[order])))[count]
    share = np.full(len(bar), np.nan)
    np.divide(wins, count, out=share, where=count > 0)
    return share


def _title(said: FloatArray, won: BoolArray, base: FloatArray, block: IntArray) -> str:
    skill = bootstrap(partial(brier_skill, said, won, base), block, 0)
    area = bootstrap(partial(auc, said, won), block, 0)
    if skill.low > 0:
        verdict = "are better than"
    elif skill.high < 0:
        verdict = "are worse than"
    else:
        verdict = "cannot be told from"
    return (
        f"Of {counted(len(won), 'scored entry', 'scored entries')} {percent(float(won.mean()), 0)} won; the "
        f"probabilities {verdict} the share of wins so far: "
        f"Brier skill {number(skill.value, 3, signed=True)} "
        f"{interval(skill.low, skill.high, 3, signed=True)}, area under the curve {number(area.value)} "
        f"{interval(area.low, area.high)}, with 95% intervals."
    )


def _curve(said: FloatArray, won: BoolArray, block: IntArray) -> Trace:
    """Return the points, of about equally many signals each."""
    order = np.argsort(said, kind="stable")
    parts = np.array_split(order, min(_BINS, len(order) // _LEAST))
    came = [bootstrap(partial(_mean, won[part]), block[part], 0) for part in parts]
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": "came",
        "x": numbers(said[part].mean() for part in parts),
        "y": numbers(point.value for point in came),
        "text": [counted(len(part), "entry", "entries") for part in parts],
        "error_y": {
            "type": "data",
            "symmetric": False,
            "array": numbers(point.high - point.value for point in came),
            "arrayminus": numbers(point.value - point.low for point in came),
            "color": STRATEGY,
            "thickness": 1.2,
        },
        "marker": {"size": 9, "color": STRATEGY},
        "line": {"color": STRATEGY, "width": 1.2},
        "hovertemplate": "said %{x:.1%}, came %{y:.1%}<br>%{text}<extra></extra>",
    }


def _mean(values: BoolArray, weight: FloatArray) -> float:
    total = float(weight.sum())
    return float(weight @ values) / total if total > 0 else np.nan


def _naive(said: FloatArray, share: float) -> list[Trace]:
    ends = [float(said.min()), float(said.max())]
    return [
        line("as said", ends, np.array(ends), MUTED, hover=".1%", width=1.2),
        line("share of wins", ends, np.array([share, share]), BENCHMARK, hover=".1%", width=1.2),
    ]


def risk(result: Result) -> Chart | str:
    """Draw how signals of each risk level ended: the mean return, and that of the worst tenth."""
    signals = result.decision.signals
    if signals is None or not len(signals.stop):
        return "Risk: no entry was scored."
    level, returns = signals.risk_level, signals.outcomes.returns
    known = (level != "") & ~np.isnan(returns)
    groups = {name: returns[known & (level == name)] for name in _LEVELS}
    if min(map(len, groups.values())) < _LEAST:
        return f"Risk: fewer than {_LEAST} entries of some risk level have a known outcome."
    worst = [_worst_tenth(values) for values in groups.values()]
    told = "as called" if worst[0] > worst[1] > worst[2] else "not in the order of their levels"
    return Chart(
        id="risk",
        title=(
            f"The worst tenth of the entries called low risk lost {percent(-worst[0])}, of medium "
            f"{percent(-worst[1])}, of high {percent(-worst[2])}: {told}."
        ),
        data=[
            _bars("mean", groups, [float(values.mean()) for values in groups.values()], STRATEGY),
            _bars("worst tenth", groups, worst, WARNING),
        ],
        layout=layout(
            xaxis=axis("risk level", type="category"),
            yaxis=axis("return of an entry, after costs", tickformat=".1%"),
            hovermode="closest",
        ),
        height=260,
    )


def _worst_tenth(returns: FloatArray) -> float:
    return float(np.sort(returns)[: max(1, len(returns) // 10)].mean())


def _bars(name: str, groups: dict[str, FloatArray], heights: list[float], colour: str) -> Trace:
    return {
        "type": "bar",
        "name": name,
        "x": list(groups),
        "y": numbers(heights),
        "text": [counted(len(values), "entry", "entries") for values in groups.values()],
        "textposition": "none",
        "marker": {"color": colour},
        "hovertemplate": "%{x}, %{text}: %{y:.2%}<extra>" + name + "</extra>",
    }
