"""Arguments and options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["ConfigArgument", "JsonOption", "OutOption", "SetOption"]

ConfigArgument = Annotated[Path, typer.Argument(metavar="CONFIG", help="The experiment, a YAML file.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
OutOption = Annotated[Path, typer.Option("--out", metavar="DIR", help="Where runs are kept.")]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="KEY=VALUE", help="Change a key, such as strategy.params.fast=20; repeatable."
    ),
]
