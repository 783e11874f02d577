"""Measure what it costs to run trials elsewhere, and carry it to 1,000 workers: ``make scale``."""

from __future__ import annotations

import argparse
import logging
import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import Any

import numpy as np
import searches
import tasks

from windtunnel.optimize.executors import Dask, Inline, Processes

PAGE = Path(__file__).resolve().parents[2] / "docs" / "scale.md"
SIZES = (1, 10, 100)
FAR = 1000
BATCH = 256
TRIALS = 1_000_000
Rows = list[tuple[str, ...]]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5, help="of which the median counts")
    parser.add_argument(
        "--write-docs", action="store_true", help=f"also write the tables of docs/{PAGE.name}"
    )
    given = parser.parse_args()
    logging.disable()
    load = os.getloadavg()[0]
    tables = {
        "machine": [("cores", "load before"), (str(os.cpu_count()), f"{load:.1f}")],
        "searches": searches.rows(),
        **measured(given.repeats),
    }
    for name, table in tables.items():
        print(f"\n{name}\n" + markdown(table))
    if given.write_docs:
        write(tables)
    return 0


def measured(repeats: int) -> Mapping[str, Rows]:
    costs, shipping, recovery = {}, {}, {}
    busy: dict[str, list[float]] = {}
    costs["Inline"] = overhead(Inline(), 1000, repeats)
    for name, make, count, killable in (
        ("Processes", Processes, 500, processes_of),
        ("Dask", Dask, 100, workers_of),
    ):
        with closing(make(1)) as one, closing(make(2)) as two:
            costs[name] = overhead(two, count, repeats)
            busy[name] = faster(one, two, repeats)
            shipping[name] = [shipped(one, megabytes, repeats) for megabytes in SIZES]
            recovery[name] = median(recovered(one, killable) for _ in range(repeats))
        print(f"  {name} measured", flush=True)
    return {
        "overhead": [
            ("", "a chunk", "chunks a second", "of it, CPU of the driver"),
            *(
                (name, f"{1e3 * wall:.3g} ms", f"{1 / wall:,.0f}", f"{1e3 * cpu:.3g} ms")
                for name, (wall, cpu) in costs.items()
            ),
        ],
        "shipping": [
            ("", *(f"{size} MB" for size in SIZES)),
            *((name, *(f"{seconds:.3f} s" for seconds in found)) for name, found in shipping.items()),
        ],
        "speedup": [
            ("", "a chunk", "one worker", "two workers", "times as fast", "plain programs", "must be"),
            *(
                (
                    name,
                    f"{1e3 * one / CHUNKS:.0f} ms",
                    f"{one:.2f} s",
                    f"{two:.2f} s",
                    f"{one / two:.2f}",
                    f"{single / double:.2f}",
                    "1.7",
                )
                for name, (one, two, single, double) in busy.items()
            ),
        ],
        "recovery": [
            ("", "until the chunk is under way again"),
            *((n, f"{s:.2f} s") for n, s in recovery.items()),
        ],
        "far": far(*costs["Dask"], shipping["Dask"]),
    }


def overhead(executor: Any, count: int, repeats: int) -> tuple[float, float]:
    """Return the seconds that a chunk of one point costs which does nothing, and the driver's CPU seconds."""
    work = tasks.work("nothing")
    drain(executor.run(work, tasks.chunks(20)))
    walls, cpus = [], []
    for _ in range(repeats):
        cpu = process_time()
        walls.append(timed(lambda: drain(executor.run(work, tasks.chunks(count)))) / count)
        cpus.append((process_time() - cpu) / count)
    return median(walls), median(cpus)


def shipped(executor: Any, megabytes: int, repeats: int) -> float:
    """Return the seconds that a work takes to its only worker, beyond those of a work without data."""
    found = []
    for number in range(repeats):
        data = np.random.default_rng(number).normal(size=megabytes * 125_000)
        light, heavy = (
            timed(lambda work=work: drain(executor.run(work, tasks.chunks(1))))
            for work in (
                tasks.work(f"light {megabytes} {number}"),
                tasks.work(f"heavy {megabytes} {number}", ballast=data),
            )
        )
        found.append(heavy - light)
    return median(found)


CHUNKS = 24


