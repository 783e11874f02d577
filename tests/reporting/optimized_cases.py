"""Optimisations built from real sweeps by hand: a search, folds, what they chose, and the joined result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from itertools import combinations, pairwise

import numpy as np

import windtunnel as wt
from windtunnel.bars import Bars
from windtunnel.engine import simulate
from windtunnel.engine.metrics import METRICS
from windtunnel.market import Market
from windtunnel.pipeline import Sweep
from windtunnel.pipeline.candidate import Candidate, Part
from windtunnel.pipeline.decide import Decision
from windtunnel.pipeline.result import Result
from windtunnel.pipeline.run import concluded
from windtunnel.pipeline.sections import StrategySection
from windtunnel.values import (
    Choices,
    Fold,
    Metric,
    Optimized,
    Orders,
    Rules,
    SearchSpace,
    Span,
    Split,
    Trials,
    Tune,
    Verdict,
)
from windtunnel_plugins.strategies import SmaCross

FAST, SLOW = "strategy.params.fast", "strategy.params.slow"
SPACE = SearchSpace({FAST: Span(Tune(5, 50), True), SLOW: Span(Tune(20, 200), True)})
RULES = Rules(fees=0.001)


def walk(rows: int, seed: int) -> Bars:
    """A random walk, a bar a day."""
    steps = np.random.default_rng(seed).normal(0.0003, 0.012, (rows, 1))
    time = np.datetime64("2010-01-01", "ns") + np.arange(rows) * np.timedelta64(1, "D")
    return Bars.from_arrays(time, 100 * np.exp(np.cumsum(steps, axis=0)), symbols=("AAA",))


def metric(name: str) -> Metric:
    """A built-in metric."""
    return next(one for one in METRICS if one.name == name)


def walk_forward(bars: int, folds: int = 4) -> list[Split]:
    """Equal parts of the second half of the bars, each judged after a third of the bars before it."""
    ends = np.linspace(bars // 2, bars, folds + 1).astype(int).tolist()
    return [Split(((start - bars // 3, start),), ((start, stop),)) for start, stop in pairwise(ends)]


def combinatorial(bars: int, parts: int = 4) -> list[Split]:
    """Two of the parts are judged, the others teach."""
    ends = np.linspace(0, bars, parts + 1).astype(int).tolist()
    spans = list(pairwise(ends))
    return [Split(tuple(span for span in spans if span not in pair), pair) for pair in combinations(spans, 2)]


def sharpe(sums: np.ndarray, edges: np.ndarray, stretches: Sequence[tuple[int, int]]) -> np.ndarray:
    """The Sharpe ratio a year of each row over whole blocks, a block at a time."""
    total = np.zeros((len(sums), 3))
    for block, (first, stop) in enumerate(pairwise(edges.tolist())):
        if any(low <= first and stop <= high for low, high in stretches):
            total += sums[:, block]
    count, added, squares = total.T
    mean = added / count
    with np.errstate(invalid="ignore", divide="ignore"):
        return mean / np.sqrt((squares - count * mean**2) / (count - 1)) * np.sqrt(252)


def trials_of(table: Sweep, splits: Sequence[Split], second: str = "") -> Trials:
    """The rows of a sweep, with Sharpe ratios by fold; and a second objective, over all bars."""
    every = [sharpe(table.sums, table.edges, split.train) for split in splits]
    objectives = np.stack([*every, sharpe(table.sums, table.edges, ((0, table.edges[-1]),))], axis=1)
    both = [objectives, np.repeat(table.metric(second)[:, None], len(splits) + 1, axis=1)] if second else [
        objectives
    ]  # fmt: skip
    columns = {f"strategy.params.{name}": list(map(int, values)) for name, values in table.parameters.items()}
    return Trials(columns, np.stack(both, axis=2), table.values, table.sums, ("",) * len(table))


def folds_of(trials: Trials, edges: np.ndarray, splits: Sequence[Split], bars: int) -> list[Fold]:
    """Each split's choice of the best first objective, and that on all bars."""
    found = []
    for place, split in enumerate([*splits, Split(((0, bars),), ())]):
        values = trials.objectives[:, place]
        chosen = int(np.nanargmax(values[:, 0]))
        outside = np.full(values.shape[1], np.nan)
        if split.test:
            outside[0] = sharpe(trials.sums[[chosen]], edges, split.test)[0]
        beaten = (values[:, None] <= values).all(axis=2) & (values[:, None] < values).any(axis=2)
        front = np.flatnonzero(~beaten.any(axis=1)) if values.shape[1] > 1 else np.array([chosen])
        found.append(Fold(split, np.arange(len(trials)), chosen, values[chosen], outside, front))
    return found


def optimized(
    bars: Bars,
    splits: Sequence[Split],
    *,
    fast: Sequence[int] = range(5, 50, 5),
    slow: Sequence[int] = range(20, 200, 12),
    second: str = "",
    scheme: str = "walk_forward",
) -> Optimized:
    """Try a grid of moving averages, and choose in every split."""
    ends = {0, len(bars), *(end for one in splits for span in (*one.train, *one.test) for end in span)}
    table = wt.sweep(
        bars, SmaCross, {"fast": fast, "slow": slow}, rules=RULES, edges=sorted(ends), ledger=None
    )
    trials = trials_of(table, splits, second)
    folds = folds_of(trials, table.edges, splits, len(bars))
    inside = simulate(bars, Orders(exposure(bars, trials, folds[-1].chosen)), RULES)
    starts = [first for split in splits for first, _ in split.test]
    ways = len(starts) // max(len(set(starts)), 1)
    return Optimized(
        optimizer="grid",
        scheme=scheme if splits else "none",
        space=SPACE,
        objectives=tuple(metric(name) for name in ("sharpe", second) if name),
        trials=trials,
        edges=table.edges,
        folds=tuple(folds[:-1]),
        final=folds[-1],
        in_sample=inside.equity,
        first=min(starts, default=0),
        paths=np.linspace(-0.2, 0.7, ways) if ways > 1 else np.array([0.25]),
        seconds={"search": 8.52, "trials": 2.4, "ledger": 0.24},
        resumed=0,
        stopped="",
        facts={"trials": len(trials), "purge": 0, "seed": 7},
    )


