"""models: what a run leaves in the store, and what the commands say of it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from typer.testing import Result

from windtunnel import runner
from windtunnel.experiment import from_mapping
from windtunnel.runner.predicted import recommendations
from windtunnel.store import ModelStore
from windtunnel.store.predictions import LIVE, PredictionLog

Invoke = Callable[..., Result]

LEARNER = """\
import numpy as np
from windtunnel import RegimeModel, Regimes


class Learner(RegimeModel):
    '''Learns the mean return.'''

    name = "learner"
    trouble: str = ""
    '''What goes wrong in the fit.'''

    def fit(self, market):
        with open("fits.txt", "a") as file:
            file.write("fit\\n")
        if self.trouble == "raises":
            raise ZeroDivisionError("no luck")
        if self.trouble == "interrupt":
            raise KeyboardInterrupt
        if self.trouble == "object":
            return {"mean": object()}
        return {"mean": float(np.nanmean(np.diff(np.log(market.close), axis=0)))}

    def predict(self, market, state):
        up = 0.75 if self.trouble or state["mean"] > 0 else 0.25
        return Regimes(("bullish", "bearish"), np.full((*market.shape, 2), (up, 1 - up)))
"""
CONFIG = """\
name: learned
data: {use: synthetic, params: {bars: 300, assets: 2, seed: 3}}
strategy: buy_and_hold
regime: {use: learner, first: 100, refit: 100}
plugins: {files: [learner.py]}
report: {html: false}
"""


@pytest.fixture
def learned(here: Path) -> Path:
    """An experiment with a model that fits twice, on bars 0 … 99 and 0 … 199."""
    (here / "learner.py").write_text(LEARNER)
    (here / "learned.yaml").write_text(CONFIG)
    return Path("learned.yaml")


def fits() -> int:
    return Path("fits.txt").read_text().count("fit")


def only_model() -> Path:
    (path,) = Path("results/models").iterdir()
    return path


def test_a_run_stores_the_last_fit_of_each_model(invoke: Invoke, learned: Path):
    assert invoke("models", "list").stdout == "  There are no models in results yet.\n"
    assert invoke("run", learned).exit_code == 0
    (row,) = json.loads(invoke("models", "list", "--json").stdout)["models"]
    assert (row["kind"], row["plugin"], row["status"], row["bars"]) == ("regime", "learner", "completed", 200)
    assert row["symbols"] == ["S1", "S2"]
    manifest = Path("results/learned/latest/manifest.json")
    assert json.loads(manifest.read_text())["models"] == [row["id"]]
    heading, line = invoke("models", "list").stdout.splitlines()
    assert heading.split() == ["kind", "plugin", "id", "status", "learned", "until", "bars", "size"]
    assert line.split()[:4] == ["regime", "learner", row["id"][:8], "completed"]
    assert line.split()[4:] == [row["end"][:10], "200", "2", "kB"]


def test_a_stored_fit_is_not_made_again_and_changes_nothing(invoke: Invoke, learned: Path):
    invoke("run", learned)
    assert fits() == 2
    kept, told = only_model().name, Path("results/learned/latest/predictions.parquet").read_bytes()
    assert invoke("run", learned, "--force").exit_code == 0
    assert fits() == 3, "the first fit of the schedule is not kept"
    assert only_model().name == kept
    assert Path("results/learned/latest/predictions.parquet").read_bytes() == told
    invoke("run", learned, "--set", "data.params.seed=4")
    assert fits() == 5, "other data, another model"
    assert len(list(Path("results/models").iterdir())) == 2
    Path("learner.py").write_text(LEARNER + "\n# changed\n")
    invoke("run", learned)
    assert fits() == 7, "other code, another model"


def test_show_tells_what_a_model_is(invoke: Invoke, learned: Path):
    invoke("run", learned)
    name = only_model().name[:6]
    done = invoke("models", "show", name)
    fields = dict(re.findall(r"^  (\S+) +(.*)$", done.stdout, re.MULTILINE))
    assert fields["model"].startswith("regime learner(trouble=)    learner.py")
    assert re.fullmatch(r"S1, S2, 2000-01-03 … \d{4}-\d\d-\d\d, 200 bars", fields["learned"])
    assert fields["status"] == "completed"
    assert fields["file"] == str(only_model())
    assert json.loads(invoke("models", "show", name, "--json").stdout)["schema"]["names"][0] == "rsi_14"
    assert "is no model in results/models" in invoke("models", "show", "zz").stderr


def test_a_damaged_model_is_told_and_made_anew(invoke: Invoke, learned: Path):
    invoke("run", learned)
    assert invoke("models", "verify").stdout == "  ✓ 1 model whole\n"
    path = only_model()
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    done = invoke("models", "verify")
    assert done.exit_code == 1
    assert f"✗ {path.name}: model" in done.stdout
    assert "checksum" in json.loads(invoke("models", "verify", "--json").stdout)["models"][path.name]
    assert invoke("run", learned, "--force").exit_code == 0
    assert invoke("models", "verify").exit_code == 0
    path = only_model()
    path.write_bytes(b"")
    assert "damaged" in invoke("models", "list").stdout
    assert "its record cannot be read" in invoke("models", "list", "--json").stdout


def test_a_fit_that_fails_is_noted_with_its_message(invoke: Invoke, learned: Path):
    done = invoke("run", learned, "--set", "regime.params.trouble=raises")
    assert done.exit_code == 3
    (row,) = json.loads(invoke("models", "list", "--json").stdout)["models"]
    assert (row["status"], row["bars"]) == ("failed", 100)
    assert "ZeroDivisionError: no luck" in row["message"]
    assert "failed" in invoke("models", "list").stdout
    assert not Path("results/learned").exists()


def test_an_interrupted_fit_leaves_nothing(invoke: Invoke, learned: Path):
    assert invoke("run", learned, "--set", "regime.params.trouble=interrupt").exit_code == 130
    assert ModelStore("results/models").list() == []


def test_a_state_that_may_not_be_stored_is_a_complaint(invoke: Invoke, learned: Path):
    assert invoke("run", learned, "--set", "regime.params.trouble=object").exit_code == 0
    (complaint,) = json.loads(Path("results/learned/latest/manifest.json").read_text())["complaints"]
    assert complaint.startswith("regime model learner was not stored: state['mean'] is a builtins.object")
    assert ModelStore("results/models").list() == []


def test_pruning_says_what_it_did(invoke: Invoke, learned: Path):
    for seed in (3, 4, 5):
        invoke("run", learned, "--set", f"data.params.seed={seed}")
    newest = ModelStore("results/models").list()[0].id
    assert invoke("models", "prune").stdout == "  0 removed, 3 kept.\n"
    done = json.loads(invoke("models", "prune", "--keep", 1, "--json").stdout)
    assert (len(done["removed"]), done["kept"]) == (2, [newest])
    assert invoke("models", "prune", "--keep", -1).exit_code == 2


def test_every_kind_is_tracked(invoke: Invoke, learning: Path):
    assert invoke("run", learning).exit_code == 0
    found = json.loads(invoke("models", "track", "learning", "--json").stdout)["models"]
    assert [item["kind"] for item in found] == ["scorer", "regime", "volatility", "patterns"]
    assert [item["model"] for item in found] == ["logistic", "trend_volatility", "ewma", "candlesticks"]
    table = pd.read_parquet("results/learning/latest/predictions.parquet")
    assert [len(table[table["kind"] == item["kind"]]) for item in found] == [
        item["predictions"] for item in found
    ]
    shown = invoke("models", "track", "learning").stdout
    assert re.search(
        r"^  volatility ewma\n  known +3,368 of 3,370 predictions\n  inside +[78]\d\.\d%", shown, re.MULTILINE
    )
    assert re.search(r"^  quarter +known +right +said +came$", shown, re.MULTILINE)


def test_what_was_predicted_is_what_the_run_decided(learning: Path):
    from windtunnel.experiment import load

    finished = runner.execute(load(learning), out="results")
    assert finished.result is not None
    table = pd.read_parquet(finished.stored.folder / "predictions.parquet")
    result, signals = finished.result, finished.result.decision.signals
    assert signals is not None
    said = ~np.isnan(signals.scores.probability)
    scores = table[table["kind"] == "scorer"]
    np.testing.assert_array_equal(scores["probability"], signals.scores.probability[said])
    np.testing.assert_array_equal(scores["time"], result.bars.time[signals.features.bar[said]])
    np.testing.assert_array_equal(scores["prediction"], signals.action[said])
    assert (scores["known"].dropna() > scores["time"][scores["known"].notna()]).all()
    regimes = table[(table["kind"] == "regime") & (table["symbol"] == "SP500")].set_index("time")
    close = pd.Series(result.bars.close[:, 0], result.bars.time)
    ahead = close.shift(-21)[regimes.index] > close[regimes.index]
    bullish = regimes["prediction"] == "trending_bullish"
    known = regimes["outcome"].notna()
    np.testing.assert_array_equal(regimes["outcome"][bullish & known], ahead[bullish & known])
    assert not known[regimes["prediction"].isin(["ranging", "high_volatility"])].any()


def test_regimes_of_synthetic_data_are_judged_by_the_truth(here: Path):
    finished = runner.execute(
        from_mapping(
            {
                "name": "true",
                "data": {"use": "synthetic", "params": {"process": "regimes", "bars": 600, "seed": 1}},
                "strategy": "buy_and_hold",
                "regime": "trend_volatility",
                "report": {"html": False},
            }
        ),
        out="results",
    )
    assert finished.result is not None
    table = pd.read_parquet(finished.stored.folder / "predictions.parquet").astype({"prediction": "str"})
    (symbol,) = finished.result.bars.symbols
    truth = finished.result.truth["regimes"][symbol].reindex(table["time"]).to_numpy()
    assert len(table) > 200
    np.testing.assert_array_equal(table["outcome"], (table["prediction"] == truth).astype(float))
    assert (table["known"] == table["time"]).all()


def test_a_recommendation_is_judged_by_what_following_it_made(here: Path):
    (here / "second.py").write_text(
        "from windtunnel import Strategy\n\n\n"
        "class Second(Strategy):\n"
        "    '''Long on the second bar.'''\n\n"
        "    name = 'second'\n\n"
        "    def exposure(self, market):\n"
        "        exposure = market.close * 0\n"
        "        exposure[1] = 1\n"
        "        return exposure\n"
    )
    (here / "prices.csv").write_text(
        "time,close\n2020-01-01,9\n2020-01-02,10\n2020-01-03,8\n2020-01-04,4\n2020-01-05,5\n"
    )
    config = {
        "data": {"use": "csv", "params": {"path": "prices.csv"}},
        "strategy": "second",
        "plugins": {"files": ["second.py"]},
        "report": {"html": False},
    }
    result = runner.execute(from_mapping(config), out="results").result
    assert result is not None
    panel = np.tile([0.25, 0.5], (5, 1, 1))
    chosen = np.array([[-1], [0], [0], [0], [0]])
    ranking = SimpleNamespace(names=("a()", "b()"), ahead=2, chosen=chosen, expected=panel, risk=panel)
    table = recommendations("mine", result, ranking)
    assert table["prediction"].tolist() == ["a()"] * 4
    assert table["value"].tolist() == [0.25] * 4
    assert table["probability"].tolist() == [0.75] * 4
    # Long on the second bar, it loses a fifth on the third; after that it is flat and loses nothing.
    assert table["outcome"].tolist()[:2] == [0.0, 1.0]
    assert table["outcome"].isna().tolist() == [False, False, True, True]


def test_champion_and_challenger_meet(invoke: Invoke, learning: Path):
    invoke("run", learning)
    invoke("run", learning, "--set", "name=other", "--set", "volatility.params.decay=0.7")
    done = invoke("models", "track", "learning", "--against", "other")
    assert "volatility: learning against other\n" in done.stdout
    assert re.search(
        r"difference  −0\.\d+, 95% interval \[−.*\], p = 0\.\d+\n  learning is better\.", done.stdout
    )
    found = json.loads(invoke("models", "track", "learning", "--against", "other", "--json").stdout)[
        "against"
    ]
    assert found["volatility"]["high"] < 0
    assert found["volatility"]["verdict"] == "The champion is better."
    assert found["regime"]["difference"] == 0


def test_live_answers_are_tracked_by_the_models_name(invoke: Invoke, here: Path):
    Path("results").mkdir()
    log = PredictionLog(Path("results/predictions.sqlite"))
    facts = {"kind": "regime", "model": "mine", "symbol": "A", "time": pd.Timestamp("2020-01-01")}
    more = {"prediction": "bullish", "probability": 0.75, "horizon": 21, "direction": 1}
    log.add(pd.DataFrame([dict.fromkeys(LIVE, np.nan) | facts | more]))
    outcome = {name: facts[name] for name in ("kind", "model", "symbol", "time")} | {"outcome": 1.0}
    log.settle(pd.DataFrame([{**outcome, "known": pd.Timestamp("2020-02-01")}]))
    log.close()
    (found,) = json.loads(invoke("models", "track", "mine", "--json").stdout)["models"]
    assert (found["known"], found["accuracy"], found["loss"]) == (1, 1.0, 0.0625)
    assert "is no run" in invoke("models", "track", "yours").stderr


def test_a_run_without_models_has_nothing_to_track(invoke: Invoke, small: Path):
    invoke("run", small)
    done = invoke("models", "track", "small")
    assert (done.exit_code, "has no predictions" in done.stderr) == (2, True)
    assert not Path("results/models").exists()
