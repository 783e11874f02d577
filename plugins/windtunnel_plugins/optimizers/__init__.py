"""Optimizers."""

from windtunnel_plugins.optimizers.cmaes import CmaEs
from windtunnel_plugins.optimizers.gp import Gp
from windtunnel_plugins.optimizers.grid import Grid
from windtunnel_plugins.optimizers.nsga2 import Nsga2
from windtunnel_plugins.optimizers.random import Random
from windtunnel_plugins.optimizers.sobol import Sobol
from windtunnel_plugins.optimizers.tpe import Tpe

__all__ = ["CmaEs", "Gp", "Grid", "Nsga2", "Random", "Sobol", "Tpe"]
