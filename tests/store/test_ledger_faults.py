"""What was acknowledged stays: killed at any moment, the disk full, the folder read-only, a block broken."""

from __future__ import annotations

import os
import random
import resource
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Timer

import numpy as np
import pytest
from ledger_cases import STUDY, Opened, Recorded, as_bytes, some_trials

from windtunnel.errors import LedgerError
from windtunnel.store import Ledger, blocks, database, ledger
from windtunnel.values import Trials

KILLS, ROWS = 20, 20


def first_batches(count: int) -> Recorded:
    parts = [some_trials(ROWS, number) for number in range(count)]
    return Trials.join([trials for trials, _ in parts]), np.concatenate([keys for _, keys in parts])


# --- killed at any moment

NURSERY = """
import os, sys
import psycopg, pyarrow.parquet, sqlalchemy.dialects.postgresql.psycopg, sqlalchemy.dialects.sqlite.pysqlite
from test_ledger_faults import append_batches
append_batches(sys.argv[2], 1)
print("ready", flush=True)
for end in sys.stdin:
    child = os.fork()
    if not child:
        os.write(1, f"born {os.getpid()}\\n".encode())
        append_batches(sys.argv[1], int(end))
        os._exit(0)
    _, status = os.waitpid(child, 0)
    print("ended", os.waitstatus_to_exitcode(status), flush=True)
"""
"""Bears processes that append; what takes long the first time is done before."""


def append_batches(target: str, end: int) -> None:
    """Append batches from about where the ledger ends, and say after each that it is there."""
    ledger_ = Ledger(target)
    done = len(ledger_.family(STUDY).keys) // ROWS
    for number in range(max(done - 2, 0), end):
        ledger_.append(STUDY, *some_trials(ROWS, number))
        os.write(1, f"{number}\n".encode())
    ledger_.close()


@contextmanager
def nursery(target: str | Path, spare: Path) -> Iterator[subprocess.Popen[str]]:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    with subprocess.Popen(
        [sys.executable, "-c", NURSERY, str(target), str(spare)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    ) as process:
        assert process.stdout is not None
        assert [process.stdout.readline() for _ in range(2)] == ["0\n", "ready\n"]
        yield process


def appended(
    process: subprocess.Popen[str], end: int, kill_at: int | None = None, delay: float = 0.0
) -> tuple[list[str], int]:
    """Let a process append, killed a while after it told so much; return what it told, and its exit code."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(f"{end}\n")
    process.stdin.flush()
    child = int(process.stdout.readline().removeprefix("born "))
    told: list[str] = []
    while True:
        if len(told) == kill_at:
            time.sleep(delay)
            os.kill(child, signal.SIGKILL)
        line = process.stdout.readline()
        if line.startswith("ended"):
            return told, int(line.split()[1])
        told.append(line)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and SIGKILL")
def test_killed_twenty_times_nothing_acknowledged_is_lost_and_nothing_is_there_twice(
    opened: Opened, target: str | Path, tmp_path: Path
) -> None:
    moments, ledger_ = random.Random(5), opened()
    held, begun = 0, 0
    with nursery(target, tmp_path / "spare") as process:
        for _ in range(KILLS):
            told, code = appended(process, 10**6, moments.randrange(8), 0.02 * moments.random())
            assert code == -signal.SIGKILL
            keys = ledger_.family(STUDY).keys
            held, rest = divmod(len(keys), ROWS)
            begun += bool(told)
            assert rest == 0, "an append is there as a whole or not at all"
            assert held > max(map(int, told), default=-1)
        assert begun > KILLS // 2
        told, code = appended(process, held + 3)
        assert (told[-1], code) == (f"{held + 2}\n", 0)
    undisturbed = Ledger(tmp_path / "undisturbed")
    undisturbed.append(STUDY, *first_batches(held + 3))
    assert as_bytes(ledger_.known(STUDY)) == as_bytes(undisturbed.known(STUDY))
    undisturbed.close()


# --- a full disk, a folder that may not be written

FULL = """
import resource, sys
from ledger_cases import STUDY, some_trials
from windtunnel.errors import LedgerError
from windtunnel.store import Ledger
ledger = Ledger(sys.argv[1])
_, most = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, most))
for number in range(100):
    try:
        ledger.append(STUDY, *some_trials(500, number))
    except LedgerError as error:
        print(number, error)
        break