def exposure(bars: Bars, trials: Trials, row: int) -> np.ndarray:
    """What a trial wants on every bar."""
    point = {path.rpartition(".")[2]: value for path, value in trials.point(row).items()}
    return np.asarray(SmaCross(**point).exposure(Market(bars)), float)


def joined(bars: Bars, found: Optimized, *, benchmark: bool = True) -> Result:
    """Simulate each fold's choice on the bars that judge it, and put a result around it."""
    weights = exposure(bars, found.trials, found.final.chosen)
    for fold in reversed(found.folds):
        for first, stop in fold.split.test:
            weights[first:stop] = exposure(bars, found.trials, fold.chosen)[first:stop]
    judged = bars.cut(found.first, len(bars))
    weights = np.asfortranarray(weights[found.first :])
    orders = Orders(weights)
    decision = Decision(orders, weights, weights, orders, None, None, None, None, 0, 0, 0, 0)
    made = concluded(
        judged,
        Candidate(Part(SmaCross(), StrategySection(use="sma_cross")), RULES),
        decision,
        simulate(judged, orders, RULES),
        name="optimised",
        benchmark=bars.symbols[0] if benchmark else None,
        seed=1,
    )
    return replace(made, optimized=found, verdict=verdict(found))


def verdict(found: Optimized, **more: object) -> Verdict:
    """Figures that look like those of a search that found nothing."""
    figures: dict[str, object] = {
        "call": "likely overfit",
        "because": "In sample Sharpe 1.31; out of sample 0.22. After 412 trials the best of pure luck would "
        "show 1.18 (deflated Sharpe 0.41, PBO 0.58).",
        "trials": len(found.trials) + 300,
        "earlier": 300,
        "effective": 12.0,
        "years": 8.4,
        "inside": 1.31,
        "outside": 0.22,
        "benchmark": 0.35,
        "benchmark_inside": 0.3,
        "chance": 0.41,
        "chance_search": 0.58,
        "chance_outside": 0.41,
        "expected": 1.18,
        "probabilistic": 0.74,
        "deflated": 0.41,
        "overfit": 0.58,
        "halvings": 252,
        "level": 0.95,
        "track_record": 55.9,
        "backtest_length": 9.1,
        "reality": {"spa_lower": 0.21, "spa": 0.33, "spa_upper": 0.45, "reality_check": 0.47},
        "superior": 0,
        "tested": len(found.trials),
        "permutation": 0.36,
        "intervals": {"cagr": (0.021, -0.03, 0.08), "sharpe": (0.22, -0.4, 0.85)},
    }
    unknown = {one.name: np.nan for one in fields(Verdict)}
    return Verdict(**(unknown | figures | more))  # type: ignore[arg-type]


def listed(rows: int, space: SearchSpace, seed: int = 3, folds: int = 3) -> Optimized:
    """Points drawn at random from any space; the objective is a hill, with noise in each fold."""
    random = np.random.default_rng(seed)
    shares = random.random((rows, len(space)))
    points = [space.at(row) for row in shares.tolist()]
    columns = {path: [point[path] for point in points] for path in space.dimensions}
    hill = 1.0 - 2.0 * (shares[:, :1] - 0.6) ** 2 - 0.3 * (shares[:, -1:] - 0.3) ** 2
    objectives = (hill + random.normal(0, 0.15, (rows, folds + 1)))[:, :, None]
    edges = np.arange(folds + 2) * 150
    sums = np.empty((rows, folds + 1, 3))
    sums[:, :, 0] = 150
    sums[:, :, 1] = 0.2 * hill + random.normal(0, 0.05, (rows, folds + 1))
    sums[:, :, 2] = 0.01 + sums[:, :, 1] ** 2 / 150
    trials = Trials(columns, objectives, np.zeros((rows, 5)), sums, ("",) * rows)
    splits = [Split(((0, 150 * at),), ((150 * at, 150 * at + 150),)) for at in range(1, folds + 1)]
    found = folds_of(trials, edges, splits, int(edges[-1]))
    return Optimized(
        "tpe", "walk_forward", space, (metric("sharpe"),), trials, edges, tuple(found[:-1]), found[-1],
        np.linspace(10_000, 12_000, int(edges[-1])), 150, np.array([0.4]),
        {"search": 1.0, "trials": 0.0, "ledger": 0.0}, 0, "", {},
    )  # fmt: skip


MIXED = SearchSpace(
    {
        "strategy.params.window": Span(Tune(5, 500, log=True), True),
        "scorer.threshold": Span(Tune(0.4, 0.7), False),
        "backtest.stop_loss": Choices((None, 0.02, 0.05)),
        "strategy.params.kind": Choices(("ema", "sma", "<wma>")),
        "strategy.params.lag": Choices((1, 5, 2)),
    }
)
"""Numbers by logarithm and by step, words, a rule that may be off, and listed numbers out of order."""
