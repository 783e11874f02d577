"""The candlestick patterns, against TA-Lib's own reports and by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from windtunnel.bars import Bars
from windtunnel.market import Market
from windtunnel.values import Patterns
from windtunnel_plugins.patterns import Candlesticks
from windtunnel_plugins.patterns.candlesticks import CANDLES

Panel = Callable[..., Bars]
COLUMNS = ("Close", "Open", "High", "Low")


def detect(bars: Bars, *patterns: str) -> Patterns:
    return Candlesticks(patterns=patterns).detect(Market(bars), None)


@pytest.mark.parametrize("name", ["GOOG", "EURUSD", "S_CAT", "S_MSFT"])
def test_reports_what_talib_reports(name: str, shared: Path, panel: Panel) -> None:
    prices = pd.read_parquet(shared / f"oracles/indicators/input_{name}.parquet")
    expected = pd.read_csv(shared / f"oracles/patterns/talib_candles_{name}.csv.gz")
    close, open, high, low = (prices[column].to_numpy(float) for column in COLUMNS)
    found = detect(panel(close, open=open, high=high, low=low), *CANDLES)
    by_function = {candle.function: key for key, candle in CANDLES.items()}

    reports = {(by_function[row.pattern], row.bar): row.value for row in expected.itertuples()}
    got = {(key, bar): i for i, (key, bar) in enumerate(zip(found.type, found.confirmed, strict=True))}
    assert got.keys() == reports.keys()
    for (key, bar), i in got.items():
        candle, value = CANDLES[key], reports[key, bar]
        assert found.direction[i] == (np.sign(value) if candle.directed else 0)
        assert found.confidence[i] == abs(value) / 200
        first = bar - candle.bars + 1
        assert found.first[i] == first
        extreme = {1: low[first : bar + 1].min(), -1: high[first : bar + 1].max(), 0: np.nan}
        np.testing.assert_equal(found.stop[i], extreme[found.direction[i]])
    assert np.isnan(found.target).all()


def test_knows_every_pattern_of_talib_and_its_warmup() -> None:
    import talib
    from talib import abstract

    functions = talib.get_function_groups()["Pattern Recognition"]
    assert {candle.function for candle in CANDLES.values()} == set(functions)
    for name, candle in CANDLES.items():
        assert Candlesticks(patterns=(name,)).warmup >= abstract.Function(candle.function).lookback


def engulfing(panel: Panel, *, gap: bool = False) -> Bars:
    """Two falling bars, then a bullish engulfing one that dips to 7.5; maybe a bar is missing between."""
    open = np.array([10.0, 9.5, 8.8])
    close = np.array([9.6, 9.0, 9.7])
    high = np.array([10.1, 9.6, 9.9])
    low = np.array([9.5, 8.9, 7.5])
    if gap:
        open, close, high, low = (np.insert(field, 2, np.nan) for field in (open, close, high, low))
    return panel(close, open=open, high=high, low=low)


def test_finds_an_engulfing_bar_by_hand(panel: Panel) -> None:
    found = detect(engulfing(panel), "engulfing")
    assert found.to_frame().to_dict("records") == [
        {
            "symbol": 0,
            "type": "engulfing",
            "first": 1,
            "confirmed": 2,
            "direction": 1,
            "confidence": 0.5,
            "target": pytest.approx(np.nan, nan_ok=True),
            "stop": 7.5,
            "success": pytest.approx(np.nan, nan_ok=True),
            "trials": 0.0,
            "neckline": pytest.approx(np.nan, nan_ok=True),
            "probability": pytest.approx(np.nan, nan_ok=True),
        }
    ]
    assert found.bars == 3


def test_a_pattern_may_span_a_gap(panel: Panel) -> None:
    found = detect(engulfing(panel, gap=True), "engulfing")
    assert (found.first[0], found.confirmed[0]) == (1, 3)


def test_orders_by_bar_then_symbol(rough: Bars) -> None:
    found = detect(rough, *CANDLES)
    keys = list(zip(found.confirmed.tolist(), found.symbol.tolist(), strict=True))
    assert keys == sorted(keys)
    assert set(found.symbol) == {0, 1, 2, 3}
    assert rough.present[found.confirmed, found.symbol].all()
    assert rough.present[found.first, found.symbol].all()


@pytest.mark.parametrize("given", ["morning_star", "CDLMORNINGSTAR", "morningstar", "Morning_Star"])
def test_takes_talibs_own_names(given: str) -> None:
    assert Candlesticks(patterns=(given,)).params() == {"patterns": ["morning_star"]}


@pytest.mark.parametrize(
    ("given", "canonical"), [("CDL3WHITESOLDIERS", "three_white_soldiers"), ("2crows", "two_crows")]
)
def test_spells_numbers_out(given: str, canonical: str) -> None:
    assert Candlesticks(patterns=(given,)).patterns == (canonical,)


@pytest.mark.parametrize(
    ("patterns", "message"),
    [
        (("engulfin",), "'engulfin' is no pattern of TA-Lib; did you mean engulfing"),
        (("morning_start",), "did you mean morning_star"),
        (("zzz",), "known: abandoned_baby, "),
        (("hammer", "CDLHAMMER"), "must name each pattern once"),
        ((), "at least 1 item"),
    ],
)
def test_refuses_what_it_does_not_know(patterns: tuple[str, ...], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Candlesticks(patterns=patterns)
