"""``windtunnel results``."""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from windtunnel.cli.options import JsonOption, OutOption

if TYPE_CHECKING:
    from windtunnel.cli.terminal import Column
    from windtunnel.store import RunStore, StoredRun

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="List runs, show one, or open its report.")

ReferenceArgument = Annotated[
    str | None,
    typer.Argument(
        metavar="[RUN]", help="A name (its latest run), name/id, or the beginning of an id; else the newest."
    ),
]
_FIGURES = ("total_return", "cagr", "sharpe", "max_drawdown")


@app.command("list")
def list_(
    out: OutOption = Path("results"),
    as_json: JsonOption = False,
) -> None:
    """List all runs, the newest first."""
    from windtunnel.cli.terminal import Terminal
    from windtunnel.store import RunStore

    terminal = Terminal()
    rows = [_row(run) for run in RunStore(out).runs()]
    if as_json:
        terminal.json({"runs": rows})
        return
    if not rows:
        terminal.say(f"There are no runs in {out} yet.")
        return
    columns: list[Column] = [("name", "left"), ("id", "left"), ("finished", "left")]
    columns += [(heading, "right") for heading in ("return", "a year", "Sharpe", "drawdown")]
    terminal.table(columns, [_cells(row) for row in rows], flexible=0)


@app.command()
def show(
    reference: ReferenceArgument = None,
    out: OutOption = Path("results"),
    as_json: JsonOption = False,
) -> None:
    """Show what was run and what came out."""
    from windtunnel.cli.header import with_best, write_header
    from windtunnel.cli.summary import as_json as described
    from windtunnel.cli.summary import report_path, write_summary
    from windtunnel.cli.terminal import Terminal
    from windtunnel.experiment.document import parse
    from windtunnel.store import RunStore

    terminal, store = Terminal(), RunStore(out)
    run = _run(store, reference)
    _refuse_damaged(run)
    report = report_path(store, run)
    if as_json:
        terminal.json(described(run, report))
        return
    config = parse((run.folder / "experiment.yaml").read_bytes(), None, []).plain()
    manifest = run.manifest
    config = with_best(config, manifest.get("sweep"))
    write_header(terminal, config, manifest["data"], manifest["fits"])
    write_summary(terminal, run)
    terminal.say()
    terminal.copyable("report" if report else "folder", str(report or run.folder))


@app.command("open")
def open_(reference: ReferenceArgument = None, out: OutOption = Path("results")) -> None:
    """Open the report of a run in the browser; its path is printed too."""
    import webbrowser

    from windtunnel.cli.summary import report_path
    from windtunnel.errors import InvalidValueError
    from windtunnel.store import RunStore

    store = RunStore(out)
    run = _run(store, reference)
    report = report_path(store, run)
    if report is None:
        raise InvalidValueError("run", "has no report; report.html is false", f"{run.name}/{run.id}")
    typer.echo(str(report))
    if _has_display():
        webbrowser.open(report.resolve().as_uri())


def _run(store: RunStore, reference: str | None) -> StoredRun:
    from windtunnel.errors import InvalidValueError

    if reference is not None:
        return store.find(reference)
    runs = store.runs()
    if not runs:
        raise InvalidValueError("--out", "must be a folder with runs", str(store.root))
    return runs[0]


def _refuse_damaged(run: StoredRun) -> None:
    from windtunnel.errors import InvalidValueError

    damage = run.damage
    if damage is not None:
        command = [
            "windtunnel",
            "run",
            str(run.folder / "experiment.yaml"),
            "--out",
            str(run.folder.parents[1]),
        ]
        rule = f"is damaged: {damage}; this writes it anew: {shlex.join(command)}"
        raise InvalidValueError("run", rule, f"{run.name}/{run.id}")


def _row(run: StoredRun) -> dict[str, Any]:
    """Return one run for machines; ``problem`` says why a folder cannot be read."""
    finished = datetime.fromtimestamp((run.folder / "manifest.json").stat().st_mtime).astimezone()
    row: dict[str, Any] = {
        "name": run.name,
        "id": run.id,
        "folder": str(run.folder),
        "finished": finished.isoformat(timespec="seconds"),
    }
    try:
        metrics, sentence = run.metrics, run.manifest["sentence"]
        return {**row, "sentence": sentence, **{figure: metrics[figure] for figure in _FIGURES}}
    except (OSError, json.JSONDecodeError, KeyError, TypeError) as error:
        return {**row, "problem": " ".join(f"{type(error).__name__}: {error}".split())}


def _cells(row: Mapping[str, Any]) -> list[str]:
    from windtunnel.reporting.text import figure

    cells = [row["name"], row["id"][:8], row["finished"][:16].replace("T", " ")]
    if "problem" in row:
        return [*cells, "damaged"]
    units = ("fraction", "fraction", "ratio", "fraction")
    values = [float("nan") if row[name] is None else row[name] for name in _FIGURES]
    return cells + [figure(value, unit) for value, unit in zip(values, units, strict=True)]


def _has_display() -> bool:
    """Whether there is a desktop to open a browser on."""
    if sys.platform in ("win32", "darwin"):
        return True
    return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"))
