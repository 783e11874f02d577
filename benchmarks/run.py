"""Measure Windtunnel and its peers, in one run on the same data: ``python benchmarks/run.py``.

Each system runs in a process and an environment of its own. Results are compared before times are: where
a peer computes the same by definition, its ratio is shown only if both agree.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from agreement import compare
from cases import CASES, Case
from rich.console import Console
from rich.table import Table
from systems import OURS, SYSTEMS, Measured, System, SystemFailedError, import_seconds, measure, set_up
from tables import Outcome, floors, markdown, seconds, systems_table

HERE = Path(__file__).parent
RESULTS = HERE / "results"
DOCS = HERE.parent / "docs" / "benchmarks.md"
CONSOLE = Console(width=None if sys.stdout.isatty() else 150)


def main() -> int:
    given = _arguments()
    names = [OURS, *[name for name in SYSTEMS if name != OURS]]
    if given.systems:
        names = [name for name in names if name in given.systems.split(",")]
    cases = [one for one in CASES if not given.only or one.name.lower().startswith(given.only.lower())]
    if not cases or not names:
        CONSOLE.print(f"Nothing to do: workloads are {', '.join(one.name for one in CASES)}")
        return 2
    ready = _ready([SYSTEMS[name] for name in names])
    if given.setup:
        return 0 if len(ready) == len(names) else 1
    reps, budget = (1, 0.0) if given.quick else (given.reps, given.budget)
    outcomes = [_outcome(case, ready, reps, budget) for case in cases]
    CONSOLE.print(systems_table(outcomes))
    _show_floors(outcomes)
    _write(outcomes, docs=given.write_docs)
    return 0 if all(outcome.fine for outcome in outcomes) else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", help="workloads whose name starts so, such as W2")
    parser.add_argument("--systems", help=f"some of {','.join(SYSTEMS)}; all if left out")
    parser.add_argument("--reps", type=int, default=5, help="timed calls (W1-5k: ten times as many)")
    parser.add_argument(
        "--budget", type=float, default=30.0, help="seconds of timed calls a system and workload"
    )
    parser.add_argument("--quick", action="store_true", help="one timed call each")
    parser.add_argument("--setup", action="store_true", help="only set up the environments of the peers")
    parser.add_argument(
        "--write-docs", action="store_true", help="also write the table of docs/benchmarks.md"
    )
    return parser.parse_args()


def _ready(systems: list[System]) -> list[System]:
    """Set up what is absent and return the systems that can run."""
    ready = []
    for system in systems:
        try:
            with CONSOLE.status(f"setting up {system.name} …"):
                made = set_up(system)
        except SystemFailedError as failure:
            CONSOLE.print(f"[red]✗[/red] {failure}; left out")
            continue
        if made:
            CONSOLE.print(f"✓ {system.name} ({system.licence}) in {system.python.parent.parent}")
        ready.append(system)
    return ready


def _outcome(case: Case, systems: list[System], reps: int, budget: float) -> Outcome:
    outcome = Outcome(case)
    for system in systems:
        if system.name != OURS and system.name not in case.peers:
            continue
        try:
            with CONSOLE.status(f"{case.name}: {system.name} …"):
                outcome.measured[system.name] = (
                    _cold(system, reps)
                    if case.name == "W7"
                    else measure(system, case.name, reps=reps, budget=budget)
                )
        except SystemFailedError as failure:
            outcome.failures.append(str(failure))
            CONSOLE.print(f"[red]✗[/red] {case.name} {failure}")
            continue
        CONSOLE.print(f"  {case.name} {system.name} {seconds(outcome.measured[system.name].median)}")
    ours = outcome.measured.get(OURS)
    if ours is not None:
        for name, peer in outcome.measured.items():
            if name != OURS:
                outcome.agreements[name] = compare(ours.rows, peer.rows, name)
    return outcome


def _cold(system: System, reps: int) -> Measured:
    """Return what new processes take from their start to the first result; the first is not counted."""
    runs = [measure(system, "W7", reps=0, budget=0.0) for _ in range(reps + 1)][1:]
    imports = [import_seconds(system) for _ in range(reps + 1)][1:]
    note = {"import": float(np.median(imports))}
    if system.name == OURS:
        note["nothing compiled"] = measure(system, "W7", reps=0, budget=0.0, cold_caches=True).median
    every = tuple(run.seconds[0] for run in runs)
    return Measured(system.name, runs[0].version, every, max(run.peak_mb for run in runs), runs[0].rows, note)


def _show_floors(outcomes: list[Outcome]) -> None:
    table = Table("workload", "must be", "is", "", title="What our side must reach", title_justify="left")
    for name, rule, got, reached in floors(outcomes):
        table.add_row(name, rule, got, "[green]met[/green]" if reached else "[red]not met[/red]")
    if table.row_count:
        CONSOLE.print(table)


def _write(outcomes: list[Outcome], *, docs: bool) -> None:
    machine = _machine()
    text = markdown(outcomes, machine)
    RESULTS.mkdir(exist_ok=True)
    for outcome in outcomes:
        for name, one in outcome.measured.items():
            np.save(RESULTS / f"{outcome.case.name}_{name}.npy", one.rows)
    content = {
        "machine": machine,
        "workloads": {
            outcome.case.name: {
                "meaning": outcome.case.meaning,
                "failures": outcome.failures,
                "systems": {
                    name: {
                        "version": one.version,
                        "seconds": one.seconds,
                        "median": one.median,
                        "peak_mb": one.peak_mb,
                        "ratio": outcome.ratio(name),
                        "agreement": str(outcome.agreements[name]) if name in outcome.agreements else None,
                        **one.note,
                    }
                    for name, one in outcome.measured.items()
                },
            }
            for outcome in outcomes
        },
        "floors": [
            {"workload": name, "must": rule, "is": got, "met": reached}
            for name, rule, got, reached in floors(outcomes)
        ],
    }
    (RESULTS / "latest.json").write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")
    (RESULTS / "latest.md").write_text(text)
    if docs:
        page = DOCS.read_text()
        between = f"<!-- table -->\n{text}<!-- /table -->"
        DOCS.write_text(re.sub(r"<!-- table -->.*?<!-- /table -->", lambda _: between, page, flags=re.DOTALL))
        CONSOLE.print(f"written: {DOCS}")


def _machine() -> str:
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        found = re.search(r"model name\s*: (.*)", info.read_text())
        model = found.group(1) if found else model
    today = datetime.now(UTC).date()
    load = os.getloadavg()[0]
    return f"{os.cpu_count()} cores, {model}, Python {platform.python_version()}, {today}, load {load:.1f}"


if __name__ == "__main__":
    sys.exit(main())
