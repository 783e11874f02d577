"""Many accounts over the same bars, each reduced to a row of metrics."""

from windtunnel.engine.sweep.batch import Bench, Figures, items, one
from windtunnel.engine.sweep.codes import SWEEP_METRICS

__all__ = ["SWEEP_METRICS", "Bench", "Figures", "items", "one"]
