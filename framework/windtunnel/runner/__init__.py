"""Runs an experiment: picks the rooms that its sections ask for."""

from windtunnel.runner.execute import Finished, Performed, compute, dataset, execute, find, perform
from windtunnel.runner.manifest import describe_data, gaps, identity
from windtunnel.runner.parts import candidate
from windtunnel.runner.sweeping import Found, config_of, search

__all__ = [
    "Finished",
    "Found",
    "Performed",
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
