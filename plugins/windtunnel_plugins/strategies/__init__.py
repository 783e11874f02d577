"""Strategies."""

from windtunnel_plugins.strategies.bollinger_rsi import BollingerRsi
from windtunnel_plugins.strategies.buy_and_hold import BuyAndHold
from windtunnel_plugins.strategies.cross_sectional_momentum import CrossSectionalMomentum
from windtunnel_plugins.strategies.donchian import Donchian
from windtunnel_plugins.strategies.momentum import Momentum
from windtunnel_plugins.strategies.recommended import Recommended
from windtunnel_plugins.strategies.recorded import Recorded
from windtunnel_plugins.strategies.sma_cross import SmaCross

__all__ = [
    "BollingerRsi",
    "BuyAndHold",
    "CrossSectionalMomentum",
    "Donchian",
    "Momentum",
    "Recommended",
    "Recorded",
    "SmaCross",
]
