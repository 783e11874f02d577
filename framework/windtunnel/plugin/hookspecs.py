"""The hooks: what a package may implement, under the entry-point group ``windtunnel``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import pluggy

from windtunnel.values import Metric, Section

if TYPE_CHECKING:
    from windtunnel.plugin.base import Plugin

__all__ = ["hookimpl", "hookspec"]

hookspec = pluggy.HookspecMarker("windtunnel")
hookimpl = pluggy.HookimplMarker("windtunnel")


@hookspec
def windtunnel_register() -> Iterable[type[Plugin]]:  # type: ignore[empty-body]
    """Return every plugin of the package; its base class says the kind."""


@hookspec
def windtunnel_metrics() -> Iterable[Metric]:  # type: ignore[empty-body]
    """Return metrics beyond the built-in ones."""


@hookspec
def windtunnel_report_sections(result: Any) -> Iterable[Section]:  # type: ignore[empty-body]
    """Return sections to add to the report of ``result``."""


@hookspec
def windtunnel_run_started(run: Any) -> None:
    """Observe that a run begins; ``run`` is its resolved experiment."""


@hookspec
def windtunnel_run_finished(result: Any) -> None:
    """Observe that a run has ended."""
