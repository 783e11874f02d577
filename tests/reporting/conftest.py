"""A result made by hand: a random walk, a simple rule, and models that say what the test can compute."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Annotated

import numpy as np
import pytest
from annotated_types import Ge

from windtunnel.bars import Bars
from windtunnel.engine import simulate
from windtunnel.engine.comparison import compare
from windtunnel.engine.metrics import Performance, compute
from windtunnel.pipeline import Space, Sweep, choose
from windtunnel.pipeline.decide import Decision, Signals
from windtunnel.pipeline.result import BenchmarkResult, Effect, Result
from windtunnel.plugin import Strategy
from windtunnel.values import (
    Forecast,
    Orders,
    Outcomes,
    Patterns,
    Regimes,
    Rules,
    Scores,
    SignalFeatures,
    Tune,
)

MakeResult = Callable[..., Result]


def walk(rows: int, symbols: tuple[str, ...], seed: int = 7) -> Bars:
    """Random walks, a bar a day."""
    steps = np.random.default_rng(seed).normal(0.0003, 0.012, (rows, len(symbols)))
    time = np.datetime64("2010-01-01", "ns") + np.arange(rows) * np.timedelta64(1, "D")
    return Bars.from_arrays(time, 100 * np.exp(np.cumsum(steps, axis=0)), symbols=symbols)


def in_and_out(bars: Bars, period: int = 40) -> np.ndarray:
    """Long for half of every period, the symbols out of step."""
    phase = np.arange(len(bars))[:, None] + 7 * np.arange(len(bars.symbols))
    return np.asfortranarray((phase // (period // 2)) % 2 == 1)


def plain(bars: Bars, weights: np.ndarray) -> Decision:
    """What a strategy without any model decides."""
    return Decision(Orders(weights), weights, weights, Orders(weights), None, None, None, None, 0, 0, 0, 0)


def with_models(bars: Bars, weights: np.ndarray) -> Decision:
    """Three regimes in turn, a forecast of 20 %, four patterns and six scored entries."""
    rows, columns = bars.shape
    code = (np.arange(rows) // 50) % 3
    probabilities = np.repeat(np.eye(3)[code][:, None, :], columns, axis=1)
    probabilities[:30] = np.nan
    level = np.full(bars.shape, 0.2)
    level[:20] = np.nan
    at = np.array([60, 100, 140, 180, 220, 260])
    whole, real = np.zeros(6, np.int64), np.array([0.7, 0.3, np.nan, 0.6, 0.2, 0.65])
    features = SignalFeatures(("momentum", "<i>adx</i>"), np.zeros((6, 2)), at, whole, np.ones(6, np.int64))
    outcomes = Outcomes(np.array([True, True, False, False, False, True]), np.zeros(6), at + 20)
    scores = Scores(real, real, np.tile([0.1, -0.3], (6, 1)))
    patterns = Patterns(
        np.zeros(4, np.int64), np.array(["engulfing", "<doji>", "hammer", "hammer"]), at[:4] - 3, at[:4],
        np.array([1, 0, -1, 1]), np.array([0.9, 0.5, 0.6, 0.7]), np.full(4, np.nan), np.full(4, np.nan), rows,
    )  # fmt: skip
    return replace(
        plain(bars, weights),
        forecast=Forecast(level, level * 0.5, level * 1.5, 5),
        regimes=Regimes(("calm", "<wild>", "falling"), probabilities),
        patterns=patterns,
        signals=Signals(features, outcomes, scores, np.full(6, 0.5), 1),
        entries=14,
        refused_by_gate=3,
        refused_by_scorer=2,
        abstained=1,
    )


def build(
    rows: int = 600,
    symbols: tuple[str, ...] = ("AAA", "BBB"),
    *,
    name: str = "made by hand",
    benchmark: bool = True,
    models: bool = True,
    weights: np.ndarray | None = None,
    bars: Bars | None = None,
    rules: Rules | None = None,
) -> Result:
    """Simulate weights and put a result around them."""
    bars = walk(rows, symbols) if bars is None else bars
    rules = rules or Rules(fees=0.001)
    weights = in_and_out(bars) * 0.5 if weights is None else weights
    simulation = simulate(bars, Orders(weights), rules)
    one = bars.select(bars.symbols[:1])
    held = simulate(one, Orders(np.ones(one.shape)), rules)
    against = held.returns if benchmark else None
    figures = compute(Performance(simulation, bars.periods_per_year, against))
    comparison = None
    if benchmark:
        traded = len(simulation.fills) > 0
        comparison = compare(
            simulation.returns, held.returns, bars.periods_per_year, seed=1, samples=200, traded=traded
        )
    worse = figures | {"cagr": figures["cagr"] - 0.01, "sharpe": figures["sharpe"] - 0.2}
    effects = (
        Effect("gate", "The gate added 1.0% a year.", worse, figures),
        Effect("scorer", "The scorer changed nothing to speak of.", figures, figures),
    )
    return Result(
        name=name,
        bars=bars,
        decision=with_models(bars, weights) if models else plain(bars, weights),
        simulation=simulation,
        metrics=figures,
        benchmark=BenchmarkResult(
            bars.symbols[0], held, compute(Performance(held, bars.periods_per_year, against))
        )
        if benchmark
        else None,
        comparison=comparison,
        effects=effects if models else (),
        sentence=comparison.sentence(bars.symbols[0]) if comparison else "There is no benchmark.",
        config={"name": name, "strategy": {"use": "hand", "params": {"fast": 20}}, "seed": 1},
        manifest={"data": {"hash": bars.hash}, "plugins": ["hand 0.1"], "seed": 1},
    )


@pytest.fixture(scope="session")
def make_result() -> MakeResult:
    """How to make a result; see ``build``."""
    return build


@pytest.fixture(scope="session")
def result() -> Result:
    """A result in which every part of the report has something to show."""
    return build()


class Waves(Strategy):
    """Two numbers, a third and a word."""

    name = "report_waves"
    near: Annotated[float, Ge(0), Tune(0, 9)] = 1
    far: Annotated[float, Ge(0), Tune(0, 9)] = 1
    third: float = 1
    word: str = "a"

    def exposure(self, market):
        return market.close > 0


@pytest.fixture(scope="session")
def swept(make_result):
    """Put a sweep whose metric is given around a result; NaN is an illegal combination."""

    def build(space, values, *, metric="sharpe", **more):
        values = np.asarray(values, float).ravel()
        built = Space.of(Waves, space, Rules())
        rules = built.rules.rows
        rows = np.flatnonzero(~np.isnan(values))
        table = np.tile([0.1, 0.2, -0.3, 7.0, 0.5], (len(rows), 1))
        table[:, {"total_return": 0, "sharpe": 1, "max_drawdown": 2, "win_rate": 4}[metric]] = values[rows]
        found = Sweep(built, rows // rules, rows % rules, table, len(values) - len(rows))
        return replace(make_result(models=False, **more), sweep=found, choice=choose(found, metric))

    return build
