"""How good signal scores are: entries of three strategies on 300 symbols, scored on a schedule."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from time import perf_counter

import numpy as np
import pandas as pd
from row import Row, shared

from windtunnel import Bars, Market, Rules, SignalScorer, Strategy
from windtunnel.learn import (
    barrier_outcomes,
    entries,
    held_direction,
    score,
    signal_features,
    silent,
    with_record,
)
from windtunnel.learn.calibration import auc, brier_skill, calibration_error
from windtunnel.pipeline.sections import ScorerSection
from windtunnel.reporting.charts.calibration import Interval, bootstrap
from windtunnel.values import FloatArray, Outcomes, SignalFeatures
from windtunnel_plugins.scorers import Boosting, Forest, Logistic
from windtunnel_plugins.strategies import BollingerRsi, Donchian, SmaCross

SYMBOLS, SIGNALS, ANSWERS = 300, 10_000, 50
RULES = Rules(fees=0.0005, slippage=0.0002)
SCHEDULE, YEARLY = ScorerSection(use="any"), ScorerSection(use="any", refit=252)
STRATEGIES = (SmaCross(), Donchian(), BollingerRsi())
SCORERS = (Forest(contributions=False), Boosting(contributions=False), Logistic())


def measure() -> list[Row]:
    market = _market()
    sets = {f"entries of {each.name}, {SYMBOLS} symbols": _signals(market, each) for each in STRATEGIES}
    rows: list[Row] = []
    for exam, (signals, outcomes) in sets.items():
        for scorer in SCORERS:
            rows += _skill(exam, scorer, SCHEDULE, signals, outcomes, len(market.bars))
    rows += _known_truth()
    past = outcomes.known < len(market.bars)
    for scorer in SCORERS:
        rows += _speed(scorer, signals.take(past), outcomes.take(past))
    return rows


def _market() -> Market:
    """Return the first 300 symbols by name, unsound rows dropped, as listed: some begin late."""
    table = pd.read_parquet(shared() / "data" / "us_sp500_daily_2013_2018" / "prices.parquet")
    chosen = np.sort(table["symbol"].unique())[:SYMBOLS]
    return Market(Bars.from_frame(table[table["symbol"].isin(chosen)], repair="drop"))


def _signals(market: Market, strategy: Strategy) -> tuple[SignalFeatures, Outcomes]:
    exposure, present = strategy.exposure(market), market.bars.present
    signals = signal_features(market, entries(exposure, present), held_direction(exposure, present))
    outcomes = barrier_outcomes(market, signals, SCHEDULE.outcome.barriers, RULES)
    return with_record(signals, outcomes), outcomes


def _skill(
    exam: str,
    scorer: SignalScorer,
    schedule: ScorerSection,
    signals: SignalFeatures,
    outcomes: Outcomes,
    bars: int,
    true: FloatArray | None = None,
) -> Iterator[Row]:
    """Yield the figures over the signals that were scored and whose outcome is known."""
    scored = score(scorer, schedule, schedule.min_outcomes, signals, outcomes, bars, silent)
    rows = ~np.isnan(scored.scores.probability) & (outcomes.known < bars)
    said, won, base = scored.scores.probability[rows], outcomes.won[rows], scored.base_rate[rows]
    horizon = schedule.outcome.horizon
    block, one = signals.bar[rows] // horizon, np.ones(int(rows.sum()))
    note = (
        f"{rows.sum():,} signals, {won.mean():.1%} of which won, scored by {scored.fits} fits; "
        f"intervals draw {len(np.unique(block))} blocks of {horizon} bars"
    )

    def figure(what: str, statistic: Callable[..., float], naive: str, floor: float | None = None) -> Row:
        found: Interval = bootstrap(statistic, block, 0)
        reached = None if floor is None else found.value <= floor
        told = "" if floor is None else f"≤ {floor}"
        return Row(exam, scorer.name, what, *found, naive, told, reached, note)

    for what, equal in (("calibration error, bins of 0.1", False), ("the same, bins of equal count", True)):
        off = partial(calibration_error, equal_counts=equal)
        yield figure(what, partial(off, said, won), f"base rate so far {off(base, won, one):.3f}", 0.05)
    best = "" if true is None else f", the truth {brier_skill(true[rows], won, base, one):.3f}"
    yield figure("Brier skill", partial(brier_skill, said, won, base), f"base rate so far 0{best}")
    best = "" if true is None else f", the truth {auc(true[rows], won, one):.3f}"
    yield figure("area under the curve", partial(auc, said, won), f"chance 0.5{best}")


def _known_truth() -> Iterator[Row]:
    """Yield the figures where there is something to be found: one of 20 features moves the log-odds, and
    another by the sign of a third.
    """
    random = np.random.default_rng(0)
    values, bar = random.normal(size=(4000, 20)), np.sort(random.integers(0, 1240, 4000))
    odds = 0.2 + 0.5 * values[:, 0] + 0.5 * np.sign(values[:, 1]) * values[:, 2]
    true = 1 / (1 + np.exp(-odds))
    won, one = random.random(4000) < true, np.ones(4000, np.int64)
    signals = SignalFeatures(
        tuple(f"f{n}" for n in range(20)), values, bar, random.integers(0, 300, 4000), one
    )
    outcomes = Outcomes(won, np.where(won, 0.05, -0.05), bar + 20)
    for scorer in SCORERS:
        yield from _skill("4,000 signals of known probability", scorer, YEARLY, signals, outcomes, 1260, true)


def _speed(scorer: SignalScorer, signals: SignalFeatures, outcomes: Outcomes) -> Iterator[Row]:
    state = scorer.fit(signals, outcomes)
    many = signals.take(np.arange(SIGNALS) % len(signals))
    single = signals.take(np.array([0]))
    scorer.score(many, state)
    for what, asked, limit in ((f"{SIGNALS:,} scores, s", many, 0.5), ("one answer warm, s", single, 0.02)):
        took = []
        for _ in range(ANSWERS):
            began = perf_counter()
            scorer.score(asked, state)
            took.append(perf_counter() - began)
        median, low, high = np.quantile(took, [0.5, 0.025, 0.975]).tolist()
        yield Row(
            "speed of scores",
            scorer.name,
            what,
            median,
            low,
            high,
            "",
            f"≤ {limit}",
            median <= limit,
            f"median and range of {ANSWERS} answers of a model fitted on {len(signals):,} signals",
        )
