"""Arguments and options that several commands share."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from windtunnel.errors import InvalidValueError

__all__ = ["ConfigArgument", "JsonOption", "OutOption", "SetOption", "require_writable"]

ConfigArgument = Annotated[Path, typer.Argument(metavar="CONFIG", help="The experiment, a YAML file.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
OutOption = Annotated[Path, typer.Option("--out", metavar="DIR", help="Where runs are kept.")]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="KEY=VALUE", help="Change a key, such as strategy.params.fast=20; repeatable."
    ),
]


def require_writable(option: str, folder: Path) -> None:
    """Refuse a folder that could not be written to, before any work is done.

    Raises
    ------
    InvalidValueError
        If ``folder``, or what there is of the path to it, is no folder or may not be written to.
    """
    there = next((path for path in (folder, *folder.absolute().parents) if path.exists()), folder)
    if not (there.is_dir() and os.access(there, os.W_OK)):
        raise InvalidValueError(option, "must be a folder that can be written to", str(folder))
