"""Every example of docs/engine.md is what the engine does; every rule has one."""

from __future__ import annotations

import pytest
from engine_page import PANELS, Example, examples, number, sections

from windtunnel.engine import REASONS, Simulation, simulate
from windtunnel.engine.reference import reference
from windtunnel.pipeline.sections import SizingSection
from windtunnel.values import Rules

EXAMPLES = list(examples())
WITHOUT = {"A bar, in order", "Exits", "Several timeframes", "Left out on purpose", "Measured against others"}
"""Sections that state no rule of their own."""
TRADE_COLUMNS = {"trade": None, "entry": "entry_bar", "exit": "exit_bar", "R": "r_multiple"}
"""Columns of a table of trades that are called otherwise in the code."""


def assert_as_written(example: Example, run: Simulation) -> None:
    series = [name for name in ("equity", "cash", "gross") if name in example.columns]
    for name in series:
        for bar, (written, actual) in enumerate(zip(example.series(name), getattr(run, name), strict=True)):
            assert written.agrees(actual), f"{name} of bar {bar}: {actual}, on the page {written.value}"
    fills, written_fills = run.fills, example.fills()
    happened = [
        f"bar {fills.bar[k]}: {run.bars.symbols[fills.symbol[k]]} {fills.units[k]:+} @ {fills.price[k]}"
        f" {REASONS[fills.reason[k]]}"
        for k in range(len(fills))
    ]
    assert len(fills) == len(written_fills), happened
    for k, (bar, fill) in enumerate(written_fills):
        same = fills.bar[k] == bar and run.bars.symbols[fills.symbol[k]] == fill.symbol
        same = same and REASONS[fills.reason[k]] == fill.reason
        assert same, f"{happened[k]}, on the page {bar}: {fill}"
        assert fill.units.agrees(fills.units[k]), happened[k]
        assert fill.price.agrees(fills.price[k]), happened[k]
    for bar, cell in enumerate(example.columns.get("fee", [])):
        assert number(cell or "0").agrees(fills.fee[fills.bar == bar].sum()), f"fee of bar {bar}"


def assert_trades(example: Example, run: Simulation) -> None:
    assert example.trades is not None
    assert len(run.trades) == len(example.trades["trade"])
    for head, column in example.trades.items():
        name = TRADE_COLUMNS.get(head, head)
        for k, cell in enumerate(column):
            actual = None if name is None else getattr(run.trades, name)[k]
            if name == "reason":
                assert REASONS[int(actual)] == cell
            elif name is not None:
                assert number(cell).agrees(actual), f"{head} of trade {k + 1}: {actual}"


@pytest.mark.parametrize("engine", [simulate, reference], ids=["kernel", "reference"])
@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_the_page_says_what_the_engine_does(example: Example, engine: object) -> None:
    assert callable(engine)
    run = engine(example.bars, example.orders, example.rules)
    assert_as_written(example, run)
    if example.trades is not None:
        assert_trades(example, run)


def test_every_section_has_an_example() -> None:
    shown = {example.name.rpartition(" ")[0] for example in EXAMPLES}
    for heading, text in sections().items():
        assert (heading in shown) == (heading not in WITHOUT and text.strip() != ""), heading


def test_every_table_of_bars_is_an_example() -> None:
    tables = sum(text.count("\n| bar |") + text.count("\n| time |") for text in sections().values())
    assert tables == len(EXAMPLES)


def test_every_rule_order_size_and_reason_is_shown() -> None:
    used = {key for example in EXAMPLES for key in example.given}
    assert set(Rules.model_fields) <= used
    shapes = {name: {str(example.given.get(name)) for example in EXAMPLES} for name in Rules.model_fields}
    assert {"next_open", "close", "None"} >= shapes["fill"] >= {"close", "None"}
    assert {"long", "short"} <= shapes["sides"]
    assert {"scale", "in_order"} <= shapes["cash_shortage"]
    assert {"on_change", "never", "{'every': 2}", "{'every': 'month'}"} <= shapes["rebalance"]
    assert any("drift" in shape for shape in shapes["rebalance"])
    for name in ("stop_loss", "take_profit", "trailing_stop"):
        assert any("atr" in shape for shape in shapes[name]), name
        assert any(shape.startswith("0.") for shape in shapes[name]), name
    columns = {column.split()[-1] for example in EXAMPLES for column in example.columns}
    assert set(PANELS) | {"dividend", "split", "volume"} <= columns
    sizing = {key for example in EXAMPLES for key in example.given.get("sizing", {})}
    assert sizing == set(SizingSection.model_fields)
    assert {example.given.get("size") for example in EXAMPLES} == {None, "units", "risk"}
    reasons = {fill.reason for example in EXAMPLES for _, fill in example.fills()}
    ends = {reason for example in EXAMPLES for reason in (example.trades or {}).get("reason", [])}
    assert reasons | ends == set(REASONS)
