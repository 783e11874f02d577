"""The hooks: what a package may implement, under the entry-point group ``windtunnel``.

Mark each implementation with :data:`hookimpl` and name it as the hook is called here; arguments that it does
not need may be left out. All hooks are optional. ``docs/plugins.md`` shows a whole package.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import pluggy

from windtunnel.values import Metric, Section

if TYPE_CHECKING:
    from windtunnel.plugin.base import Plugin

__all__ = [
    "hookimpl",
    "hookspec",
    "windtunnel_metrics",
    "windtunnel_register",
    "windtunnel_report_sections",
    "windtunnel_run_finished",
    "windtunnel_run_started",
    "windtunnel_trial_finished",
]

hookspec = pluggy.HookspecMarker("windtunnel")
hookimpl = pluggy.HookimplMarker("windtunnel")
"""Marks a function as the implementation of the hook of the same name."""


@hookspec
def windtunnel_register() -> Iterable[type[Plugin]]:  # type: ignore[empty-body]
    """Return every plugin class of the package; its base class says the kind.

    Asked once, when plugins are collected. A file beside an experiment needs no such hook.

    Examples
    --------
    >>> @hookimpl
    ... def windtunnel_register():
    ...     return [Breakout, CalmRegime]
    """


@hookspec
def windtunnel_metrics() -> Iterable[Metric]:  # type: ignore[empty-body]
    """Return metrics beyond the built-in ones.

    Asked in every run of an experiment. A metric's ``compute`` takes a
    :class:`windtunnel.engine.metrics.Performance`. What fails, or takes a name that is in use, stops no run:
    it is noted in the manifest, under ``complaints``.

    Examples
    --------
    >>> @hookimpl
    ... def windtunnel_metrics():
    ...     def best(performance):
    ...         return performance.simulation.returns.max()
    ...     return [Metric("best_bar", "best bar", best, higher_is_better=True, unit="fraction")]
    """


@hookspec
def windtunnel_report_sections(result: Any) -> Iterable[Section]:  # type: ignore[empty-body]
    """Return sections to add to the report of ``result``, a :class:`windtunnel.Result`.

    Asked while ``report.html`` is written. The HTML goes in as it is, so escape what comes from outside. An
    error here stops no run: it is noted in the manifest, under ``complaints``.

    Examples
    --------
    >>> @hookimpl
    ... def windtunnel_report_sections(result):
    ...     return [Section("The last trades", result.trades.tail().to_html())]
    """


@hookspec
def windtunnel_run_started(run: Any) -> None:
    """Observe that a run begins; ``run`` is its experiment, a :class:`windtunnel.experiment.Loaded`.

    An error here stops no run: it is noted in the manifest, under ``complaints``.

    Examples
    --------
    >>> @hookimpl
    ... def windtunnel_run_started(run):
    ...     print("started", run.experiment.name)
    """


@hookspec
def windtunnel_trial_finished(trial: Any) -> None:
    """Observe that a parameter set has been tried; ``trial`` is a :class:`windtunnel.values.Trial`.

    Called for every trial of an optimisation, in the process that drives it, in the order in which trials
    become known. Trials that the ledger knew before are not told again. An error here stops no run: it is
    noted in the manifest, under ``complaints``.

    Examples
    --------
    >>> @hookimpl
    ... def windtunnel_trial_finished(trial):
    ...     print(trial.number, dict(trial.point), trial.metrics["sharpe"], trial.problem)
    """


@hookspec
def windtunnel_run_finished(result: Any) -> None:
    """Observe that a run has ended with ``result``, a :class:`windtunnel.Result`.

    Called before its folder is written. An error here stops no run: it is noted in the manifest, under
    ``complaints``.

    Examples
    --------
    >>> @hookimpl
    ... def windtunnel_run_finished(result):
    ...     print("finished", result.name, result.metrics["sharpe"])
    """
