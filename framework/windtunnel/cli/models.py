"""``windtunnel models``."""

from __future__ import annotations

import math
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from windtunnel.cli.options import JsonOption, OutOption

if TYPE_CHECKING:
    import pandas as pd

    from windtunnel.cli.terminal import Column, Terminal
    from windtunnel.learn.duel import Duel
    from windtunnel.learn.track import Track
    from windtunnel.store import ModelStore, StoredModel

__all__ = ["app"]

app = typer.Typer(
    no_args_is_help=True, help="List fitted models, show, verify or prune them, track how good they are."
)

ModelArgument = Annotated[str, typer.Argument(metavar="MODEL", help="The beginning of an id.")]
_ROOM = 12


@app.command("list")
def list_(out: OutOption = Path("results"), as_json: JsonOption = False) -> None:
    """List all stored models, the newest first."""
    from windtunnel.cli.terminal import Terminal

    terminal = Terminal()
    rows = [_row(model) for model in _store(out).list()]
    if as_json:
        terminal.json({"models": rows})
        return
    if not rows:
        terminal.say(f"There are no models in {out} yet.")
        return
    columns: list[Column] = [
        (heading, "left") for heading in ("kind", "plugin", "id", "status", "learned until")
    ]
    columns += [("bars", "right"), ("size", "right")]
    terminal.table(columns, [_cells(row) for row in rows], flexible=1)


@app.command()
def show(reference: ModelArgument, out: OutOption = Path("results"), as_json: JsonOption = False) -> None:
    """Show what a model is, what it learned from, and what came of it."""
    from windtunnel.cli.terminal import Terminal
    from windtunnel.reporting.text import number

    terminal, model = Terminal(), _store(out).get(reference)
    record = model.record
    if as_json:
        terminal.json({"id": model.id, "file": str(model.path), **record.as_json()})
        return
    params = ", ".join(f"{name}={value}" for name, value in record.params.items())
    symbols = ", ".join(record.symbols[:3]) + (
        f" and {len(record.symbols) - 3} more" if record.symbols[3:] else ""
    )
    lines = {
        "model": (f"{record.kind} {record.plugin}({params})", f"{record.package} {record.version}"),
        "id": (model.id, ""),
        "status": (record.status, record.message),
        "learned": (f"{symbols}, {_day(record.start)} … {_day(record.end)}, {record.bars:,} bars", ""),
        "data": (record.data, ""),
        "features": (f"{len(record.schema.names)}: {', '.join(record.schema.names)}", record.schema.hash),
        "scores": (
            ", ".join(f"{name} {number(_or_nan(value), 3)}" for name, value in record.scores.items()),
            "",
        ),
        "created": (record.created[:16].replace("T", " ") + " UTC", ""),
        "size": (_size(model.path.stat().st_size), ""),
    }
    for label, (text, note) in lines.items():
        if text:
            terminal.field(label, text, note, room=_ROOM)
    terminal.copyable("file", str(model.path))


@app.command()
def verify(out: OutOption = Path("results"), as_json: JsonOption = False) -> None:
    """Read every model in full, checksum and content; exit with 1 if any is not what it says."""
    from windtunnel.cli.terminal import Terminal

    terminal = Terminal()
    found = _store(out).verify()
    wrong = {file: problem for file, problem in found.items() if problem is not None}
    if as_json:
        terminal.json({"models": found})
    else:
        for file, problem in wrong.items():
            terminal.say(f"✗ {file}: {problem}")
        whole = len(found) - len(wrong)
        terminal.say(
            f"✓ {whole} model{'' if whole == 1 else 's'} whole" if whole or not wrong else "none is whole"
        )
    if wrong:
        raise typer.Exit(1)


@app.command()
def prune(
    keep: Annotated[int, typer.Option("--keep", min=0, help="Completed models of each plugin to keep.")] = 3,
    out: OutOption = Path("results"),
    as_json: JsonOption = False,
) -> None:
    """Remove all but the newest models of each plugin, and those that failed or are damaged."""
    from windtunnel.cli.terminal import Terminal

    terminal, store = Terminal(), _store(out)
    removed = [model.id for model in store.prune(keep)]
    if as_json:
        terminal.json({"removed": removed, "kept": [model.id for model in store.list()]})
        return
    left = len(store.list())
    terminal.say(f"{len(removed)} removed, {left} kept.")


@app.command()
def track(
    reference: Annotated[
        str,
        typer.Argument(metavar="RUN|MODEL", help="A run, as in results show, or a model with live answers."),
    ],
    against: Annotated[
        str | None, typer.Option("--against", metavar="RUN|MODEL", help="A challenger, to compare with.")
    ] = None,
    out: OutOption = Path("results"),
    as_json: JsonOption = False,
) -> None:
    """Show accuracy and calibration over time, drift, and which of two is better on the same days."""
    from windtunnel.cli.terminal import Terminal
    from windtunnel.learn.duel import duel
    from windtunnel.learn.track import track

    terminal = Terminal()
    own = _predictions(out, reference)
    other = {} if against is None else _predictions(out, against)
    tracks = [track(table) for table in own.values()]
    duels = {kind: duel(own[kind], other[kind]) for kind in own if kind in other}
    if as_json:
        content = {"models": [asdict(item) for item in tracks], "against": _told(duels)}
        terminal.json(_finite(content))
        return
    for item in tracks:
        _write_track(terminal, item)
    for kind, found in duels.items():
        _write_duel(terminal, kind, reference, str(against), found)
    if against is not None and not duels:
        terminal.say(f"{reference} and {against} have no kind of model in common.")


