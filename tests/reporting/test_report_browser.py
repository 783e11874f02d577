"""The page in a browser, where there is one."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from windtunnel.reporting import ReportSection, write_report

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
SETTINGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--virtual-time-budget=8000",
    "--enable-logging=stderr",
)  # fmt: skip


def browsed(report: Path, user: Path) -> tuple[str, str]:
    """Return the page's elements after its script has run, and what the browser logged."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        pytest.skip("there is no Chromium to show the page in")
    command = [browser, *SETTINGS, f"--user-data-dir={user}", "--dump-dom", report.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    return done.stdout, done.stderr


@pytest.fixture(scope="module")
def shown(result, tmp_path_factory) -> tuple[str, str]:
    """The page as it was written."""
    folder: Path = tmp_path_factory.mktemp("browser")
    report = write_report(result, folder / "run", section=ReportSection(), assets=folder / "assets")
    return browsed(report, folder / "user")


def test_every_chart_that_is_shown_is_drawn(shown):
    elements, _ = shown
    figures = re.split(r'(?=<figure class="chart")', elements)[1:]
    drawn = {re.search(r'id="([^"]+)"', figure)[1]: "main-svg" in figure for figure in figures}
    assert drawn.pop("trades-1") is False, "the second symbol waits until it is chosen"
    assert len(drawn) == 13
    assert all(drawn.values()), drawn


def test_the_script_makes_no_errors_and_no_requests(shown):
    _, log = shown
    assert "CONSOLE" not in log, log


def test_colours_are_resolved(shown):
    elements, _ = shown
    assert "stroke: var(--" not in elements
    assert "stroke: rgb(11, 100, 181)" in elements or "stroke: rgb(95, 176, 255)" in elements


def test_the_surface_of_a_sweep_is_drawn_without_errors(swept, tmp_path):
    space = {"near": range(30), "far": [1, 2, 5, 10, 20, 50], "backtest.stop_loss": [None, 0.1]}
    result = swept(space, np.random.default_rng(1).normal(0.3, 0.2, 30 * 6 * 2))
    report = write_report(result, tmp_path / "run", section=ReportSection(), assets=tmp_path / "assets")
    elements, log = browsed(report, tmp_path / "user")
    assert "CONSOLE" not in log, log
    figures = re.split(r'(?=<figure class="chart")', elements)[1:]
    drawn = {re.search(r'id="([^"]+)"', figure)[1]: "main-svg" in figure for figure in figures}
    assert [drawn.get(name) for name in ("surface", "surface-close", "spread")] == [True] * 3


def test_without_the_chart_library_the_page_says_so_once(result, tmp_path):
    report = write_report(result, tmp_path / "run", section=ReportSection(), assets=tmp_path / "assets")
    shutil.rmtree(tmp_path / "assets")
    elements, _ = browsed(report, tmp_path / "user")
    shown = elements.partition("<script")[0]
    assert shown.count("No chart can be drawn") == 1
    assert re.search(r'<main>\s*<p class="notice">[^<]* report: \{inline: true\}', shown)
