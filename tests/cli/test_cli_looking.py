"""plan, data show, results, schema and init."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import Result

from windtunnel.experiment import json_schema, load
from windtunnel.plugin import build_host

Invoke = Callable[..., Result]


def test_a_plan_names_plugins_packages_fits_and_what_it_takes(invoke: Invoke, learning: Path):
    done = invoke("plan", learning)
    assert done.exit_code == 0, done.stderr
    fields = dict(re.findall(r"^  (\S+) +(.*)$", done.stdout, re.MULTILINE))
    assert list(fields) == [
        *(
            "data",
            "strategy",
            "regime",
            "patterns",
            "volatility",
            "scorer",
            "trials",
            "time",
            "memory",
            "result",
        )
    ]
    assert fields["data"].startswith("SP500, NASDAQ, daily, 2012-01-03 … 2018-12-31, 1,760 bars, no gaps")
    assert re.fullmatch(r"sma_cross\(fast=5, slow=20, short=false\)    windtunnel \S+", fields["strategy"])
    assert re.search(r"logistic\(.*\)    windtunnel \S+, up to 10 fits$", fields["scorer"])
    assert fields["trials"] == "1"
    assert re.search(r"^(about .*|less than 1) (s|min)    estimated from 1,008 of 1,760 bars", fields["time"])
    assert 50 < int(re.search(r"about ([\d,]+) MB", fields["memory"])[1].replace(",", "")) < 5_000
    assert fields["result"] == "not run before"
    assert not Path("results").exists()


def test_a_plan_knows_the_run_that_is_there(invoke: Invoke, small: Path):
    invoke("run", small)
    folder = Path("results/small/latest").resolve().relative_to(Path.cwd())
    assert f"run before: {folder}" in invoke("plan", small).stdout
    assert "not run before" in invoke("plan", small, "--set", "seed=1").stdout


def test_data_are_shown_with_span_hash_quality_and_a_picture(invoke: Invoke, learning: Path):
    done = invoke("data", "show", learning)
    loaded = load(learning)
    assert done.exit_code == 0
    assert "every row passed the gate as it came" in done.stdout
    assert re.search(r"^  hash +[0-9a-f]{32}$", done.stdout, re.MULTILINE)
    for symbol in loaded.experiment.data.symbols:
        facts, picture = re.search(rf"^  {symbol} +(.*)\n +(.*)$", done.stdout, re.MULTILINE).groups()
        assert facts.startswith("2012-01-03 … 2018-12-31, 1,760 bars, no gaps, close ")
        assert set(picture) <= set("▁▂▃▄▅▆▇█")
        assert len(picture) == 100
        assert {picture[0], picture[-1]} != {picture[0]}


def test_data_show_tells_each_symbol_and_each_repair(invoke: Invoke, here: Path):
    Path("prices.csv").write_text(
        "time,symbol,close\n2020-01-01,A,10\n2020-01-02,A,-1\n2020-01-03,A,12\n2020-01-06,A,9\n"
        "2020-01-02,LATECOMER,0.5\n2020-01-03,LATECOMER,0.25\n"
    )
    Path("c.yaml").write_text(
        "data: {use: csv, params: {path: prices.csv}, quality: {repair: mark_missing}}\n"
        "strategy: buy_and_hold\n"
    )
    text = invoke("data", "show", "c.yaml").stdout
    assert "1 row: not_positive" in text
    assert (
        "  A         2020-01-01 … 2020-01-06, 3 bars, 1 bar missing, close 9.00 … 12.00, no volume\n" in text
    )
    assert "  LATECOMER 2020-01-02 … 2020-01-03, 2 bars, no gaps, close 0.2500 … 0.5000, no volume\n" in text


def test_results_are_listed_newest_first_and_found_again(invoke: Invoke, small: Path):
    assert invoke("results", "list").stdout == "  There are no runs in results yet.\n"
    shown = [invoke("run", small).stdout]
    time.sleep(0.02)
    shown.append(invoke("run", small, "--set", "name=other").stdout)
    listed = json.loads(invoke("results", "list", "--json").stdout)["runs"]
    assert [row["name"] for row in listed] == ["other", "small"]
    rows = invoke("results", "list").stdout.splitlines()
    assert [row.split()[:2] for row in rows[1:]] == [[row["name"], row["id"][:8]] for row in listed]

    without_again = [text[: text.index("  again")] for text in shown]
    assert invoke("results", "show").stdout == without_again[1]
    for reference in ("small", "small/latest", listed[1]["id"][:6], f"small/{listed[1]['id']}"):
        assert invoke("results", "show", reference).stdout == without_again[0]
    machine = json.loads(invoke("results", "show", "small", "--json").stdout)
    assert machine["id"] == listed[1]["id"]
    assert "did you mean small?" in invoke("results", "show", "smal").stderr


def test_an_older_run_is_shown_by_its_own_path(invoke: Invoke, small: Path):
    invoke("run", small)
    older = Path("results/small/latest").resolve().name
    invoke("run", small, "--set", "seed=1")
    assert f"report    results/small/{older}/report.html" in invoke("results", "show", older).stdout


def test_a_damaged_run_is_listed_as_such(invoke: Invoke, small: Path):
    invoke("run", small)
    Path("results/small/latest/metrics.json").write_text("{")
    done = invoke("results", "list")
    assert (done.exit_code, "damaged" in done.stdout) == (0, True)
    assert "JSONDecodeError" in json.loads(invoke("results", "list", "--json").stdout)["runs"][0]["problem"]


def test_open_prints_the_path_and_opens_it_where_there_is_a_display(
    invoke: Invoke, small: Path, monkeypatch: pytest.MonkeyPatch
):
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    monkeypatch.setattr("sys.platform", "linux")
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"):
        monkeypatch.delenv(name, raising=False)
    invoke("run", small)
    report = "results/small/latest/report.html"
    assert invoke("results", "open").stdout == f"{report}\n"
    assert opened == []
    monkeypatch.setenv("DISPLAY", ":0")
    assert invoke("results", "open", "small").stdout == f"{report}\n"
    assert opened == [Path(report).resolve().as_uri()]

    invoke("run", small, "--set", "report.html=false", "--set", "name=bare")
    done = invoke("results", "open", "bare")
    assert (done.exit_code, done.stdout) == (2, "")
    assert "has no report" in done.stderr


def test_the_schema_is_that_of_the_experiment(invoke: Invoke, here: Path):
    assert json.loads(invoke("schema").stdout) == json_schema()
    assert json.loads(invoke("schema", "--with-plugins").stdout) == json_schema(build_host())
    done = invoke("schema", "--output", "schema.json")
    assert done.exit_code == 0
    assert json.loads(Path("schema.json").read_text()) == json_schema()


def test_the_starter_runs_and_is_never_written_over(invoke: Invoke, here: Path):
    done = invoke("init", "first steps")
    assert done.exit_code == 0
    assert "windtunnel run 'first steps/config.yaml'" in done.stdout
    files = {path: path.read_text() for path in Path("first steps").iterdir()}
    assert {path.name for path in files} == {"config.yaml", "my_strategy.py"}
    assert all("#" in text for text in files.values())

    ran = invoke("run", "first steps/config.yaml", "--json")
    assert ran.exit_code == 0, ran.stderr
    assert json.loads(ran.stdout)["metrics"]["trades"] > 0
    assert json.loads(ran.stdout)["name"] == "starter", "a folder's name that is no legal name is not taken"

    Path("first steps/config.yaml").write_text("mine")
    again = invoke("init", "first steps")
    assert again.exit_code == 2
    assert "must not have a config.yaml or a my_strategy.py yet; nothing was written" in again.stderr
    assert Path("first steps/config.yaml").read_text() == "mine"
    Path("first steps/config.yaml").unlink()
    assert "must not have a my_strategy.py yet" in invoke("init", "first steps").stderr
    assert not Path("first steps/config.yaml").exists()
    assert "DIR: must be a folder" in invoke("init", "first steps/my_strategy.py").stderr


def test_everything_that_the_starter_offers_to_try_works(invoke: Invoke, here: Path):
    invoke("init", "demo")
    config = Path("demo/config.yaml")
    text = config.read_text()
    offered = re.sub(r"^# (regime|gate|volatility|sizing):", r"\1:", text, flags=re.MULTILINE)
    config.write_text(re.sub(r"# (end:)", r"\1", offered))
    assert config.read_text().count("\n# ") == text.count("\n# ") - 4
    done = invoke("run", config)
    assert done.exit_code == 0, done.stderr
    assert "2005-01-03 … 2015-06-30" in done.stdout
    assert "The gate " in done.stdout
    assert "The sizing " in done.stdout
    assert Path("results/demo/latest").exists()


@pytest.mark.parametrize("file", ["manifest.json", "metrics.json"])
def test_a_damaged_run_is_refused_with_the_way_out_and_made_again(invoke: Invoke, small: Path, file: str):
    whole = invoke("run", small).stdout
    damaged = Path("results/small/latest", file)
    content = json.loads(damaged.read_text())
    damaged.write_text("{")
    for options in ([], ["--json"]):
        done = invoke("results", "show", "small", *options)
        assert (done.exit_code, done.stdout) == (2, "")
        assert f"run: is damaged: {file} cannot be read; this writes it anew: " in done.stderr
    command = re.search(r"anew: windtunnel (.*) \(got", done.stderr)[1]
    assert invoke(*command.split()).exit_code == 0
    assert json.loads(damaged.read_text()).keys() == content.keys()
    damaged.write_text("{")
    assert invoke("run", small).stdout == whole
    again = json.loads(damaged.read_text())
    assert {**again, "timings": None} == {**content, "timings": None}


@pytest.mark.parametrize(
    ("spacing", "shown"), [("1min", "1m bars"), ("15min", "15m bars"), ("1h", "hourly"), ("1D", "daily")]
)
def test_short_bars_are_called_by_their_length(invoke: Invoke, here: Path, spacing: str, shown: str):
    times = pd.date_range("2024-01-01", periods=6_000, freq=spacing)
    close = 100 + np.sin(np.arange(6_000.0) / 50)
    pd.DataFrame({"time": times, "close": close}).to_csv("bars.csv", index=False)
    Path("c.yaml").write_text("data: {use: csv, params: {path: bars.csv}}\nstrategy: buy_and_hold\n")
    done = invoke("data", "show", "c.yaml")
    assert done.exit_code == 0, done.stderr
    assert f"  data      bars, {shown}, 2024-01-01" in done.stdout
