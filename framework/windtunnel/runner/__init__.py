"""Runs an experiment: picks the rooms that its sections ask for."""

from windtunnel.runner.execute import Finished, Performed, candidate, compute, dataset, execute, find, perform
from windtunnel.runner.manifest import describe_data, gaps, identity

__all__ = [
    "Finished",
    "Performed",
    "candidate",
    "compute",
    "dataset",
    "describe_data",
    "execute",
    "find",
    "gaps",
    "identity",
    "perform",
]
