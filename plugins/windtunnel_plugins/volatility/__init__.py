"""Volatility models."""

from windtunnel_plugins.volatility.ewma import Ewma

__all__ = ["Ewma"]
