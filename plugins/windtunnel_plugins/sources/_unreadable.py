"""Files that cannot be read."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from windtunnel.errors import DataError

__all__ = ["unreadable"]


@contextmanager
def unreadable(file: Path, rows_before: int = 1, line: Callable[[int], int] | None = None) -> Iterator[None]:
    """Turn what a reader raises into an error that names the file, and the row where the reader knows it."""
    import pyarrow as pa

    try:
        yield
    except (pa.ArrowException, OSError, ValueError) as error:
        text = " ".join(str(error).split())
        found = re.search(r"Row #([0-9]+): ", text)
        row = int(found[1]) - 1 - rows_before if found else None
        message = text[found.end() :] if found else text
        at = None if line is None or row is None else line(row)
        raise DataError(message, rule="unreadable", row=row, file=file.name, line=at) from error
