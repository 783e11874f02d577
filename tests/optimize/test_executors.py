"""Which points run next, who is blamed, and that every executor gives the same table."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import executor_work as given
import numpy as np
import pytest
from hypothesis import given as drawn
from hypothesis import settings
from hypothesis import strategies as st

from windtunnel.errors import InvalidValueError, PluginError
from windtunnel.optimize.executors import Inline, Processes, Work
from windtunnel.optimize.executors.isolation import Failure, Isolation, Job, ended
from windtunnel.values import Point, Trials

OWN, OUTSIDE = ended(7), ended(-9)


@pytest.fixture(scope="module")
def pool() -> Iterator[Processes]:
    with closing(Processes(2)) as executor:
        yield executor


def table(executor: Any, work: Work, chunks: Sequence[Sequence[Point]]) -> Trials:
    return Trials.join(list(executor.run(work, chunks)))


def sizes(jobs: Isolation, failing: set[float], failure: Failure) -> list[list[float]]:
    """Run jobs one by one; those that hold a failing point fail. Return which points ran together."""
    ran = []
    while (job := jobs.job(ahead=1)) is not None:
        ran.append([point["x"] for point in job.points])
        if failing & set(ran[-1]):
            jobs.failed(job, failure)
        else:
            jobs.done(job, given.trials_of(job.points))
    return ran


def test_a_failing_point_is_found_by_halves_and_given_up_when_it_failed_alone_twice() -> None:
    jobs = Isolation(given.work(), given.chunks(given.points(4), 4))
    ran = sizes(jobs, {2.0}, OWN)
    assert ran == [[0, 1, 2, 3], [0, 1], [2, 3], [2], [3], [2]]
    (trials,) = jobs.finished()
    assert jobs.job(1) is None
    assert jobs.over
    assert trials.problems == ("", "", "quarantined: ended the worker that ran it (exit code 7)", "")
    assert np.isnan(trials.objectives[2]).all()
    assert trials.point(2) == {"x": 2.0, "does": ""}
    assert given.same(trials.take([0, 1, 3]), given.trials_of(given.points(4)).take([0, 1, 3]))


def test_a_kill_may_come_from_outside_so_it_takes_four() -> None:
    jobs = Isolation(given.work(), [given.points(1)])
    assert len(sizes(jobs, {0.0}, OUTSIDE)) == 4
    (trials,) = jobs.finished()
    assert trials.problems == ("quarantined: the worker that ran it was killed each time",)


def test_a_point_whose_worker_was_killed_three_times_still_comes_out() -> None:
    jobs = Isolation(given.work(), [given.points(1)])
    for _ in range(3):
        job = jobs.job(1)
        assert job is not None
        jobs.failed(job, OUTSIDE)
    assert sizes(jobs, set(), OWN) == [[0]]
    (trials,) = jobs.finished()
    assert trials.problems == ("",)


@pytest.mark.parametrize(
    ("code", "reason", "blame"),
    [
        (0, "ended the worker that ran it (exit code 0)", 2),
        (-11, "ended the worker that ran it (SIGSEGV)", 2),
        (-250, "ended the worker that ran it (signal 250)", 2),
        (-9, "the worker that ran it was killed each time", 1),
        (-15, "the worker that ran it was killed each time", 1),
        (None, "the worker that ran it was killed each time", 1),
    ],
)
def test_an_exit_code_says_whose_fault_it_was(code: int | None, reason: str, blame: int) -> None:
    assert ended(code) == Failure(reason, blame)


def test_chunks_are_drawn_as_they_are_needed_and_come_back_in_their_order() -> None:
    seen = []

    def chunks() -> Iterator[list[dict[str, Any]]]:
        for number in range(5):
            seen.append(number)
            yield [{"x": float(number)}]

    jobs = Isolation(given.work(), chunks())
    first, second = jobs.job(2), jobs.job(2)
    assert first is not None
    assert second is not None
    assert jobs.job(2) is None
    assert seen == [0, 1]
    jobs.done(second, given.trials_of(second.points))
    assert list(jobs.finished()) == []
    assert jobs.job(2) is None
    jobs.done(first, given.trials_of(first.points))
    assert [trials.point(0)["x"] for trials in jobs.finished()] == [0.0, 1.0]
    third = jobs.job(2)
    assert seen == [0, 1, 2]
    assert third is not None
    jobs.back(third)
    assert jobs.job(2) == third == Job(2, 0, ({"x": 2.0},))


def test_an_empty_chunk_has_no_rows() -> None:
    found = list(Inline().run(given.work(), [[], given.points(1), []]))
    assert [len(trials) for trials in found] == [0, 1, 0]
    assert found[0].objectives.shape == (0, 2, 1)


@settings(max_examples=60)
@drawn(st.data())
def test_whatever_fails_and_in_whatever_order_jobs_end_the_table_is_the_same(data: st.DataObject) -> None:
    points = given.points(data.draw(st.integers(1, 12)))
    bad = data.draw(st.sets(st.sampled_from([point["x"] for point in points])))
    jobs = Isolation(given.work(), given.chunks(points, data.draw(st.integers(1, 5))))
    running: list[Job] = []
    rows: list[Trials] = []
    while not jobs.over:
        while (job := jobs.job(3)) is not None:
            running.append(job)
        if running:
            job = running.pop(data.draw(st.integers(0, len(running) - 1)))
            if bad & {point["x"] for point in job.points}:
                jobs.failed(job, OWN)
            else:
                jobs.done(job, given.trials_of(job.points))
        rows += jobs.finished()
    got, want = Trials.join(rows), given.trials_of(points)
    good = [number for number, point in enumerate(points) if point["x"] not in bad]
    assert got.parameters == want.parameters
    assert given.same(got.take(good), want.take(good))
    assert [bool(problem) for problem in got.problems] == [point["x"] in bad for point in points]


def test_inline_isolates_what_raises() -> None:
    points = given.points(9, p4="raises")
    got = table(Inline(), given.work(), given.chunks(points, 4))
    assert got.problems == ("",) * 4 + ("quarantined: ValueError: boom",) + ("",) * 4
    rest = [0, 1, 2, 3, 5, 6, 7, 8]
    assert given.same(got.take(rest), given.trials_of(points).take(rest))


def test_rows_that_do_not_fit_the_points_fail() -> None:
    got = table(Inline(), given.work(prepare=given.prepare_short), [given.points(2)])
    assert got.problems == ("quarantined: PluginError: 0 rows came out for 1 points",) * 2


def test_a_work_is_prepared_once_a_worker_whatever_the_chunks(tmp_path: Path) -> None:
    log = str(tmp_path)
    with closing(Processes(2)) as executor:
        works = [given.work(0.0, log, key=key) for key in ("a", "b")]
        for work in (*works, *works):
            table(executor, work, given.chunks(given.points(40), 1))
    by_process = Counter(path.name.split("-")[1] for path in tmp_path.glob("prepared-*"))
    assert 1 <= len(by_process) <= 2
    assert max(by_process.values()) == 2


def test_processes_give_the_table_that_inline_gives(pool: Processes) -> None:
    chunks = given.chunks(given.points(30, p7="raises"), 4)
    with closing(Processes(1)) as alone:
        first, second = (table(executor, given.work(), chunks) for executor in (alone, pool))
        assert [len(executor.pids) for executor in (alone, pool)] == [1, 2]
    assert given.same(first, second)
    assert given.same(first, table(Inline(), given.work(), chunks))


def test_closing_the_iterator_early_leaves_nothing_behind_in_the_next(pool: Processes) -> None:
    started = pool.run(given.work(0.01), given.chunks(given.points(100), 2))
    next(started)
    started.close()
    chunks = given.chunks(given.points(6), 1)
    assert given.same(table(pool, given.work(), chunks), given.trials_of(given.points(6)))


def test_closing_ends_the_workers_and_waits_for_them() -> None:
    executor = Processes(2)
    next(executor.run(given.work(0.01), given.chunks(given.points(20), 1)))
    pids = executor.pids
    executor.close()
    executor.close()
    assert executor.pids == ()
    with pytest.raises(RuntimeError, match="closed"):
        next(executor.run(given.work(), []))
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_workers_use_one_thread_and_leave_ctrl_c_to_the_driver(pool: Processes) -> None:
    (trials,) = pool.run(given.work(prepare=given.prepare_to_tell), [given.points(1)])
    assert trials.problems == ("OPENBLAS_NUM_THREADS=1, leads its group: True",)


@pytest.mark.parametrize("where", ["inline", "processes"])
def test_a_work_that_cannot_be_prepared_says_why(where: str, pool: Processes) -> None:
    executor = Inline() if where == "inline" else pool
    with pytest.raises(InvalidValueError, match=r"folds: must be at least 2 \(got 1\)"):
        table(executor, given.work(prepare=given.prepare_wrongly), [given.points(1)])
    with pytest.raises(PluginError, match="the work cannot be prepared: KeyError: 'nothing'"):
        table(executor, given.work(prepare=given.prepare_badly), [given.points(1)])


def test_an_error_that_cannot_travel_is_named(pool: Processes) -> None:
    with pytest.raises(PluginError, match="FragileError: one two"):
        table(pool, given.work(prepare=given.prepare_fragile), [given.points(1)])


def test_work_of_the_started_program_is_refused() -> None:
    code = (
        "from windtunnel.optimize.executors import Work\n"
        "def prepare(): ...\n"
        "try:\n    Work('', prepare, (), (1, 1, 1))\n"
        "except ValueError as error:\n    print(error)"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert told == "prepare: must stand in a module that workers can import (got '__main__')\n"


@pytest.mark.parametrize(
    ("arguments", "parameter"), [((0,), "workers"), ((1, 0), "timeout"), ((1, None, -1), "memory")]
)
def test_impossible_limits_are_refused(arguments: Any, parameter: str) -> None:
    with pytest.raises(InvalidValueError) as caught:
        Processes(*arguments)
    assert caught.value.parameter == parameter
