"""The specification: every rule of the engine as a plain loop over one bar at a time.

Read :mod:`~windtunnel.engine.reference.loop`, then :mod:`~windtunnel.engine.reference.settle`, to know what a
fill means. It is slow on purpose; property tests hold the compiled kernels to it.
"""

from windtunnel.engine.reference.loop import reference

__all__ = ["reference"]
