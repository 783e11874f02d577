"""What an optimisation leaves behind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from windtunnel.values.arrays import FloatArray, IntArray
from windtunnel.values.metric import Metric
from windtunnel.values.search import SearchSpace
from windtunnel.values.split import Split
from windtunnel.values.trials import Trials

__all__ = ["Fold", "Optimized"]


@dataclass(frozen=True, eq=False)
class Fold:
    """One choice of parameters: where it was made, and what came of it.

    Parameters
    ----------
    split : Split
        Without a test in the fold that learns from all bars: what would be chosen now.
    rows : array of int64
        The trials that its search looked at, in their order.
    chosen : int
        Row of the trial that it chose.
    inside, outside : array of float64, ``[m]``
        Its objectives on the bars that it learned from, and on those that judge it, in their own sign; NaN
        where not defined.
    front : array of int64
        Rows of the trials that no other beats in every objective; just ``chosen`` for one objective.
    """

    split: Split
    rows: IntArray
    chosen: int
    inside: FloatArray
    outside: FloatArray
    front: IntArray


@dataclass(frozen=True, eq=False)
class Optimized:
    """How parameters were searched for, chosen and judged.

    Parameters
    ----------
    optimizer, scheme : str
        Such as ``tpe`` and ``walk_forward``.
    space : SearchSpace
    objectives : tuple of Metric
    trials : Trials
        Every parameter set that was tried, once, in the order of the first time.
    edges : array of int64, ``[B + 1]``
        First bar of each block of the trials' ``sums``, and one past the last.
    folds : tuple of Fold
        Those that are judged, in time order.
    final : Fold
        The one that learns from all bars.
    in_sample : array of float64, ``[T]``
        Equity of the final choice over all bars of the data.
    first : int
        The bar of the data with which the judged stretch, and so the result, begins.
    paths : array of float64, ``[P]``
        Sharpe ratio of every way to put the judged stretches together, the result's own among them; one for
        all schemes but the combinatorial.
    seconds : mapping of str to float
        Spent in ``search`` (asking the optimizer), ``trials`` (backtests) and ``ledger``.
    resumed : int
        Trials that the ledger knew already.
    stopped : str
        Why the search ended before its number of trials; empty where it did not.
    facts : mapping
        Further facts as JSON, for the manifest: purge, embargo, label, holding, left_out.
    """

    optimizer: str
    scheme: str
    space: SearchSpace
    objectives: tuple[Metric, ...]
    trials: Trials
    edges: IntArray
    folds: tuple[Fold, ...]
    final: Fold
    in_sample: FloatArray
    first: int
    paths: FloatArray
    seconds: Mapping[str, float]
    resumed: int
    stopped: str
    facts: Mapping[str, Any]

    @property
    def failed(self) -> int:
        """How many parameter sets could not be tried."""
        return sum(bool(problem) for problem in self.trials.problems)
