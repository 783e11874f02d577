from __future__ import annotations

import json
import re
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from rich.console import Console
from typer.testing import Result

from windtunnel.cli.summary import write_summary
from windtunnel.cli.terminal import Terminal
from windtunnel.store import RunStore

Invoke = Callable[..., Result]


def line(text: str, label: str) -> str:
    """Return the line that begins with a label."""
    (found,) = [line for line in text.splitlines() if line.startswith(f"  {label}")]
    return found


def test_it_says_what_ran_what_came_out_and_what_to_try_in_this_order(invoke: Invoke, small: Path):
    done = invoke("run", small)
    assert (done.exit_code, done.stderr) == (0, "")
    starts = [
        *(
            "  data ",
            "  strategy ",
            "  " + 22 * " " + " ",
            "  total return ",
            "  a year (CAGR) ",
            "  Sharpe ",
        ),
        *(
            "  worst drawdown ",
            "  trades / time invested ",
            "  costs paid ",
            "  After costs it ",
            "  report ",
        ),
        "  again ",
    ]
    written = [row for row in done.stdout.splitlines() if row]
    assert [row[: len(start)] for row, start in zip(written, starts, strict=True)] == starts
    assert "SP500, daily, 2014-01-02 … 2018-12-31, 1,258 bars, no gaps    arch " in line(done.stdout, "data")
    assert line(done.stdout, "strategy") == "  strategy  sma_cross(fast=10, slow=40, short=false)"
    assert Path(line(done.stdout, "report").split()[-1]) == Path("results/small/latest/report.html")
    assert line(done.stdout, "again").endswith("windtunnel run small.yaml --set strategy.params.fast=5")


def test_the_figures_are_those_that_were_kept(invoke: Invoke, small: Path):
    text = invoke("run", small).stdout
    folder = Path("results/small/latest")
    metrics = json.loads((folder / "metrics.json").read_text())
    comparison = json.loads((folder / "manifest.json").read_text())["comparison"]
    held = metrics["benchmark"]

    def percent(value: float, sign: str = "+") -> str:
        return f"{100 * value:{sign}.1f}%".replace("-", "−")

    low, high = (f"{comparison[end]:.2f}".replace("-", "−") for end in ("sharpe_low", "sharpe_high"))
    assert line(text, "total return").split()[2:] == [
        percent(metrics["total_return"]),
        percent(held["total_return"]),
    ]
    assert line(text, "a year").split()[3:] == [percent(metrics["cagr"]), percent(held["cagr"])]
    assert f" {metrics['sharpe']:.2f}   [{low}, {high}]".replace("-", "−") in line(text, "Sharpe")
    assert line(text, "worst").split()[2:] == [
        percent(metrics["max_drawdown"], ""),
        percent(held["max_drawdown"], ""),
    ]
    assert f" {metrics['trades']} / {100 * metrics['time_invested']:.0f}% " in line(text, "trades")
    fills, equity = pd.read_parquet(folder / "fills.parquet"), pd.read_parquet(folder / "equity.parquet")
    paid = (fills["fee"].sum() + fills["slippage"].sum()) / equity["equity"].mean()
    assert line(text, "costs paid").split("  ")[-2:] == [percent(paid, ""), "of average equity"]
    assert paid > metrics["fees"] / equity["equity"].mean(), "slippage is a cost too"


def test_digits_stand_below_digits(invoke: Invoke, small: Path):
    """The percent sign stands one column after the last digit, so that 0.41 ends where 12.3% has its 3."""
    text = invoke("run", small).stdout
    values = [
        re.search(r"  [+−]?[\d.]+%?", line(text, label)) for label in ("total", "Sharpe", "worst", "costs")
    ]
    assert len({found.start() + len(found[0].rstrip("%")) for found in values}) == 1


def test_a_run_that_learns_says_what_and_how_often(invoke: Invoke, learning: Path):
    done = invoke("run", learning)
    assert done.exit_code == 0
    assert line(done.stdout, "models") == (
        "  models    regime trend_volatility · patterns candlesticks · volatility ewma"
    )
    fits = json.loads(Path("results/learning/latest/manifest.json").read_text())["fits"]
    assert line(done.stdout, "learning") == (
        f"  learning  scorer logistic    refit every 126 bars, up to {fits['scorer logistic']} fits"
    )
    assert (
        "gate: not high_volatility, no pattern against it within 1 bar · size: 50% of equity, 15% volatility"
        in (line(done.stdout, "strategy"))
    )
    sentences = [row.split()[:2] for row in done.stdout.splitlines()]
    effects = [words[1] for words in sentences if words[:1] == ["The"]]
    assert effects == ["gate", "scorer", "sizing"]


def test_a_second_run_shows_the_first_and_runs_nothing(invoke: Invoke, small: Path):
    first = invoke("run", small).stdout
    report = Path("results/small/latest/report.html")
    before = report.stat().st_mtime_ns
    second = invoke("run", small)
    said = "\n  It has been run before; what follows is from then. Add --force to run it again.\n"
    assert said in second.stdout
    assert second.stdout.replace(said, "", 1) == first
    assert report.stat().st_mtime_ns == before

    forced = invoke("run", small, "--force")
    assert forced.stdout == first
    assert report.stat().st_mtime_ns > before


