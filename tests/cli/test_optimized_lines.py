"""What the terminal says of an optimisation."""

from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console

from windtunnel.cli.optimized import write_optimized, write_verdict
from windtunnel.cli.terminal import Terminal

FOUND = {
    "optimizer": "tpe",
    "scheme": "walk_forward",
    "objectives": ["sharpe", "max_drawdown"],
    "parameters": ["strategy.params.fast", "backtest.stop_loss", "strategy.params.kind"],
    "trials": 1000,
    "failed": 0,
    "resumed": 0,
    "stopped": "",
    "seconds": {"search": 8.52, "trials": 2.4, "ledger": 0.24},
    "chosen": {"strategy.params.fast": 12, "backtest.stop_loss": None, "strategy.params.kind": "a b"},
    "folds": [
        {"inside": {"sharpe": 1.2, "max_drawdown": -0.1}, "outside": {"sharpe": 0.5, "max_drawdown": None}},
        {"inside": {"sharpe": 0.8, "max_drawdown": -0.2}, "outside": {"sharpe": -0.9, "max_drawdown": -0.3}},
    ],
    "paths": [0.2],
    "sentence": "The chosen point is a lone spike: its neighbours average 0.35 of its 1.31.",
}
VERDICT = {"call": "likely overfit", "because": "In sample Sharpe 1.31; out of sample 0.22.", "earlier": 0}


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    made = Terminal()
    made.console = Console(file=StringIO(), width=400, highlight=False, markup=False, soft_wrap=True)
    return made


def lines(terminal: Terminal) -> list[str]:
    return terminal.console.file.getvalue().splitlines()  # type: ignore[attr-defined]


def test_trials_then_what_is_chosen_now_then_the_folds(terminal: Terminal):
    write_optimized(terminal, FOUND, VERDICT, 12.0)
    assert lines(terminal) == [
        "  trials    1,000 of fast, stop_loss and kind by tpe in 12 s "
        "(sampler 71%, backtests 20%, ledger 2%)",
        "  now       --set strategy.params.fast=12 --set backtest.stop_loss=null "
        "--set 'strategy.params.kind=a b'",
        "  folds     2 (walk forward): Sharpe ratio 1.00 in sample, −0.20 out of sample on average; "
        "Worst drawdown −15.0% in sample, −30.0% out of sample on average",
    ]


def test_what_did_not_go_as_planned_is_told(terminal: Terminal):
    found = FOUND | {"failed": 3, "resumed": 200, "stopped": "no better in 50 trials"}
    found |= {"folds": [], "seconds": {}}
    write_optimized(terminal, found | {"paths": [0.1, None, -0.4]}, VERDICT | {"earlier": 412}, 3.04)
    assert lines(terminal) == [
        "  trials    1,000 of fast, stop_loss and kind by tpe in 3.0 s; 3 failed; 200 known from the ledger; "
        "412 more in earlier runs; ended early: no better in 50 trials",
        "  now       --set strategy.params.fast=12 --set backtest.stop_loss=null "
        "--set 'strategy.params.kind=a b'",
        "  paths     2 ways through the folds: Sharpe −0.40 … 0.10",
    ]


def test_the_verdict_is_one_line_and_what_stands_around_it(terminal: Terminal):
    write_verdict(terminal, VERDICT, FOUND["sentence"])
    write_verdict(terminal, VERDICT)
    first = "  verdict: likely overfit. In sample Sharpe 1.31; out of sample 0.22."
    assert lines(terminal) == [first, f"  {FOUND['sentence']}", first]
