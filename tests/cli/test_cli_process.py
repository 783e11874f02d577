"""The command as a process: start-up, streams and signals."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

Spawn = Callable[..., "subprocess.Popen[str]"]

SLEEPER = """\
import pathlib, time
from windtunnel import Strategy
class Sleeper(Strategy):
    '''Never answers.'''
    name = "sleeper"
    def exposure(self, market):
        pathlib.Path("asleep").touch()
        time.sleep(60)
"""

HEAVY = {"pandas", "numba", "sklearn", "plotly", "pyarrow", "scipy", "talib", "arch"}


def test_it_is_quiet_where_nobody_looks(spawn: Spawn, small: Path):
    running = spawn("run", small, COLUMNS="60")
    out, err = running.communicate(timeout=60)
    assert (running.returncode, err) == (0, "")
    assert "\x1b" not in out
    assert "\r" not in out
    assert all(line == line.rstrip() for line in out.splitlines())
    assert "arch 8" in out.splitlines()[0], "lines are broken for a terminal only"


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_an_interrupt_is_130_and_keeps_nothing_half_done(spawn: Spawn, here: Path):
    (here / "sleeper.py").write_text(SLEEPER)
    (here / "s.yaml").write_text("data: {use: arch}\nstrategy: sleeper\nplugins: {files: [sleeper.py]}\n")
    running = spawn("run", "s.yaml")
    deadline = time.monotonic() + 30
    while not (here / "asleep").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=30)
    assert running.returncode == 130
    assert "nothing half-done was kept" in err
    assert "Traceback" not in err
    assert out.startswith("  data ")
    assert not list(here.glob("results/*/*"))


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX pipes")
@pytest.mark.parametrize("command", ["plugins list", "schema"])
def test_a_reader_that_goes_away_is_no_error(spawn: Spawn, command: str):
    with spawn(*command.split()) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.close()
        assert running.stderr.read() == ""
    assert running.returncode == 141


@pytest.mark.parametrize(
    "command", [["--help"], ["run", "--help"], ["plugins", "list"], ["plugins", "show", "ewma"]]
)
def test_start_up_imports_nothing_heavy(command: list[str]):
    code = (
        "import sys\nfrom windtunnel.cli import main\n"
        f"sys.argv = ['windtunnel', *{command}]\n"
        "try:\n    main()\nexcept SystemExit as stop:\n    assert not stop.code, stop.code\n"
        "print(*{name.partition('.')[0] for name in sys.modules}, file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30
    )
    assert HEAVY.isdisjoint(done.stderr.split())


def test_a_stream_that_cannot_write_a_sign_gets_another(spawn: Spawn, small: Path):
    running = spawn("run", small, PYTHONIOENCODING="ascii")
    out, err = running.communicate(timeout=60)
    assert (running.returncode, err) == (0, "")
    assert "2014-01-02 ? 2018-12-31" in out


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX terminals")
def test_on_a_terminal_lines_are_broken_and_a_bar_comes_and_goes(here: Path, learning: Path):
    import pty

    (here / "slow.py").write_text(
        SLEEPER.replace("time.sleep(60)", "time.sleep(2.5); return market.close > 0")
    )
    (here / learning).write_text((here / learning).read_text() + "plugins: {files: [slow.py]}\n")
    own, its = pty.openpty()
    command = [sys.executable, "-m", "windtunnel", "run", learning, "--set", "strategy.use=sleeper"]
    environment = {**os.environ, "COLUMNS": "80", "TERM": "xterm", "NO_COLOR": "1"}
    with subprocess.Popen(command, cwd=here, env=environment, stdout=its, stderr=its) as running:
        os.close(its)
        written = b""
        while chunk := _read(own):
            written += chunk
    os.close(own)
    text = written.decode()
    assert running.returncode == 0, text
    assert re.search(r"  backtest +\d:\d\d", text), "what is under way, and for how long"
    assert re.search(r"  backtest and report ━+ 100%\r", text)
    assert "\x1b[1A\x1b[2K" in text.rpartition("━")[2], "the bar is wiped away"
    kept = [re.sub(r"\x1b\[[\d;?]*[a-zA-Z]", "", line.rpartition("\r")[2]) for line in text.split("\r\n")]
    assert all(len(line) <= 80 for line in kept if not line.startswith("  again"))
    assert "            gate: not high_volatility, no pattern against it within 1 bar ·" in kept


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65_536)
    except OSError:
        return b""
