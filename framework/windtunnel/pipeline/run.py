"""Orders become a result, beside its benchmark."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from windtunnel.bars import Bars
from windtunnel.engine import Simulation, simulate
from windtunnel.engine.comparison import compare
from windtunnel.engine.metrics import METRICS, Performance, compute
from windtunnel.learn import Keeper, Tick, silent
from windtunnel.market import Market
from windtunnel.pipeline.candidate import Candidate
from windtunnel.pipeline.decide import Decision, decide
from windtunnel.pipeline.result import BenchmarkResult, Effect, Result
from windtunnel.values import Metric, Orders

__all__ = ["concluded", "held_benchmark", "run"]


def run(
    bars: Bars,
    candidate: Candidate,
    *,
    name: str = "backtest",
    benchmark: str | None = None,
    seed: int = 0,
    metrics: Sequence[Metric] = (),
    tick: Tick = silent,
    keeper: Keeper | None = None,
) -> Result:
    """Backtest a candidate.

    Parameters
    ----------
    bars : Bars
    candidate : Candidate
    name : str
    benchmark : str, optional
        Symbol of the data to compare with holding; None compares with nothing.
    seed : int
        Of the bootstrap intervals.
    metrics : sequence of Metric
        Figures beyond the built-in ones.
    tick : callable
        Told after every fit of a model.
    keeper : Keeper, optional
        Keeps what the models learned.

    Raises
    ------
    PluginError
        If a plugin raises or breaks its contract.
    """
    decision = decide(Market(bars), candidate, benchmark=benchmark, tick=tick, keeper=keeper)
    simulation = simulate(bars, decision.orders, candidate.rules)
    return concluded(
        bars, candidate, decision, simulation, name=name, benchmark=benchmark, seed=seed, metrics=metrics
    )


def concluded(
    bars: Bars,
    candidate: Candidate,
    decision: Decision,
    simulation: Simulation,
    *,
    name: str,
    benchmark: str | None,
    seed: int,
    metrics: Sequence[Metric] = (),
    effects: bool = True,
) -> Result:
    """Return the result of an account that has been simulated, beside its benchmark.

    Parameters
    ----------
    bars : Bars
    candidate : Candidate
    decision : Decision
        What led to it.
    simulation : Simulation
        Over all of ``bars``.
    name, benchmark, seed, metrics
        As for :func:`run`.
    effects : bool
        Whether to run it again without each part.
    """
    held = None if benchmark is None else held_benchmark(bars, benchmark, candidate)
    against = None if held is None else held.returns

    def figures(simulation: Simulation) -> dict[str, float]:
        return compute(Performance(simulation, bars.periods_per_year, against), metrics)

    final = figures(simulation)
    comparison, reference = None, None
    sentence = "There is no benchmark to compare with."
    if held is not None and benchmark is not None:
        own = compute(Performance(held, bars.periods_per_year, held.returns), metrics)
        reference = BenchmarkResult(benchmark, held, own)
        comparison = compare(
            simulation.returns,
            held.returns,
            bars.periods_per_year,
            seed=seed,
            traded=len(simulation.fills) > 0,
        )
        sentence = comparison.sentence(benchmark)
    if candidate.rules.free:
        sentence += " No costs were charged: set backtest.fees and backtest.slippage."
    return Result(
        name=name,
        bars=bars,
        decision=decision,
        simulation=simulation,
        metrics=final,
        benchmark=reference,
        comparison=comparison,
        effects=_effects(bars, candidate, decision, figures, final) if effects else (),
        sentence=sentence,
        figures=(*METRICS, *metrics),
    )


def held_benchmark(bars: Bars, symbol: str, candidate: Candidate) -> Simulation:
    """Hold one symbol of the data from the first bar to the last, under a candidate's rules."""
    one = bars.select([symbol])
    return simulate(one, Orders(np.ones(one.shape, np.bool_)), candidate.rules.holding((symbol,)))


def _effects(
    bars: Bars,
    candidate: Candidate,
    decision: Decision,
    figures: Callable[[Simulation], Mapping[str, float]],
    final: Mapping[str, float],
) -> tuple[Effect, ...]:
    """Compare the run with and without each part, adding one part at a time."""
    steps: list[tuple[str, Orders]] = []
    if candidate.gate is not None:
        steps.append(("gate", replace(decision.wanted, exposure=decision.gated)))
    if candidate.scorer is not None:
        steps.append(("scorer", replace(decision.wanted, exposure=decision.scored)))
    if not candidate.sizing.is_default:
        steps.append(("sizing", decision.orders))
    if not steps:
        return ()
    before = figures(simulate(bars, decision.wanted, candidate.rules))
    effects = []
    for part, orders in steps:
        last = part == steps[-1][0]
        after = final if last else figures(simulate(bars, orders, candidate.rules))
        said = _silence(part, candidate, decision) or _sentence(part, before, after)
        effects.append(Effect(part, said, before, after))
        before = after
    return tuple(effects)


def _silence(part: str, candidate: Candidate, decision: Decision) -> str:
    """Say why a scorer could change nothing; empty where it could."""
    if part != "scorer" or candidate.scorer is None or decision.signals is None:
        return ""
    section, count = candidate.scorer.section, len(decision.signals)
    if count and decision.abstained == count:
        return (
            f"The scorer never had an opinion on any of {count:,} entries: it learns once "
            f"{section.min_outcomes:,} outcomes are known."
        )
    return "The scorer only reports." if section.act == "none" else ""


def _sentence(part: str, before: Mapping[str, float], after: Mapping[str, float]) -> str:
    """Say in words what a part changed a year and in the worst drawdown."""
    growth = after["cagr"] - before["cagr"]
    depth = abs(before["max_drawdown"]) - abs(after["max_drawdown"])
    said = []
    if abs(growth) >= 0.0005:
        said.append(f"{'added' if growth > 0 else 'cost'} {abs(growth):.1%} a year")
    if abs(depth) >= 0.0005:
        said.append(
            f"{'cut' if depth > 0 else 'deepened'} the worst drawdown by {abs(depth) * 100:.1f} points"
        )
    return f"The {part} {' and '.join(said) or 'changed nothing to speak of'}."
