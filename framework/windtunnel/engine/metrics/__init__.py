"""Performance metrics: one pure function each, and the table that computes them all."""

from windtunnel.engine.metrics.table import METRICS, Performance, compute

__all__ = ["METRICS", "Performance", "compute"]