def test_json_is_one_object_and_nothing_else(invoke: Invoke, small: Path):
    first, second = (json.loads(invoke("run", small, "--json").stdout) for _ in range(2))
    assert (first.pop("ran"), second.pop("ran")) == (True, False)
    assert first == second
    assert first["folder"] == f"results/small/{first['id']}"
    assert first["metrics"] == json.loads((Path(first["folder"]) / "metrics.json").read_text())
    assert first["sentence"].startswith("After costs it ")
    assert Path(first["report"]).is_file()


def test_what_a_plugin_prints_does_not_get_into_the_json(invoke: Invoke, small: Path):
    Path("loud.py").write_text(
        "from windtunnel import Strategy\n"
        "class Loud(Strategy):\n"
        "    '''Talks.'''\n"
        "    name = 'loud'\n"
        "    def exposure(self, market):\n"
        "        print('hello')\n"
        "        return market.close > 0\n"
    )
    Path("loud.yaml").write_text(
        small.read_text().replace("{use: sma_cross, params: {fast: 10, slow: 40}}", "loud")
        + "plugins: {files: [loud.py]}\n"
    )
    done = invoke("run", "loud.yaml", "--json")
    assert json.loads(done.stdout)["ran"] is True
    assert "hello" in done.stderr


def test_again_keeps_the_overrides_and_quotes_them(invoke: Invoke, small: Path):
    again = line(
        invoke(
            "run",
            small,
            "--set",
            "strategy.params.fast=20",
            "--set",
            "data.symbols=[SP500, NASDAQ]",
            "--out",
            "kept",
        ).stdout,
        "again",
    )
    assert again.endswith(
        "windtunnel run small.yaml --set 'data.symbols=[SP500, NASDAQ]' --set strategy.params.fast=10"
        " --out kept"
    )


def test_again_offers_only_what_is_legal(invoke: Invoke, small: Path):
    """Twice 10 is not below slow = 12, half of it is."""
    text = invoke("run", small, "--set", "strategy.params.slow=12").stdout
    assert line(text, "again").endswith("--set strategy.params.slow=12 --set strategy.params.fast=5")
    text = invoke("run", small, "--set", "strategy.use=buy_and_hold").stdout
    assert line(text, "again").endswith("--set strategy.use=buy_and_hold --set backtest.fees=0.002")


def test_without_benchmark_and_report_there_is_one_column_and_a_folder(invoke: Invoke, small: Path):
    done = invoke("run", small, "--set", "benchmark=null", "--set", "report.html=false")
    assert "buy & hold" not in done.stdout
    assert len(line(done.stdout, "total return").split()) == 3
    assert "There is no benchmark to compare with." in done.stdout
    assert (Path(line(done.stdout, "folder").split()[-1]) / "metrics.json").is_file()


def test_a_run_without_costs_says_so(invoke: Invoke, small: Path):
    done = invoke("run", small, "--set", "backtest.fees=0", "--set", "backtest.slippage=0")
    assert line(done.stdout, "costs paid").split()[2] == "0.0%"
    assert "No costs were charged" in done.stdout


def test_gaps_and_repairs_are_counted(invoke: Invoke, here: Path):
    days = pd.bdate_range("2015-01-01", periods=300)
    close = 100 + np.sin(np.arange(300.0) / 9)
    rows = [(day, symbol, price) for symbol in ("A", "B") for day, price in zip(days, close, strict=True)]
    frame = pd.DataFrame(rows, columns=["time", "symbol", "close"])
    frame.loc[7, "close"] = -1.0
    frame.drop(index=[320, 321]).to_csv("prices.csv", index=False)
    Path("gaps.yaml").write_text(
        "data: {use: csv, params: {path: prices.csv}, quality: {repair: drop}}\nstrategy: buy_and_hold\n"
    )
    done = invoke("run", "gaps.yaml")
    assert done.exit_code == 0, done.stderr
    assert "A, B, daily, 2015-01-01 … 2016-02-24, 300 bars, 3 bars missing, 1 row repaired" in done.stdout


def test_an_observer_that_fails_is_a_warning(invoke: Invoke, small: Path):
    Path("observer.py").write_text(
        "from windtunnel import hookimpl\n"
        "@hookimpl\n"
        "def windtunnel_run_finished(result):\n"
        "    raise OSError('no mail')\n"
    )
    small.write_text(small.read_text() + "plugins: {files: [observer.py]}\n")
    done = invoke("run", small)
    assert done.exit_code == 0
    assert "warning: observer.py: windtunnel_run_finished failed: OSError('no mail')" in done.stdout
    assert json.loads(invoke("run", small, "--json").stdout)["complaints"] == [
        "observer.py: windtunnel_run_finished failed: OSError('no mail')"
    ]


@pytest.mark.parametrize("columns", [40, 64, 80])
def test_a_figure_keeps_to_its_line_on_a_narrow_terminal(invoke: Invoke, small: Path, columns: int):
    invoke("run", small)
    terminal = Terminal()
    text = StringIO()
    terminal.console = Console(file=text, width=columns, soft_wrap=True, markup=False, highlight=False)
    run = RunStore("results").find("small")
    write_summary(terminal, run)
    sharpe = line(text.getvalue(), "Sharpe")
    assert ("[" in sharpe) == (columns == 80)
    assert len(sharpe.replace("[", " [").split()) == (5 if columns == 80 else 3)
    assert len(line(text.getvalue(), "trades / time invested").split()) == 10
