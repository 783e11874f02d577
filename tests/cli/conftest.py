from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from windtunnel.cli.app import app

SMALL = """\
name: small
data: {use: arch, symbols: [SP500], start: 2014}
strategy: {use: sma_cross, params: {fast: 10, slow: 40}}
backtest: {fees: 0.001, slippage: 0.0005}
benchmark: SP500
"""

LEARNING = """\
name: learning
data: {use: arch, symbols: [SP500, NASDAQ], start: 2012}
strategy: {use: sma_cross, params: {fast: 5, slow: 20}}
regime: trend_volatility
patterns: [candlesticks]
volatility: ewma
scorer: {use: logistic, refit: 126, first: 504, min_outcomes: 10}
gate: {regime: {not: [high_volatility]}, pattern: not_opposite, within: 1}
sizing: {fraction: 0.5, target_volatility: 0.15}
backtest: {fees: 0.001}
"""

Invoke = Callable[..., Result]
Spawn = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in, so that `results` is made there."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def small(here: Path) -> Path:
    path = here / "small.yaml"
    path.write_text(SMALL)
    return Path("small.yaml")


@pytest.fixture
def learning(here: Path) -> Path:
    path = here / "learning.yaml"
    path.write_text(LEARNING)
    return Path("learning.yaml")


@pytest.fixture
def invoke() -> Invoke:
    runner = CliRunner()

    def call(*args: object) -> Result:
        return runner.invoke(app, [str(arg) for arg in args], prog_name="windtunnel")

    return call


@pytest.fixture
def spawn(here: Path) -> Spawn:
    """Start the real command in a process of its own."""

    def start(*args: object, **environment: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "windtunnel", *map(str, args)],
            cwd=here,
            env={**os.environ, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return start
