"""The verdict on what an optimisation or a sweep found."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from windtunnel.bars import Bars
from windtunnel.engine.sweep import SWEEP_METRICS
from windtunnel.errors import InterruptedSearchError
from windtunnel.optimize.evaluate import Evaluator
from windtunnel.optimize.folds import Folds
from windtunnel.optimize.verdict import Evidence, judge
from windtunnel.pipeline import Candidate, Result, held_benchmark
from windtunnel.runner.optimizing import Optimisation
from windtunnel.runner.sweeping import Found
from windtunnel.values import FloatArray, IntArray, Point, Verdict

__all__ = ["judged_optimisation", "judged_sweep"]


def judged_optimisation(
    found: Optimisation,
    result: Result,
    bars: Bars,
    base: Candidate,
    seed: int,
    stopping: Callable[[], bool] = lambda: False,
) -> Verdict:
    """Return the verdict on a result out of sample.

    Parameters
    ----------
    found : Optimisation
    result : Result
        The stitched one.
    bars : Bars
        All bars.
    base : Candidate
    seed : int
    stopping : callable
        Says whether somebody asked to stop.

    Raises
    ------
    InterruptedSearchError
        If somebody did.
    """
    optimized = found.conducted.optimized
    trials = optimized.trials
    folds = Folds(len(bars), tuple(fold.split for fold in optimized.folds))
    return judge(
        Evidence(
            judged=result.simulation.returns,
            inside=found.conducted.inside.returns,
            sharpes=trials.metrics[:, SWEEP_METRICS.index("sharpe")] / np.sqrt(bars.periods_per_year),
            returns_of=_recomputed(found.evaluator, trials.point, stopping),
            validated=True,
            earlier=found.earlier,
            studies=found.studies,
            sums=folds.halves(trials.sums),
            seed=seed,
            **_beside(result, bars, base),
        )
    )


def judged_sweep(found: Found, result: Result, earlier: FloatArray, base: Candidate, seed: int) -> Verdict:
    """Return the verdict on the best of a sweep, which nothing but itself judges.

    Parameters
    ----------
    found : Found
    result : Result
        Of the best.
    earlier : array of float64
        Sharpe ratios per bar of the family's trials that other runs made.
    base : Candidate
    seed : int
    """
    bars, table = result.bars, found.sweep
    benchmark = None if result.benchmark is None else result.benchmark.name
    evaluator = Evaluator(bars, base, Folds(len(bars), ()), (), benchmark)
    return judge(
        Evidence(
            judged=result.simulation.returns,
            inside=result.simulation.returns,
            sharpes=table.metric("sharpe") / np.sqrt(bars.periods_per_year),
            returns_of=_recomputed(evaluator, table.point, lambda: False),
            validated=False,
            earlier=earlier,
            sums=table.sums,
            seed=seed,
            **_beside(result, bars, base),
        )
    )


def _recomputed(
    evaluator: Evaluator, point: Callable[[int], Point], stopping: Callable[[], bool]
) -> Callable[[IntArray], FloatArray]:
    def of(row: int) -> FloatArray:
        if stopping():
            rule = "stopped at the verdict; every trial is kept: the same command goes on from there"
            raise InterruptedSearchError(rule)
        return evaluator.decision(point(row))[2].returns

    return lambda rows: np.column_stack([of(row) for row in rows.tolist()])


def _beside(result: Result, bars: Bars, base: Candidate) -> dict[str, Any]:
    """Return what is the same for all: the benchmark, and the positions against the prices."""
    account, benchmark = result.simulation, result.benchmark
    judged, inside = None, None
    if benchmark is not None:
        judged = benchmark.simulation.returns
        inside = (
            judged if len(result.bars) == len(bars) else held_benchmark(bars, benchmark.name, base).returns
        )
    close = _filled(result.bars.close)
    before = np.vstack((close[:1], close[:-1]))
    equity = np.where(account.equity > 0, account.equity, np.inf)[:, None]
    return {
        "periods_per_year": bars.periods_per_year,
        "benchmark": judged,
        "benchmark_inside": inside,
        "trades": len(account.trades),
        "weights": account.units * np.nan_to_num(close) / equity,
        "asset_returns": np.nan_to_num(close / before - 1),
    }


def _filled(close: FloatArray) -> FloatArray:
    """Return closes with the last known one where a symbol has no bar."""
    row = np.where(np.isnan(close), 0, np.arange(len(close))[:, None])
    return np.asarray(np.take_along_axis(close, np.maximum.accumulate(row, axis=0), axis=0))
