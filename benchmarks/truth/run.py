"""Measure how often the verdict errs: ``make truth``."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from math import sqrt
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter

import numpy as np
from rich.console import Console
from rich.table import Table
from searches import Searched, ratios, searched, sums_of
from universes import MARKETS, YEAR, Market, bars_of

from windtunnel.values import Verdict

PAGE = Path(__file__).resolve().parents[2] / "docs" / "truth.md"
START, END = "<!-- table -->", "<!-- /table -->"
PROCESSES = 2
FIRST_SEED = 2_000_000
"""Of the universes that are reported. The rule was made on universes of seeds below 100,000."""
CALIBRATION = range(10_000, 10_200)
WAYS: dict[str, Callable[[Searched], Verdict]] = {
    "walk-forward": lambda one: one.walked,
    "sweep alone": lambda one: one.swept,
}


@dataclass(frozen=True)
class Row:
    """How often verdicts came out how, of one market or of all."""

    truth: str
    market: str
    way: str
    verdicts: tuple[Verdict, ...]

    @property
    def bound(self) -> str:
        """What must be reached by all markets together."""
        return "" if self.market != "all" else "at most 5%" if self.truth == "noise" else "at least 80%"

    @property
    def met(self) -> str:
        """Whether it is."""
        share = self._count("likely real") / len(self.verdicts)
        reached = share <= 0.05 if self.truth == "noise" else share >= 0.8
        return "" if not self.bound else "met" if reached else "not met"

    @property
    def cells(self) -> list[str]:
        """The row of the table."""
        inside = np.mean([one.inside for one in self.verdicts])
        outside = (
            "" if self.way == "sweep alone" else _number(np.mean([one.outside for one in self.verdicts]))
        )
        shares = [self._share(call) for call in ("likely real", "cannot tell", "likely overfit")]
        count = str(len(self.verdicts))
        return [
            self.truth,
            self.market,
            self.way,
            count,
            _number(inside),
            outside,
            *shares,
            self.bound,
            self.met,
        ]

    def _count(self, call: str) -> int:
        return sum(one.call == call for one in self.verdicts)

    def _share(self, call: str) -> str:
        from scipy.stats import binomtest

        count, total = self._count(call), len(self.verdicts)
        interval = binomtest(count, total).proportion_ci(method="exact")
        return f"{count / total:.1%} [{interval.low:.1%}, {interval.high:.1%}]"


HEADINGS = (
    "truth", "market", "judged", "universes", "in sample", "out of sample",
    "likely real", "cannot tell", "likely overfit", "must be real", "",
)  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--universes", type=int, default=200, help="of noise, and as many with an edge")
    parser.add_argument("--trials", type=int, default=1000, help="of each search")
    parser.add_argument("--write-docs", action="store_true", help=f"also write the table of docs/{PAGE.name}")
    parser.add_argument("--calibrate", action="store_true", help="show what strengths of the edge come to")
    given = parser.parse_args()
    console = Console(width=None if sys.stdout.isatty() else 220)
    if given.calibrate:
        _calibrate(console, given.trials)
        return 0
    rows, notes = _measured(console, given.universes, given.trials)
    console.print(_table(rows))
    for note in notes:
        console.print(note, highlight=False)
    if given.write_docs:
        _write(rows, notes)
    return int(any(row.met == "not met" for row in rows))


def _measured(console: Console, universes: int, trials: int) -> tuple[list[Row], list[str]]:
    """Search all universes, the markets in turn."""
    rows, notes = [], []
    markets = [MARKETS[place % len(MARKETS)] for place in range(universes)]
    with _pool() as pool:
        for truth in ("noise", "planted"):
            began, found = perf_counter(), []
            work = partial(_search, planted=truth == "planted", trials=trials)
            for one in pool.map(work, markets, range(FIRST_SEED, FIRST_SEED + universes)):
                found.append(one)
                if len(found) % 20 == 0:
                    spent = perf_counter() - began
                    console.print(f"  {truth}: {len(found)} of {universes} universes in {spent:.0f} s")
            rows += _rows(truth, markets, found)
            if truth == "planted":
                notes = [_population(one, markets, found) for one in MARKETS]
    return rows, notes


def _pool() -> ProcessPoolExecutor:
    """Return processes whose numerical libraries keep to one thread each."""
    for library in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(library, "1")
    return ProcessPoolExecutor(PROCESSES, get_context("spawn"))


def _search(market: Market, seed: int, *, planted: bool, trials: int) -> Searched:
    return searched(market, market.strength if planted else 0.0, seed, trials)


def _rows(truth: str, markets: Sequence[Market], found: Sequence[Searched]) -> Iterator[Row]:
    for way, verdict in WAYS.items():
        yield Row(truth, "all", way, tuple(map(verdict, found)))
        for market in MARKETS:
            own = [one for one, its in zip(found, markets, strict=True) if its is market]
            if own:
                yield Row(truth, market.name, way, tuple(map(verdict, own)))


def _population(market: Market, markets: Sequence[Market], found: Sequence[Searched]) -> str:
    """Say how good the best grid point is over all planted universes of a market put together."""
    own = [one.sums for one, its in zip(found, markets, strict=True) if its is market]
    if not own:
        return ""
    best = float(ratios(np.sum(own, axis=0)[:, None]).max()) * sqrt(YEAR)
    years = float(own[0][0, 0]) / YEAR * len(own)
    return (
        f"{market.name}: over these {years:,.0f} years the best grid point's net Sharpe ratio is {best:.2f}."
    )


def _calibrate(console: Console, trials: int) -> None:
    """Print the population ratio of the best grid point at strengths around those that are used."""
    with _pool() as pool:
        for market in MARKETS:
            for strength in np.round(market.strength * np.array([0.95, 1.0, 1.05]), 4).tolist():
                work = partial(_sums, market, strength, trials)
                total = sum(pool.map(work, CALIBRATION))
                best = float(ratios(total[:, None]).max()) * sqrt(YEAR)
                console.print(f"  {market.name}: strength {strength}: best grid point {best:.3f}")


def _sums(market: Market, strength: float, trials: int, seed: int) -> np.ndarray:
    return sums_of(bars_of(market, strength, seed), market, trials)[1].sum(axis=1)


def _number(value: float) -> str:
    return f"{value:.2f}".replace("-", "−")


def _table(rows: Sequence[Row]) -> Table:
    table = Table(title="How often the verdict says what [95% interval]", title_justify="left")
    for heading in HEADINGS:
        table.add_column(heading)
    for row in rows:
        table.add_row(*row.cells)
    return table


def _write(rows: Sequence[Row], notes: Sequence[str]) -> None:
    lines = [
        f"| {' | '.join(HEADINGS)} |",
        "|---|---|---|--:|--:|--:|--:|--:|--:|---|---|",
        *(f"| {' | '.join(row.cells)} |" for row in rows),
        "",
        *(f"- {note[0].upper()}{note[1:]}" for note in notes if note),
    ]
    page = PAGE.read_text(encoding="utf-8")
    head, _, rest = page.partition(START)
    tail = rest.partition(END)[2]
    PAGE.write_text(f"{head}{START}\n" + "\n".join(lines) + f"\n{END}{tail}", encoding="utf-8")


if __name__ == "__main__":
    raise SystemExit(main())
