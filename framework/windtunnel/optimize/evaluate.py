"""Points become rows of figures: one causal backtest each, over all bars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np

from windtunnel.bars import Bars
from windtunnel.engine import Simulation, simulate
from windtunnel.engine.metrics import METRICS, Performance
from windtunnel.engine.stretches import within
from windtunnel.engine.sweep import SWEEP_METRICS
from windtunnel.errors import InvalidValueError, WindtunnelError
from windtunnel.market import Market
from windtunnel.optimize.folds import Folds, sharpes
from windtunnel.pipeline import Candidate, Decision, Space, Sweep, decide, held_benchmark, sweep
from windtunnel.pipeline.asked import Remembered
from windtunnel.pipeline.variation import varied
from windtunnel.values import Bounds, FloatArray, Metric, Point, Trials

__all__ = ["FORBIDDEN", "Evaluator"]

FORBIDDEN = "a rule between the parameters forbids it"
"""Why a point that a validator refuses was not tried."""

_SWEPT = ("strategy.params.", "backtest.")


class Evaluator:
    """Backtests points.

    Parameters
    ----------
    bars : Bars
    candidate : Candidate
        What a point changes.
    folds : Folds
    objectives : sequence of Metric
    benchmark : str or None
        Symbol of the data, for metrics and regime models that need one.
    threads : int, optional
        For points that are swept; as many as there are cores if left out.
    """

    def __init__(
        self,
        bars: Bars,
        candidate: Candidate,
        folds: Folds,
        objectives: Sequence[Metric],
        benchmark: str | None,
        threads: int | None = None,
    ) -> None:
        self._bars, self._candidate, self._folds = bars, candidate, folds
        self._objectives, self._benchmark, self._threads = tuple(objectives), benchmark, threads
        self._market, self._asked = Market(bars), Remembered()
        self._only_sharpe = all(metric is _SHARPE for metric in self._objectives)

    @property
    def content(self) -> tuple[Bars, Candidate, Folds, tuple[str, ...], str | None]:
        """What it was made of, the objectives by name: another one can be made of it in another process."""
        names = tuple(metric.name for metric in self._objectives)
        return self._bars, self._candidate, self._folds, names, self._benchmark

    @property
    def shape(self) -> tuple[int, int, int]:
        """Folds, objectives and blocks of a row."""
        return len(self._folds.all), len(self._objectives), len(self._folds.edges) - 1

    def __call__(self, points: Sequence[Point]) -> Trials:
        """Return a row for each point, in their order; one that cannot be tried says why."""
        if self._only_sharpe and all(path.startswith(_SWEPT) for path in points[0]):
            return self._together(points)
        return Trials.join([self._one(point) for point in points])

    def _together(self, points: Sequence[Point]) -> Trials:
        """Sweep points; where one of them fails, in halves, until it is alone and says why."""
        try:
            return self._swept(points)
        except WindtunnelError:
            if len(points) == 1:
                return self._one(points[0])
        half = len(points) // 2
        return Trials.join([self._together(points[:half]), self._together(points[half:])])

    def warm(self) -> None:
        """Do a little of everything once, so that no trial pays for what happens only the first time."""
        self.decision({})
        plugin = self._candidate.strategy.plugin
        params = list(plugin.params().items())[:1]
        if params and self._only_sharpe:
            space = Space.of(
                plugin, [{name: getattr(plugin, name)} for name, _ in params], self._candidate.rules
            )
            sweep(self._bars, self._candidate, space, benchmark=self._benchmark)

    def decision(self, point: Point) -> tuple[Candidate, Decision, Simulation]:
        """Return the candidate that a point makes, all that it decided and its account.

        Raises
        ------
        InvalidValueError
            If a rule between the parameters forbids the point.
        PluginError
            If a plugin raises or breaks its contract.
        """
        candidate = varied(self._candidate, point)
        if candidate is None:
            raise InvalidValueError("point", "must be legal", dict(point))
        decision = decide(self._market, candidate, benchmark=self._benchmark, asked=self._asked)
        return candidate, decision, simulate(self._bars, decision.orders, candidate.rules)

    def objectives(self, simulation: Simulation, stretches: Sequence[Bounds]) -> FloatArray:
        """Return every objective on some stretches of bars, ``[m]``; NaN where not defined."""
        part = within(simulation, stretches)
        rows = np.concatenate([np.arange(*bounds) for bounds in stretches])
        against = None if self._held is None else self._held[rows]
        performance = Performance(part, self._bars.periods_per_year, against)
        found = np.array([float(metric.compute(performance)) for metric in self._objectives])
        return np.where(np.isfinite(found), found, np.nan)

    @cached_property
    def _held(self) -> FloatArray | None:
        if self._benchmark is None:
            return None
        return held_benchmark(self._bars, self._benchmark, self._candidate).returns

    def _one(self, point: Point) -> Trials:
        folds, objectives, blocks = self.shape
        try:
            _, _, simulation = self.decision(point)
        except InvalidValueError as error:
            problem = FORBIDDEN if error.parameter == "point" else str(error)
            return Trials.failed([point], [problem], folds, objectives, blocks)
        except WindtunnelError as error:
            if isinstance(error.__cause__, MemoryError):
                raise error.__cause__ from error
            return Trials.failed([point], [str(error)], folds, objectives, blocks)
        performance = Performance(simulation, self._bars.periods_per_year)
        sums = self._sums(simulation.returns)
        measured = np.array([_METRIC[name].compute(performance) for name in SWEEP_METRICS], np.float64)
        if self._only_sharpe:
            values = self._ratios(sums)
        else:
            trains = [split.train for split in self._folds.all]
            values = np.array([self.objectives(simulation, train) for train in trains])[None]
        parameters = {path: [value] for path, value in point.items()}
        return Trials(parameters, values, measured[None], sums, ("",))

    def _sums(self, returns: FloatArray) -> FloatArray:
        edges = self._folds.edges
        totals = [np.add.reduceat(series, edges[:-1]) for series in (returns, returns * returns)]
        return np.stack([np.diff(edges).astype(np.float64), *totals], axis=1)[None]

    def _ratios(self, sums: FloatArray) -> FloatArray:
        """Return the Sharpe ratio on the bars that each fold learns from, once an objective."""
        blocks = [self._folds.blocks(split.train) for split in self._folds.all]
        year = self._bars.periods_per_year
        ratios = np.stack([sharpes(sums[:, inside], year) for inside in blocks], axis=1)
        return np.repeat(ratios[:, :, None], len(self._objectives), axis=2)

    def _swept(self, points: Sequence[Point]) -> Trials:
        """Send all points through the sweep at once."""
        space = Space.of(self._candidate.strategy.plugin, list(points), self._candidate.rules)
        trials = Trials.failed(points, [FORBIDDEN] * len(points), *self.shape)
        try:
            found = sweep(
                self._bars,
                self._candidate,
                space,
                benchmark=self._benchmark,
                threads=self._threads,
                edges=self._folds.edges.tolist(),
                many=True,
            )
        except InvalidValueError as error:
            if error.parameter != "space":
                raise
            return trials
        return _filled(trials, found, self._ratios(found.sums))


_METRIC: Mapping[str, Metric] = {metric.name: metric for metric in METRICS}
_SHARPE = _METRIC["sharpe"]


def _filled(trials: Trials, found: Sweep, objectives: FloatArray) -> Trials:
    trials.objectives[found.place] = objectives
    trials.metrics[found.place] = found.values
    trials.sums[found.place] = found.sums
    legal = set(found.place.tolist())
    problems = tuple("" if row in legal else FORBIDDEN for row in range(len(trials)))
    return Trials(trials.parameters, trials.objectives, trials.metrics, trials.sums, problems)
