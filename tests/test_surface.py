"""The Python surface: few names, quick to import, pleasant to use."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import windtunnel as wt
from windtunnel.errors import ConfigError, InvalidValueError, UnknownPluginError
from windtunnel_plugins.sources import Frame
from windtunnel_plugins.strategies import SmaCross


def test_the_public_names_exist_and_are_few() -> None:
    assert len(wt.__all__) < 30
    for name in wt.__all__:
        assert getattr(wt, name) is not None
    with pytest.raises(AttributeError, match="nothing_like_it"):
        wt.nothing_like_it  # noqa: B018


def test_importing_loads_nothing_heavy() -> None:
    code = "import sys, windtunnel; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    heavy = {
        "numba",
        "pandas",
        "scipy",
        "sklearn",
        "talib",
        "arch",
        "statsmodels",
        "plotly",
        "pyarrow",
        "sqlalchemy",
    }
    assert heavy.isdisjoint(done.stdout.split())


def test_load_backtest_report(tmp_path: Path) -> None:
    bars = wt.load_bars("arch", symbols=["SP500"], start="2010", end="2012")
    result = wt.backtest(bars, SmaCross(fast=10, slow=50), rules=wt.Rules(fees=0.001))
    assert result.metrics["trades"] == len(result.trades)
    assert result.benchmark is not None
    assert result.benchmark.name == "SP500"
    assert result.equity["equity"].iloc[-1] == pytest.approx(10_000 * (1 + result.metrics["total_return"]))
    assert result.sentence in repr(result)
    assert "<table" in result._repr_html_()
    path = wt.report(result, tmp_path / "report.html")
    assert "holding SP500" in path.read_text(encoding="utf-8")
    assert [item.name for item in tmp_path.iterdir()] == ["report.html"]


def test_run_takes_a_file_or_a_mapping(repository: Path) -> None:
    overrides = ["data.start=2014", "scorer.first=300", "report.html=false"]
    result = wt.run(repository / "configs" / "quickstart.yaml", overrides=overrides)
    assert result.bars.time[0] == np.datetime64("2014-01-02")
    small = {
        "data": {"use": "arch", "symbols": ["SP500"], "start": 2014},
        "strategy": {"use": "buy_and_hold"},
    }
    assert wt.run(small).metrics["trades"] == 1


def test_wrong_input_is_told_in_words() -> None:
    with pytest.raises(UnknownPluginError, match="Did you mean arch"):
        wt.load_bars("arhc")
    with pytest.raises(InvalidValueError, match="SP500"):
        wt.load_bars("arch", symbols=["SP50"])
    with pytest.raises(ConfigError, match=r"params\.pth: unknown parameter of csv. Did you mean path"):
        wt.load_bars("csv", pth="x.csv")
    with pytest.raises(ConfigError, match=r"(?s)start: .*resample: ") as caught:
        wt.load_bars("arch", start="soon", resample="1x")
    assert len(caught.value.mistakes) == 2


def test_wrong_arguments_are_told_at_once() -> None:
    bars = wt.load_bars("arch", symbols="SP500", start="2018")
    with pytest.raises(InvalidValueError, match="must be an instance"):
        wt.backtest(bars, SmaCross)  # type: ignore[arg-type]
    with pytest.raises(InvalidValueError, match="from_frame"):
        wt.backtest(bars.to_frame(), SmaCross())  # type: ignore[arg-type]
    with pytest.raises(InvalidValueError, match="what backtest or run returned"):
        wt.report(bars)  # type: ignore[arg-type]


def test_a_source_may_be_an_instance() -> None:
    prices = pd.DataFrame({"close": [1.0, 2.0]}, index=pd.DatetimeIndex(["2020-01-01", "2020-01-02"]))
    assert wt.load_bars(Frame(frame=prices), symbols=["X"]).close[:, 0].tolist() == [1, 2]
    with pytest.raises(InvalidValueError, match="by name"):
        wt.load_bars(Frame(frame=prices), path="x")
