"""What a plugin is: base class, the kinds, the hooks and the host."""

from windtunnel.plugin.base import Plugin, tuned
from windtunnel.plugin.hookspecs import hookimpl
from windtunnel.plugin.host import Broken, Host, Provenance, build_host
from windtunnel.plugin.kinds import (
    KINDS,
    DataSource,
    LearnedStrategy,
    Model,
    Optimizer,
    PatternDetector,
    RegimeModel,
    SignalScorer,
    State,
    Strategy,
    VolatilityModel,
)

__all__ = [
    "KINDS",
    "Broken",
    "DataSource",
    "Host",
    "LearnedStrategy",
    "Model",
    "Optimizer",
    "PatternDetector",
    "Plugin",
    "Provenance",
    "RegimeModel",
    "SignalScorer",
    "State",
    "Strategy",
    "VolatilityModel",
    "build_host",
    "hookimpl",
    "tuned",
]
