"""The report of a result: one HTML page that loads nothing from the network."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from importlib import resources
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any

import yaml

from windtunnel.report import library, tables
from windtunnel.report.charts import account, certainty, models, trading
from windtunnel.report.charts.chart import Chart, holding
from windtunnel.report.text import bar_word, counted, figure, interval, number, percent, stamp

if TYPE_CHECKING:
    from windtunnel.pipeline.result import Result
    from windtunnel.report.section import ReportSection
    from windtunnel.values import Section

__all__ = ["page", "write_report"]
