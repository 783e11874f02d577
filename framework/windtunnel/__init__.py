"""Windtunnel: test trading strategies before they fly."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from windtunnel._version import __version__

if TYPE_CHECKING:
    from windtunnel.api import advise, backtest, load_bars, report, run, sweep
    from windtunnel.bars import Bars
    from windtunnel.errors import WindtunnelError
    from windtunnel.market import Market
    from windtunnel.pipeline import Result
    from windtunnel.plugin import (
        DataSource,
        LearnedStrategy,
        PatternDetector,
        RegimeModel,
        SignalScorer,
        Strategy,
        VolatilityModel,
        hookimpl,
    )
    from windtunnel.values import (
        Exposure,
        Forecast,
        Metric,
        Orders,
        Patterns,
        Regimes,
        Rules,
        Scores,
        Section,
        Tune,
    )

_HOMES = {
    "api": ("advise", "backtest", "load_bars", "report", "run", "sweep"),
    "bars": ("Bars",),
    "errors": ("WindtunnelError",),
    "market": ("Market",),
    "pipeline": ("Result",),
    "plugin": (
        "DataSource",
        "LearnedStrategy",
        "PatternDetector",
        "RegimeModel",
        "SignalScorer",
        "Strategy",
        "VolatilityModel",
        "hookimpl",
    ),
    "values": (
        "Exposure",
        "Forecast",
        "Metric",
        "Orders",
        "Patterns",
        "Regimes",
        "Rules",
        "Scores",
        "Section",
        "Tune",
    ),
}

__all__ = [
    "Bars",
    "DataSource",
    "Exposure",
    "Forecast",
    "LearnedStrategy",
    "Market",
    "Metric",
    "Orders",
    "PatternDetector",
    "Patterns",
    "RegimeModel",
    "Regimes",
    "Result",
    "Rules",
    "Scores",
    "Section",
    "SignalScorer",
    "Strategy",
    "Tune",
    "VolatilityModel",
    "WindtunnelError",
    "__version__",
    "advise",
    "backtest",
    "hookimpl",
    "load_bars",
    "report",
    "run",
    "sweep",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, so that ``import windtunnel`` stays quick."""
    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"windtunnel.{home}"), name)
    raise AttributeError(f"module 'windtunnel' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