def _store(out: Path) -> ModelStore:
    from windtunnel.store import ModelStore

    return ModelStore(out / "models")


def _row(model: StoredModel) -> dict[str, Any]:
    from windtunnel.errors import StoreError

    row: dict[str, Any] = {"id": model.id, "file": str(model.path), "bytes": model.path.stat().st_size}
    try:
        return {**row, **model.record.as_json()}
    except StoreError as error:
        return {**row, "problem": str(error)}


def _cells(row: dict[str, Any]) -> list[str]:
    size = _size(row["bytes"])
    if "problem" in row:
        return ["", "", row["id"][:8], "damaged", "", "", size]
    status, end = row["status"], _day(row["end"])
    return [row["kind"], row["plugin"], row["id"][:8], status, end, f"{row['bars']:,}", size]


def _day(time: str) -> str:
    return time[:10] if time[10:].strip("T0:.") == "" else time[:16].replace("T", " ")


def _size(count: int) -> str:
    return f"{count / 1e6:,.1f} MB" if count >= 1e6 else f"{math.ceil(count / 1e3):,} kB"


def _or_nan(value: float | None) -> float:
    return math.nan if value is None else value


def _predictions(out: Path, reference: str) -> dict[str, pd.DataFrame]:
    """Return the predictions of a run, or, where no run is meant, the live answers of a model, by kind.

    Raises
    ------
    InvalidValueError
        If there is neither, or the run has no predictions.
    """
    from windtunnel.errors import InvalidValueError
    from windtunnel.store import RunStore
    from windtunnel.store.predictions import PredictionLog, read_predictions

    log = out / "predictions.sqlite"
    try:
        file = RunStore(out).find(reference).folder / "predictions.parquet"
    except InvalidValueError:
        live = PredictionLog(log) if log.is_file() else None
        table = None if live is None else live.table(reference)
        if live is not None:
            live.close()
        if table is None or not len(table):
            raise
        return _by_kind(table)
    if not file.is_file():
        raise InvalidValueError("run", "has no predictions: it has no model, or none that spoke", reference)
    return _by_kind(read_predictions(file))


def _by_kind(table: pd.DataFrame) -> dict[str, pd.DataFrame]:
    return {str(kind): rows for kind, rows in table.groupby("kind", observed=True, sort=False)}


def _write_track(terminal: Terminal, item: Track) -> None:
    from windtunnel.reporting.text import number, percent

    terminal.say()
    terminal.say(f"{item.kind} {item.model}", style="bold")
    right = "inside the interval" if item.kind == "volatility" else "right"
    terminal.field("known", f"{item.known:,} of {item.predictions:,} predictions", room=_ROOM)
    terminal.field(right if right == "right" else "inside", percent(item.accuracy), room=_ROOM)
    terminal.field("calibration", f"off by {percent(item.calibration_error)} on average", room=_ROOM)
    skill = f"{percent(item.skill, signed=True)} against the mean of what came before"
    terminal.field("skill", skill, f"loss {number(item.loss, 3)}", room=_ROOM)
    for found in (item.drifts or ())[-3:]:
        errors = f"errors went from {percent(found.before)} to {percent(found.after)}"
        terminal.field("drift", f"{_day(found.time)}: {errors}", room=_ROOM)
    if not item.drifts:
        unknown = "not looked for: pip install 'windtunnel[ml]' brings river, which does"
        terminal.field("drift", unknown if item.drifts is None else "none", room=_ROOM)
    columns: list[Column] = [("quarter", "left")]
    columns += [(heading, "right") for heading in ("known", right, "said", "came")]
    rows = [
        [period.name, f"{period.known:,}", *map(percent, (period.accuracy, period.said, period.came))]
        for period in item.periods[-8:]
    ]
    terminal.say()
    terminal.table(columns, rows, flexible=0)


def _write_duel(terminal: Terminal, kind: str, champion: str, challenger: str, found: Duel) -> None:
    from windtunnel.reporting.text import number

    terminal.say()
    terminal.say(f"{kind}: {champion} against {challenger}", style="bold")
    terminal.field("in common", f"{found.predictions:,} predictions on {found.times:,} times", room=_ROOM)
    terminal.field("loss", f"{number(found.champion, 4)} against {number(found.challenger, 4)}", room=_ROOM)
    bounds = f"95% interval [{number(found.low, 4)}, {number(found.high, 4)}], p = {number(found.p_value, 3)}"
    terminal.field("difference", f"{number(found.difference, 4)}, {bounds}", room=_ROOM)
    verdict = found.verdict.replace("The champion", champion).replace("The challenger", challenger)
    terminal.say(verdict)


def _told(duels: dict[str, Duel]) -> dict[str, Any]:
    return {kind: {**asdict(found), "verdict": found.verdict} for kind, found in duels.items()}


def _finite(value: Any) -> Any:
    """Return JSON values, NaN as null."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
