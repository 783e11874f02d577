"""Workers that are killed, points that end, hang or exhaust their worker, and drivers that are gone."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import executor_work as given
import pytest

from windtunnel.errors import PluginError
from windtunnel.optimize.executors import Inline, Processes
from windtunnel.values import Trials

HERE = Path(__file__).parent
DRIVER = """
import sys
sys.path.insert(0, {here!r})
import executor_work as given
from windtunnel.optimize.executors import Processes
executor, points = Processes(2), given.points(9, p4="hangs", p5="hangs")
for number, _ in enumerate(executor.run(given.work(), given.chunks(points, 1))):
    if number == 3:
        print(*executor.pids, flush=True)
"""


def test_ten_workers_killed_in_a_sweep_of_200_tasks(tmp_path: Path) -> None:
    chunks, log = given.chunks(given.points(400), 2), str(tmp_path)
    want = Trials.join(list(Inline().run(given.work(), chunks)))
    rng = random.Random(11)
    moments, rows = set(rng.sample(range(1, 199), 10)), []
    with closing(Processes(2)) as executor:
        for number, trials in enumerate(executor.run(given.work(0.003, log), chunks)):
            rows.append(trials)
            if number in moments:
                time.sleep(rng.uniform(0, 0.01))
                os.kill(rng.choice(executor.pids), signal.SIGKILL)
    assert given.same(Trials.join(rows), want)
    assert len(list(tmp_path.glob("prepared-*"))) >= 3
    assert 400 <= len(list(tmp_path.glob("point*"))) <= 400 + 10 * 4


def test_points_that_end_hang_or_swell_are_given_up_and_the_rest_come_out() -> None:
    wrong = {"p1": "exits", "p5": "hangs", "p9": "swells", "p12": "crashes", "p15": "leaves"}
    points = given.points(18, **wrong)
    with closing(Processes(2, timeout=0.3, memory=200)) as executor:
        got = Trials.join(list(executor.run(given.work(), given.chunks(points, 2))))
    assert {number: problem for number, problem in enumerate(got.problems) if problem} == {
        1: "quarantined: ended the worker that ran it (exit code 7)",
        5: "quarantined: took longer than 0.3 s",
        9: "quarantined: needed more than 200 MB",
        12: "quarantined: ended the worker that ran it (SIGSEGV)",
        15: "quarantined: SystemExit: 3",
    }
    rest = [number for number in range(18) if f"p{number}" not in wrong]
    assert given.same(got.take(rest), given.trials_of(points).take(rest))


def test_time_counts_from_when_the_points_begin() -> None:
    work = given.work(0.4, prepare=given.prepare_slowly)
    with closing(Processes(1, timeout=0.3)) as executor:
        (trials,) = executor.run(work, [given.points(2)])
    assert trials.problems == ("", "")


def test_a_driver_that_is_busy_elsewhere_does_not_count_as_time_of_the_points() -> None:
    with closing(Processes(2, timeout=0.3)) as executor:
        running = executor.run(given.work(), given.chunks(given.points(6), 1))
        rows = [next(running)]
        time.sleep(0.5)
        rows += running
    assert Trials.join(rows).problems == ("",) * 6


def test_workers_that_end_before_they_begin_are_not_started_for_ever() -> None:
    with closing(Processes(2)) as executor, pytest.raises(PluginError, match="end before they begin"):
        list(executor.run(given.work(prepare=given.prepare_and_die), [given.points(2)]))


def gone(pid: int) -> bool:
    with suppress(ProcessLookupError):
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    return True


def interrupt(driver: subprocess.Popen[str]) -> None:
    os.killpg(driver.pid, signal.SIGINT)


@pytest.mark.parametrize(
    ("end", "told"), [(subprocess.Popen.kill, ""), (interrupt, "KeyboardInterrupt")], ids=["killed", "ctrl-c"]
)
def test_when_the_driver_ends_the_workers_end_even_in_an_endless_loop(
    end: Callable[[Any], None], told: str
) -> None:
    driver = subprocess.Popen(
        [sys.executable, "-W", "error", "-c", DRIVER.format(here=str(HERE))],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    with driver:
        assert driver.stdout is not None
        workers = [int(pid) for pid in driver.stdout.readline().split()]
        assert len(workers) == 2
        assert not any(gone(pid) for pid in workers)
        end(driver)
        _, said = driver.communicate(timeout=20)
    assert driver.returncode == -signal.SIGKILL if not told else driver.returncode in (1, -signal.SIGINT, 130)
    assert said.count("Traceback") == bool(told)
    assert said.rstrip().endswith(told)
    patience = time.monotonic() + 20
    while not all(gone(pid) for pid in workers) and time.monotonic() < patience:
        time.sleep(0.02)
    assert all(gone(pid) for pid in workers)
