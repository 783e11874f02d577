"""``windtunnel init``."""

from __future__ import annotations

import re
import shlex
from importlib.resources import files
from pathlib import Path
from typing import Annotated

import typer

from windtunnel.cli.options import require_writable

__all__ = ["init"]

_FILES = ("config.yaml", "my_strategy.py")


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where to put it; made if it is not there.")],
) -> None:
    """Write a starter: an experiment and a strategy of your own, both commented and ready to run."""
    from windtunnel.cli.terminal import Terminal
    from windtunnel.errors import InvalidValueError

    if folder.exists() and not folder.is_dir():
        raise InvalidValueError("DIR", "must be a folder", str(folder))
    taken = [name for name in _FILES if (folder / name).exists()]
    if taken:
        rule = f"must not have a {' or a '.join(taken)} yet; nothing was written"
        raise InvalidValueError("DIR", rule, str(folder))
    require_writable("DIR", folder)
    folder.mkdir(parents=True, exist_ok=True)
    for name in _FILES:
        text = files("windtunnel.cli").joinpath("starter", name).read_text(encoding="utf-8")
        unfinished = folder / f".{name}"
        unfinished.write_text(text.replace("name: starter", f"name: {_name(folder)}"), encoding="utf-8")
        unfinished.replace(folder / name)
    terminal = Terminal()
    terminal.field("written", ", ".join(str(folder / name) for name in _FILES))
    terminal.copyable("now", shlex.join(["windtunnel", "run", str(folder / _FILES[0])]))


def _name(folder: Path) -> str:
    """Return what to call the experiment: as its folder, where that is a legal name."""
    from windtunnel.experiment.model import NAME_RULE, RESERVED

    name = folder.resolve().name
    return name if re.match(NAME_RULE, name) and name.lower() not in RESERVED else "starter"
