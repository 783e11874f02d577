"""What came out of a run: figures beside the alternative, one sentence of truth, where to look."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from windtunnel.cli.optimized import write_optimized, write_verdict
from windtunnel.cli.swept import write_sweep

if TYPE_CHECKING:
    from windtunnel.cli.terminal import Terminal
    from windtunnel.store import RunStore, StoredRun

__all__ = ["as_json", "report_path", "write_summary"]

_NAN = math.nan
_LABEL = 22


def write_summary(terminal: Terminal, run: StoredRun) -> None:
    """Write the verdict, the table of figures, whether it beat the benchmark, and what each part changed."""
    manifest = run.manifest
    sweep, optimized = manifest.get("sweep"), manifest.get("optimized")
    if "verdict" in manifest:
        terminal.say()
        write_verdict(terminal, manifest["verdict"], optimized["sentence"] if optimized else "")
    _write_figures(terminal, run, manifest)
    sentence = manifest["sentence"]
    terminal.say()
    terminal.say(sentence if sweep is None else sentence.removesuffix(f" {sweep['sentence']}"), style="bold")
    for effect in manifest["effects"]:
        terminal.say(effect["sentence"])
    if sweep is not None:
        terminal.say()
        write_sweep(terminal, sweep, manifest["timings"]["sweep"])
    if optimized is not None:
        terminal.say()
        write_optimized(terminal, optimized, manifest["verdict"], sum(optimized["seconds"].values()))


def as_json(run: StoredRun, report: Path | None) -> dict[str, Any]:
    """Return what machines want to know of a run; figures as fractions, null where not defined."""
    manifest = run.manifest
    kept = (
        "sentence",
        "comparison",
        "benchmark",
        "effects",
        "signals",
        "data",
        "seed",
        "fits",
        "timings",
        "complaints",
    )
    found = ("sweep", "optimized", "verdict")
    return {
        "id": run.id,
        "name": run.name,
        "folder": str(run.folder),
        "report": None if report is None else str(report),
        "metrics": run.metrics,
        **{key: manifest[key] for key in kept},
        **{key: manifest[key] for key in found if key in manifest},
    }


def report_path(store: RunStore, run: StoredRun) -> Path | None:
    """Return the report's path as one would type it, through ``latest`` where that is this run."""
    if run.report is None:
        return None
    latest = run.folder.parent / "latest"
    shared = latest.is_symlink() and store.latest(run.name) == run
    return (latest if shared else run.folder) / run.report.name


def _write_figures(terminal: Terminal, run: StoredRun, manifest: Mapping[str, Any]) -> None:
    """Write the table; digits stand below digits, so that what has no % ends one column earlier.

    On a narrow terminal the notes beside the figures are left out.
    """
    own = run.metrics
    other = own.pop("benchmark")
    columns = [_figures(own, manifest["comparison"])] + ([_figures(other, None)] if other else [])
    columns[0]["costs paid"] = (_costs(run), "of average equity")
    headings = ["strategy", "buy & hold"][: len(columns)]
    widths = [
        max(len(heading), *(len(value) for value, _ in column.values()))
        for heading, column in zip(headings, columns, strict=True)
    ]
    beside = max(len(note) for _, note in columns[0].values())
    if 2 + _LABEL + sum(widths) + 4 * len(widths) + beside > terminal.width:
        columns = [{label: (value, "") for label, (value, _) in column.items()} for column in columns]
        beside = 0
    terminal.say()
    terminal.row(_row("", [(heading, "") for heading in headings], widths, beside), style="dim")
    for label in columns[0]:
        cells = [column[label] for column in columns if label in column]
        terminal.row(_row(label, cells, widths, beside))


def _row(label: str, cells: list[tuple[str, str]], widths: list[int], beside: int) -> str:
    text = f"{label:<{_LABEL}}"
    for place, ((value, note), width) in enumerate(zip(cells, widths, strict=False)):
        text += f"  {value:>{width}}  {note:<{beside if place == 0 else 0}}"
    return text


def _figures(metrics: Mapping[str, Any], comparison: Mapping[str, Any] | None) -> dict[str, tuple[str, str]]:
    """Return value and interval of each line."""
    from windtunnel.reporting.text import interval, number, percent

    def of(name: str) -> float:
        return _number(metrics[name])

    sure = ""
    if comparison is not None:
        sure = interval(_number(comparison["sharpe_low"]), _number(comparison["sharpe_high"]))
    return {
        "total return": (percent(of("total_return"), signed=True), ""),
        "a year (CAGR)": (percent(of("cagr"), signed=True), ""),
        "Sharpe": (f"{number(of('sharpe'))} ", sure),
        "worst drawdown": (percent(of("max_drawdown")), ""),
        "trades / time invested": (f"{number(of('trades'), 0)} / {percent(of('time_invested'), 0)}", ""),
    }


def _number(value: float | None) -> float:
    return _NAN if value is None else value


def _costs(run: StoredRun) -> str:
    """Return fees and slippage of the whole run over its average equity."""
    import numpy as np
    from pyarrow import parquet

    from windtunnel.reporting.text import percent

    fills = parquet.read_table(run.folder / "fills.parquet", columns=["fee", "slippage"])
    equity = parquet.read_table(run.folder / "equity.parquet", columns=["equity"])["equity"].to_numpy()
    paid = sum(float(np.sum(column.to_numpy())) for column in fills.columns)
    average = float(np.mean(equity))
    return percent(paid / average) if average > 0 else percent(_NAN)
