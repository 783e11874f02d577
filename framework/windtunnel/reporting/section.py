"""The report's section of an experiment."""

from __future__ import annotations

from windtunnel.values import ConfigModel

__all__ = ["ReportSection"]


class ReportSection(ConfigModel):
    """How the report is written."""

    html: bool = True
    """Write ``report.html``, and ``equity.svg`` to show elsewhere."""
    inline: bool = False
    """Put the chart library into the file (5 MB), so that it can be sent alone; else runs share one copy."""
