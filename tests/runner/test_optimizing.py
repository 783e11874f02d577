"""An optimisation from YAML to its folder: resumed, killed, spread over processes, the same table."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from random import Random

import numpy as np
import pandas as pd
import pytest

import windtunnel as wt
from windtunnel import experiment, runner
from windtunnel.errors import ConfigError, InterruptedSearchError, LedgerError
from windtunnel.pipeline import run

FAST, SLOW = "strategy.params.fast", "strategy.params.slow"
CONFIG = {
    "name": "walk",
    "data": {"use": "synthetic", "params": {"bars": 700, "seed": 4}},
    "strategy": {"use": "sma_cross"},
    "optimize": {
        "use": "random",
        "trials": 60,
        "search": {FAST: {"from": 2, "to": 15}, SLOW: {"from": 10, "to": 60}},
    },
    "validate": {"scheme": "walk_forward", "train": 250, "test": 150},
    "backtest": {"fees": 0.0005},
    "seed": 3,
}


def loaded(**changes):
    sections = {key: value for key, value in changes.items() if key in (*CONFIG, "execution")}
    own = {key: value for key, value in changes.items() if key not in sections}
    config = {**CONFIG, **sections}
    config["optimize"] = {**config["optimize"], **own}
    return experiment.from_mapping(config)


def performed(out: Path, **changes):
    one = loaded(**changes)
    return runner.perform(one, runner.dataset(one), out=out)


def table(done) -> pd.DataFrame:
    return pd.read_parquet(done.stored.folder / "trials.parquet")


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    return performed(tmp_path_factory.mktemp("undisturbed"))


def test_the_folder_holds_the_result_the_trials_and_the_verdict(undisturbed):
    manifest = undisturbed.stored.manifest
    result = undisturbed.result
    optimized = result.optimized
    assert len(result.bars) == 450
    assert undisturbed.stored.metrics["sharpe"] == result.metrics["sharpe"]
    verdict = json.loads((undisturbed.stored.folder / "verdict.json").read_text(encoding="utf-8"))
    assert verdict["call"] == result.verdict.call == manifest["verdict"]["call"]
    assert verdict["trials"] == len(optimized.trials) == len(table(undisturbed))
    assert manifest["optimized"]["chosen"] == dict(optimized.trials.point(optimized.final.chosen))
    assert set(table(undisturbed).columns) >= {FAST, SLOW, "sharpe", "objective sharpe", "problem"}


def test_a_chosen_point_is_a_backtest_like_any_other(undisturbed):
    """What the table says of the final choice is what a plain run of its parameters comes to."""
    chosen = undisturbed.stored.manifest["optimized"]["chosen"]
    plain = wt.run(
        {key: value for key, value in CONFIG.items() if key not in ("optimize", "validate")},
        overrides=[f"{path}={value}" for path, value in chosen.items()],
    )
    optimized = undisturbed.result.optimized
    assert optimized.final.inside[0] == pytest.approx(plain.metrics["sharpe"])
    assert np.allclose(optimized.in_sample, plain.simulation.equity)


def test_more_trials_go_on_from_those_that_are_known(tmp_path, undisturbed):
    first = performed(tmp_path, trials=25)
    again = performed(tmp_path, trials=60)
    assert again.result.optimized.resumed == len(first.result.optimized.trials)
    pd.testing.assert_frame_equal(table(again), table(undisturbed))
    assert again.result.verdict.trials == undisturbed.result.verdict.trials


def test_the_verdict_counts_what_other_runs_tried(tmp_path, undisturbed):
    performed(tmp_path, use="sobol", trials=40)
    after = performed(tmp_path)
    own = len(after.result.optimized.trials)
    assert after.result.verdict.trials == own + after.result.verdict.earlier
    assert after.result.verdict.earlier > 0
    assert undisturbed.result.verdict.earlier == 0
    assert after.result.verdict.expected > undisturbed.result.verdict.expected


def test_a_sweep_is_counted_too(tmp_path, undisturbed):
    bars = runner.dataset(loaded()).bars
    from windtunnel_plugins.strategies import SmaCross

    rules = wt.Rules(fees=0.0005)
    wt.sweep(bars, SmaCross, {"fast": range(20, 30), "slow": [70, 80]}, rules=rules, ledger=tmp_path)
    point = undisturbed.result.optimized.trials.point(0)
    wt.sweep(bars, SmaCross, {"fast": [point[FAST]], "slow": [point[SLOW]]}, rules=rules, ledger=tmp_path)
    assert performed(tmp_path).result.verdict.earlier == 20


def test_without_a_ledger_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    one = loaded(trials=10)
    runner.compute(one, runner.dataset(one))
    assert list(tmp_path.iterdir()) == []
    wt.run(dict(CONFIG, optimize={**CONFIG["optimize"], "trials": 10}))
    assert [path.name for path in (tmp_path / "results").iterdir()] == ["ledger.db"]


@pytest.mark.parametrize("execution", [{"processes": True, "workers": 2}, {"engine": "dask", "workers": 2}])
def test_the_table_is_the_same_wherever_trials_run(tmp_path, undisturbed, execution):
    pytest.importorskip("distributed")
    done = performed(tmp_path, execution=execution)
    pd.testing.assert_frame_equal(table(done), table(undisturbed))
    assert done.result.metrics == pytest.approx(undisturbed.result.metrics, nan_ok=True)
    assert done.stored.id == undisturbed.stored.id


def test_stopping_keeps_what_was_tried(tmp_path, undisturbed):
    one = loaded()
    with pytest.raises(InterruptedSearchError, match="the same command goes on from there"):
        runner.perform(one, runner.dataset(one), out=tmp_path, stopping=lambda: True)
    assert not (tmp_path / "walk").exists()
    done = performed(tmp_path)
    assert 0 < done.result.optimized.resumed < len(done.result.optimized.trials)
    pd.testing.assert_frame_equal(table(done), table(undisturbed))


NURSERY = """
import json, os, sys
from windtunnel import experiment, runner
config, out = json.loads(sys.argv[1]), sys.argv[2]
one = experiment.from_mapping(config)
data = runner.dataset(one)
runner.perform(one, data, out=out + "-warm")
for line in sys.stdin:
    child = os.fork()
    if child == 0:
        done = runner.perform(one, data, out=out)
        print("done", done.stored.folder, flush=True)
        os._exit(0)
    print(child, flush=True)
    os.waitpid(child, 0)
    print("ended", flush=True)
