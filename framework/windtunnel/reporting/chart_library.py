"""The chart library, for a page to use without a network."""

from __future__ import annotations

import os
from importlib import metadata, resources
from pathlib import Path
from urllib.parse import quote

from windtunnel.reporting.files import write_whole

__all__ = ["inline", "shared"]


def inline() -> str:
    """Return the script element that holds the library itself (about 5 MB)."""
    source = _source().replace("</script", "<\\/script")
    return f"<script>{source}</script>"


def shared(folder: Path, assets: Path) -> str:
    """Return the script element by which a page in ``folder`` uses the one copy in ``assets``.

    The copy is written if it is not there; its name holds the version.
    """
    copy = assets / f"plotly-{metadata.version('plotly')}.min.js"
    source = _source().encode()
    if not copy.is_file() or copy.stat().st_size != len(source):
        write_whole(copy, source)
    path = Path(os.path.relpath(copy, folder)).as_posix()
    return f'<script src="{quote(path)}"></script>'


def _source() -> str:
    return (resources.files("plotly") / "package_data" / "plotly.min.js").read_text(encoding="utf-8")
