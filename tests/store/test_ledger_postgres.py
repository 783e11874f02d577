"""A ledger in PostgreSQL outlasts its connections and its server."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Event, Thread
from typing import Any

import numpy as np
import pytest
from ledger_cases import STUDY, Recorded, as_bytes, some_trials

from windtunnel.errors import LedgerError, MissingExtraError
from windtunnel.store import Ledger, database
from windtunnel.values import Trials

BATCHES = 30


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "FIRST_PAUSE", 0.01)


def batches() -> list[Recorded]:
    return [some_trials(20, seed) for seed in range(BATCHES)]


def undisturbed() -> Recorded:
    parts = batches()
    return Trials.join([trials for trials, _ in parts]), np.concatenate([keys for _, keys in parts])


def terminate(url: str) -> int:
    """End all other connections that have the schema of a URL in their search path; return how many."""
    import psycopg

    name = url.rpartition("%3D")[2]
    with psycopg.connect(url, autocommit=True) as connection:
        ended = connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s", (name,)
        ).fetchall()
    return len(ended)


@pytest.fixture
def named(postgres: str) -> str:
    """A ledger's URL under which its connections can be told from others."""
    return f"{postgres}&application_name={postgres.rpartition('%3D')[2]}"


def test_postgres_is_meant_by_either_name_and_shown_without_settings(postgres: str) -> None:
    trials, keys = some_trials(3)
    for scheme in ("postgresql", "postgres", "postgresql+psycopg"):
        ledger = Ledger(f"{scheme}://{postgres.partition('://')[2]}")
        assert ledger.name == postgres.partition("?")[0]
        ledger.append(STUDY, trials, keys)
        assert as_bytes(ledger.known(STUDY)) == as_bytes((trials, keys))
        ledger.close()


def test_connections_ended_between_appends_are_made_again(postgres: str, named: str) -> None:
    ledger, ended = Ledger(named), 0
    for number, (trials, keys) in enumerate(batches()):
        if number % 5 == 2:
            ended += terminate(postgres)
        ledger.append(STUDY, trials, keys)
    assert ended >= BATCHES // 5
    assert as_bytes(ledger.known(STUDY)) == as_bytes(undisturbed())
    ledger.close()


def test_connections_ended_during_appends_change_nothing(postgres: str, named: str) -> None:
    ledger, ended = Ledger(named), []

    def disturb() -> None:
        for _ in range(12):
            ended.append(terminate(postgres))
            time.sleep(0.03)

    disturbing = Thread(target=disturb)
    disturbing.start()
    for trials, keys in batches():
        ledger.append(STUDY, trials, keys)
    disturbing.join()
    assert sum(ended) > 3
    assert as_bytes(ledger.known(STUDY)) == as_bytes(undisturbed())
    ledger.close()


def test_a_commit_whose_answer_is_lost_is_not_made_twice(
    postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import psycopg

    ledger = Ledger(postgres)
    dialect: Any = ledger._database._engine.dialect
    commit, lost = dialect.do_commit, []

    def losing(connection: Any) -> None:
        commit(connection)
        if not lost:
            lost.append(True)
            connection.dbapi_connection.close()
            raise psycopg.OperationalError("the answer was lost")

    monkeypatch.setattr(dialect, "do_commit", losing)
    ledger.append(STUDY, *some_trials(20))
    assert lost
    assert as_bytes(ledger.known(STUDY)) == as_bytes(some_trials(20))
    ledger.close()


def test_a_server_that_is_not_there_is_told_at_once_and_without_the_password() -> None:
    pytest.importorskip("psycopg")
    with pytest.raises(LedgerError) as caught:
        Ledger("postgresql://me:secret@127.0.0.1:1/trials?sslpassword=secret")
    told = str(caught.value)
    assert told.startswith("postgresql://me:***@127.0.0.1:1/trials cannot be written: ")
    assert "refused" in told
    assert "secret" not in told


def test_a_missing_driver_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'windtunnel\[postgres\]'"):
        Ledger("postgresql://me@127.0.0.1:1/trials")


def test_a_server_that_stays_away_is_told_after_a_while(
    postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "PATIENCE", 0.3)
    ledger = Ledger(postgres)
    ledger._database._engine.dispose()
    monkeypatch.setattr(ledger._database._engine.pool, "_creator", lambda *_: refuse(), raising=True)
    with pytest.raises(LedgerError, match=r"cannot be written: no answer; see that it is there"):
        ledger.append(STUDY, *some_trials(3))
    ledger.close()


def refuse() -> Any:
    import psycopg

    raise psycopg.OperationalError("no answer")


# --- a server of our own, really stopped


class Server:
    """A PostgreSQL server in a folder, reached by a socket in it."""

    def __init__(self, programs: Path, folder: Path, user: str | None) -> None:
        self.programs, self.folder, self.user = programs, folder, user

    def run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [str(self.programs / program), "-D", str(self.folder / "data"), *arguments],
            user=self.user,
            cwd="/",
            check=True,
            timeout=60,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def start(self) -> None:
        options = f"-c listen_addresses='' -c unix_socket_directories={self.folder}"
        self.run("pg_ctl", "-w", "-l", str(self.folder / "log"), "-o", options, "start")

    def stop(self, how: str) -> None:
        self.run("pg_ctl", "-w", "-m", how, "stop")

    @property
    def url(self) -> str:
        return f"postgresql://owner@/postgres?host={self.folder}"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    found = programs[-1] if programs else shutil.which("initdb")
    if found is None:
        pytest.skip("no PostgreSQL programs are installed")
    user = "postgres" if os.geteuid() == 0 else None
    with tempfile.TemporaryDirectory(prefix="pg") as folder:
        server = Server(Path(found).parent, Path(folder), user)
        try:
            if user is not None:
                shutil.chown(folder, user)
            server.run("initdb", "-U", "owner", "-A", "trust", "-E", "UTF8", "--locale=C", "-N")
            server.start()
        except (LookupError, OSError, subprocess.SubprocessError) as error:
            pytest.skip(f"no PostgreSQL server can be started here: {error}")
        try:
            yield server
        finally:
            server.stop("immediate")


@pytest.mark.parametrize("how", ["fast", "immediate"])
def test_a_server_restarted_midway_loses_nothing(server: Server, how: str) -> None:
    pytest.importorskip("psycopg")
    ledger, study = Ledger(server.url), replace(STUDY, key=how)
    half = Event()

    def append() -> None:
        try:
            for number, (trials, keys) in enumerate(batches()):
                ledger.append(study, trials, keys)
                if number == BATCHES // 3:
                    half.set()
        finally:
            half.set()

    with ThreadPoolExecutor(1) as pool:
        appending = pool.submit(append)
        half.wait()
        server.stop(how)
        time.sleep(0.2)
        server.start()
        appending.result()
    assert as_bytes(ledger.known(study)) == as_bytes(undisturbed())
    ledger.close()
