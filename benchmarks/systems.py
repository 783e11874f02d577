"""The systems that are measured: their environments and their processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from data import Floats

__all__ = [
    "OURS",
    "SYSTEMS",
    "Measured",
    "System",
    "SystemFailedError",
    "import_seconds",
    "measure",
    "set_up",
]

HERE = Path(__file__).parent
PEERS = HERE / ".peers"
OURS = "windtunnel"


class SystemFailedError(Exception):
    """A system could not be set up or did not finish; says why."""


@dataclass(frozen=True)
class System:
    """A system: what its users import at the top of a script, and its licence."""

    name: str
    imports: str
    licence: str

    @property
    def python(self) -> Path:
        """Interpreter of its environment; ours is the one that runs the harness."""
        return Path(sys.executable) if self.name == OURS else PEERS / self.name / "bin" / "python"

    @property
    def module(self) -> str:
        return "ours" if self.name == OURS else f"peers.{self.name}"

    @property
    def pins(self) -> Path:
        return HERE / "peers" / f"{self.name}.txt"


SYSTEMS = {
    one.name: one
    for one in (
        # The names are used, since windtunnel imports what is behind a name only then.
        System(
            OURS,
            "import windtunnel as wt; wt.Bars, wt.Rules, wt.sweep; "
            "from windtunnel_plugins.strategies import SmaCross",
            "Apache-2.0",
        ),
        System("vectorbt", "import vectorbt", "Apache-2.0 with Commons Clause"),
        System("raptorbt", "import numpy, raptorbt", "MIT"),
        System("backtesting", "import backtesting", "AGPL-3.0"),
        System("polars_backtest", "import polars, polars_backtest", "PolyForm Noncommercial 1.0.0"),
    )
}


@dataclass(frozen=True)
class Measured:
    """What a process reported: its seconds, its peak memory and its rows of metrics."""

    system: str
    version: str
    seconds: tuple[float, ...]
    peak_mb: float
    rows: Floats
    note: dict[str, Any]

    @property
    def median(self) -> float:
        return float(np.median(self.seconds))


def set_up(system: System) -> bool:
    """Make the environment of a peer if it is absent or its pins have changed; return whether it was made.

    Raises
    ------
    SystemFailedError
        If pip cannot install the pins.
    """
    if system.name == OURS:
        return False
    home = PEERS / system.name
    installed, pins = home / "installed.txt", system.pins.read_text()
    if installed.exists() and installed.read_text() == pins:
        return False
    pip = [str(system.python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    for command in (
        [sys.executable, "-m", "venv", "--clear", str(home)],
        [*pip, "-r", str(system.pins)],
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemFailedError(f"{system.name} could not be installed: {_last_line(done.stderr)}")
    installed.write_text(pins)
    return True


def measure(system: System, case: str, *, reps: int, budget: float, cold_caches: bool = False) -> Measured:
    """Measure a workload in a new process of the system's environment.

    Raises
    ------
    SystemFailedError
        If the process fails.
    """
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "rows.npy"
        command = [
            str(system.python),
            "-m",
            system.module,
            case,
            "--reps",
            str(reps),
            "--budget",
            str(budget),
        ]
        environment = os.environ | {"PYTHONWARNINGS": "ignore"}
        if cold_caches:
            environment["NUMBA_CACHE_DIR"] = folder
        line = _run([*command, "--out", str(out), "--spawned", repr(time.time())], system, environment)
        found = json.loads(line)
        rows = np.load(out)
    note = {key: value for key, value in found.items() if key in ("engine", "orders")}
    return Measured(
        system.name, found["version"], tuple(found["seconds"]), float(found["peak_mb"]), rows, note
    )


def import_seconds(system: System) -> float:
    """Return how long the imports at the top of a user's script take in a new process."""
    script = (
        "import time; start = time.perf_counter()\n" + system.imports + "\nprint(time.perf_counter() - start)"
    )
    return float(_run([str(system.python), "-c", script], system, dict(os.environ)))


def _run(command: list[str], system: System, environment: dict[str, str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=HERE, env=environment)
    if done.returncode or not done.stdout.strip():
        raise SystemFailedError(f"{system.name}: {_last_line(done.stderr)}")
    return _last_line(done.stdout)


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1] if lines else "no output"
