"""The report of a result: an HTML page, and small pictures of it."""

from windtunnel.reporting.picture import equity_picture
from windtunnel.reporting.render import page, write_report
from windtunnel.reporting.section import ReportSection

__all__ = ["ReportSection", "equity_picture", "page", "write_report"]
