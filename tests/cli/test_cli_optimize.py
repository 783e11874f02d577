"""An optimisation from the command line."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import Result

Invoke = Callable[..., Result]
Spawn = Callable[..., "subprocess.Popen[str]"]

OPTIMIZE = """\
name: tuned
data: {use: arch, symbols: [SP500], start: 2010}
strategy: {use: sma_cross}
optimize:
  use: random
  trials: 50
  search: {strategy.params.fast: {from: 3, to: 20}, strategy.params.slow: {from: 15, to: 90}}
  constraints: ["strategy.params.fast * 2 <= strategy.params.slow"]
validate: {scheme: walk_forward, train: 800, test: 400}
backtest: {fees: 0.001, slippage: 0.0005}
benchmark: SP500
"""


@pytest.fixture
def tuned(here: Path) -> Path:
    (here / "tuned.yaml").write_text(OPTIMIZE)
    return Path("tuned.yaml")


def line(text: str, label: str) -> str:
    (found,) = [line for line in text.splitlines() if line.startswith(f"  {label} ")]
    return found


def manifest() -> dict:
    return json.loads(Path("results/tuned/latest/manifest.json").read_text())


def test_it_says_the_verdict_what_was_tried_and_what_is_chosen_now(invoke: Invoke, tuned: Path):
    done = invoke("run", tuned)
    assert done.exit_code == 0, done.output
    facts, verdict = manifest()["optimized"], manifest()["verdict"]
    assert f"verdict: {verdict['call']}. {verdict['because']}" in " ".join(done.output.split())
    assert "fast=3 … 20, slow=15 … 90" in line(done.output, "strategy")
    assert f"trials    {facts['trials']} of fast and slow by random" in line(done.output, "trials")
    assert re.search(r"sampler \d+%, backtests \d+%, ledger \d+%", line(done.output, "trials"))
    chosen = " ".join(f"--set {path}={value}" for path, value in facts["chosen"].items())
    assert chosen in line(done.output, "now")
    assert line(done.output, "folds").startswith("  folds     3 (walk forward): Sharpe ratio")
    assert "--set seed=1" in line(done.output, "again")
    again = invoke("run", tuned)
    assert "It has been run before" in again.output
    assert f"verdict: {verdict['call']}" in again.output


def test_what_is_chosen_now_can_be_pasted(invoke: Invoke, tuned: Path):
    invoke("run", tuned)
    facts = manifest()["optimized"]
    pasted = [part for path, value in facts["chosen"].items() for part in ("--set", f"{path}={value}")]
    done = invoke("run", tuned, *pasted, "--set", "optimize=null", "--set", "validate=null", "--json")
    assert json.loads(done.stdout)["metrics"]["sharpe"] == pytest.approx(facts["inside"]["sharpe"])


def test_a_required_verdict_decides_the_exit_code(invoke: Invoke, tuned: Path):
    done = invoke("run", tuned, "--require-verdict")
    assert done.exit_code == (0 if manifest()["verdict"]["call"] == "likely real" else 1)
    file = Path("results/tuned/latest/manifest.json")
    for call, code in (("likely real", 0), ("cannot tell", 1), ("likely overfit", 1)):
        content = manifest()
        content["verdict"]["call"] = call
        file.write_text(json.dumps(content))
        assert invoke("run", tuned, "--require-verdict").exit_code == code
        assert invoke("run", tuned, "--require-verdict", "--json").exit_code == code
        assert invoke("run", tuned).exit_code == 0


def test_a_verdict_needs_a_search(invoke: Invoke, small: Path):
    done = invoke("run", small, "--require-verdict")
    assert done.exit_code == 2
    assert "--require-verdict: needs an experiment that searches parameters (got 'small.yaml')" in done.output


def test_machines_get_all_of_it(invoke: Invoke, tuned: Path):
    told = json.loads(invoke("run", tuned, "--json").stdout)
    assert told["verdict"] == manifest()["verdict"]
    assert told["optimized"]["trials"] == len(pd.read_parquet("results/tuned/latest/trials.parquet"))
    assert [set(fold) for fold in told["optimized"]["folds"]] == [
        {"train", "test", "chosen", "inside", "outside"}
    ] * 3


def test_a_plan_counts_the_trials_and_writes_nothing(invoke: Invoke, tuned: Path):
    done = invoke("plan", tuned)
    assert done.exit_code == 0, done.output
    assert "at most 50 trials of fast and slow" in done.output
    assert "by random, judged by walk forward" in done.output
    assert not Path("results").exists()
    grid = invoke("plan", tuned, "--set", "optimize.use=grid", "--set", "optimize.trials=null")
    assert "at most 360 trials" in grid.output


def test_a_baseline_holds_the_choice(invoke: Invoke, tuned: Path):
    assert invoke("check", tuned, "--update").exit_code == 0
    assert invoke("check", tuned).exit_code == 0
    path = Path("results/baselines/tuned.json")
    content = json.loads(path.read_text())
    content["optimized"]["best"]["strategy.params.slow"] += 1
    path.write_text(json.dumps(content))
    done = invoke("check", tuned)
    assert done.exit_code == 1
    assert "best strategy.params.slow" in done.output
    assert [item.name for item in Path("results").iterdir()] == ["baselines"], "a check leaves no ledger"


def test_interrupting_keeps_the_trials_and_says_how_to_go_on(invoke: Invoke, spawn: Spawn, tuned: Path):
    slow = ["--set", "optimize.use=tpe", "--set", "optimize.trials=400", "--set", "optimize.batch=4"]
    running = spawn("run", tuned, *slow)
    written = Path("results/ledger.db-wal")
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not (written.exists() and written.stat().st_size > 60_000):
        time.sleep(0.05)
    running.send_signal(signal.SIGINT)
    _, err = running.communicate(timeout=60)
    assert running.returncode == 130, err
    assert "all of which are kept: the same command goes on from there" in err
    assert not Path("results/tuned").exists()
    fewer = [*slow[:2], "--set", "optimize.trials=20", *slow[4:]]
    done = invoke("run", tuned, *fewer)
    assert done.exit_code == 0, done.output
    assert re.search(r"\d+ known from the ledger", line(done.output, "trials"))
