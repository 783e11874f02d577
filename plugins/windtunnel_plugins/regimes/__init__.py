"""Regime models."""

from windtunnel_plugins.regimes.trend_volatility import TrendVolatility

__all__ = ["TrendVolatility"]
