"""The plugins that ship with Windtunnel, registered by the same door as anybody's."""

from __future__ import annotations

from collections.abc import Iterable

from windtunnel.plugin import Plugin, hookimpl
from windtunnel_plugins import optimizers, patterns, regimes, scorers, sources, strategies, volatility

__all__ = ["windtunnel_register"]


@hookimpl
def windtunnel_register() -> Iterable[type[Plugin]]:
    """Return every plugin of this package."""
    rooms = (sources, strategies, patterns, regimes, scorers, volatility, optimizers)
    return [getattr(room, name) for room in rooms for name in room.__all__]
