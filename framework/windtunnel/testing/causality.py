"""Proves that no stage of the pipeline knows the future: the past is asked again without it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from traceback import walk_tb
from typing import Any

import numpy as np

from windtunnel.bars import FIELDS, Bars
from windtunnel.engine import simulate
from windtunnel.engine.reference import reference
from windtunnel.errors import InvalidValueError
from windtunnel.learn import Tick, folds
from windtunnel.market import Market
from windtunnel.pipeline import Candidate, Decision, Part, decide
from windtunnel.pipeline.sections import SizingSection, StrategySection
from windtunnel.plugin import Host, LearnedStrategy, Plugin, SignalScorer, Strategy
from windtunnel.report.text import stamp
from windtunnel.testing.differences import Difference, first_difference
from windtunnel.testing.findings import Finding, Provoked, Verification, likely_cause
from windtunnel.testing.memory import Memory, renewed
from windtunnel.testing.stages import Said, data, decided, fills, indicators, plugins_of
from windtunnel.values import Exposure, Orders

__all__ = ["cut_points", "verify"]

MARGIN = 10
"""Bars between the end of the warm-up and the first cut."""
_FUTURES: Mapping[Provoked, float] = {"halved": 0.5, "doubled": 2.0}


def silent(what: str, done: int, total: int) -> None:
    """Report no progress."""
