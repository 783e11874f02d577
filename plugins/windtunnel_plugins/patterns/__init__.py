"""Pattern detectors."""

from windtunnel_plugins.patterns.candlesticks import Candlesticks
from windtunnel_plugins.patterns.chart_patterns import ChartPatterns
from windtunnel_plugins.patterns.gaps import Gaps
from windtunnel_plugins.patterns.level_breaks import LevelBreaks

__all__ = ["Candlesticks", "ChartPatterns", "Gaps", "LevelBreaks"]
