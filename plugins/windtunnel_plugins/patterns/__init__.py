"""Pattern detectors."""

from windtunnel_plugins.patterns.candlesticks import Candlesticks

__all__ = ["Candlesticks"]
