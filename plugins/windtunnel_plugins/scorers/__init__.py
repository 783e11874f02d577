"""Signal scorers."""

from windtunnel_plugins.scorers.logistic import Logistic

__all__ = ["Logistic"]