"""


def test_a_driver_that_is_killed_again_and_again_ends_with_the_same_table(tmp_path):
    config = {**CONFIG, "optimize": {**CONFIG["optimize"], "use": "tpe", "trials": 60, "batch": 2}}
    config["validate"] = {"scheme": "holdout"}
    one = experiment.from_mapping(config)
    whole = runner.perform(one, runner.dataset(one), out=tmp_path / "a")
    random, kills, folder = Random(5), 0, ""
    command = [sys.executable, "-c", NURSERY, json.dumps(config), str(tmp_path / "b")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as nursery:
        assert nursery.stdin is not None
        assert nursery.stdout is not None
        while not folder:
            nursery.stdin.write("again\n")
            nursery.stdin.flush()
            child = int(nursery.stdout.readline())
            if kills < 20:
                time.sleep(random.uniform(0.0, 0.3))
                os.kill(child, signal.SIGKILL)
                kills += 1
            words = nursery.stdout.readline().split(maxsplit=1)
            if words[0] == "done":
                folder = words[1].strip()
        nursery.stdin.close()
    assert kills == 20
    found = pd.read_parquet(Path(folder) / "trials.parquet")
    pd.testing.assert_frame_equal(found, table(whole))


POISON = '''
import os, time
import numpy as np
from typing import Annotated
from annotated_types import Ge
from windtunnel import Strategy, Tune

class Touchy(Strategy):
    """Long every other week."""

    name = "touchy"
    weeks: Annotated[int, Ge(1), Tune(1, 12)] = 2
    """Length of a week."""

    def exposure(self, market):
        if self.weeks == 5:
            os._exit(3)
        if self.weeks == 7:
            while True:
                pass
        if self.weeks == 9:
            hog = [np.ones(10_000_000) for _ in range(400)]
        rows = np.arange(market.shape[0])[:, None] // (5 * self.weeks) % 2 == 0
        return np.broadcast_to(rows, market.shape).copy()
'''


def test_what_kills_hangs_or_hogs_is_quarantined_and_the_rest_finishes(tmp_path):
    (tmp_path / "touchy.py").write_text(POISON, encoding="utf-8")
    config = {
        **CONFIG,
        "strategy": {"use": "touchy"},
        "plugins": {"files": ["touchy.py"]},
        "optimize": {"use": "grid"},
        "execution": {"processes": True, "workers": 2, "timeout": 4, "memory": 500},
    }
    one = experiment.from_mapping(config, folder=tmp_path)
    done = runner.perform(one, runner.dataset(one), out=tmp_path / "out")
    found = table(done).set_index("strategy.params.weeks")
    assert list(found.index) == list(range(1, 13))
    assert set(found.index[found["problem"] != ""]) == {5, 7, 9}
    assert "4 s" in found["problem"][7]
    assert "500 MB" in found["problem"][9]
    alone = run(runner.dataset(one).bars, runner.candidate(one))
    assert found["sharpe"][2] == pytest.approx(alone.metrics["sharpe"])


def test_a_ledger_that_cannot_be_written_is_named_and_nothing_is_half_done(tmp_path):
    done = performed(tmp_path, trials=15)
    ledger = tmp_path / "ledger.db"
    content = ledger.read_bytes()
    ledger.write_bytes(b"this is no ledger at all" * 100)
    with pytest.raises(LedgerError, match=r"ledger\.db"):
        performed(tmp_path, trials=30)
    ledger.write_bytes(content)
    for rest in ("ledger.db-wal", "ledger.db-shm"):
        (tmp_path / rest).unlink(missing_ok=True)
    assert performed(tmp_path, trials=30).result.optimized.resumed == len(done.result.optimized.trials)


def test_mistakes_have_their_place():
    with pytest.raises(ConfigError, match=r"optimize\.objective"):
        loaded(objective="trades")
    short = loaded(validate={"scheme": "walk_forward", "train": 5000, "test": 10})
    with pytest.raises(ConfigError, match=r"validate\.train"):
        runner.compute(short, runner.dataset(short))