def faster(one: Any, two: Any, repeats: int) -> list[float]:
    """Return the least seconds of a loop which holds the GIL: on one worker, on two, and of two programs.

    The last two are those of plain Python, twice in one program and once in each of two, by turns with the
    others: what the machine has to give changes from one second to the next.
    """
    work, chunks = tasks.work("busy", iterations=4_000_000), tasks.chunks(CHUNKS)
    for executor in (one, two):
        drain(executor.run(work, chunks[:4]))
    ways = [lambda e=e: drain(e.run(work, chunks)) for e in (one, two)]
    ways += [lambda: together(40_000_000), lambda: together(20_000_000, 20_000_000)]
    return [min(times) for times in zip(*([timed(way) for way in ways] for _ in range(repeats)), strict=True)]


def together(*counts: int) -> None:
    """Count to each of these in a program of its own."""
    code = "for number in range({}): number * number"
    running = [subprocess.Popen([sys.executable, "-c", code.format(count)]) for count in counts]
    for process in running:
        process.wait()


def recovered(executor: Any, killable: Callable[[Any], Sequence[int]]) -> float:
    """Return the seconds from the kill of the only worker until its chunk is there, less what that takes."""
    pause = 0.5
    found = executor.run(tasks.work("pause", seconds=pause), tasks.chunks(2))
    next(found)
    for pid in killable(executor):
        os.kill(pid, signal.SIGKILL)
    return timed(lambda: drain(found)) - pause


def processes_of(executor: Processes) -> Sequence[int]:
    return executor.pids


def workers_of(executor: Dask) -> Sequence[int]:
    return list(executor.client.run(os.getpid).values())


def far(wall: float, cpu: float, shipping: Sequence[float]) -> Rows:
    """Return what the measured costs mean for 1,000 workers on a Dask scheduler."""
    rate = 1 / wall
    least = FAR / rate
    row = len(pickle.dumps(tasks.rows(tasks.chunks(1, BATCH)[0]))) / BATCH
    batches = TRIALS / BATCH
    numbers = tasks.FOLDS * tasks.OBJECTIVES + 5 + tasks.BLOCKS * 3
    return [
        ("", "how", "comes to"),
        (
            "shortest chunk that keeps all busy",
            f"{FAR:,} workers / {rate:,.0f} chunks a second",
            f"{least:.1f} s",
        ),
        ("the same, and half of the scheduler idle", f"2 × {least:.1f} s", f"{2 * least:.1f} s"),
        (
            "driver and scheduler, of one core, at such chunks",
            f"{FAR:,} / {2 * least:.1f} s × {1e3 * cpu:.2f} ms",
            f"{FAR / (2 * least) * cpu:.0%}",
        ),
        (
            "bars of 100 MB to all, each worker that has them passing them on",
            f"log2({FAR:,}) rounds × {shipping[-1]:.2f} s",
            f"{np.log2(FAR) * shipping[-1]:.0f} s",
        ),
        (
            "results that arrive",
            f"{FAR:,} / {2 * least:.1f} s × {BATCH} rows × {row:,.0f} bytes",
            f"{FAR / (2 * least) * BATCH * row / 1e6:.1f} MB/s",
        ),
        (
            f"ledger of {TRIALS:,} trials in chunks of {BATCH}",
            f"{batches:,.0f} transactions, {numbers} numbers of 8 bytes a trial",
            f"{TRIALS * numbers * 8 / 1e6:,.0f} MB",
        ),
    ]


def timed(call: Callable[[], object]) -> float:
    start = perf_counter()
    call()
    return perf_counter() - start


def drain(results: Iterator[Any]) -> None:
    for _ in results:
        pass


def markdown(table: Rows) -> str:
    head, *body = table
    lines = [head, ("---", *("--:" for _ in head[1:])), *body]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def write(tables: Mapping[str, Rows]) -> None:
    page = PAGE.read_text(encoding="utf-8")
    for name, table in tables.items():
        start, end = f"<!-- {name} -->", f"<!-- /{name} -->"
        head, _, rest = page.partition(start)
        page = f"{head}{start}\n{markdown(table)}\n{end}{rest.partition(end)[2]}"
    PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    raise SystemExit(main())
