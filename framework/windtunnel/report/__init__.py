"""The report of a result: an HTML page, and small pictures of it."""

from windtunnel.report.picture import equity_picture
from windtunnel.report.render import page, write_report
from windtunnel.report.section import ReportSection

__all__ = ["ReportSection", "equity_picture", "page", "write_report"]
