"""What the models of a run said, and whether it came true: only those that it has."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from windtunnel.reporting.charts import calibration, forecasts, models, patterns, ranking, regimes
from windtunnel.reporting.charts.chart import Chart
from windtunnel.values.ranking import RankedOrders

if TYPE_CHECKING:
    from windtunnel.pipeline.result import Result

__all__ = ["said"]


def said(result: Result) -> Iterator[Chart | list[Chart] | str]:
    """Yield the charts of every model, or a sentence in place of one that there is nothing to draw for."""
    decision = result.decision
    if isinstance(decision.wanted, RankedOrders):
        yield ranking.ranking(result)
    if decision.regimes is not None:
        if "regimes" in result.truth:
            yield regimes.confusion(result)
            yield regimes.delay(result)
        yield regimes.durations(result)
    if decision.patterns is not None:
        yield patterns.drawn(result)
        yield patterns.success(result)
    if decision.forecast is not None:
        yield models.volatility(result)
        yield forecasts.coverage(result)
        yield forecasts.losses(result)
    if decision.signals is not None:
        yield models.scores(result)
        yield calibration.reliability(result)
        yield calibration.risk(result)
        yield models.contributions(result)
