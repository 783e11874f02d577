"""A study, trials of it, and what makes them comparable, for the tests of the ledger."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from windtunnel.store import Ledger, Study
from windtunnel.values import Trials

Recorded = tuple[Trials, npt.NDArray[np.uint64]]
Opened = Callable[[], Ledger]

STUDY = Study(
    key="abc",
    experiment="mine",
    plugin="sma_cross",
    symbols=("A", "B"),
    start="2010-01-04",
    end="2019-12-31",
    data="d" * 32,
    periods_per_year=252.0,
    paths=("strategy.params.fast", "backtest.stop_loss"),
    edges=(0, 100, 200, 300),
    folds=2,
    objectives=("sharpe", "max_drawdown"),
)


def some_trials(count: int, seed: int = 0) -> Recorded:
    """Return random trials of :data:`STUDY`, some of which could not be tried."""
    rng = np.random.default_rng(seed)
    failed = rng.random(count) < 0.1
    objectives, metrics = rng.normal(size=(count, 2, 2)), rng.normal(size=(count, 5))
    objectives[failed] = np.nan
    metrics[failed] = np.nan
    stops = np.where(rng.random(count) < 0.5, None, rng.random(count))
    parameters = {"strategy.params.fast": rng.integers(2, 50, count).tolist(), "backtest.stop_loss": stops}
    problems = tuple("it broke" if one else "" for one in failed)
    keys = rng.integers(0, 2**64, count, np.uint64)
    return Trials(
        {path: list(values) for path, values in parameters.items()},
        objectives,
        metrics,
        rng.normal(size=(count, 3, 3)),
        problems,
    ), keys


def as_bytes(recorded: Recorded) -> tuple[object, ...]:
    """Return trials and keys as what is equal only if every bit and every type is."""
    trials, keys = recorded
    typed = {path: [(type(v), repr(v)) for v in values] for path, values in trials.parameters.items()}
    arrays = [trials.objectives, trials.metrics, trials.sums, keys]
    return typed, trials.problems, *((one.dtype, one.shape, one.tobytes()) for one in arrays)
