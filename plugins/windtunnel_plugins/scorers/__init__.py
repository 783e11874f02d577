"""Signal scorers."""

from windtunnel_plugins.scorers.boosting import Boosting
from windtunnel_plugins.scorers.forest import Forest
from windtunnel_plugins.scorers.logistic import Logistic

__all__ = ["Boosting", "Forest", "Logistic"]
