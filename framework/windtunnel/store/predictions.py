"""What models predicted and what came of it: a table a run, and a log of live answers that only grows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

__all__ = ["COLUMNS", "LIVE", "PredictionLog", "read_predictions", "write_predictions"]

COLUMNS = (
    *("kind", "model", "symbol", "time", "prediction", "value", "low", "high", "probability"),
    *("outcome", "known"),
)
"""Columns of the table of a run.

=============  ========================  ===================  ===========  ==================================
kind           prediction                value, low, high     probability  outcome
=============  ========================  ===================  ===========  ==================================
``strategy``   the candidate followed    return expected, –   of no loss   1 it lost nothing, 0 it lost
``scorer``     ``EXECUTE`` or ``SKIP``   –                    of a win     1 won, 0 lost
``regime``     the likeliest             –                    of that      1 it was so, 0 it was not
``patterns``   type                      –                    of paying    1 paid, 0 did not
``volatility`` –                         forecast, interval   nominal      realised volatility
=============  ========================  ===================  ===========  ==================================

``known`` is the time of the bar at whose close the outcome was known. Until then it is NaT and the outcome
NaN; where nothing can come true (a regime without a direction, and no truth) they stay so.
"""
LIVE = (*COLUMNS[:9], "horizon", "direction", "target", "stop")
"""Columns of a live answer: without outcome, but with what it depends on: bars ahead, 1 or -1, two prices."""
_KEY = ("kind", "model", "symbol", "time")
_TEXT = ("kind", "model", "symbol", "prediction")
_TIMES = ("time", "known")
_WHOLE = ("horizon", "direction")


def write_predictions(blocks: Iterable[pd.DataFrame], path: Path) -> None:
    """Write tables with the columns :data:`COLUMNS` as one file, a block at a time."""
    from pyarrow import parquet

    schema = _schema()
    with parquet.ParquetWriter(path, schema) as writer:
        for block in blocks:
            writer.write_table(_packed(block, schema))


def _schema() -> pa.Schema:
    import pyarrow as pa

    text, time = pa.dictionary(pa.int32(), pa.string()), pa.timestamp("ns")
    kinds = dict.fromkeys(_TEXT, text) | dict.fromkeys(_TIMES, time)
    return pa.schema([(name, kinds.get(name, pa.float64())) for name in COLUMNS])


def _packed(block: pd.DataFrame, schema: pa.Schema) -> pa.Table:
    import pandas as pd
    import pyarrow as pa

    columns = {}
    for name in COLUMNS:
        column = block[name]
        columns[name] = pd.Categorical(column) if name in _TEXT else column.to_numpy()
    return pa.Table.from_pandas(pd.DataFrame(columns), schema=schema, preserve_index=False)


def read_predictions(path: Path) -> pd.DataFrame:
    """Return what :func:`write_predictions` wrote."""
    import pandas as pd

    return pd.read_parquet(path)


class PredictionLog:
    """Live answers and what came of them, in a database.

    An answer is what a model of a kind said of a symbol at a time; said again, the first stands. Rows are
    added, never changed: the outcome of an answer is a row of its own.

    Parameters
    ----------
    target : path or str
        A SQLite file, made where there is none, or the URL of a database.
    """

    def __init__(self, target: str | Path) -> None:
        import sqlalchemy as sa

        url = str(target) if "://" in str(target) else f"sqlite:///{target}"
        self._engine = sa.create_engine(url)
        self._answers, self._outcomes = _tables()
        self._answers.metadata.create_all(self._engine)

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    def add(self, answers: pd.DataFrame) -> int:
        """Log answers with the columns :data:`LIVE`; return how many were new."""
        return self._insert(self._answers, answers.loc[:, list(LIVE)])

    def settle(self, outcomes: pd.DataFrame) -> int:
        """Log outcomes: kind, model, symbol, time, outcome and known; return how many were new."""
        return self._insert(self._outcomes, outcomes.loc[:, [*_KEY, "outcome", "known"]])

    def open(self) -> pd.DataFrame:
        """Return the answers whose outcome is not known yet, in the order of their times."""
        table = self._joined(None)
        return table.loc[table["known"].isna(), list(LIVE)].reset_index(drop=True)

    def table(self, model: str | None = None) -> pd.DataFrame:
        """Return all answers, or one model's, with the columns :data:`COLUMNS`."""
        return self._joined(model).loc[:, list(COLUMNS)]

    def _joined(self, model: str | None) -> pd.DataFrame:
        import pandas as pd
        import sqlalchemy as sa

        answers, outcomes = self._answers, self._outcomes
        same = sa.and_(*(answers.c[name] == outcomes.c[name] for name in _KEY))
        query = sa.select(*(answers.c[name] for name in LIVE), outcomes.c.outcome, outcomes.c.known)
        query = query.select_from(answers.outerjoin(outcomes, same))
        if model is not None:
            query = query.where(answers.c.model == model)
        query = query.order_by(answers.c.time, answers.c.model, answers.c.symbol)
        with self._engine.connect() as connection:
            rows = connection.execute(query).all()
        table = pd.DataFrame(rows, columns=[*LIVE, "outcome", "known"])
        for name in table.columns:
            if name in _TIMES:
                table[name] = pd.to_datetime(table[name].astype("Int64"), unit="ns").astype("datetime64[ns]")
            elif name not in (*_TEXT, *_WHOLE):
                table[name] = table[name].astype(np.float64)
        return table

    def _insert(self, table: Any, rows: pd.DataFrame) -> int:
        import sqlalchemy as sa
        from sqlalchemy.dialects import postgresql, sqlite

        plain = [_plain(row) for row in rows.to_dict("records")]
        if not plain:
            return 0
        dialect = postgresql if self._engine.dialect.name == "postgresql" else sqlite
        adding: Any = dialect.insert(table)
        count = sa.select(sa.func.count()).select_from(table)
        with self._engine.begin() as connection:
            before = connection.execute(count).scalar_one()
            connection.execute(adding.on_conflict_do_nothing(), plain)
            return int(connection.execute(count).scalar_one() - before)


