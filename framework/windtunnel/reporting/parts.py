"""The parts of the report, in the order in which a reader asks."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, TypeAlias

import yaml

from windtunnel.reporting import tables
from windtunnel.reporting.charts import (
    account,
    certainty,
    combinations,
    coordinates,
    folds,
    importance,
    neighbourhood,
    search,
    surface,
    trading,
)
from windtunnel.reporting.charts.chart import Chart, holding
from windtunnel.reporting.landscape import Landscape
from windtunnel.reporting.neighbours import Neighbours
from windtunnel.reporting.optimized import failures, folds_table, judged_from, tried
from windtunnel.reporting.said import said
from windtunnel.reporting.series import clock
from windtunnel.reporting.small_print import facts
from windtunnel.reporting.swept import best_of_sweep, searched
from windtunnel.reporting.text import bar_word, called, counted, figure, interval, stamp
from windtunnel.reporting.verdict import intervals_table, statistics, verdict_line
from windtunnel.values import RangeShare, Rules

if TYPE_CHECKING:
    from windtunnel.pipeline.result import Result
    from windtunnel.values import Optimized, Section, Verdict

__all__ = ["Beside", "Html", "Part", "about", "parts"]


@dataclass(frozen=True)
class Html:
    """A piece of the page as it is."""

    text: str


@dataclass(frozen=True)
class Beside:
    """Charts that stand side by side where there is room."""

    charts: Sequence[Chart]


Block: TypeAlias = Html | Chart | list[Chart] | Beside | str
"""A piece of the page, a chart, charts to choose from or side by side, or a sentence on what is missing."""


@dataclass(frozen=True)
class Part:
    """A part of the report: its anchor, its heading (empty for the first) and what stands in it."""

    id: str
    title: str
    blocks: Sequence[Block]


def about(result: Result) -> str:
    """Return one line that says what was run: symbols, span, strategy and costs."""
    bars, rules = result.bars, result.simulation.rules
    time = clock(bars)
    names = ", ".join(bars.symbols[:4]) + (" …" if len(bars.symbols) > 4 else "")
    words = [
        names,
        f"{stamp(time[0])} … {stamp(time[-1])}, {counted(len(bars), bar_word(bars.periods_per_year))}",
        _strategy(result),
        f"fees {rules.fees * 100:.4g}%, slippage {slippage_of(rules)} a fill",
    ]
    return " · ".join(word for word in words if word)


def _strategy(result: Result) -> str:
    if not result.config:
        return ""
    section, found = result.config["strategy"], result.optimized
    if found is None:
        return called(section)
    chosen = f"{counted(len(found.space), 'parameter')} chosen in {counted(len(found.folds), 'fold')}"
    return f"{section['use']}, {chosen}"


def slippage_of(rules: Rules) -> str:
    """Return the slippage in words."""
    if isinstance(rules.slippage, RangeShare):
        return f"{rules.slippage.range * 100:.4g}% of the bar's range"
    return f"{rules.slippage * 100:.4g}%"


def parts(result: Result, extra: Sequence[Section]) -> list[Part]:
    """Return the whole report."""
    written = [
        Part("result", "", list(_answer(result))),
        Part("story", "How it came about", list(_story(result))),
        Part("models", "What the models said, and whether it came true", list(said(result))),
        Part("certainty", "How sure we can be", list(_certainty(result))),
        Part("figures", "All figures", [Html(tables.metrics(result))]),
        Part("setup", "The experiment", [_setup(result)]),
        Part("print", "Small print", [_small_print(result)]),
    ]
    if result.optimized is not None:
        chosen = list(_optimized(result, result.optimized))
        written.insert(1, Part("sweep", "How the parameters were chosen", chosen))
    elif result.sweep is not None:
        written.insert(1, Part("sweep", "How the parameters were chosen", list(_sweep(result))))
    if result.verdict is not None:
        written.insert(1, Part("verdict", "Is it real?", list(_verdict(result.verdict))))
    written = [part for part in written if part.blocks]
    added = [Part(f"extra-{i}", section.title, [Html(section.html)]) for i, section in enumerate(extra)]
    return [*written[:-3], *added, *written[-3:]]


def _answer(result: Result) -> Iterator[Block]:
    if result.verdict is not None:
        yield Html(verdict_line(result.verdict))
        yield Html(f"<p>{escape(result.sentence)}</p>")
    else:
        yield Html(f'<p class="sentence">{escape(result.sentence)}</p>')
    yield Html(_headline(result))
    if result.effects:
        yield Html(f"<p>{escape(' '.join(effect.sentence for effect in result.effects))}</p>")
    yield account.equity(result)


def _headline(result: Result) -> str:
    names = ("cagr", "sharpe", "max_drawdown", "time_invested")
    cards = [
        _card(result, metric.name, metric.title, metric.unit)
        for metric in result.figures
        if metric.name in names
    ]
    return f'<dl class="headline">{"".join(cards)}</dl>'


def _card(result: Result, name: str, title: str, unit: str) -> str:
    beside, other = "", ""
    if name == "sharpe" and result.comparison is not None:
        beside = interval(result.comparison.sharpe_low, result.comparison.sharpe_high)
    elif name == "time_invested":
        beside = counted(result.metrics["trades"], "trade")
    extent = f' <span class="range">{beside}</span>' if beside else ""
    if result.benchmark is not None:
        value = figure(result.benchmark.metrics[name], unit)
        other = f'<dd class="other">{escape(holding(result))} {value}</dd>'
    return (
        f'<div><dt>{escape(title)}</dt><dd class="value">{figure(result.metrics[name], unit)}{extent}</dd>'
        f"{other}</div>"
    )


def _sweep(result: Result) -> Iterator[Block]:
    yield Html(f"<p>{escape(searched(result))}</p>")
    drawn = surface.surface(result)
    yield drawn if isinstance(drawn, str) else Beside(drawn) if drawn[1:] else drawn[0]
    yield combinations.spread(result)
    yield Html(best_of_sweep(result))


def _optimized(result: Result, optimized: Optimized) -> Iterator[Block]:
    land = Landscape(optimized)
    yield Html(f"<p>{escape(tried(land))}</p>")
    if optimized.failed:
        yield Html(failures(land))
    yield search.progress(land)
    yield folds.kept_promise(land, result.bars.periods_per_year)
    yield folds.stability(land, judged_from(result))
    if optimized.folds:
        yield Html(f"<h3>What each fold chose, and what became of it</h3>{folds_table(result)}")
    yield neighbourhood.neighbourhood(Neighbours(land))
    yield coordinates.coordinates(land)
    yield importance.importance(land)
    if len(optimized.paths) > 1:
        yield folds.paths(land)
    if optimized.objectives[1:]:
        yield search.front(land)


def _verdict(verdict: Verdict) -> Iterator[Block]:
    yield Html(statistics(verdict))
    if verdict.intervals:
        yield Html(intervals_table(verdict))


def _story(result: Result) -> Iterator[Block]:
    yield trading.trades(result)
    if len(result.simulation.trades):
        yield Html(tables.trades(result))
    yield account.exposure(result)
    yield from _changes(result)


def _changes(result: Result) -> Iterator[Block]:
    decision = result.decision
    if not result.effects:
        yield "What each part changed: there is no gate, scorer or sizing beside the strategy."
        return
    yield Html("<h3>What each part changed, each on top of the ones before</h3>")
    yield Html(tables.effects(result))
    counts = [f"The strategy wanted {counted(decision.entries, 'entry', 'entries')}"]
    if decision.entries > result.effects[0].before["trades"]:
        counts[0] += " (one that finds no cash does not become a trade)"
    counts += [
        f"the {name} refused {refused:,}"
        for name, refused in (("gate", decision.refused_by_gate), ("scorer", decision.refused_by_scorer))
        if any(effect.part == name for effect in result.effects)
    ]
    if decision.abstained:
        counts.append(f"the scorer had no opinion on {decision.abstained:,} and let them through")
    yield Html(f"<p>{escape('; '.join(counts))}.</p>")


def _certainty(result: Result) -> Iterator[Block]:
    yield certainty.intervals(result)
    yield certainty.distribution(result)
    yield certainty.rolling(result)
    monthly = tables.months(result)
    if isinstance(monthly, str):
        yield monthly
    else:
        fact, grid = monthly
        yield Html(f"<h3>{escape(fact)}</h3>{grid}")


def _setup(result: Result) -> Block:
    if not result.config:
        return "The experiment: run from Python, without a file."
    plain = json.loads(json.dumps(dict(result.config), default=str))
    text = yaml.safe_dump(plain, sort_keys=False, allow_unicode=True, width=100)
    return Html(f'<pre tabindex="0"><code>{escape(text)}</code></pre>')


def _small_print(result: Result) -> Block:
    items = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in facts(result))
    again = ""
    if result.config:
        again = "<p>To reproduce, beside this file:</p><pre><code>windtunnel run experiment.yaml</code></pre>"
    note = (
        "<p>Figures are computed from every bar; charts of long series draw each stretch's extremes only. "
        "What was, need not come again.</p>"
    )
    return Html(f'<div class="small">{again}<dl>{items}</dl>{note}</div>')
