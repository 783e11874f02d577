"""Windtunnel: test trading strategies before they fly."""

from windtunnel._version import __version__

__all__ = ["__version__"]
