"""Bars from a DataFrame."""

from __future__ import annotations

import json
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Self

from pydantic import Field, field_validator

from windtunnel.errors import InvalidValueError
from windtunnel.plugin import DataSource
from windtunnel.values import Request, Table

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Frame"]


class Frame(DataSource):
    """Hands over a DataFrame, from Python: ``Frame(frame=prices)``.

    The frame is long (a time column or an index of times, ``symbol``, ``close`` and others) or wide (a column
    a symbol, or columns of two levels, field and symbol). Written down, the source shows a hash of the frame
    in its place, so it cannot be built from YAML.
    """

    name = "frame"

    frame: Any
    """A pandas DataFrame."""
    attributes: dict[str, dict[str, Any]] = Field(default_factory=dict)
    """What is known of each symbol, such as its sector."""
    timezone: str | None = None
    """Zone of the clock that naive times read, such as America/New_York; they are then kept in UTC."""

    @field_validator("frame")
    @classmethod
    def _is_a_frame(cls, frame: Any) -> Any:
        import pandas as pd

        if not isinstance(frame, pd.DataFrame):
            raise InvalidValueError("frame", "must be a pandas DataFrame, given in Python", frame)
        return frame.copy(deep=False)

    @classmethod
    def example(cls) -> Self:
        """Return an instance with three bars."""
        import pandas as pd

        return cls(
            frame=pd.DataFrame({"time": ["2020-01-01", "2020-01-02", "2020-01-03"], "close": [1, 2, 3]})
        )

    def params(self) -> dict[str, Any]:
        """Return the parameters as JSON values, a hash of the content for the frame."""
        written = {"attributes": self.attributes, "timezone": self.timezone}
        return {"frame": _content_hash(self.frame), **json.loads(json.dumps(written, default=str))}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Frame) and self.params() == other.params()

    def __hash__(self) -> int:
        return hash(_content_hash(self.frame))

    def load(self, request: Request) -> Table:
        """Return the frame."""
        return Table(self.frame, self.attributes, timezone=self.timezone)


def _content_hash(frame: pd.DataFrame) -> str:
    import pandas as pd

    try:
        rows = pd.util.hash_pandas_object(frame)
    except TypeError:
        rows = pd.util.hash_pandas_object(frame.map(repr))
    digest = blake2b(repr([*zip(frame.columns, frame.dtypes, strict=True)]).encode(), digest_size=16)
    digest.update(rows.to_numpy().tobytes())
    return f"blake2b:{digest.hexdigest()}"
