"""The engine: orders become fills, fills become equity and trades."""

from windtunnel.engine.account import Account, Progress, advance, simulate
from windtunnel.engine.simulation import REASONS, Fills, Simulation, Trades

__all__ = ["REASONS", "Account", "Fills", "Progress", "Simulation", "Trades", "advance", "simulate"]
