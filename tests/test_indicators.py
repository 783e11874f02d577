"""Indicators: hand-computed cases, published and recorded values, gaps, causality, awkward input."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
import talib
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from windtunnel import indicators
from windtunnel.errors import InvalidValueError

Array = npt.NDArray[np.float64]
Panel = Mapping[str, Array]
NAN = np.nan

INDICATORS: Mapping[str, Callable[[Panel], Array | tuple[Array, ...]]] = {
    "sma": lambda p: indicators.sma(p["close"], 5),
    "ema": lambda p: indicators.ema(p["close"], 5),
    "wma": lambda p: indicators.wma(p["close"], 5),
    "rsi": lambda p: indicators.rsi(p["close"], 4),
    "macd": lambda p: indicators.macd(p["close"], 3, 6, 4),
    "bollinger": lambda p: indicators.bollinger(p["close"], 5, 2.0),
    "atr": lambda p: indicators.atr(p["high"], p["low"], p["close"], 4),
    "adx": lambda p: indicators.adx(p["high"], p["low"], p["close"], 4),
    "donchian": lambda p: indicators.donchian(p["high"], p["low"], 5),
    "roc": lambda p: indicators.roc(p["close"], 3),
    "returns": lambda p: indicators.returns(p["close"]),
    "log_returns": lambda p: indicators.log_returns(p["close"]),
    "rolling_volatility": lambda p: indicators.rolling_volatility(p["close"], 5, 252.0),
    "zscore": lambda p: indicators.zscore(p["close"], 5),
    "obv": lambda p: indicators.obv(p["close"], p["volume"]),
    "vwap": lambda p: indicators.vwap(p["high"], p["low"], p["close"], p["volume"], 5),
    "percentile_rank": lambda p: indicators.percentile_rank(p["close"], 5),
    "candle": lambda p: indicators.candle(p["open"], p["high"], p["low"], p["close"], "CDLENGULFING"),
}
WINDOWED = [name for name in INDICATORS if name not in {"macd", "obv", "returns", "log_returns", "candle"}]


def outputs(name: str, panel: Panel) -> tuple[Array, ...]:
    found = INDICATORS[name](panel)
    return found if isinstance(found, tuple) else (found,)


def pick(panel: Panel, rows: object) -> Panel:
    return {field: values[rows] for field, values in panel.items()}  # type: ignore[index]


@st.composite
def panels(draw: st.DrawFn, gaps: bool = True) -> Panel:
    """Draw bars of up to 60 rows and 2 symbols, often with equal prices in a row, and with missing bars."""
    shape = (draw(st.integers(0, 60)), draw(st.integers(1, 2)))
    price = st.one_of(st.floats(0.01, 1e4), st.sampled_from([0.1, 7.0]))
    open_, close = (draw(npst.arrays(np.float64, shape, elements=price)) for _ in range(2))
    margin = draw(npst.arrays(np.float64, shape, elements=st.floats(0, 0.5)))
    volume = draw(npst.arrays(np.float64, shape, elements=st.floats(0, 1e6)))
    high, low = np.maximum(open_, close) * (1 + margin), np.minimum(open_, close) * (1 - margin)
    panel = {"open": open_, "high": high, "low": low, "close": close, "volume": volume}
    missing = draw(npst.arrays(np.bool_, shape)) if gaps else np.zeros(shape, np.bool_)
    return {name: np.asfortranarray(np.where(missing, NAN, values)) for name, values in panel.items()}


def column(*values: float) -> Array:
    return np.array(values, dtype=np.float64)


# Hand-computed


def test_sma_of_four_values() -> None:
    np.testing.assert_array_equal(indicators.sma(column(1, 2, 3, 5), 2), column(NAN, 1.5, 2.5, 4))


def test_ema_starts_from_the_mean_of_its_window() -> None:
    np.testing.assert_allclose(indicators.ema(column(1, 2, 3, 4, 8), 3), column(NAN, NAN, 2, 3, 5.5))


def test_wma_weighs_the_newest_most() -> None:
    np.testing.assert_allclose(indicators.wma(column(1, 2, 3, 5), 3), column(NAN, NAN, 14 / 6, 23 / 6))


def test_rsi_smooths_gains_and_losses_as_wilder_does() -> None:
    expected = column(NAN, NAN, 100 * 1 / 1.5, 100 * 2 / 2.25)
    np.testing.assert_allclose(indicators.rsi(column(10, 12, 11, 14), 2), expected)


def test_macd_of_a_straight_line_is_half_the_difference_of_the_windows() -> None:
    line, signal, histogram = indicators.macd(np.arange(60.0), 12, 26, 9)
    assert np.isnan(line[:33]).all()
    np.testing.assert_allclose(line[33:], 7)
    np.testing.assert_allclose(signal[33:], 7)
    np.testing.assert_allclose(histogram[33:], 0, atol=1e-12)


def test_bollinger_uses_the_population_deviation() -> None:
    upper, middle, lower = indicators.bollinger(column(1, 2, 4), 2, 2.0)
    np.testing.assert_array_equal(upper, column(NAN, 2.5, 5))
    np.testing.assert_array_equal(middle, column(NAN, 1.5, 3))
    np.testing.assert_array_equal(lower, column(NAN, 0.5, 1))


def test_atr_counts_the_gap_from_the_close_before() -> None:
    high, low, close = column(10, 12, 11, 9), column(8, 9, 7, 8), column(9, 11, 8, 8.5)
    np.testing.assert_allclose(indicators.atr(high, low, close, 2), column(NAN, NAN, 3.5, 2.25))


def test_adx_of_a_steady_rise_is_100() -> None:
    close = np.arange(1.0, 13)
    adx = indicators.adx(close + 0.5, close - 0.5, close, 3)
    assert np.isnan(adx[:5]).all()
    np.testing.assert_allclose(adx[5:], 100)


def test_donchian_includes_this_bar() -> None:
    upper, lower = indicators.donchian(column(3, 5, 4, 2), column(1, 2, 3, 0), 2)
    np.testing.assert_array_equal(upper, column(NAN, 5, 5, 4))
    np.testing.assert_array_equal(lower, column(NAN, 1, 2, 0))


def test_roc_and_returns_are_fractions() -> None:
    np.testing.assert_allclose(indicators.roc(column(2, 3, 4, 3), 2), column(NAN, NAN, 1, 0))
    np.testing.assert_allclose(indicators.returns(column(2, 3, 4.5)), column(NAN, 0.5, 0.5))
    np.testing.assert_allclose(indicators.log_returns(column(2, 2 * np.e)), column(NAN, 1))


def test_rolling_volatility_annualises_the_sample_deviation() -> None:
    close = np.exp(column(0, 0.1, 0.0))
    expected = column(NAN, NAN, np.sqrt(252 * (0.1**2 + 0.1**2) / 1))
    np.testing.assert_allclose(indicators.rolling_volatility(close, 2, 252.0), expected)


def test_zscore_of_two_values() -> None:
    np.testing.assert_array_equal(indicators.zscore(column(1, 3, 2), 2), column(NAN, 1, -1))


def test_obv_starts_with_the_first_volume() -> None:
    np.testing.assert_array_equal(
        indicators.obv(column(1, 2, 2, 1), column(10, 20, 30, 40)), column(10, 30, 30, -10)
    )


def test_vwap_weighs_the_typical_price() -> None:
    high, low, close = column(3, 6, 9), column(1, 2, 3), column(2, 4, 6)
    np.testing.assert_allclose(
        indicators.vwap(high, low, close, column(1, 3, 1), 2), column(NAN, (2 + 12) / 4, (12 + 6) / 4)
    )


def test_percentile_rank_counts_ties_half() -> None:
    np.testing.assert_array_equal(
        indicators.percentile_rank(column(1, 2, 3, 1, 3, 3), 3), column(NAN, NAN, 1, 0, 0.75, 0.75)
    )


# Oracles


@pytest.mark.parametrize("series", ["EURUSD", "GOOG", "S_CAT", "S_MSFT"])
def test_agrees_with_recorded_talib(shared: Path, series: str) -> None:
    folder = shared / "oracles" / "indicators"
    frame = pd.read_parquet(folder / f"input_{series}.parquet").astype("float64")
    high, low, close, volume = (np.array(frame[name]) for name in ("High", "Low", "Close", "Volume"))
    oracle = pd.read_parquet(folder / f"talib_{series}.parquet")
    deviation = np.array(oracle["STDDEV20"])
    macd, signal, histogram = indicators.macd(close, 12, 26, 9)
    upper, middle, lower = indicators.bollinger(close, 20, 2.0)
    ours = {
        "SMA20": indicators.sma(close, 20),
        "EMA20": indicators.ema(close, 20),
        "WMA20": indicators.wma(close, 20),
        "RSI14": indicators.rsi(close, 14),
        "ATR14": indicators.atr(high, low, close, 14),
        "NATR14": indicators.atr(high, low, close, 14) / close * 100,
        "ADX14": indicators.adx(high, low, close, 14),
        "ROC10": indicators.roc(close, 10) * 100,
        "MOM10": indicators.roc(close, 10) / (1 + indicators.roc(close, 10)) * close,
        "OBV": indicators.obv(close, volume),
        "MACD": macd,
        "MACD_SIGNAL": signal,
        "MACD_HIST": histogram,
        "BB_UP": upper,
        "BB_MID": middle,
        "BB_LOW": lower,
        "STDDEV20": (upper - middle) / 2,
    }
    for name, values in ours.items():
        np.testing.assert_allclose(values, oracle[name], rtol=1e-10, atol=1e-11, err_msg=name)
    expected = (close - np.array(oracle["SMA20"])) / deviation
    np.testing.assert_allclose(indicators.zscore(close, 20), expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("series", ["GOOG", "S_MSFT"])
def test_candles_agree_with_recorded_talib(shared: Path, series: str) -> None:
    frame = pd.read_parquet(shared / "oracles" / "indicators" / f"input_{series}.parquet").astype("float64")
    fields = [np.array(frame[name]) for name in ("Open", "High", "Low", "Close")]
    fired = pd.read_csv(shared / "oracles" / "patterns" / f"talib_candles_{series}.csv.gz")
    assert fired["pattern"].nunique() > 40
    for name, rows in fired.groupby("pattern"):
        expected = np.zeros(len(frame), np.int64)
        expected[rows["bar"]] = rows["value"]
        found = indicators.candle(*fields, str(name))
        assert found.dtype == np.int64
        np.testing.assert_array_equal(found, expected, err_msg=str(name))


def test_agrees_with_published_backtrader_values(shared: Path) -> None:
    """Hold the last, the first and the middle value that backtrader's own tests publish, to six decimals.

    Only the last value is held where backtrader starts a recursion elsewhere: its MACD begins the fast
    average as soon as that has 12 bars (TA-Lib at bar 26, with the slow one), and its ADX smooths directional
    movement from another bar. Both forget their start. Its percentile rank divides by the window (50), ours
    by the other values (49), and its highest and lowest are of the close. The file has no volume, and
    backtrader publishes no z-score, rolling volatility, OBV or VWAP.
    """
    vectors = json.loads((shared / "oracles" / "indicators" / "backtrader_test_vectors.json").read_text())
    frame = pd.read_csv(shared / "data" / "backtrader_samples" / "2006-day-001.txt")
    high, low, close = (np.array(frame[name], np.float64) for name in ("High", "Low", "Close"))
    upper, middle, lower = indicators.bollinger(close, 20, 2.0)
    highest, lowest = indicators.donchian(close, close, 14)
    whole = {
        "sma": [indicators.sma(close, 30)],
        "ema": [indicators.ema(close, 30)],
        "wma": [indicators.wma(close, 30)],
        "rsi": [indicators.rsi(close, 14)],
        "atr": [indicators.atr(high, low, close, 14)],
        "bbands": [middle, upper, lower],
        "highest": [highest],
        "lowest": [lowest],
        "roc": [indicators.roc(close, 12)],
        "pctchange": [indicators.roc(close, 30)],
        "pctrank": [indicators.percentile_rank(close, 50) * 49 / 50],
        "priceosc": [indicators.ema(close, 12) - indicators.ema(close, 26)],
        "smaosc": [close - indicators.sma(close, 30)],
    }
    last_only = {
        "macdhisto": list(indicators.macd(close, 12, 26, 9)),
        "dm": [indicators.adx(high, low, close, 14)],
    }
    bars = len(close)
    for name, lines in (whole | last_only).items():
        vector = vectors["vectors"][name]
        first = vector["min_period"] - 1
        rows = [bars - 1, first, bars - 1 + (first + 1 - bars) // 2][: 3 if name in whole else 1]
        for line, published in zip(lines, vector["values_per_line"], strict=name in whole):
            assert [f"{line[row]:f}" for row in rows] == published[: len(rows)], name


# Gaps


@given(panel=panels())
def test_each_symbol_is_computed_over_its_own_bars(panel: Panel) -> None:
    together = {name: outputs(name, panel) for name in INDICATORS}
    for symbol in range(panel["close"].shape[1]):
        present = ~np.isnan(panel["close"][:, symbol])
        own = pick(panel, (present, symbol))
        for name in INDICATORS:
            for values, alone in zip(together[name], outputs(name, own), strict=True):
                assert values.shape == panel["close"].shape
                assert values.flags.f_contiguous
                np.testing.assert_array_equal(values[present, symbol], alone, err_msg=name)
                missing = 0 if name == "candle" else NAN
                np.testing.assert_array_equal(values[~present, symbol], missing, err_msg=name)


def test_a_missing_volume_leaves_obv_and_vwap_unknown_and_nothing_else() -> None:
    prices = np.linspace(10, 20, 30)
    volume = np.full(30, NAN)
    assert np.isnan(indicators.obv(prices, volume)).all()
    assert np.isnan(indicators.vwap(prices, prices, prices, volume, 3)).all()


def test_no_trading_leaves_vwap_unknown() -> None:
    prices, volume = np.linspace(10, 20, 6), column(0.1, 0.7, 0, 0, 0, 3)
    np.testing.assert_array_equal(
        np.isnan(indicators.vwap(prices, prices, prices, volume, 3)), [True, True, False, False, True, False]
    )


# Causality


@given(panel=panels(), data=st.data())
def test_a_prefix_gives_the_same_bits(panel: Panel, data: st.DataObject) -> None:
    stop = data.draw(st.integers(0, len(panel["close"])))
    prefix = pick(panel, slice(0, stop))
    for name in INDICATORS:
        for early, values in zip(outputs(name, prefix), outputs(name, panel), strict=True):
            np.testing.assert_array_equal(early, values[:stop], err_msg=name)


@given(panel=panels(gaps=False), data=st.data())
def test_what_came_before_the_window_does_not_show(panel: Panel, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(panel["close"])))
    suffix = pick(panel, slice(start, None))
    for name in ("sma", "wma", "bollinger", "zscore", "vwap", "donchian", "percentile_rank"):
        for late, values in zip(outputs(name, suffix), outputs(name, panel), strict=True):
            np.testing.assert_array_equal(late[4:], values[start + 4 :], err_msg=name)


def test_no_candlestick_function_looks_ahead(shared: Path) -> None:
    frame = pd.read_parquet(shared / "oracles" / "indicators" / "input_GOOG.parquet").astype("float64")
    fields = [np.array(frame[name][:400]) for name in ("Open", "High", "Low", "Close")]
    names = talib.get_function_groups()["Pattern Recognition"]
    assert len(names) == 61
    for name in names:
        whole = indicators.candle(*fields, name)
        for stop in range(1, 400, 7):
            early = indicators.candle(*(field[:stop] for field in fields), name)
            np.testing.assert_array_equal(early, whole[:stop], err_msg=name)


# Awkward input


@given(panel=panels())
def test_nothing_is_out_of_bounds(panel: Panel) -> None:
    for name, low, high in (("rsi", 0, 100), ("adx", 0, 100), ("percentile_rank", 0, 1), ("atr", 0, np.inf)):
        (values,) = outputs(name, panel)
        known = values[~np.isnan(values)]
        assert ((known >= low - 1e-9) & (known <= high + 1e-9)).all(), name
    upper, middle, lower = outputs("bollinger", panel)
    assert not ((upper < middle) | (middle < lower)).any()
    (zscore,) = outputs("zscore", panel)
    assert np.nanmax(np.abs(zscore), initial=0) <= np.sqrt(4) + 1e-9


@given(price=st.floats(1e-9, 1e9), spike=st.floats(1e-9, 1e9), window=st.integers(2, 30))
def test_equal_values_have_no_deviation_whatever_came_before(price: float, spike: float, window: int) -> None:
    values = np.concatenate(([spike], np.full(40, price)))
    settled = slice(window, None)
    np.testing.assert_array_equal(indicators.sma(values, window)[settled], price)
    np.testing.assert_array_equal(indicators.wma(values, window)[settled], price)
    assert np.isnan(indicators.zscore(values, window)[settled]).all()
    for band in indicators.bollinger(values, window, 2.0):
        np.testing.assert_array_equal(band[settled], price)
    assert not indicators.rolling_volatility(values, window, 252.0)[window + 1 :].any()


def test_constant_prices() -> None:
    price = np.full(60, 0.1)
    assert np.isnan(indicators.rsi(price, 14)).all()
    np.testing.assert_array_equal(indicators.atr(price, price, price, 14)[14:], 0)
    np.testing.assert_array_equal(indicators.adx(price, price, price, 14)[27:], 0)
    np.testing.assert_allclose(indicators.macd(price, 12, 26, 9)[0][33:], 0, atol=1e-16)
    np.testing.assert_allclose(indicators.ema(price, 14)[13:], 0.1, rtol=1e-15)


def test_rsi_keeps_its_value_when_trading_stops() -> None:
    price = np.concatenate(([10.0, 11.0, 10.5], np.full(2_000, 10.5)))
    rsi = indicators.rsi(price, 2)
    np.testing.assert_allclose(rsi[2:900], 100 * 1 / 1.5)
    assert np.isnan(rsi[-900:]).all()  # the averages have halved until nothing is left
    np.testing.assert_allclose(rsi[2:][~np.isnan(rsi[2:])], 100 * 1 / 1.5)


def test_tiny_prices_are_not_taken_for_zero() -> None:
    close = 100 + np.cumsum(np.sin(np.arange(80.0) ** 2))
    high, low, tiny = close + 1, close - 1, 2.0**-60
    for name in ("rsi", "adx"):
        scaled = {"high": high * tiny, "low": low * tiny, "close": close * tiny}
        np.testing.assert_array_equal(
            outputs(name, scaled)[0], outputs(name, {"high": high, "low": low, "close": close})[0]
        )


@pytest.mark.parametrize("bars", [0, 1, 2, 3])
@pytest.mark.parametrize("name", WINDOWED)
def test_short_data_are_all_warm_up(name: str, bars: int) -> None:
    panel = {field: np.linspace(5, 9, bars) for field in ("open", "high", "low", "close", "volume")}
    for values in outputs(name, panel):
        assert values.shape == (bars,)
        assert np.isnan(values).all()


@pytest.mark.parametrize(
    ("call", "parameter", "rule"),
    [
        (lambda x: indicators.sma(x, 0), "window", "must be at least 1 bars"),
        (lambda x: indicators.rsi(x, 1), "window", "must be at least 2 bars"),
        (lambda x: indicators.adx(x, x, x, 1), "window", "must be at least 2 bars"),
        (lambda x: indicators.zscore(x, 1), "window", "must be at least 2 bars"),
        (lambda x: indicators.ema(x, 100_001), "window", "must be at most 100,000 bars"),
        (lambda x: indicators.ema(x, 2.5), "window", "must be a whole number of bars"),
        (lambda x: indicators.ema(x, True), "window", "must be a whole number of bars"),
        (lambda x: indicators.macd(x, 26, 12, 9), "slow", "must be greater than fast = 26"),
        (lambda x: indicators.macd(x, 1, 12, 9), "fast", "must be at least 2 bars"),
        (lambda x: indicators.bollinger(x, 20, 0.0), "width", "must be positive and finite"),
        (lambda x: indicators.atr(x, x[1:], x, 3), "panels", "must have the same shape"),
        (lambda x: indicators.candle(x, x, x, x, "engulfin"), "name", "did you mean CDLENGULFING?"),
    ],
)
def test_errors_name_parameter_rule_and_value(
    call: Callable[[Array], object], parameter: str, rule: str
) -> None:
    with pytest.raises(InvalidValueError) as error:
        call(np.arange(1.0, 30))
    assert error.value.parameter == parameter
    assert rule in error.value.rule
    assert "got" in str(error.value)
