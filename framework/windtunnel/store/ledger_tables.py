"""The two tables of the ledger: a row a study, and a row a batch of its trials."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import sqlalchemy as sa

__all__ = ["VERSION", "newer", "prepare", "tables"]

VERSION = 1
"""Of these tables and of the blocks in them; every batch says with which it was written."""

_LOCK = 0x77696E64
"""Number under which PostgreSQL lets one program at a time make the tables."""


def tables() -> tuple[sa.Table, sa.Table]:
    """Return the tables of studies and of batches.

    A batch is ``size`` trials from the number ``first`` on. Its ``summary`` is identity and Sharpe ratio per
    bar of each, its ``block`` all of them in Parquet; the checksums are theirs.
    """
    import sqlalchemy as sa

    def column(name: str, kind: Any, *more: Any) -> sa.Column[Any]:
        return sa.Column(name, kind, *more, nullable=False)

    metadata = sa.MetaData()
    number = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    studies = sa.Table(
        "ledger_studies",
        metadata,
        sa.Column("id", number, primary_key=True),
        sa.Column("key", sa.String, nullable=False, unique=True),
        *(column(name, sa.String) for name in ("created", "experiment", "plugin", "start", "end", "data")),
        *(column(name, sa.JSON) for name in ("symbols", "paths", "edges", "objectives")),
        column("periods_per_year", sa.Float(53)),
        column("folds", sa.Integer),
    )
    batches = sa.Table(
        "ledger_batches",
        metadata,
        sa.Column("id", number, primary_key=True),
        column("study", number, sa.ForeignKey(studies.c.id)),
        *(column(name, sa.BigInteger) for name in ("first", "size", "version")),
        *(column(name, sa.String) for name in ("created", "summary_checksum", "block_checksum")),
        *(column(name, sa.LargeBinary) for name in ("summary", "block")),
        sa.UniqueConstraint("study", "first"),
    )
    return studies, batches


def prepare(connection: sa.Connection, studies: sa.Table, batches: sa.Table) -> str:
    """Make the tables where there are none; return what is wrong with those that are there, or nothing."""
    import sqlalchemy as sa

    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
    inspector = sa.inspect(connection)
    there = set(inspector.get_table_names())
    for table in (studies, batches):
        if table.name in there:
            names = {str(column["name"]) for column in inspector.get_columns(table.name)}
            missing = sorted(set(table.c.keys()) - names)
            if missing:
                lack = f"its table {table.name} has no column {missing[0]}"
                return f"is no ledger of trials: {lack}; name another database"
    studies.metadata.create_all(connection)
    newest = connection.scalar(sa.select(sa.func.max(batches.c.version))) or VERSION
    return newer(newest) if newest > VERSION else ""


def newer(version: int) -> str:
    """Return what to say of a ledger of a later version."""
    told = "update windtunnel, or name another ledger"
    return f"was written by a newer windtunnel (version {version}, this one knows {VERSION}): {told}"
