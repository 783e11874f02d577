"""How long searches from YAML take, and what takes the time."""

from __future__ import annotations

import tempfile
from typing import Any

from windtunnel import experiment, runner

GRID = {
    "use": "grid",
    "params": {"points": 100},
    "search": {
        "strategy.params.fast": {"from": 2, "to": 101},
        "strategy.params.slow": {"from": 102, "to": 300, "step": 2},
    },
}
TPE = {
    "use": "tpe",
    "trials": 500,
    "search": {
        "strategy.params.fast": {"from": 2, "to": 101},
        "strategy.params.slow": {"from": 102, "to": 300},
    },
}


def searched(optimize: dict[str, Any], validate: dict[str, Any]) -> tuple[int, dict[str, float]]:
    """Return the trials of a search, and the seconds of each part and stage; the second of two runs."""
    config = {
        "name": "searched",
        "data": {"use": "arch", "symbols": ["SP500"]},
        "strategy": {"use": "sma_cross"},
        "optimize": optimize,
        "validate": validate,
        "backtest": {"fees": 0.0005, "slippage": 0.0002},
    }
    one = experiment.from_mapping(config)
    data = runner.dataset(one)
    for _ in range(2):
        with tempfile.TemporaryDirectory() as out:
            done = runner.perform(one, data, out=out)
            timings = dict(done.stored.manifest["timings"])
    found = done.result.optimized
    assert found is not None
    return len(found.trials), {**found.seconds, "stage": timings["optimize"], "verdict": timings["verdict"]}


def rows() -> list[tuple[str, ...]]:
    """Return the table of the page."""
    walk = {"scheme": "walk_forward", "train": 1008, "test": 252}
    table = [
        ("", "trials", "sampler", "backtests", "ledger", "in all", "must be", "then the verdict"),
    ]
    for name, optimize, validate, bound in (
        ("grid, 15 folds", GRID, walk, "1.5 s"),
        ("TPE, holdout", TPE, {"scheme": "holdout"}, "the sampler's"),
    ):
        trials, seconds = searched(optimize, validate)
        parts = [f"{seconds[key]:.2f} s" for key in ("search", "trials", "ledger", "stage")]
        table.append((name, f"{trials:,}", *parts, bound, f"{seconds['verdict']:.1f} s"))
    return table
