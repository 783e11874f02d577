"""An optimisation from beginning to end: search in every fold, choose, follow the choices, judge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np

from windtunnel.bars import Bars
from windtunnel.engine import Simulation
from windtunnel.engine.metrics.returns import sharpe
from windtunnel.errors import InvalidValueError
from windtunnel.optimize.chosen import choose, front
from windtunnel.optimize.evaluate import Evaluator
from windtunnel.optimize.exploring import Budget, Explorer, explore
from windtunnel.optimize.folds import Folds
from windtunnel.optimize.stitch import Piece, stitched
from windtunnel.pipeline import Candidate, Decision
from windtunnel.plugin import Optimizer
from windtunnel.values import (
    Bounds,
    FloatArray,
    Fold,
    IntArray,
    Metric,
    Optimized,
    Search,
    SearchSpace,
    Trials,
)

__all__ = ["Conducted", "Plan", "conduct"]

_LISTED = 2_000
"""Points of a search that learns nothing that are asked for at a time."""


@dataclass(frozen=True, eq=False)
class Plan:
    """What is searched, how, and how it is judged.

    Parameters
    ----------
    optimizer : Optimizer
    space : SearchSpace
    objectives : tuple of Metric
    folds : Folds
    scheme : str
    trials : int or None
        Of each search; None until it ends by itself.
    batch : int
    seconds, patience
        As in :class:`~windtunnel.optimize.sections.OptimizeSection`.
    seed : int
    facts : mapping
        For the manifest.
    warm : Trials or None
        What each search is told first.
    """

    optimizer: Optimizer
    space: SearchSpace
    objectives: tuple[Metric, ...]
    folds: Folds
    scheme: str
    trials: int | None
    batch: int
    seconds: float | None
    patience: int | None
    seed: int
    facts: Mapping[str, Any]
    warm: Trials | None = None

    @property
    def signs(self) -> FloatArray:
        """1 where a higher objective is better, −1 where a lower one is, ``[m]``."""
        return np.array([1.0 if metric.higher_is_better else -1.0 for metric in self.objectives])

    @property
    def most(self) -> int:
        """How many points will be asked for at most; 0 where that is not known."""
        return (self.trials or 0) * (len(self.folds.all) if self.optimizer.adaptive else 1)


@dataclass(frozen=True, eq=False)
class Conducted:
    """What came of it.

    Parameters
    ----------
    optimized : Optimized
    final : Candidate
        With the parameters that are chosen on all bars.
    bars, decision, simulation
        The account that follows each fold's choice over the bars that judge it.
    inside : Simulation
        Of the final candidate over all bars.
    """

    optimized: Optimized
    final: Candidate
    bars: Bars
    decision: Decision
    simulation: Simulation
    inside: Simulation


def conduct(bars: Bars, plan: Plan, explorer: Explorer, evaluator: Evaluator) -> Conducted:
    """Search, choose in each fold, and follow the choices.

    Parameters
    ----------
    bars : Bars
    plan : Plan
    explorer : Explorer
    evaluator : Evaluator

    Raises
    ------
    InvalidValueError
        If no fold has a parameter set with the objective.
    InterruptedSearchError
        If somebody asked to stop.
    """
    searched = _searched(plan, explorer)
    trials = explorer.trials
    if trials is None:
        rule = "must have a parameter set that the constraints and the plugins allow"
        raise InvalidValueError("search", rule, f"none of {explorer.left_out:,}")
    rows = [*(rows for rows, _ in searched[:-1]), np.arange(len(trials))]
    chosen = [_chosen(plan, explorer, rows[place], place) for place in range(len(rows))]
    made = _Made(evaluator, trials)
    folds = [_fold(plan, explorer, made, rows[place], chosen[place], place) for place in range(len(rows))]
    followed = [stitched(bars, made.pieces(way, chosen)) for way in plan.folds.paths()]
    ratios = np.array([sharpe(account.returns, bars.periods_per_year) for *_, account in followed])
    judged, decision, simulation = followed[_middle(ratios)]
    final, _, inside = made[chosen[-1]]
    optimized = Optimized(
        optimizer=plan.optimizer.name,
        scheme=plan.scheme,
        space=plan.space,
        objectives=plan.objectives,
        trials=trials,
        edges=plan.folds.edges,
        folds=tuple(folds[:-1]),
        final=folds[-1],
        in_sample=inside.equity,
        first=plan.folds.first(),
        paths=ratios,
        seconds=dict(explorer.seconds),
        resumed=explorer.resumed,
        stopped=next((why for _, why in searched if why), ""),
        facts={**plan.facts, "left_out": explorer.left_out},
    )
    return Conducted(optimized, final, judged, decision, simulation, inside)


def _searched(plan: Plan, explorer: Explorer) -> list[tuple[IntArray, str]]:
    """Search for every fold; one search serves all where what it asks for does not depend on the answers."""
    folds, end = len(plan.folds.all), None
    if plan.seconds is not None:
        end = perf_counter() + plan.seconds
    adaptive = plan.optimizer.adaptive
    found: list[tuple[IntArray, str]] = []
    hurried = plan.seconds is not None or plan.patience is not None
    batch = plan.batch if adaptive or hurried else _LISTED
    for fold in range(folds) if adaptive else (0,):
        seed = int(np.random.SeedSequence([plan.seed, fold]).generate_state(1)[0]) if adaptive else plan.seed
        search = plan.optimizer.start(plan.space, seed, len(plan.objectives))
        now = perf_counter()
        deadline = float("inf") if end is None else now + (end - now) / (folds - fold if adaptive else 1)
        budget = Budget(plan.trials, batch, deadline, plan.patience)
        if plan.warm is not None:
            _warmed(plan, search, fold)
        found.append(explore(explorer, search, budget, fold, plan.signs))
    return found if adaptive else found * folds


def _warmed(plan: Plan, search: Search, fold: int) -> None:
    """Tell a search what is known of points of its space; they are no trials of this run."""
    if plan.warm is None:
        return
    values = plan.warm.objectives[:, fold] * plan.signs
    points = list(plan.warm.points)
    inside = [row for row, point in enumerate(points) if plan.space.holds(point)]
    search.tell([points[row] for row in inside], values[inside])


def _chosen(plan: Plan, explorer: Explorer, rows: IntArray, fold: int) -> int:
    place = choose(explorer.objectives(rows, fold) * plan.signs) if len(rows) else -1
    if place < 0:
        names = ", ".join(metric.name for metric in plan.objectives)
        rule = (
            "must be defined for a parameter set that was tried: on the training bars of fold "
            f"{fold + 1} none is, so they are too few, or nothing trades there"
        )
        raise InvalidValueError("objective", rule, names)
    return int(rows[place])


class _Made:
    """The candidates of chosen trials, decided and simulated once each."""

    def __init__(self, evaluator: Evaluator, trials: Trials) -> None:
        self.evaluator, self._trials = evaluator, trials
        self._made: dict[int, tuple[Candidate, Decision, Simulation]] = {}

    def __getitem__(self, row: int) -> tuple[Candidate, Decision, Simulation]:
        if row not in self._made:
            self._made[row] = self.evaluator.decision(self._trials.point(row))
        return self._made[row]

    def pieces(self, way: Sequence[tuple[int, Bounds]], chosen: Sequence[int]) -> list[Piece]:
        """Return what follows the choices of some folds over their bars."""
        return [Piece(*self[chosen[fold]][:2], bounds) for fold, bounds in way]


def _fold(plan: Plan, explorer: Explorer, made: _Made, rows: IntArray, chosen: int, place: int) -> Fold:
    split = plan.folds.all[place]
    values = explorer.objectives(rows, place)
    outside = np.full(len(plan.objectives), np.nan)
    if split.test:
        outside = made.evaluator.objectives(made[chosen][2], split.test)
    best = rows[front(values * plan.signs)] if len(plan.objectives) > 1 else np.array([chosen])
    inside = explorer.objectives([chosen], place)[0]
    return Fold(split, rows, chosen, inside, outside, np.asarray(best, np.int64))


def _middle(ratios: FloatArray) -> int:
    """Return the place of the median, the lower of two; NaN counts as lowest."""
    order = np.argsort(np.where(np.isnan(ratios), -np.inf, ratios), kind="stable")
    return int(order[(len(ratios) - 1) // 2])
