"""The commands."""

from __future__ import annotations

from typing import Annotated

import typer

from windtunnel import __version__
from windtunnel.cli import data, models, plugins, results
from windtunnel.cli.advise import advise
from windtunnel.cli.guard import Guarded
from windtunnel.cli.honesty import check, verify
from windtunnel.cli.init import init
from windtunnel.cli.plan import plan
from windtunnel.cli.run import run
from windtunnel.cli.schema import schema

__all__ = ["app"]

app = typer.Typer(
    cls=Guarded,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"windtunnel {__version__}")
        raise typer.Exit


@app.callback()
def windtunnel(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
) -> None:
    """Test trading strategies before they fly.

    Start with: windtunnel init DIR, then windtunnel run DIR/config.yaml

    Exit codes: 0 done, 1 the answer is no, 2 your input is wrong, 3 a plugin failed, 130 interrupted.
    """


for command in (init, run, advise, plan, verify, check, schema):
    app.command()(command)
app.add_typer(plugins.app, name="plugins")
app.add_typer(data.app, name="data")
app.add_typer(results.app, name="results")
app.add_typer(models.app, name="models")
