"""The ledger: every trial that was ever run, in SQLite or PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from hashlib import blake2b
from math import sqrt
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from windtunnel.engine.sweep import SWEEP_METRICS
from windtunnel.errors import InvalidValueError, LedgerError
from windtunnel.store.blocks import pack, unpack
from windtunnel.store.database import Database
from windtunnel.store.ledger_tables import VERSION, newer, prepare, tables
from windtunnel.store.studies import Family, Keys, Study, moment
from windtunnel.values import Trials

if TYPE_CHECKING:
    import sqlalchemy as sa

__all__ = ["ROWS", "Ledger"]

ROWS = 65_536
"""Most trials in one block."""

_WINDOW = 16
"""Batches that are read at a time."""

_FILE = "ledger.db"
_SHARPE = SWEEP_METRICS.index("sharpe")
_SUMMARY = np.dtype([("key", "<u8"), ("sharpe", "<f8")])
"""What a batch keeps beside its block of each trial: its identity, and its Sharpe ratio per bar."""
_LAYOUT = ("paths", "edges", "folds", "objectives")


class Ledger:
    """All trials, a row of the database and a block of Parquet for up to :data:`ROWS` of them.

    Rows are only added. What :meth:`append` has returned from stays, whatever happens to the process; what it
    has not, may be given again.

    Parameters
    ----------
    url_or_folder : str or path
        ``sqlite:///…/ledger.db``, ``postgresql://…``, or the folder of ``ledger.db``; made where there is
        none.

    Raises
    ------
    InvalidValueError
        If it is another kind of URL.
    MissingExtraError
        If it is PostgreSQL, and its driver is not installed.
    LedgerError
        If it cannot be opened, is something else, or was written by a newer version.
    """

    def __init__(self, url_or_folder: str | Path) -> None:
        self._database = Database(url_or_folder, _FILE)
        self._studies, self._batches = tables()
        self._held: dict[str, tuple[int, Keys]] = {}
        try:
            self._database.write(self._prepare, patient=False)
        except BaseException:
            self.close()
            raise

    @property
    def name(self) -> str:
        """Its file, or its URL without the password."""
        return self._database.name

    def close(self) -> None:
        """Let go of the database."""
        self._database.close()

    def append(self, study: Study, trials: Trials, keys: Keys) -> None:
        """Record trials, all or none; those whose key the study holds already are left out.

        Parameters
        ----------
        study : Study
        trials : Trials
        keys : array of uint64, ``[K]``
            Identity of each, of :func:`~windtunnel.optimize.identity.trial_keys`.

        Raises
        ------
        InvalidValueError
            If the trials are not of the study's parameters, folds, objectives and blocks.
        LedgerError
            If they could not be recorded; nothing of them is then.
        """
        given = np.asarray(keys)
        _check(study, trials, given)
        if len(trials):
            self._held[study.key] = self._database.write(
                lambda connection: self._add(connection, study, trials, given)
            )

    def known(self, study: Study) -> tuple[Trials, Keys]:
        """Return all trials of a study, and their keys, in the order in which they were recorded.

        Raises
        ------
        InvalidValueError
            If the study was recorded with other parameters, folds, objectives or blocks.
        LedgerError
            If a block is damaged, or the ledger cannot be read.
        """
        return self._database.read(lambda connection: self._known(connection, study))

    def family(self, study: Study) -> Family:
        """Return all trials of the study's strategy on its symbols, on any dates that overlap with its own.

        Raises
        ------
        LedgerError
            If the ledger is damaged, or cannot be read.
        """
        return self._database.read(lambda connection: self._family(connection, study))

    def _prepare(self, connection: sa.Connection) -> None:
        wrong = prepare(connection, self._studies, self._batches)
        if wrong:
            raise LedgerError(f"{self.name} {wrong}")

    def _add(self, connection: sa.Connection, study: Study, trials: Trials, keys: Keys) -> tuple[int, Keys]:
        """Add what is new, holding the study's lock; return how many trials it has then, and their keys."""
        id_ = self._locked(connection, study)
        count, held = self._held.get(study.key, (0, np.empty(0, np.uint64)))
        for batch in self._read(connection, study, id_, "summary", first=count):
            count += batch.size
            held = _merged(held, self._summary(study.key, batch)["key"])
        rows = np.sort(np.unique(keys, return_index=True)[1])
        found = keys[rows]
        rows = rows[np.searchsorted(held, found, "left") == np.searchsorted(held, found, "right")]
        for start in range(0, len(rows), ROWS):
            chosen = rows[start : start + ROWS]
            part = trials if len(chosen) == len(trials) else trials.take(chosen)
            content = _packed(study, part, keys[chosen])
            connection.execute(self._batches.insert(), {"study": id_, "first": count, **content})
            count += len(chosen)
        return count, _merged(held, keys[rows])

    def _locked(self, connection: sa.Connection, study: Study) -> int:
        """Return the study's row, made if need be; until the transaction ends no other one gets it."""
        from sqlalchemy.dialects import postgresql, sqlite

        id_ = self._row(connection, study, lock=True)
        if id_ is None:
            dialect: Any = sqlite if self._database.on_file else postgresql
            adding = dialect.insert(self._studies).on_conflict_do_nothing()
            edges = [int(edge) for edge in study.edges]
            connection.execute(adding, {**asdict(study), "edges": edges, "created": _now()})
            id_ = self._row(connection, study, lock=True)
        assert id_ is not None  # noqa: S101 - it was there, or has been made
        return id_

    def _row(self, connection: sa.Connection, study: Study, *, lock: bool = False) -> int | None:
        """Return the id of the study's row; None where there is none."""
        table = self._studies
        query = table.select().where(table.c.key == study.key)
        row = connection.execute(query.with_for_update() if lock else query).one_or_none()
        if row is None:
            return None
        for name in _LAYOUT:
            given, recorded = getattr(study, name), row._mapping[name]
            if (list(given) if isinstance(given, tuple) else given) != recorded:
                raise InvalidValueError(f"study.{name}", f"must be {recorded}, as it was recorded", given)
        return int(row.id)

    def _read(
        self, connection: sa.Connection, study: Study, id_: int | None, *parts: str, first: int = 0
    ) -> Iterator[sa.Row[Any]]:
        """Yield the batches of a study from a number on, some at a time.

        Raises
        ------
        LedgerError
            If one is missing, or of a newer version.
        """
        table = self._batches
        query = table.select().with_only_columns(*_columns(table, parts))
        query = query.where(table.c.study == id_).order_by(table.c.first).limit(_WINDOW)
        more = True
        while more:
            window = connection.execute(query.where(table.c.first >= first)).all()
            more = len(window) == _WINDOW
            for batch in window:
                if batch.first != first:
                    raise self._damaged(study.key, first, batch.first, "are missing")
                if batch.version > VERSION:
                    raise LedgerError(f"{self.name} {newer(batch.version)}")
                first += batch.size
                yield batch

    def _known(self, connection: sa.Connection, study: Study) -> tuple[Trials, Keys]:
        keys = [np.empty(0, np.uint64)]
        parts = [_nothing(study)]
        for batch in self._read(connection, study, self._row(connection, study), "summary", "block"):
            keys.append(self._summary(study.key, batch)["key"])
            parts.append(unpack(self._sound(study.key, batch, "block"), study.shapes))
        return Trials.join(parts), np.concatenate(keys)

    def _family(self, connection: sa.Connection, study: Study) -> Family:
        studies, batches = self._studies, self._batches
        start, end = study.dates
        keys = {}
        for row in connection.execute(studies.select().where(studies.c.plugin == study.plugin)):
            first, last = moment("start", row.start), moment("end", row.end)
            if set(row.symbols) == set(study.symbols) and first <= end and start <= last:
                keys[row.id] = row.key
        query = batches.select().with_only_columns(*_columns(batches, ("summary",)))
        query = query.where(batches.c.study.in_(list(keys))).order_by(batches.c.id)
        found = connection.execute(query).all()
        every = np.concatenate(
            [np.empty(0, _SUMMARY), *(self._summary(keys[batch.study], batch) for batch in found)]
        )
        _, latest = np.unique(every["key"][::-1], return_index=True)
        every = every[np.sort(len(every) - 1 - latest)]
        dates = sorted(str(batch.created)[:10] for batch in found)
        return Family(every["key"].copy(), every["sharpe"].copy(), len(keys), dates[0] if dates else "")

    def _summary(self, key: str, batch: sa.Row[Any]) -> npt.NDArray[Any]:
        return np.frombuffer(self._sound(key, batch, "summary"), _SUMMARY)

    def _sound(self, key: str, batch: sa.Row[Any], part: str) -> bytes:
        """Return a part of a batch whose checksum is right."""
        content = bytes(batch._mapping[part])
        if _checksum(content) != batch._mapping[f"{part}_checksum"]:
            raise self._damaged(key, batch.first, batch.first + batch.size, "do not have their checksum")
        return content

    def _damaged(self, key: str, first: int, end: int, what: str) -> LedgerError:
        told = "bring back a copy of the ledger, or move it away to begin anew"
        return LedgerError(f"{self.name} is damaged: trials {first}–{end - 1} of study {key} {what}; {told}")


