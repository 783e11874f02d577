"""The types that pass between rooms: a value can be cut at a bar and joined, nothing else."""

from windtunnel.values.actions import Actions
from windtunnel.values.arrays import BoolArray, Exposure, FloatArray, IntArray, TimeArray
from windtunnel.values.evaluation import Evaluation
from windtunnel.values.forecast import Forecast
from windtunnel.values.metric import Metric
from windtunnel.values.optimized import Fold, Optimized
from windtunnel.values.orders import Orders
from windtunnel.values.patterns import Patterns
from windtunnel.values.piece import PerBar, frozen
from windtunnel.values.regimes import Regimes
from windtunnel.values.rules import Atr, Calendar, Drift, RangeShare, Rules
from windtunnel.values.scores import Outcomes, Scores, SignalFeatures
from windtunnel.values.search import Choices, Dimension, Point, Search, SearchSpace, Span
from windtunnel.values.section import ConfigModel, Section
from windtunnel.values.split import Bounds, Split
from windtunnel.values.table import Origin, Request, Table
from windtunnel.values.trials import Trial, Trials
from windtunnel.values.tune import Tune
from windtunnel.values.verdict import Call, Verdict

__all__ = [
    "Actions",
    "Atr",
    "BoolArray",
    "Bounds",
    "Calendar",
    "Call",
    "Choices",
    "ConfigModel",
    "Dimension",
    "Drift",
    "Evaluation",
    "Exposure",
    "FloatArray",
    "Fold",
    "Forecast",
    "IntArray",
    "Metric",
    "Optimized",
    "Orders",
    "Origin",
    "Outcomes",
    "Patterns",
    "PerBar",
    "Point",
    "RangeShare",
    "Regimes",
    "Request",
    "Rules",
    "Scores",
    "Search",
    "SearchSpace",
    "Section",
    "SignalFeatures",
    "Span",
    "Split",
    "Table",
    "TimeArray",
    "Trial",
    "Trials",
    "Tune",
    "Verdict",
    "frozen",
]
