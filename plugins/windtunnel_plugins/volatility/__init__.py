"""Volatility models."""

from windtunnel_plugins.volatility.ensemble import Ensemble
from windtunnel_plugins.volatility.ewma import Ewma
from windtunnel_plugins.volatility.forest import Forest
from windtunnel_plugins.volatility.garch import Garch
from windtunnel_plugins.volatility.gjr_garch import GjrGarch
from windtunnel_plugins.volatility.har import Har

__all__ = ["Ensemble", "Ewma", "Forest", "Garch", "GjrGarch", "Har"]