def _columns(table: sa.Table, parts: Sequence[str]) -> list[sa.Column[Any]]:
    """Return the columns of batches, of the long ones only those asked for."""
    return [column for column in table.c if column.name in parts or column.name not in ("summary", "block")]


def _packed(study: Study, trials: Trials, keys: Keys) -> dict[str, Any]:
    summary = np.empty(len(keys), _SUMMARY)
    summary["key"] = keys
    summary["sharpe"] = trials.metrics[:, _SHARPE] / sqrt(study.periods_per_year)
    ordered = replace(trials, parameters={path: trials.parameters[path] for path in study.paths})
    contents = {"summary": summary.tobytes(), "block": pack(ordered, study.shapes)}
    checksums = {f"{name}_checksum": _checksum(content) for name, content in contents.items()}
    return {"size": len(keys), "version": VERSION, "created": _now(), **contents, **checksums}


def _check(study: Study, trials: Trials, keys: npt.NDArray[Any]) -> None:
    """Refuse trials of another form than the study's."""
    count = len(trials)
    if set(trials.parameters) != set(study.paths):
        raise InvalidValueError("trials.parameters", f"must be {list(study.paths)}", list(trials.parameters))
    for path, values in trials.parameters.items():
        if len(values) != count:
            raise InvalidValueError(f"trials.parameters[{path!r}]", f"must have {count} values", len(values))
    for name, shape in study.shapes.items():
        if getattr(trials, name).shape != (count, *shape):
            raise InvalidValueError(
                f"trials.{name}", f"must have the shape {(count, *shape)}", getattr(trials, name).shape
            )
    if keys.shape != (count,) or keys.dtype != np.uint64:
        raise InvalidValueError("keys", f"must be {count} numbers of type uint64", (keys.shape, keys.dtype))


def _nothing(study: Study) -> Trials:
    arrays = {name: np.empty((0, *shape)) for name, shape in study.shapes.items()}
    return Trials({path: [] for path in study.paths}, **arrays, problems=())


def _merged(held: Keys, new: Keys) -> Keys:
    """Return sorted keys with new ones among them."""
    new = np.sort(new)
    return np.insert(held, np.searchsorted(held, new), new)


def _checksum(content: bytes) -> str:
    return blake2b(content, digest_size=16).hexdigest()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
