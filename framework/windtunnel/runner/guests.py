"""What other packages add to a run: one that fails is named and left out, and the run goes on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from windtunnel.engine.metrics import METRICS
from windtunnel.plugin import Host
from windtunnel.values import Metric, Section

__all__ = ["CONTRIBUTING", "metrics", "sections"]

CONTRIBUTING = ("windtunnel_metrics", "windtunnel_report_sections")
"""The hooks that add to what a run leaves behind."""


def metrics(host: Host, complaints: list[str]) -> list[Metric]:
    """Return the metrics of other packages; one that raises gives NaN and a complaint."""
    found, failed = host.collect("windtunnel_metrics")
    complaints += failed
    taken = {metric.name for metric in METRICS}
    kept: list[Metric] = []
    for contribution in found:
        metric, package = contribution.item, contribution.package
        if not isinstance(metric, Metric):
            complaints.append(f"{package}: windtunnel_metrics must return metrics (got {metric!r})")
        elif metric.name in taken:
            complaints.append(f"{package}: there is a metric {metric.name!r} already")
        else:
            taken.add(metric.name)
            kept.append(replace(metric, compute=_guarded(metric, package, complaints)))
    return kept


def _guarded(metric: Metric, package: str, complaints: list[str]) -> Callable[[Any], float]:
    def compute(performance: Any) -> float:
        try:
            return float(metric.compute(performance))
        except Exception as error:  # noqa: BLE001 - a stranger's code may raise anything
            complaint = f"{package}: metric {metric.name} failed: {error!r}"
            if complaint not in complaints:
                complaints.append(complaint)
            return float("nan")

    return compute


def sections(host: Host, result: Any, complaints: list[str]) -> list[Section]:
    """Return the report sections of other packages."""
    found, failed = host.collect("windtunnel_report_sections", result=result)
    complaints += failed
    kept = []
    for contribution in found:
        if isinstance(contribution.item, Section):
            kept.append(contribution.item)
        else:
            rule = "windtunnel_report_sections must return sections"
            complaints.append(f"{contribution.package}: {rule} (got {contribution.item!r})")
    return kept
