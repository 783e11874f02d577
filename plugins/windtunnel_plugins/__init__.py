"""The plugins that ship with Windtunnel, registered by the same door as anybody's."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from windtunnel.plugin import Plugin, hookimpl
from windtunnel.values import Section
from windtunnel_plugins import optimizers, patterns, regimes, scorers, sources, strategies, volatility

__all__ = ["windtunnel_register", "windtunnel_report_sections"]


@hookimpl
def windtunnel_register() -> Iterable[type[Plugin]]:
    """Return every plugin of this package."""
    rooms = (sources, strategies, patterns, regimes, scorers, volatility, optimizers)
    return [getattr(room, name) for room in rooms for name in room.__all__]


@hookimpl
def windtunnel_report_sections(result: Any) -> Iterable[Section]:
    """Return what suits the regimes that our models name."""
    from windtunnel_plugins.regimes._suits import suited

    return list(suited(result))
