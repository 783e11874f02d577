"""``windtunnel data``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import typer

from windtunnel.cli.options import ConfigArgument, SetOption

if TYPE_CHECKING:
    from windtunnel.bars import Bars
    from windtunnel.cli.terminal import Terminal
    from windtunnel.data import Dataset

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Look at the data of an experiment.")


@app.callback()
def _group() -> None:
    """Look at the data of an experiment."""


@app.command()
def show(config: ConfigArgument, assignments: SetOption = None) -> None:
    """Show the span, the gaps and the quality of an experiment's data, and a picture of every symbol."""
    from windtunnel import experiment
    from windtunnel.cli.header import describe
    from windtunnel.cli.terminal import Terminal
    from windtunnel.reporting.text import counted
    from windtunnel.runner import dataset as load_dataset
    from windtunnel.runner import describe_data

    terminal = Terminal()
    loaded = experiment.load(config, overrides=assignments or ())
    dataset = load_dataset(loaded)
    data = describe_data(loaded, dataset)
    terminal.field("data", *describe(loaded.resolved(), data))
    terminal.field("quality", ", ".join(_quality(data["repairs"])))
    if dataset.resampled_from is not None:
        terminal.field("resampled", f"to {data['resample']}, from {counted(dataset.resampled_from, 'bar')}")
    terminal.field("hash", data["hash"])
    terminal.say()
    _write_symbols(terminal, dataset)


def _quality(repairs: dict[str, int]) -> Iterator[str]:
    from windtunnel.reporting.text import counted

    if not repairs:
        yield "every row passed the gate as it came"
    for what, count in repairs.items():
        yield f"{counted(count, 'row')}: {what}"


def _write_symbols(terminal: Terminal, dataset: Dataset) -> None:
    from windtunnel.reporting.text import sparkline

    bars = dataset.bars
    room = max(9, *(len(symbol) for symbol in bars.symbols)) + 1
    width = min(terminal.width - room - 2, 100)
    for column, symbol in enumerate(bars.symbols):
        known = [f"{key} {value}" for key, value in dataset.attributes.get(symbol, {}).items()]
        terminal.field(symbol, ", ".join([_facts(bars, column), *known]), room=room)
        terminal.field("", sparkline(bars.close[:, column], width), room=room)


def _facts(bars: Bars, column: int) -> str:
    """Say what there is of one symbol."""
    import numpy as np

    from windtunnel.reporting.text import counted, number, stamp

    close, volume = bars.close[:, column], bars.volume[:, column]
    rows = np.flatnonzero(bars.present[:, column])
    if not len(rows):
        return "no bars"
    first, last = int(rows[0]), int(rows[-1])
    missing = last - first + 1 - len(rows)
    digits = 2 if np.nanmax(close) >= 10 else 4
    parts = [
        f"{stamp(bars.local_time[first])} … {stamp(bars.local_time[last])}",
        counted(len(rows), "bar"),
        f"{counted(missing, 'bar')} missing" if missing else "no gaps",
        f"close {number(np.nanmin(close), digits)} … {number(np.nanmax(close), digits)}",
    ]
    if np.isnan(volume[rows]).all():
        parts.append("no volume")
    if bars.actions is not None:
        own = bars.actions.select([column])
        parts.append(counted(int((own.dividend != 0).sum()), "dividend"))
        parts.append(counted(int((own.split != 1).sum()), "split"))
    return ", ".join(parts)
