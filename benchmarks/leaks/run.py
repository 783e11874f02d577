"""Plant every leak and see it found, and see that nothing else is: ``make leaks``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from rich.console import Console
from rich.table import Table

REPOSITORY = Path(__file__).resolve().parents[2]
PAGE = REPOSITORY / "docs" / "causality.md"
START, END = "<!-- table -->", "<!-- /table -->"
HEADINGS = (
    "leak",
    "what it does",
    "stage",
    "caught by",
    "first bar",
    "sees ahead, at least",
    "runs",
    "seconds",
)

sys.path.insert(0, str(REPOSITORY / "tests" / "testing"))


@dataclass(frozen=True)
class Row:
    """One leak and how it was found; ``caught`` is empty where it was not, or another stage was blamed."""

    leak: str
    sentence: str
    stage: str
    caught: str
    bar: str
    ahead: str
    runs: int
    seconds: float

    def cells(self) -> tuple[str, ...]:
        return (
            f"`{self.leak}`",
            self.sentence,
            self.stage,
            self.caught or "**not caught**",
            self.bar,
            self.ahead,
            str(self.runs),
            f"{self.seconds:.1f}",
        )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write-docs", action="store_true", help=f"also write the table of docs/{PAGE.name}")
    given = parser.parse_args()
    console = Console(width=None if sys.stdout.isatty() else 200)
    rows = planted()
    table = Table(*HEADINGS, title="Planted leaks", title_justify="left")
    for row in rows:
        table.add_row(*row.cells())
    console.print(table)
    count, alarms = false_alarms()
    missed = [row.leak for row in rows if not row.caught]
    caught = f"{len(rows) - len(missed)} of {len(rows)} leaks caught"
    said = f"{caught}; {len(alarms)} alarms from {count} clean pipelines."
    console.print(said, *missed, *alarms, sep="\n")
    if given.write_docs:
        write(rows, said)
    return int(bool(missed or alarms))


def planted() -> list[Row]:
    """Return a row for each leak of the catalogue."""
    from leak_catalogue import catalogue

    rows = []
    for leak in catalogue():
        began = perf_counter()
        findings = leak.found()
        seconds = perf_counter() - began
        right = [finding.stage for finding in findings] == [leak.stage]
        one = findings[0] if right else None
        rows.append(
            Row(
                leak.name,
                leak.sentence,
                leak.stage,
                one.provoked if one else "",
                f"{one.bar:,}" if one else "",
                f"{one.ahead:,}" if one and one.ahead else "–",
                one.runs if one else 0,
                seconds,
            )
        )
    return rows


def false_alarms() -> tuple[int, list[str]]:
    """Return how many clean pipelines there are, and what was found in them."""
    from clean_catalogue import clean

    every = list(clean())
    return len(every), [f"{one.name}: {finding}" for one in every for finding in one.verified().findings]


def write(rows: Sequence[Row], said: str) -> None:
    rule = "|---|---|---|---|--:|--:|--:|--:|"
    lines = [
        f"| {' | '.join(HEADINGS)} |",
        rule,
        *(f"| {' | '.join(row.cells())} |" for row in rows),
        "",
        said,
    ]
    head, _, rest = PAGE.read_text(encoding="utf-8").partition(START)
    tail = rest.partition(END)[2]
    PAGE.write_text(f"{head}{START}\n" + "\n".join(lines) + f"\n{END}{tail}", encoding="utf-8")


if __name__ == "__main__":
    raise SystemExit(main())
