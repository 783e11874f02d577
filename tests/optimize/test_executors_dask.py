"""Trials on a Dask cluster: the same table, whoever dies."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import executor_work as given
import pytest

from windtunnel.errors import InvalidValueError, WindtunnelError
from windtunnel.optimize.executors import Dask, Inline
from windtunnel.values import Trials

psutil = pytest.importorskip("psutil")
pytest.importorskip("distributed")


@pytest.fixture(scope="module")
def cluster() -> Iterator[Dask]:
    before = set(psutil.Process().children(recursive=True))
    with closing(Dask(2)) as executor:
        yield executor
    left = set(psutil.Process().children(recursive=True)) - before
    assert not [process for process in left if "resource_tracker" not in command(process)]


def command(process: psutil.Process) -> str:
    """Return the command line of a process; of one that has ended none."""
    try:
        return " ".join(process.cmdline())
    except psutil.ZombieProcess:
        return ""


def workers() -> list[int]:
    """Return the process ids of the cluster's workers."""
    return [child.pid for child in psutil.Process().children() if "spawn_main" in command(child)]


def started(cluster: Dask) -> list[int]:
    """Return the process ids of the workers that the scheduler knows; wait until there is one."""
    while not (found := cluster.client.run(os.getpid, on_error="ignore")):
        time.sleep(0.05)
    return sorted(found.values())


def test_a_cluster_gives_the_table_that_inline_gives_and_sends_the_work_once(
    cluster: Dask, tmp_path: Path
) -> None:
    chunks = given.chunks([*given.points(30, p7="raises"), *given.points(3)], 3)
    want = Trials.join(list(Inline().run(given.work(), chunks)))
    assert given.same(Trials.join(list(cluster.run(given.work(0.0, str(tmp_path)), chunks))), want)
    assert 1 <= len(list(tmp_path.glob("prepared-*"))) <= 2


def test_a_point_that_ends_its_process_is_given_up_and_no_worker_of_the_cluster_ends(cluster: Dask) -> None:
    points, before = given.points(4, p1="exits"), workers()
    assert len(before) == 2
    got = Trials.join(list(cluster.run(given.work(), given.chunks(points, 1))))
    assert got.problems == ("", "quarantined: ended the worker that ran it (exit code 7)", "", "")
    assert given.same(got.take([0, 2, 3]), given.trials_of(points).take([0, 2, 3]))
    assert workers() == before


def test_a_scheduler_by_its_address_and_what_a_guest_leaves_behind(cluster: Dask) -> None:
    address, points = cluster.client.scheduler.address, given.points(8)
    chunks, want = given.chunks(points, 2), given.trials_of(points)
    assert address.startswith("tcp://127.0.0.1:")
    with closing(Dask(address=address)) as guest:
        running = guest.run(given.work(0.01), given.chunks(given.points(100), 2))
        next(running)
        running.close()
        assert given.same(
            Trials.join(list(guest.run(given.work(), chunks))), given.trials_of(given.points(8))
        )
        assert _plugins(cluster) == 2 * 2
    assert _plugins(cluster) == 2
    assert given.same(Trials.join(list(cluster.run(given.work(), chunks))), want)


def _plugins(cluster: Dask) -> int:
    """Return how many of our plugins the workers have, in all."""
    found = cluster.client.run(lambda dask_worker: [*dask_worker.plugins])
    return sum(name.startswith("windtunnel") for names in found.values() for name in names)


def test_a_work_that_cannot_be_prepared_says_why_from_afar(cluster: Dask) -> None:
    with pytest.raises(InvalidValueError, match=r"folds: must be at least 2 \(got 1\)"):
        list(cluster.run(given.work(prepare=given.prepare_wrongly), [given.points(1)]))


def test_ten_workers_of_the_cluster_killed_in_a_sweep_of_200_tasks(cluster: Dask, tmp_path: Path) -> None:
    chunks = given.chunks(given.points(400), 2)
    want = Trials.join(list(Inline().run(given.work(), chunks)))
    rng = random.Random(5)
    moments, rows, killed = set(rng.sample(range(1, 190), 10)), [], 0
    for number, trials in enumerate(cluster.run(given.work(0.003, str(tmp_path)), chunks)):
        rows.append(trials)
        if number in moments:
            time.sleep(rng.uniform(0, 0.01))
            os.kill(rng.choice(started(cluster)), signal.SIGKILL)
            killed += 1
    assert killed == 10
    assert given.same(Trials.join(rows), want)
    assert 400 <= len(list(tmp_path.glob("point*"))) <= 400 + 10 * 10


def test_workers_and_an_address_exclude_each_other() -> None:
    with pytest.raises(InvalidValueError, match="workers: is the scheduler's matter"):
        Dask(2, address="tcp://127.0.0.1:8786")


def test_a_scheduler_that_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("windtunnel.optimize.executors.dask._PATIENCE", 0.2)
    with (
        closing(Dask(address="tcp://127.0.0.1:9")) as executor,
        pytest.raises(WindtunnelError, match=r"no Dask scheduler answers at tcp://127\.0\.0\.1:9"),
    ):
        list(executor.run(given.work(), [given.points(1)]))
