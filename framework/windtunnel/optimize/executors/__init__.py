"""Where chunks of trials run: in this process, in several, or on several machines."""

from windtunnel.optimize.executors.dask import Dask
from windtunnel.optimize.executors.inline import Inline
from windtunnel.optimize.executors.processes import Processes
from windtunnel.optimize.executors.work import Evaluate, Executor, Work

__all__ = ["Dask", "Evaluate", "Executor", "Inline", "Processes", "Work"]
