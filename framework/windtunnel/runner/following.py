"""How far a search is, and how the best so far does out of sample."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from windtunnel.learn import Tick
from windtunnel.optimize.conduct import Plan
from windtunnel.optimize.folds import sharpes
from windtunnel.values import Trials

__all__ = ["SEARCHING", "Following"]

SEARCHING = ("sweep", "trials")
"""How what a search says of its progress begins; all else are fits of models."""


class Following:
    """Sees rows as they come, and says how many there are and what the best of each fold makes of its test.

    Parameters
    ----------
    plan : Plan
    periods_per_year : float
    tick : callable
    finished : callable
        Told of every batch of rows, and how many were seen before it.
    """

    def __init__(
        self, plan: Plan, periods_per_year: float, tick: Tick, finished: Callable[[Trials, int], None]
    ) -> None:
        self._plan, self._year, self._tick, self._finished = plan, periods_per_year, tick, finished
        folds = plan.folds.splits
        self._tests = [plan.folds.blocks(split.test) for split in folds]
        self._best = np.full(len(folds), -np.inf)
        self._outside = np.full(len(folds), np.nan)
        self._seen = 0

    def see(self, trials: Trials) -> None:
        """Take in rows that have just been tried."""
        scores = trials.objectives[:, :, 0] * self._plan.signs[0]
        for fold, test in enumerate(self._tests):
            column = scores[:, fold]
            if not np.isnan(column).all() and np.nanmax(column) > self._best[fold]:
                row = int(np.nanargmax(column))
                self._best[fold] = column[row]
                self._outside[fold] = sharpes(trials.sums[[row]][:, test], self._year)[0]
        self._finished(trials, self._seen)
        self._seen += len(trials)
        self._tick(f"trials{self._said}", self._seen, self._plan.most)

    @property
    def _said(self) -> str:
        known = self._outside[np.isfinite(self._outside)]
        if not len(known):
            return ""
        return f", out of sample Sharpe {known.mean():.2f}".replace("-", "−")
