"""Runs an experiment: picks the rooms that its sections ask for."""

from windtunnel.runner.execute import Finished, candidate, compute, execute
from windtunnel.runner.manifest import gaps

__all__ = ["Finished", "candidate", "compute", "execute", "gaps"]
