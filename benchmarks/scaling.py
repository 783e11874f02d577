"""How our time and memory grow: ``python benchmarks/scaling.py`` draws docs/benchmark_*.svg.

Each point is measured in a process of its own, so that its peak memory is its own.
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from data import monthly_weights, panel, times, windows
from measure import peak_mb
from pictures import Panel, draw, short
from rich.console import Console

HERE = Path(__file__).parent
DOCS = HERE.parent / "docs"
FIXED = 16
"""Largest window of the grid of 105 pairs that is used where something else varies."""

SERIES: dict[str, list[int]] = {
    "bars": [1_000, 10_000, 100_000, 1_000_000],
    # Largest windows; they make 91, 990, 10,011, 99,681 and 998,991 pairs.
    "combinations": [15, 46, 143, 448, 1_415],
    # All windows times this, on 100,000 bars: the longer, the fewer trades.
    "trades": [256, 64, 16, 4, 1],
    "symbols": [10, 30, 100, 300, 1_000],
}


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--reps", type=int, default=3)
    parser.add_argument("--docs", type=Path, default=DOCS, help="where the pictures go")
    parser.add_argument(
        "--point", nargs=2, metavar=("SERIES", "SIZE"), help="measure one point, in this process"
    )
    given = parser.parse_args()
    if given.point:
        print(json.dumps(point(given.point[0], int(given.point[1]), given.reps)))
        return 0
    found = {name: [_spawn(name, size, given.reps) for size in sizes] for name, sizes in SERIES.items()}
    (HERE / "results").mkdir(exist_ok=True)
    (HERE / "results" / "scaling.json").write_text(json.dumps(found, indent=1) + "\n")
    _draw(found, given.docs)
    return 0


def _spawn(name: str, size: int, reps: int) -> dict[str, float]:
    command = [sys.executable, "-m", "scaling", "--point", name, str(size), "--reps", str(reps)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=HERE)
    if done.returncode:
        raise SystemExit(f"{name} {size}: {done.stderr.strip()[-2_000:]}")
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    Console().print(f"  {name} {found['x']:,.0f}: {found['seconds']:.4g} s, {found['peak_mb']:,.0f} MB")
    return found


def point(name: str, size: int, reps: int) -> dict[str, float]:
    """Measure one point: x, the median seconds, and the peak memory of this process in MB."""
    call = _symbols(size) if name == "symbols" else _grid(name, size)
    x = call()
    seconds = []
    for _ in range(reps):
        start = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - start)
    return {"x": x, "seconds": float(np.median(seconds)), "peak_mb": peak_mb()}


def _grid(name: str, size: int) -> Callable[[], float]:
    from ours import bars_of, sweep

    from windtunnel_plugins.strategies import SmaCross

    count = {"bars": size, "combinations": 5_000, "trades": 100_000}[name]
    every = windows(size if name == "combinations" else FIXED)
    if name == "trades":
        every = [window * size for window in every]
    # New bars a call: what an earlier call has worked out about the same bars is not reused.
    fresh = iter([bars_of(count) for _ in range(4)])

    def call() -> float:
        rows = sweep(next(fresh), SmaCross, {"fast": every, "slow": every[1:]})
        return {"bars": count, "combinations": len(rows), "trades": max(1.0, float(rows[:, 3].mean()))}[name]

    return call


def _symbols(count: int, bars_count: int = 5_000) -> Callable[[], float]:
    import windtunnel as wt
    from windtunnel.engine import simulate

    closes = panel(bars_count, count)
    bars = wt.Bars.from_arrays(times(bars_count), closes)
    orders = wt.Orders(monthly_weights(closes, best=max(1, count // 10)))
    rules = wt.Rules(cash=1_000_000.0, fees=0.001, fill="close")

    def call() -> float:
        simulate(bars, orders, rules)
        return count

    return call


def _draw(found: dict[str, list[dict[str, float]]], folder: Path) -> None:
    def panel_of(name: str, title: str, across: str) -> Panel:
        points = found[name]
        x, y = [one["x"] for one in points], [one["seconds"] for one in points]
        return Panel(title, across, "seconds, median", x, y, _seconds)

    times_ten = {name: _growth(points) for name, points in found.items()}
    draw(
        folder / "benchmark_scaling.svg",
        f"Ten times the bars take {times_ten['bars']:.1f} times as long, "
        f"ten times the combinations {times_ten['combinations']:.1f} times",
        "Dashed: growth in proportion, through the last point. Both axes are logarithmic.",
        [
            panel_of("bars", "More bars, 105 combinations", "bars"),
            panel_of("combinations", "More combinations, 5,000 bars", "combinations"),
            panel_of("trades", "More trades, 105 combinations × 100,000 bars", "trades a combination"),
            panel_of("symbols", "More symbols of one account, 5,000 bars", "symbols"),
        ],
    )
    points = found["combinations"]
    x, memory = [one["x"] for one in points], [one["peak_mb"] for one in points]
    draw(
        folder / "benchmark_memory.svg",
        f"{short(x[0])} combinations need {memory[0]:,.0f} MB, {short(x[-1])} need {memory[-1]:,.0f} MB",
        "The highest that the whole process held; each point is a process of its own.",
        [
            Panel(
                "Peak memory, 5,000 bars",
                "combinations",
                "MB",
                x,
                memory,
                lambda value: f"{value:,.0f}",
                logarithmic=False,
            )
        ],
        columns=1,
    )


def _growth(points: list[dict[str, float]]) -> float:
    """Return what ten times the size costs, between the last two points."""
    first, last = points[-2:]
    slope = math.log(last["seconds"] / first["seconds"]) / math.log(last["x"] / first["x"])
    return 10.0**slope


def _seconds(value: float) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if value >= 0.9999 * size:
            return f"{value / size:.3g} {unit}"
    return f"{value / 1e-6:.3g} µs"


if __name__ == "__main__":
    sys.exit(main())
