"""Is it real, or luck? The verdict in the report: the sentence, and the figures that it rests on."""

from __future__ import annotations

import math
from collections.abc import Iterator
from html import escape
from typing import TYPE_CHECKING

from windtunnel.engine.metrics import METRICS
from windtunnel.reporting.tables import Cell, table
from windtunnel.reporting.text import NOTHING, counted, figure, interval, number, percent

if TYPE_CHECKING:
    from windtunnel.values import Verdict

__all__ = ["MARKS", "intervals_table", "statistics", "verdict_line"]

MARKS = {"likely real": "✓", "cannot tell": "?", "likely overfit": "✗"}
"""A sign of each call, so that it does not rest on colour."""
_KINDS = {"likely real": "real", "cannot tell": "open", "likely overfit": "overfit"}


def verdict_line(verdict: Verdict) -> str:
    """Return the call with its mark, and why."""
    call = f"{verdict.call[0].upper()}{verdict.call[1:]}"
    return (
        f'<p class="sentence verdict {_KINDS[verdict.call]}"><span aria-hidden="true">{MARKS[verdict.call]}'
        f"</span><strong>{call}.</strong> {escape(verdict.because)}</p>"
    )


def statistics(verdict: Verdict) -> str:
    """Return the table of what the verdict rests on, with what each figure means."""
    rows = [
        [Cell(name), Cell(value.replace(" ", "\N{NO-BREAK SPACE}")), Cell(meaning)]
        for name, value, meaning in _rows(verdict)
    ]
    return table("", ("figure", "value", "what it means"), rows, label="What the verdict rests on")


def _rows(verdict: Verdict) -> Iterator[tuple[str, str, str]]:
    yield from _search(verdict)
    yield from _probabilities(verdict)
    yield from _tests(verdict)


def _search(verdict: Verdict) -> Iterator[tuple[str, str, str]]:
    years = f"{number(verdict.years, 1)} years of " if math.isfinite(verdict.years) else ""
    before = "none of them" if verdict.earlier == 0 else f"{number(verdict.earlier, 0)} of them"
    yield (
        "Chance, p",
        _p(verdict.chance),
        "What the call rests on, of the next two: how often it would look as good without an edge over cash "
        "and the benchmark.",
    )
    yield (
        "Chance out of sample, p",
        _p(verdict.chance_outside),
        "How often the result would be as good without an edge, after the looks of earlier runs.",
    )
    yield (
        "Chance in sample, p",
        _p(verdict.chance_search),
        "How often the luckiest of all trials would show as much as was shown in sample.",
    )
    yield (
        "Sharpe ratio out of sample",
        _beside(verdict.outside, verdict.benchmark),
        f"A year, of the {years}judged returns: the result. In brackets that of holding the benchmark.",
    )
    yield (
        "Sharpe ratio in sample",
        _beside(verdict.inside, verdict.benchmark_inside),
        "A year, of the choice on all data, on that same data: what a search likes to show.",
    )
    yield (
        "Best of pure luck",
        number(verdict.expected),
        f"The highest ratio in sample that {counted(verdict.trials, 'trial')} without any edge would show.",
    )
    yield (
        "Trials that count",
        number(verdict.trials, 0),
        f"Different parameter sets ever tried on this data and family; {before} in earlier runs.",
    )
    yield (
        "Independent trials",
        number(verdict.effective, 0),
        "What those are worth by clustering alike ones; shown for comparison, all of them count.",
    )


def _beside(value: float, benchmark: float) -> str:
    return number(value) if math.isnan(benchmark) else f"{number(value)} [{number(benchmark)}]"


def _probabilities(verdict: Verdict) -> Iterator[tuple[str, str, str]]:
    yield (
        "Probabilistic Sharpe ratio",
        percent(verdict.probabilistic, 0),
        "Probability that the true ratio of the judged returns is above 0, given their length and tails.",
    )
    yield (
        "Deflated Sharpe ratio",
        percent(verdict.deflated, 0),
        "Probability that the ratio in sample is more than the best of pure luck; 95% would convince.",
    )
    ways = f" in {number(verdict.halvings, 0)} ways to halve the data" if verdict.halvings else ""
    yield (
        "Probability of overfitting",
        percent(verdict.overfit, 0),
        f"How often the best of one half fell into the worse half of the other{ways}; a coin has 50%.",
    )
    yield (
        "Minimum track record",
        _years(verdict.track_record),
        "Years that the judged returns must last to be 95% sure of a ratio above 0"
        + (f"; there are {number(verdict.years, 1)}." if math.isfinite(verdict.years) else "."),
    )
    yield (
        "Minimum backtest length",
        _years(verdict.backtest_length),
        "Years of data below which the luckiest of so many trials would show what was shown in sample.",
    )


def _tests(verdict: Verdict) -> Iterator[tuple[str, str, str]]:
    found = verdict.reality
    low, high = found.get("spa_lower", math.nan), found.get("spa_upper", math.nan)
    between = interval(low, high)
    yield (
        "SPA test, p",
        f"{_p(found.get('spa', math.nan))}{f' {between}' if between else ''}",
        f"Superior predictive ability: how often the best of {counted(verdict.tested, 'trial')} would "
        "beat the benchmark so by luck; small is good. In brackets the lower and upper form.",
    )
    yield (
        "Reality check, p",
        _p(found.get("reality_check", math.nan)),
        "The same by White's older and more cautious test.",
    )
    yield (
        "StepM test",
        f"{number(verdict.superior, 0)} of {number(verdict.tested, 0)}",
        "Trials better than the benchmark, with one chance in 20 that any of these is a false alarm.",
    )
    yield (
        "Permutation test, p",
        _p(verdict.permutation),
        "How often the same positions, shifted against the prices, earned as much; small is good.",
    )


def _p(value: float) -> str:
    return "<0.01" if value < 0.01 else number(value)


def _years(value: float) -> str:
    if math.isnan(value):
        return NOTHING
    return "for ever" if math.isinf(value) else f"{number(value, 1)} years"


def intervals_table(verdict: Verdict) -> str:
    """Return the headline metrics of the judged returns with their intervals; empty where there are none."""
    if not verdict.intervals:
        return ""
    known = {metric.name: metric for metric in METRICS}
    rows = []
    for name, (value, low, high) in verdict.intervals.items():
        metric = known.get(name)
        title, unit = (name.replace("_", " "), "ratio") if metric is None else (metric.title, metric.unit)
        ends = [Cell(figure(end, unit), end) for end in (low, high)]
        rows.append([Cell(title), Cell(figure(value, unit), value), *ends])
    level = percent(verdict.level, 0)
    where = "in sample" if math.isnan(verdict.outside) else "out of sample"
    heads = ("figure", where, "from", "to")
    title = f"{where.capitalize()}, with {level} intervals"
    return f"<h3>{title}</h3>{table('', heads, rows, label=title)}"
