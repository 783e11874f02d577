"""The results as tables: on the terminal and as Markdown."""

from __future__ import annotations

from dataclasses import dataclass, field

from agreement import Agreement
from cases import Case
from rich.table import Table
from systems import OURS, Measured

__all__ = ["Outcome", "floors", "markdown", "systems_table"]

_COLUMNS = ("workload", "system", "median", "runs", "peak MB", "× ours", "largest difference from ours")


@dataclass
class Outcome:
    """A workload as it was measured."""

    case: Case
    measured: dict[str, Measured] = field(default_factory=dict)
    agreements: dict[str, Agreement] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)

    def ratio(self, system: str) -> float | None:
        """Return how often faster we are; None for ours, or where the results do not agree."""
        ours, agreement = self.measured.get(OURS), self.agreements.get(system)
        if ours is None or agreement is None or not agreement.fine:
            return None
        return self.measured[system].median / ours.median

    @property
    def fine(self) -> bool:
        return not self.failures and all(one.fine for one in self.agreements.values())


def seconds(value: float) -> str:
    """Return a time in words, three digits."""
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if value >= size:
            return f"{value / size:.3g} {unit}"
    return f"{value / 1e-6:.3g} µs"


def _note(key: str, value: object) -> str:
    return f"{key} {seconds(value)}" if isinstance(value, float) else str(value)


def _rows(outcome: Outcome) -> list[tuple[str, ...]]:
    rows = []
    for place, (name, one) in enumerate(outcome.measured.items()):
        ratio = outcome.ratio(name)
        notes = ", ".join(_note(key, value) for key, value in one.note.items() if key != "orders")
        orders = f"{one.note['orders']:,} orders" if "orders" in one.note else ""
        agreement = str(outcome.agreements[name]) if name in outcome.agreements else ""
        rows.append(
            (
                f"{outcome.case.name} {outcome.case.title}" if place == 0 else "",
                f"{name} {one.version}" + (f" ({notes})" if notes else ""),
                seconds(one.median),
                str(len(one.seconds)),
                f"{one.peak_mb:,.0f}",
                "" if ratio is None else f"{ratio:,.1f}" if ratio < 100 else f"{ratio:,.0f}",
                "; ".join(part for part in (agreement, orders) if part),
            )
        )
    return rows


def systems_table(outcomes: list[Outcome]) -> Table:
    """Return the table of all systems, for the terminal."""
    table = Table(*_COLUMNS, title="Median seconds in one run on this machine", title_justify="left")
    for column in table.columns[2:6]:
        column.justify = "right"
    for outcome in outcomes:
        table.add_section()
        for row in _rows(outcome):
            table.add_row(*row, style="bold" if row[1].startswith(OURS) else None)
        table.add_row(f"[dim]{outcome.case.meaning}[/dim]")
        for failure in outcome.failures:
            table.add_row("", f"[red]{failure}[/red]")
    return table


def floors(outcomes: list[Outcome]) -> list[tuple[str, str, str, bool]]:
    """Return a row a promise: workload, what must be reached, what was, and whether."""
    rows = []
    for outcome in outcomes:
        ours = outcome.measured.get(OURS)
        if ours is None:
            continue
        name, floor = outcome.case.name, outcome.case.floor
        rows.append((name, f"≤ {seconds(floor.seconds)}", seconds(ours.median), ours.median <= floor.seconds))
        if floor.megabytes < float("inf"):
            reached = ours.peak_mb <= floor.megabytes
            rows.append((name, f"≤ {floor.megabytes:,.0f} MB", f"{ours.peak_mb:,.0f} MB", reached))
        if floor.peer:
            ratio = outcome.ratio(floor.peer)
            got = "not measured" if ratio is None else f"{ratio:.1f} ×"
            reached = ratio is not None and ratio >= floor.times
            rows.append((name, f"≥ {floor.times:g} × {floor.peer}", got, reached))
        if "import" in ours.note:
            spent = ours.note["import"]
            rows.append((name, "import ≤ 500 ms", seconds(spent), spent <= 0.5))
    return rows


def markdown(outcomes: list[Outcome], machine: str) -> str:
    """Return both tables as Markdown, with the machine they were measured on."""
    lines = [machine, "", "| " + " | ".join(_COLUMNS) + " |", "|---|---|--:|--:|--:|--:|---|"]
    for outcome in outcomes:
        for row in _rows(outcome):
            bold = row[1].startswith(OURS)
            cells = [
                f"**{cell}**" if bold and cell and place in (1, 2) else cell for place, cell in enumerate(row)
            ]
            lines.append("| " + " | ".join(cells) + " |")
    lines += ["", "| workload | what is computed |", "|---|---|"]
    lines += [f"| {outcome.case.name} | {outcome.case.meaning} |" for outcome in outcomes]
    promised = floors(outcomes)
    if promised:
        lines += ["", "| workload | must be | is | |", "|---|---|---|---|"]
        lines += [
            f"| {name} | {rule} | {got} | {'met' if ok else 'not met'} |" for name, rule, got, ok in promised
        ]
    return "\n".join(lines) + "\n"
