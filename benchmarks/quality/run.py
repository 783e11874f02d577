"""Measure how good the models are, out of sample, each beside its naive baseline: ``make quality``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module
from math import isnan
from pathlib import Path
from time import perf_counter

from rich.console import Console
from rich.table import Table
from row import Row

EXAMS = ("regimes", "volatility", "patterns", "scorers", "chooser", "speed")
PAGE = Path(__file__).resolve().parents[2] / "docs" / "quality.md"
START, END = "<!-- table -->", "<!-- /table -->"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", help=f"some of {','.join(EXAMS)}")
    parser.add_argument("--write-docs", action="store_true", help=f"also write the table of docs/{PAGE.name}")
    given = parser.parse_args()
    console, rows = Console(width=None if sys.stdout.isatty() else 200), []
    for name in given.only.split(",") if given.only else EXAMS:
        began = perf_counter()
        found = import_module(name).measure()
        console.print(f"  {name}: {len(found)} figures in {perf_counter() - began:.0f} s")
        rows += found
    console.print(_table(rows))
    if given.write_docs:
        _write(rows)
    return 0


def _table(rows: Sequence[Row]) -> Table:
    table = Table(title="How good, out of sample", title_justify="left")
    for heading in ("exam", "model", "figure", "value [95% interval]", "beside", "must be", ""):
        table.add_column(heading, justify="right" if heading.startswith("value") else "left")
    for row in rows:
        table.add_row(*_cells(row))
    return table


def _cells(row: Row) -> list[str]:
    met = "" if row.met is None else "met" if row.met else "not met"
    return [row.exam, row.model, row.figure, _value(row), row.baseline, row.floor, met]


def _value(row: Row) -> str:
    text = f"{row.value:.4g}"
    return text if isnan(row.low) else f"{text} [{row.low:.4g}, {row.high:.4g}]"


def _write(rows: Sequence[Row]) -> None:
    lines = [
        "| exam | model | figure | value [95% interval] | beside | must be | |",
        "|---|---|---|--:|---|---|---|",
        *("| " + " | ".join(_cells(row)) + " |" for row in rows),
        "",
        *dict.fromkeys(f"- *{row.exam}, {row.model}*: {row.note}" for row in rows if row.note),
    ]
    page = PAGE.read_text(encoding="utf-8")
    head, _, rest = page.partition(START)
    tail = rest.partition(END)[2]
    PAGE.write_text(f"{head}{START}\n" + "\n".join(lines) + f"\n{END}{tail}", encoding="utf-8")


if __name__ == "__main__":
    raise SystemExit(main())