def _tables() -> tuple[Any, Any]:
    """Return the two tables; SQLite refuses to change or remove a row of them."""
    import sqlalchemy as sa

    metadata, statement = sa.MetaData(), cast("Any", sa.DDL)

    def key() -> list[Any]:
        kinds = dict.fromkeys(_KEY, sa.String) | {"time": sa.BigInteger}
        return [sa.Column(name, kind, primary_key=True) for name, kind in kinds.items()]

    def column(name: str) -> Any:
        return sa.Column(name, sa.String if name in _TEXT else sa.Integer if name in _WHOLE else sa.Float)

    rest = [column(name) for name in LIVE if name not in _KEY]
    answers = sa.Table("answers", metadata, *key(), *rest)
    known = sa.Column("known", sa.BigInteger, nullable=False)
    outcomes = sa.Table("outcomes", metadata, *key(), sa.Column("outcome", sa.Float, nullable=False), known)
    for table in (answers, outcomes):
        for change in ("UPDATE", "DELETE"):
            rule = (
                f"CREATE TRIGGER no_{change.lower()}_of_{table.name} BEFORE {change} ON {table.name} "
                "BEGIN SELECT RAISE(ABORT, 'rows are only added'); END"
            )
            sa.event.listen(table, "after_create", statement(rule).execute_if(dialect="sqlite"))
    return answers, outcomes


def _plain(row: Mapping[Any, Any]) -> dict[str, Any]:
    """Return a row as Python values: times in nanoseconds, NaN as null."""
    import pandas as pd

    values: dict[str, Any] = {}
    for name, value in row.items():
        if name in _TIMES:
            values[name] = int(pd.Timestamp(value).as_unit("ns").value)
        elif name in _TEXT:
            values[name] = str(value)
        elif name in _WHOLE:
            values[name] = int(value)
        else:
            values[name] = None if value != value else float(value)
    return values
