"""A database, SQLite or PostgreSQL, whose transactions outlast a lock, a lost connection and a restart."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from windtunnel.errors import InvalidValueError, LedgerError, MissingExtraError

if TYPE_CHECKING:
    import sqlalchemy as sa

__all__ = ["FIRST_PAUSE", "LONGEST_PAUSE", "PATIENCE", "Database"]

PATIENCE = 30.0
"""Seconds for which a locked database or a lost server is tried again."""
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 3.0
"""Seconds before the second try, twice as many before each further one, and at most."""

_DRIVERS = {
    **dict.fromkeys(("sqlite", "sqlite+pysqlite"), "sqlite"),
    **dict.fromkeys(("postgres", "postgresql", "postgresql+psycopg"), "postgresql+psycopg"),
}
_ANSWER = 10
"""Seconds that a PostgreSQL server has for its first answer."""
_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_PASSING = ("08", "57P01", "57P02", "57P03", "40001", "40P01", "55P03", "23505")
"""SQLSTATEs of lost connections, shutdowns and start-ups, and of conflicts with other writers."""

T = TypeVar("T")


class Database:
    """A database by its URL or folder.

    SQLite keeps a write-ahead log and synchronises it at every commit, so a committed transaction survives
    the end of the process at any moment and, where the disk keeps its promises, a loss of power. It wants a
    local disk: a write-ahead log does not work over a network.

    Parameters
    ----------
    target : str or path
        ``sqlite:///…``, ``postgresql://…`` (or ``postgres://…``), or a folder, made where there is none.
    file : str
        Name of the SQLite file in a folder.

    Raises
    ------
    InvalidValueError
        If it is another kind of URL.
    MissingExtraError
        If it is PostgreSQL, and its driver is not installed.
    LedgerError
        If the folder cannot be made.
    """

    def __init__(self, target: str | Path, file: str) -> None:
        import sqlalchemy as sa

        url = _url(target, file)
        self.on_file = url.drivername == "sqlite"
        self.name = (url.database or ":memory:") if self.on_file else _shown(url)
        options: dict[str, Any] = {"pool_pre_ping": True, "use_native_hstore": False}
        settings: dict[str, Any] = {} if "connect_timeout" in url.query else {"connect_timeout": _ANSWER}
        if self.on_file:
            options, settings = {}, {"timeout": PATIENCE, "isolation_level": None}
            self._make_folder(url.database)
        try:
            self._engine = sa.create_engine(url, connect_args=settings, hide_parameters=True, **options)
        except ImportError:
            raise MissingExtraError("psycopg, which speaks with PostgreSQL,", "postgres") from None
        if self.on_file:
            sa.event.listen(self._engine, "connect", _settle)

    def _make_folder(self, path: str | None) -> None:
        try:
            if path and path != ":memory:":
                Path(path).parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise LedgerError(f"{self.name} cannot be opened: {error.strerror}") from error

    def close(self) -> None:
        """Let go of the connections."""
        self._engine.dispose()

    def read(self, work: Callable[[sa.Connection], T]) -> T:
        """Return what ``work`` makes of a connection; it may be asked more than once.

        Raises
        ------
        LedgerError
            If the database cannot be read, or not be reached for :data:`PATIENCE` seconds.
        """
        return self._tried(work, "read", PATIENCE)

    def write(self, work: Callable[[sa.Connection], T], *, patient: bool = True) -> T:
        """Do ``work`` in one transaction; it may be asked more than once, and only once comes to anything.

        The exception is a connection that is lost while the transaction is being committed: it may have
        come to something already when ``work`` is asked again, so ``work`` has to look.

        Parameters
        ----------
        work : callable
        patient : bool
            Whether to try again where a server is not there.

        Raises
        ------
        LedgerError
            If the database cannot be written, or not be reached for :data:`PATIENCE` seconds.
        """
        return self._tried(work, "written", PATIENCE if patient or self.on_file else 0.0)

    def _tried(self, work: Callable[[sa.Connection], T], verb: str, patience: float) -> T:
        from sqlalchemy.exc import DBAPIError

        until, pause = time.monotonic() + patience, FIRST_PAUSE
        while True:
            try:
                with self._engine.begin() as connection:
                    if self.on_file and verb == "written":
                        connection.exec_driver_sql("BEGIN IMMEDIATE")
                    return work(connection)
            except DBAPIError as error:
                passing = _passes(error)
                if not passing or time.monotonic() + pause > until:
                    raise LedgerError(self._message(error, verb, passing)) from error
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    def _message(self, error: sa.exc.DBAPIError, verb: str, passing: bool) -> str:
        cause = " ".join(str(error.orig).split())
        if getattr(error.orig, "sqlite_errorcode", None) == sqlite3.SQLITE_NOTADB:
            return f"{self.name} is no database: {cause}; move it away, or name another one"
        told = "see that it is there and free" if passing else "put that right"
        return f"{self.name} cannot be {verb}: {cause}; {told}, then run again: what was recorded is kept"


def _url(target: str | Path, file: str) -> sa.URL:
    import sqlalchemy as sa
    from sqlalchemy.exc import ArgumentError

    if isinstance(target, Path) or "://" not in target:
        return sa.URL.create("sqlite", database=str(Path(target) / file))
    rule = "must be a folder, or begin with sqlite:// or postgresql://"
    try:
        url = sa.make_url(target)
    except (ArgumentError, ValueError):
        raise InvalidValueError("ledger", rule, f"{target.partition('://')[0]}://…") from None
    if url.drivername not in _DRIVERS:
        raise InvalidValueError("ledger", rule, _shown(url))
    return url.set(drivername=_DRIVERS[url.drivername])


def _shown(url: sa.URL) -> str:
    """Return a URL without its password, and without settings, which may hold one."""
    return url.set(drivername=url.get_backend_name(), query={}).render_as_string(hide_password=True)


def _settle(connection: Any, _record: Any) -> None:
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")


def _passes(error: sa.exc.DBAPIError) -> bool:
    """Say whether an error may pass by itself: a lock, a conflict, or a server that is not there."""
    from sqlalchemy.exc import OperationalError

    code = getattr(error.orig, "sqlite_errorcode", None)
    if code is not None:
        return code & 0xFF in _BUSY
    state = getattr(error.orig, "sqlstate", None)
    if state is None:
        return error.connection_invalidated or isinstance(error, OperationalError)
    return bool(state.startswith(_PASSING))
