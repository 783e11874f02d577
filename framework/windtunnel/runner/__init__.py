"""Runs an experiment: picks the rooms that its sections ask for."""

from windtunnel.runner.computing import Settings, compute
from windtunnel.runner.execute import Finished, Performed, dataset, execute, find, perform
from windtunnel.runner.manifest import describe_data, gaps, identity
from windtunnel.runner.parts import candidate
from windtunnel.runner.searched import config_of
from windtunnel.runner.sweeping import Found, search

__all__ = [
    "Finished",
    "Found",
    "Performed",
    "Settings",
    "candidate",
    "compute",
    "config_of",
    "dataset",
    "describe_data",
    "execute",
    "find",
    "gaps",
    "identity",
    "perform",
    "search",
]
