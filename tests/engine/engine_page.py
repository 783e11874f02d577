"""The worked examples of docs/engine.md, as a machine reads them.

An example is a line of rules in backticks, then a table with a row a bar, then, where there is one, a table
with a row a trade. Numbers count as they are written; ``≈`` before one means that it was rounded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from windtunnel.bars import Bars
from windtunnel.pipeline.refuse import sized
from windtunnel.pipeline.sections import SizingSection
from windtunnel.values import Actions, Forecast, Orders, Rules

__all__ = ["PAGE", "PANELS", "PRICES", "Example", "Fill", "Number", "examples", "number", "sections"]

PAGE = Path(__file__).parents[2] / "docs" / "engine.md"
PRICES = ("open", "high", "low", "close", "volume")
PANELS = ("entry_limit", "entry_stop", "exit_stop", "exit_target", "rank", "atr")
PER_SYMBOL = (*PRICES, "exposure", *PANELS, "forecast", "dividend", "split")
PER_BAR = ("bar", "time", "fills", "fee", "cash", "gross", "equity", "what happens")


@dataclass(frozen=True)
class Number:
    """A number of the page."""

    value: float
    within: float

    def agrees(self, actual: float) -> bool:
        """Whether the engine says the same."""
        return abs(actual - self.value) <= self.within


@dataclass(frozen=True)
class Fill:
    """``A +50 @ 20 stop_loss``."""

    symbol: str
    units: Number
    price: Number
    reason: str


@dataclass(frozen=True)
class Example:
    """One example of the page, and what it says should come of it."""

    name: str
    given: Mapping[str, Any]
    bars: Bars
    orders: Orders
    rules: Rules
    columns: Mapping[str, list[str]]
    trades: Mapping[str, list[str]] | None

    def series(self, name: str) -> list[Number]:
        """Return a number a bar, every one of which must be there."""
        return [number(cell) for cell in self.columns[name]]

    def fills(self) -> list[tuple[int, Fill]]:
        """Return the bar of each fill, and the fill, in the order in which they happen."""
        rows = enumerate(self.columns["fills"])
        return [
            (bar, _fill(part, self.bars.symbols)) for bar, cell in rows for part in cell.split("; ") if part
        ]


def number(text: str) -> Number:
    """Read ``1,000``, ``−2.5`` or ``≈ 3.14``."""
    rounded = text.startswith("≈")
    digits = text.removeprefix("≈").strip().replace(",", "").replace("−", "-")
    decimals = len(digits.partition(".")[2])
    value = float(digits)
    return Number(value, 0.5 * 10.0**-decimals if rounded else 1e-9 * max(1.0, abs(value)))


def sections() -> dict[str, str]:
    """Return the text under each heading, by heading."""
    parts = re.split(r"^#{2,} (.*)\n", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def examples() -> Iterator[Example]:
    """Yield the examples of the page, each named by its heading and its place under it."""
    for heading, text in sections().items():
        found = re.findall(
            r"^`([^`\n]+)`\n\n(\| (?:bar|time) \|(?:.*\n)+?)(?:\n(\| trade \|(?:.*\n)+?))?(?=\n|\Z)",
            text,
            flags=re.MULTILINE,
        )
        for place, (given, bars, trades) in enumerate(found, 1):
            yield _example(f"{heading} {place}", yaml.safe_load(f"{{{given}}}"), _table(bars), trades)


def _table(text: str) -> dict[str, list[str]]:
    header, line, *rows = (
        [cell.strip() for cell in row.strip("|").split("|")] for row in text.strip().split("\n")
    )
    assert all(re.fullmatch(r":?-+:?", cell) for cell in line), f"not a table: {header}"
    assert len(set(header)) == len(header), f"a column twice: {header}"
    return {name: list(column) for name, *column in zip(header, *rows, strict=True)}


def _example(name: str, given: dict[str, Any], columns: dict[str, list[str]], trades: str) -> Example:
    kept = dict(given)
    size, sizing = kept.pop("size", "weight"), kept.pop("sizing", None)
    per_year = float(kept.pop("periods_per_year", 252))
    symbols = sorted({head.split()[0] for head in columns if len(head.split()) == 2} - {"what"}) or ["A"]
    panels = {field: _panel(columns, field, symbols) for field in PER_SYMBOL}
    unknown = (
        set(columns) - {*PER_BAR, *PER_SYMBOL} - {f"{one} {field}" for one in symbols for field in PER_SYMBOL}
    )
    assert not unknown, f"{name}: columns that nothing reads: {unknown}"
    assert panels["close"] is not None, f"{name}: a bar needs a close"
    bars = _bars(symbols, panels, columns.get("time"), per_year)
    exposure = panels["exposure"]
    assert exposure is not None, f"{name}: no exposure"
    given_panels = {field: panels[field] for field in PANELS if panels[field] is not None}
    orders = Orders(exposure, size, **given_panels)
    if sizing is not None:
        mean = panels["forecast"]
        forecast = None if mean is None else Forecast(mean, mean, mean, 1)
        orders = sized(orders, bars.present, SizingSection(**sizing), forecast)
    table = _table(trades) if trades else None
    return Example(name, given, bars, orders, Rules(**kept), columns, table)


def _panel(columns: Mapping[str, list[str]], field: str, symbols: list[str]) -> np.ndarray | None:
    """Return a field of all symbols, NaN where a cell is empty; None where no column gives it."""
    heads = [field] if field in columns else [f"{symbol} {field}" for symbol in symbols]
    if not any(head in columns for head in heads):
        return None
    empty = [""] * len(next(iter(columns.values())))
    cells = [columns.get(head, empty) for head in heads]
    return np.array([[number(cell).value if cell else np.nan for cell in column] for column in cells]).T


def _bars(
    symbols: list[str], panels: Mapping[str, np.ndarray | None], time: list[str] | None, per_year: float
) -> Bars:
    close = panels["close"]
    assert close is not None
    open_ = close if panels["open"] is None else np.where(np.isnan(panels["open"]), close, panels["open"])
    fields = {"open": open_, "high": np.fmax(open_, close), "low": np.fmin(open_, close)}
    for field in ("high", "low"):
        if panels[field] is not None:
            fields[field] = np.where(np.isnan(panels[field]), fields[field], panels[field])
    when = np.datetime64("2024-01-01") + np.arange(len(close)) if time is None else np.array(time, "M8[D]")
    bars = Bars.from_arrays(when, close, **fields, volume=panels["volume"], symbols=symbols)
    return replace(bars, periods_per_year=per_year, actions=_actions(panels))


def _actions(panels: Mapping[str, np.ndarray | None]) -> Actions | None:
    dividend, split = panels["dividend"], panels["split"]
    if dividend is None and split is None:
        return None
    shape = next(panel.shape for panel in (dividend, split) if panel is not None)
    cash = np.zeros(shape) if dividend is None else np.nan_to_num(dividend)
    ratio = np.ones(shape) if split is None else np.nan_to_num(split, nan=1.0)
    bar, symbol = np.nonzero((cash != 0) | (ratio != 1))
    return Actions(bar, symbol, cash[bar, symbol], ratio[bar, symbol])


def _fill(text: str, symbols: tuple[str, ...]) -> Fill:
    match = re.fullmatch(r"(?:(\w+) )?([+−][\d.,]+|≈ [+−][\d.,]+) @ ((?:≈ )?[\d.,]+)(?: (\w+))?", text)
    assert match, f"not a fill: {text!r}"
    name, units, price, reason = match.groups()
    assert name or len(symbols) == 1, f"whose fill is {text!r}?"
    return Fill(name or symbols[0], number(units.replace("+", "")), number(price), reason or "signal")