assert len(ledger.known(STUDY)[0]) == 500 * number
resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
ledger.append(STUDY, *some_trials(500, number))
"""


def run(code: str, *arguments: str | Path) -> str:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    command = [sys.executable, "-c", code, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.skipif(not hasattr(resource, "RLIMIT_FSIZE"), reason="needs a limit of the size of files")
def test_a_full_disk_is_told_keeps_what_is_there_and_goes_on_when_there_is_room(tmp_path: Path) -> None:
    number, _, told = run(FULL, tmp_path).partition(" ")
    assert 0 < int(number) < 50
    assert told.startswith(f"{tmp_path / 'ledger.db'} cannot be written: ")
    assert "disk" in told
    assert told.strip().endswith("put that right, then run again: what was recorded is kept")
    ledger_ = Ledger(tmp_path)
    trials, keys = ledger_.known(STUDY)
    parts = [some_trials(500, seed) for seed in range(int(number) + 1)]
    whole = Trials.join([part for part, _ in parts]), np.concatenate([part for _, part in parts])
    assert as_bytes((trials, keys)) == as_bytes(whole)
    ledger_.close()


READ_ONLY = """
import os, sys
from pathlib import Path
from ledger_cases import STUDY, some_trials
from windtunnel.errors import LedgerError
from windtunnel.store import Ledger
ready, closed = map(Path, sys.argv[1:])
for folder in (ready, closed):
    ledger = Ledger(folder)
    ledger.append(STUDY, *some_trials(5))
    ledger.close()
(closed / "ledger.db").chmod(0o444)
closed.chmod(0o555)
if os.geteuid() == 0:
    os.setuid(65534)
try:
    Ledger(closed)
except LedgerError as error:
    print(error)
"""


def test_a_read_only_folder_is_told_and_keeps_what_is_there() -> None:
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        base.chmod(0o755)
        told = run(READ_ONLY, base / "ready", base / "closed")
        assert told.startswith(f"{base / 'closed' / 'ledger.db'} cannot be written: ")
        assert "readonly" in told or "unable to open" in told
        (base / "closed").chmod(0o755)
        (base / "closed" / "ledger.db").chmod(0o644)
        ledger_ = Ledger(base / "closed")
        assert as_bytes(ledger_.known(STUDY)) == as_bytes(some_trials(5))
        ledger_.close()


# --- damage on the disk


@pytest.mark.parametrize("share", [0.0, 0.1, 0.3])
def test_one_changed_byte_of_a_block_on_the_disk_is_noticed(tmp_path: Path, share: float) -> None:
    ledger_ = Ledger(tmp_path)
    ledger_.append(STUDY, *some_trials(5, 1))
    ledger_.append(STUDY, *some_trials(6, 2))
    ledger_.close()
    path = tmp_path / "ledger.db"
    content, block = bytearray(path.read_bytes()), blocks.pack(some_trials(6, 2)[0], STUDY.shapes)
    pieces = (block[start : start + 24] for start in range(int(share * len(block)), len(block)))
    piece = next(piece for piece in pieces if content.count(piece) == 1)
    content[content.index(piece)] ^= 1
    path.write_bytes(content)
    ledger_ = Ledger(tmp_path)
    with pytest.raises(LedgerError, match=r"ledger\.db is damaged: trials 5–10 of study abc do not have"):
        ledger_.known(STUDY)
    assert len(ledger_.family(STUDY).keys) == 11, "what rests on no block can still be read"
    ledger_.close()


def test_a_torn_file_is_told(tmp_path: Path) -> None:
    ledger_ = Ledger(tmp_path)
    ledger_.append(STUDY, *some_trials(500))
    ledger_.close()
    path = tmp_path / "ledger.db"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(LedgerError, match=r"ledger\.db cannot be .*: database disk image is malformed"):
        Ledger(tmp_path).known(STUDY)


# --- in between


def test_an_append_that_fails_midway_leaves_nothing(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "ROWS", 8)
    packed: list[int] = []

    def pack(trials: Trials, shapes: blocks.Shapes) -> bytes:
        packed.append(len(trials))
        if len(packed) == 2:
            raise KeyboardInterrupt
        return blocks.pack(trials, shapes)

    monkeypatch.setattr(ledger, "pack", pack)
    ledger_ = opened()
    with pytest.raises(KeyboardInterrupt):
        ledger_.append(STUDY, *some_trials(20))
    assert packed == [8, 8]
    assert len(ledger_.known(STUDY)[0]) == 0
    ledger_.append(STUDY, *some_trials(20))
    assert as_bytes(ledger_.known(STUDY)) == as_bytes(some_trials(20))


@contextmanager
def locked(path: Path) -> Iterator[sqlite3.Connection]:
    holder = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    holder.execute("BEGIN IMMEDIATE")
    yield holder
    holder.close()


def test_a_lock_is_waited_for(tmp_path: Path) -> None:
    ledger_ = Ledger(tmp_path)
    with locked(tmp_path / "ledger.db") as holder:
        freed = Timer(0.2, lambda: holder.execute("ROLLBACK"))
        freed.start()
        ledger_.append(STUDY, *some_trials(5))
        freed.join()
    assert len(ledger_.known(STUDY)[0]) == 5
    ledger_.close()


def test_a_lock_that_stays_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "PATIENCE", 0.2)
    ledger_ = Ledger(tmp_path)
    with (
        locked(tmp_path / "ledger.db"),
        pytest.raises(LedgerError, match=r"cannot be written: database is locked; see that it is .* free"),
    ):
        ledger_.append(STUDY, *some_trials(5))
    ledger_.append(STUDY, *some_trials(5))
    assert len(ledger_.known(STUDY)[0]) == 5
    ledger_.close()
