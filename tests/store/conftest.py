"""Places for ledgers: a folder, and a schema of PostgreSQL."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from ledger_cases import Opened

from windtunnel.store import Ledger


@pytest.fixture
def postgres() -> Iterator[str]:
    """URL of a schema of its own in the database that ``WINDTUNNEL_TEST_POSTGRES`` names, empty at first."""
    url = os.environ.get("WINDTUNNEL_TEST_POSTGRES")
    if not url:
        pytest.skip("WINDTUNNEL_TEST_POSTGRES names no PostgreSQL database")
    import psycopg

    schema = f"ledger_{uuid4().hex}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {schema}".encode())
    yield f"{url}{'&' if '?' in url else '?'}options=-csearch_path%3D{schema}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"DROP SCHEMA {schema} CASCADE".encode())


@pytest.fixture(params=["sqlite", "postgresql"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> str | Path:
    """A place for a ledger, of either kind."""
    if request.param == "sqlite":
        return tmp_path / "results"
    url: str = request.getfixturevalue("postgres")
    return url


@pytest.fixture
def opened(target: str | Path) -> Iterator[Opened]:
    """Opens the ledger of the test, again and again."""
    ledgers: list[Ledger] = []

    def open_() -> Ledger:
        ledgers.append(Ledger(target))
        return ledgers[-1]

    yield open_
    for ledger in ledgers:
        ledger.close()
