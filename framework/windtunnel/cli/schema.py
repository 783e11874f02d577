"""``windtunnel schema``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["schema"]


def schema(
    with_plugins: Annotated[
        bool, typer.Option("--with-plugins", help="Describe the parameters of all installed plugins too.")
    ] = False,
    output: Annotated[
        Path | None, typer.Option("--output", metavar="FILE", help="Write it to a file.")
    ] = None,
) -> None:
    """Print the JSON schema of an experiment, which lets an editor complete and check the YAML."""
    from windtunnel import experiment
    from windtunnel.cli.terminal import Terminal
    from windtunnel.plugin import build_host

    host = build_host() if with_plugins else None
    if output is None:
        Terminal.json(experiment.json_schema(host))
    else:
        experiment.write_schema(output, host)
