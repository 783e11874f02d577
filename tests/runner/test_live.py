"""Advice that was given is kept, and meets what came."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from windtunnel import experiment, runner
from windtunnel.runner.advice import advise
from windtunnel.runner.live import LOG
from windtunnel.store.predictions import PredictionLog

CONFIG: dict[str, Any] = {
    "name": "live",
    "data": {"use": "synthetic", "params": {"bars": 700, "assets": 2}},
    "strategy": {"use": "sma_cross", "params": {"fast": 3, "slow": 8}},
    "regime": {"use": "trend_volatility", "params": {"trend": 20, "lookback": 60}},
    "volatility": {"use": "ewma", "horizon": 5},
}


def asked(end: str, out: Path) -> None:
    loaded = experiment.from_mapping({**CONFIG, "data": {**CONFIG["data"], "end": end}})
    advise(loaded, runner.dataset(loaded), out=out)


def test_what_was_said_meets_what_came(tmp_path: Path) -> None:
    asked("2002-03-01", tmp_path)
    log = PredictionLog(tmp_path / LOG)
    first = log.table()
    assert set(first["kind"]) == {"regime", "volatility"}
    assert set(first["symbol"]) == {"S1", "S2"}
    assert first["outcome"].isna().all()

    asked("2002-03-08", tmp_path)
    forecasts = log.table("ewma").sort_values("time")
    assert len(forecasts) == 4
    came = forecasts["outcome"].to_numpy()
    assert (came[:2] > 0).all()
    assert str(forecasts["known"].iloc[0].date()) == "2002-03-08"
    assert forecasts["outcome"].iloc[2:].isna().all()

    asked("2002-03-08", tmp_path)
    assert len(log.table()) == len(first) * 2
    log.close()
    assert (tmp_path / "advice").is_dir()


def test_without_a_folder_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    loaded = experiment.from_mapping(CONFIG)
    advise(loaded, runner.dataset(loaded))
    assert list(tmp_path.iterdir()) == []
