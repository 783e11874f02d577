"""Regime models."""

from windtunnel_plugins.regimes.bear_market import BearMarket
from windtunnel_plugins.regimes.change_points import ChangePoints
from windtunnel_plugins.regimes.gaussian_mixture import GaussianMixture
from windtunnel_plugins.regimes.hidden_markov import HiddenMarkov
from windtunnel_plugins.regimes.kmeans import KMeans
from windtunnel_plugins.regimes.trend_volatility import TrendVolatility

__all__ = ["BearMarket", "ChangePoints", "GaussianMixture", "HiddenMarkov", "KMeans", "TrendVolatility"]
