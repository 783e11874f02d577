"""Bars from a database."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Self
from urllib.parse import quote, unquote, urlsplit

from annotated_types import MinLen
from pydantic import ConfigDict, SecretStr, field_validator

from windtunnel.errors import InvalidValueError, MissingExtraError, PluginError
from windtunnel.plugin import DataSource
from windtunnel.values import Request, Table

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

__all__ = ["Sql"]

_NAMED = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*\}")
_SECRET_KEY = re.compile(r"pass|pwd|secret|token|key", re.IGNORECASE)
_WANTED = "must be a SQLAlchemy URL, such as postgresql+psycopg://user:${PASSWORD}@host/database"


class Sql(DataSource):
    """Reads the rows of a query; its columns are named as bars are, ``time, symbol, open, …, volume``.

    The password in the URL is never shown; keep it in an environment variable: ``${NAME}``.
    """

    name = "sql"

    model_config = ConfigDict(hide_input_in_errors=True)

    url: SecretStr
    """SQLAlchemy URL of the database, such as ``sqlite:///prices.db``."""
    query: Annotated[str, MinLen(1)]
    """What to select, such as ``SELECT day AS time, ticker AS symbol, close FROM prices``."""
    timezone: str | None = None
    """Zone of the clock that the times read, such as America/New_York; they are then kept in UTC."""

    @field_validator("url")
    @classmethod
    def _is_a_url(cls, url: SecretStr) -> SecretStr:
        from sqlalchemy.engine import make_url
        from sqlalchemy.exc import ArgumentError

        if not _NAMED.fullmatch(url.get_secret_value()):
            try:
                make_url(url.get_secret_value())
            except (ArgumentError, ValueError):
                raise InvalidValueError("url", _WANTED, "***") from None
        return url

    @classmethod
    def example(cls) -> Self:
        """Return an instance on a database in memory."""
        return cls(url=SecretStr("sqlite://"), query="SELECT '2020-01-01' AS time, 1.0 AS close")

    def params(self) -> dict[str, Any]:
        """Return the parameters as JSON values, without any secret that stands in the URL itself."""
        from sqlalchemy.engine import make_url

        shown = self.url.get_secret_value()
        if self._secrets():
            shown = make_url(shown).set(query={}).render_as_string(hide_password=True)
        return {**super().params(), "url": shown}

    def _secrets(self) -> list[str]:
        """Return the secrets that stand in the URL; those of the environment are there by name."""
        from sqlalchemy.engine import make_url

        text = self.url.get_secret_value()
        if _NAMED.fullmatch(text):
            return []
        url = make_url(text)
        secrets = [url.password] if url.password else []
        for key, values in url.normalized_query.items():
            secrets += values if _SECRET_KEY.search(key) else ()
        return [secret for secret in secrets if not _NAMED.fullmatch(secret)]

    def load(self, request: Request) -> Table:
        """Return the rows of the query.

        Raises
        ------
        InvalidValueError
            If the database is a file that is not there.
        MissingExtraError
            If the driver of the database is not installed.
        PluginError
            If the database refuses; without its password.
        """
        import pandas as pd
        from sqlalchemy import create_engine, text

        try:
            engine = create_engine(self.url.get_secret_value())
            _require_file(engine.url)
            with engine.connect() as connection:
                frame = pd.read_sql_query(text(self.query), connection)
            engine.dispose()
        except InvalidValueError:
            raise
        except ModuleNotFoundError as error:
            if error.name == "psycopg":
                raise MissingExtraError("psycopg", "postgres") from error
            raise PluginError(f"data source sql: the driver {error.name} is not installed") from error
        except Exception as error:  # noqa: BLE001 - a driver may raise anything
            told = " ".join(_reason(error).split())
            for secret in self._secrets():
                told = told.replace(secret, "***").replace(quote(secret, safe=""), "***")
            raise PluginError(f"data source sql: {told}") from None
        return Table(frame, timezone=self.timezone)


def _require_file(url: URL) -> None:
    """Refuse a SQLite file that is not there, which the driver would create empty."""
    if url.get_backend_name() != "sqlite" or url.query.get("mode") == "memory":
        return
    name = url.database or ":memory:"
    if "uri" in url.query and name.startswith("file:"):
        name = unquote(urlsplit(name).path)
    if name != ":memory:" and not Path(name).is_file():
        raise InvalidValueError("url", "must name a database file that is there", name)


def _reason(error: Exception) -> str:
    """Return what the driver itself said, without the query that pandas and SQLAlchemy add to it."""
    from sqlalchemy.exc import StatementError

    while not isinstance(error, StatementError) and isinstance(error.__cause__, Exception):
        error = error.__cause__
    return str(error.orig) if isinstance(error, StatementError) and error.orig else str(error)
