"""Patterns against what other programs report."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from windtunnel import Bars
from windtunnel.market import Market
from windtunnel.values import Patterns
from windtunnel_plugins.patterns import Candlesticks, ChartPatterns
from windtunnel_plugins.patterns.candlesticks import CANDLES

FIRST, LATE = ("eurusd_4h_first9000.csv.gz", 0), ("eurusd_4h_19100_19280.csv.gz", 19100)
FOUND = {
    "double_top": ("double_top", 411, 435),
    "ascending": ("ascending_triangle", 7303, 7322),
    "symmetrical": ("symmetric_triangle", 140, 155),
    "flag": ("bull_flag", 1041, 1061),
}
"""Documented patterns that we find too: our type, and the rows of their first and last pivot."""


@pytest.fixture(scope="module")
def euro(shared: Path) -> Patterns:
    table = pd.read_csv(shared / "oracles" / "patterns" / FIRST[0])
    time = pd.to_datetime(table["Date"], format="%d.%m.%Y %H:%M:%S.%f")
    prices = {name.lower(): table[name] for name in ("Open", "High", "Low", "Close", "Volume")}
    bars = Bars.from_frame(pd.DataFrame({"time": time, "symbol": "EURUSD", **prices}))
    assert len(bars) == len(table), "a dropped row would shift all rows after it"
    return ChartPatterns().detect(Market(bars), None)


@pytest.mark.parametrize("kind", FOUND)
def test_finds_documented_patterns(euro: Patterns, shared: Path, kind: str) -> None:
    ours, first, last = FOUND[kind]
    file = shared / "oracles" / "patterns" / "zeta_zetra_chart_patterns.json"
    case = next(c for c in json.loads(file.read_text(encoding="utf-8"))["cases"] if c["kind"] == kind)
    assert case["documented_count"] == case["run_count"]
    assert case["rows"][0] <= first < last <= case["rows"][1]
    shared_bars = np.minimum(euro.confirmed, last) - np.maximum(euro.first, first) + 1
    hit = (euro.type == ours) & (shared_bars >= (last - first + 1) / 2)
    assert hit.any()


@pytest.mark.parametrize("name", ["GOOG", "EURUSD"])
def test_candlesticks_fire_as_often_as_talibs(shared: Path, name: str) -> None:
    told = json.loads((shared / "oracles/patterns/talib_summary.json").read_text(encoding="utf-8"))
    expected = told["summary"][name]["pattern_counts_bull_bear"]
    assert len(expected) == len(CANDLES) == 61
    prices = pd.read_parquet(shared / f"oracles/indicators/input_{name}.parquet").reset_index(drop=True)
    frame = prices[["Open", "High", "Low", "Close"]].rename(columns=str.lower)
    days = pd.date_range("2000-01-03", periods=len(frame), freq="D")
    bars = Bars.from_frame(frame.assign(time=days, symbol=name, volume=np.nan))
    found = Candlesticks(patterns=tuple(CANDLES)).detect(Market(bars), None)
    for kind, candle in CANDLES.items():
        rows = found.type == kind
        bull, bear = expected[candle.function]
        assert rows.sum() == bull + bear, kind
        if candle.directed:
            assert [(found.direction[rows] == side).sum() for side in (1, -1)] == [bull, bear], kind
