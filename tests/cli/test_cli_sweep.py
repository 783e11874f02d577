"""A sweep from the command line, from its mistakes to its baseline."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import Result

from windtunnel.cli.progress import Progress
from windtunnel.cli.terminal import Terminal

Invoke = Callable[..., Result]

SWEEP = """\
name: swept
data: {use: arch, symbols: [SP500], start: 2014}
strategy: {use: sma_cross}
sweep:
  space:
    strategy.params.fast: {from: 5, to: 30}
    strategy.params.slow: {from: 20, to: 80, step: 5}
backtest: {fees: 0.001, slippage: 0.0005}
benchmark: SP500
"""


@pytest.fixture
def swept(here: Path) -> Path:
    (here / "swept.yaml").write_text(SWEEP)
    return Path("swept.yaml")


def line(text: str, label: str) -> str:
    (found,) = [line for line in text.splitlines() if line.startswith(f"  {label}")]
    return found


def facts() -> dict:
    return json.loads(Path("results/swept/latest/manifest.json").read_text())["sweep"]


def test_it_says_what_was_tried_then_the_best_then_its_neighbours(invoke: Invoke, swept: Path):
    done = invoke("run", swept)
    assert (done.exit_code, done.stderr) == (0, "")
    starts = ["  data ", "  strategy ", " " * 24, "  total return ", "  a year (CAGR) ", "  Sharpe "]
    starts += ["  worst drawdown ", "  trades / time invested ", "  costs paid ", "  It was chosen "]
    starts += ["  sweep ", "  best ", "  around ", "  report ", "  again "]
    starts.insert(2, "  verdict: ")
    written = [row for row in done.stdout.splitlines() if row]
    assert [row[: len(start)] for row, start in zip(written, starts, strict=True)] == starts
    told, best = facts(), facts()["best"]
    fast, slow = best["strategy.params.fast"], best["strategy.params.slow"]
    assert line(done.stdout, "strategy") == f"  strategy  sma_cross(fast={fast}, slow={slow}, short=false)"
    tried = line(done.stdout, "sweep")
    assert re.fullmatch(
        rf"  sweep     {told['combinations']} combinations of fast and slow in \d+(\.\d)? s, "
        rf"{told['left_out']} left out \(fast must be less than slow\)",
        tried,
    )
    assert told["combinations"] + told["left_out"] == 26 * 13
    assert line(done.stdout, "best").startswith(f"  best      fast={fast}, slow={slow}    Sharpe ")
    assert line(done.stdout, "around") == f"  around    {told['sentence']}"
    assert done.stdout.count(told["sentence"]) == 1
    verdict = json.loads(Path("results/swept/latest/manifest.json").read_text())["verdict"]
    assert verdict["trials"] == told["combinations"]
    assert line(done.stdout, "verdict:") == f"  verdict: {verdict['call']}. {verdict['because']}"
    assert line(done.stdout, "again").endswith("windtunnel run swept.yaml --set sweep.metric=total_return")


def test_the_table_and_the_best_agree(invoke: Invoke, swept: Path):
    text = invoke("run", swept).stdout
    sharpe = line(text, "Sharpe").split()[1]
    assert f"Sharpe {sharpe}," in line(text, "best")
    assert f"worst drawdown {line(text, 'worst drawdown').split()[2]}," in line(text, "best")


def test_a_second_run_and_results_show_say_the_same(invoke: Invoke, swept: Path):
    first = invoke("run", swept).stdout
    said = "\n  It has been run before; what follows is from then. Add --force to run it again.\n"
    assert invoke("run", swept).stdout.replace(said, "", 1) == first
    shown = invoke("results", "show", "swept").stdout
    assert shown.splitlines() == [row for row in first.splitlines() if not row.startswith("  again")]


def test_json_brings_the_sweep(invoke: Invoke, swept: Path):
    given = json.loads(invoke("run", swept, "--json").stdout)
    assert given["sweep"] == facts()
    assert given["sentence"].endswith(given["sweep"]["sentence"])
    plain = json.loads(invoke("run", swept, "--json", "--set", "sweep=null").stdout)
    assert "sweep" not in plain


def test_by_another_metric_another_is_the_best(invoke: Invoke, swept: Path):
    text = invoke("run", swept, "--set", "sweep.metric=total_return").stdout
    assert facts()["metric"] == "total_return"
    assert "combinations by total return." in text
    assert line(text, "again").endswith("--set sweep.metric=sharpe")


def test_mistakes_are_told_before_anything_is_loaded(invoke: Invoke, swept: Path):
    swept.write_text(SWEEP.replace("params.fast", "params.fats").replace("step: 5", "step: -5"))
    done = invoke("run", swept, "--set", "sweep.metric=sharp")
    assert done.exit_code == 2
    assert done.stdout == ""
    told = done.stderr.splitlines()
    assert told[0].startswith("swept.yaml:6: sweep.space.strategy.params.fats: is neither a parameter of ")
    assert "Did you mean strategy.params.fast?" in told[0]
    assert told[2] == "swept.yaml:7: sweep.space.strategy.params.slow.step: must be greater than 0 (got -5)"
    assert "--set: sweep.metric: must be one of sharpe" in done.stderr
    assert told[-1] == "3 mistakes; nothing was run."
    assert not Path("results").exists()


def test_a_space_without_a_legal_combination_is_a_mistake_at_its_line(invoke: Invoke, swept: Path):
    done = invoke("run", swept, "--set", "sweep.space.strategy.params.fast=[90, 95]")
    assert done.exit_code == 2
    assert "swept.yaml:5: sweep.space: sma_cross forbids every combination" in done.stderr
    assert not Path("results").exists()


def test_plan_says_how_many_trials_and_keeps_nothing(invoke: Invoke, swept: Path):
    done = invoke("plan", swept)
    assert done.exit_code == 0, done.stderr
    assert line(done.stdout, "trials").startswith(
        "  trials      338 combinations of fast and slow (26 × 13)    less what sma_cross forbids"
    )
    assert "of 1,258 bars and 253 of 338 combinations" in line(done.stdout, "time")
    assert not Path("results").exists()
    large = invoke("plan", swept, "--set", "sweep.space.backtest.stop_loss={from: 0.01, to: 0.5, step: 0.01}")
    assert "16,900 combinations of fast, slow and stop_loss (26 × 13 × 50)" in large.stdout
    assert "of 16,900 combinations" in line(large.stdout, "time")


def test_verify_says_what_it_verifies(invoke: Invoke, swept: Path):
    done = invoke("verify", swept)
    assert done.exit_code == 0, done.stdout
    invoke("run", swept)
    best = facts()["best"]
    assert done.stdout.splitlines()[0] == (
        f"  Verified is sma_cross(fast={best['strategy.params.fast']}, slow={best['strategy.params.slow']}, "
        f"short=false), the best of {facts()['combinations']} combinations; the choice saw all bars."
    )
    assert "Verified is" in json.loads(invoke("verify", swept, "--json").stdout)["subject"]


def test_check_holds_the_best_to_its_baseline(invoke: Invoke, swept: Path):
    assert invoke("check", swept, "--update", "--baselines", "kept").exit_code == 0
    assert invoke("check", swept, "--baselines", "kept").exit_code == 0
    path = Path("kept/swept.json")
    was = json.loads(path.read_text())
    fast = was["sweep"]["best"]["strategy.params.fast"]
    assert set(was["sweep"]) == {"combinations", "left_out", "sharpe", "neighbours_mean", "best"}
    was["sweep"]["best"]["strategy.params.fast"] = 99
    was["sweep"]["sharpe"] += 0.001
    was["sweep"]["left_out"] -= 1
    path.write_text(json.dumps(was))
    done = invoke("check", swept, "--baselines", "kept")
    assert done.exit_code == 1
    assert f"best strategy.params.fast 99 → {fast}" in done.stdout
    assert "sweep sharpe " in done.stdout
    assert "sweep left_out " in done.stdout


def test_progress_shows_how_many_are_done_and_how_fast():
    terminal = Terminal()
    terminal.console = Console(file=StringIO(), force_terminal=True, width=100)
    terminal.live = True
    with Progress(terminal, "data") as progress:
        progress.tick("sweep", 1_000, 10_000)
        progress.tick("sweep, best Sharpe ratio 1.20", 4_000, 10_000)
        (task,) = progress._bar.tasks
        assert task.description.startswith("sweep, best Sharpe ratio 1.20: 4,000 of 10,000, ")
        assert task.description.endswith(" a second")
        assert (task.completed, task.total) == (4_000, 10_000)
        progress.expect(7, "backtest")
        assert (task.description, task.completed, task.total) == ("backtest", 0, 7)
