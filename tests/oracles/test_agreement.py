"""The table in docs/engine.md that says how far the engine agrees with others."""

from __future__ import annotations

import re
from pathlib import Path

import backtesting_runs
import numpy as np
import pytest
import vectorbt_runs


def rows(repository: Path) -> dict[str, tuple[str, str]]:
    """Return the trades and the bound on the difference of equity, by run."""
    text = (repository / "docs" / "engine.md").read_text(encoding="utf-8")
    table = text[text.index("## Measured against others") :]
    found = re.findall(r"^\| `(\w+)` \|[^|]+\|([^|]+)\|([^|]*)\|", table, flags=re.MULTILINE)
    return {run: (trades, bound) for run, trades, bound in found}


def test_it_lists_every_run(repository: Path) -> None:
    here = {*vectorbt_runs.RUNS, *backtesting_runs.RUNS}
    assert set(rows(repository)) == {*here, "02_GOOG_sma_cross", "backtrader_published_strategy"}


@pytest.mark.parametrize("runs", [vectorbt_runs, backtesting_runs], ids=["vectorbt", "backtesting.py"])
def test_runs_agree_as_far_as_it_says(shared: Path, repository: Path, runs: object) -> None:
    listed = rows(repository)
    for run in runs.RUNS:  # type: ignore[attr-defined]
        ours, (trades, bound) = runs.simulated(shared, run), listed[run]  # type: ignore[attr-defined]
        assert len(ours.trades) == int(trades), run
        if bound.strip():
            theirs = runs.recorded_equity(shared, run)  # type: ignore[attr-defined]
            off = np.abs(ours.equity / theirs - 1).max()
            assert off < float(bound) < max(200 * off, 1e-12), run
