"""The protocol between the harness and a side: one process, one workload, one JSON line, one array.

``python -m peers.vectorbt W2 --reps 5 --budget 30 --out rows.npy`` measures in the environment of the peer.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from cases import Case, case

__all__ = ["Task", "peak_mb", "serve"]


@dataclass(frozen=True)
class Task:
    """A prepared workload.

    Parameters
    ----------
    call : callable
        What is timed. Takes the number of the call, 0 for the one before the timed ones, and returns the
        five metrics, ``[K, 5]``.
    warm : callable, optional
        Done before the timed calls in place of call 0, where that would take long.
    note : dict
        Written to the JSON line.
    before : callable, optional
        Done before every call, untimed.
    """

    call: Callable[[int], Any]
    warm: Callable[[], object] | None = None
    note: dict[str, object] | None = None
    before: Callable[[], object] = bool


def serve(version: str, prepare: Callable[[Case], Task]) -> None:
    """Measure the workload of the command line and print one JSON line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("case")
    parser.add_argument("--reps", type=int, default=5)
    parser.add_argument("--budget", type=float, default=30.0, help="seconds of timed calls")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--spawned", type=float, help="time at which this process was started")
    given = parser.parse_args()
    cold = given.case == "W7"
    work = case("W1-5k" if cold else given.case)
    task = prepare(work)
    task.before()
    rows = [np.atleast_2d(task.call(0))] if task.warm is None else []
    since_start = time.time() - given.spawned if given.spawned else None
    if task.warm is not None:
        task.warm()
    seconds: list[float] = []
    while not cold and len(seconds) < given.reps * work.repeat and sum(seconds) <= given.budget:
        task.before()
        start = time.perf_counter()
        found = task.call(len(seconds) + 1)
        seconds.append(time.perf_counter() - start)
        # One backtest a call: keep every call's row. A grid: the rows of each call are the same.
        rows = [*rows, np.atleast_2d(found)] if work.combinations == 1 else [np.atleast_2d(found)]
    if given.out:
        np.save(given.out, np.concatenate(rows).astype(np.float64))
    line = {
        "case": given.case,
        "version": version,
        "seconds": [since_start] if cold else seconds,
        "peak_mb": round(peak_mb(), 1),
        **(task.note or {}),
    }
    print(json.dumps(line), flush=True)


def peak_mb() -> float:
    """Return the most memory that this process has held, in megabytes of 2^20 bytes.

    Linux counts into ``ru_maxrss`` what the parent held when it started this process; VmHWM starts anew.
    """
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    import resource
    import sys

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1 << 20 if sys.platform == "darwin" else 1024)
