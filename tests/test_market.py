"""The market: every indicator through the memo, views that share it, and what plugins said."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from windtunnel import indicators
from windtunnel.bars import Bars
from windtunnel.errors import InvalidValueError, PluginError
from windtunnel.features import compute
from windtunnel.market import Market
from windtunnel.values import Forecast, Patterns, Regimes

DAY = np.timedelta64(24 * 3600 * 10**9, "ns")


def random_bars(bars: int = 60, missing: float = 0.1, seed: int = 1) -> Bars:
    rng = np.random.default_rng(seed)
    close = 50 * np.exp(np.cumsum(rng.normal(0, 0.02, (bars, 3)), axis=0))
    open_ = close * (1 + rng.normal(0, 0.01, close.shape))
    high, low = np.maximum(open_, close) * 1.01, np.minimum(open_, close) * 0.99
    volume = rng.uniform(1, 9, close.shape)
    absent = rng.uniform(size=close.shape) < missing
    fields = (np.asfortranarray(np.where(absent, np.nan, x)) for x in (open_, high, low, close, volume))
    time = np.datetime64("2001-01-01", "ns") + np.arange(bars) * DAY
    return Bars(time, ("A", "B", "C"), *fields, np.full(3, bars - 1))


CALLS: dict[str, tuple[Callable[[Market], object], Callable[[Bars, float], object]]] = {
    "sma": (lambda m: m.sma(5), lambda b, _: indicators.sma(b.close, 5)),
    "sma_of_volume": (lambda m: m.sma(5, "volume"), lambda b, _: indicators.sma(b.volume, 5)),
    "ema": (lambda m: m.ema(5, field="high"), lambda b, _: indicators.ema(b.high, 5)),
    "wma": (lambda m: m.wma(5, field="low"), lambda b, _: indicators.wma(b.low, 5)),
    "rsi": (lambda m: m.rsi(), lambda b, _: indicators.rsi(b.close, 14)),
    "macd": (lambda m: m.macd(3, 6), lambda b, _: indicators.macd(b.close, 3, 6, 9)),
    "bollinger": (lambda m: m.bollinger(5), lambda b, _: indicators.bollinger(b.close, 5, 2.0)),
    "atr": (lambda m: m.atr(), lambda b, _: indicators.atr(b.high, b.low, b.close, 14)),
    "adx": (lambda m: m.adx(4), lambda b, _: indicators.adx(b.high, b.low, b.close, 4)),
    "donchian": (lambda m: m.donchian(5), lambda b, _: indicators.donchian(b.high, b.low, 5)),
    "roc": (lambda m: m.roc(3, "open"), lambda b, _: indicators.roc(b.open, 3)),
    "rolling_volatility": (
        lambda m: m.rolling_volatility(5),
        lambda b, periods: indicators.rolling_volatility(b.close, 5, periods),
    ),
    "zscore": (lambda m: m.zscore(5), lambda b, _: indicators.zscore(b.close, 5)),
    "obv": (lambda m: m.obv(), lambda b, _: indicators.obv(b.close, b.volume)),
    "vwap": (lambda m: m.vwap(5), lambda b, _: indicators.vwap(b.high, b.low, b.close, b.volume, 5)),
    "returns": (lambda m: m.returns(), lambda b, _: indicators.returns(b.close)),
    "log_returns": (lambda m: m.log_returns(), lambda b, _: indicators.log_returns(b.close)),
    "candle": (
        lambda m: m.candle("CDLDOJI"),
        lambda b, _: indicators.candle(b.open, b.high, b.low, b.close, "doji"),
    ),
    "features": (lambda m: m.features().values, lambda b, _: compute(b).values),
}


def arrays(value: object) -> tuple[np.ndarray, ...]:
    return value if isinstance(value, tuple) else (value,)  # type: ignore[return-value]


def said(bars: int) -> dict[str, object]:
    """Return something of each kind that a plugin may say about ``bars`` bars of three symbols."""
    code = np.arange(bars * 3.0).reshape(bars, 3)
    row = np.arange(4)
    patterns = Patterns(
        symbol=np.array([0, 1, 2, 1]),
        type=np.array(["doji"] * 4),
        first=row * 5,
        confirmed=row * 5 + 2,
        direction=np.array([1, -1, 1, 0]),
        confidence=np.full(4, 0.5),
        target=np.full(4, np.nan),
        stop=np.full(4, np.nan),
        bars=bars,
    )
    regime = Regimes(("calm", "wild"), np.stack([code % 2, 1 - code % 2], axis=2))
    return {"regime": regime, "patterns": patterns, "volatility": Forecast(code, code - 1, code + 1, 5)}


@pytest.mark.parametrize("name", CALLS)
def test_each_indicator_is_that_of_the_bars_computed_once_and_read_only(name: str) -> None:
    bars = random_bars()
    market = Market(bars)
    through_market, directly = CALLS[name]
    first, again = arrays(through_market(market)), arrays(through_market(market))
    for values, same, expected in zip(
        first, again, arrays(directly(bars, market.periods_per_year)), strict=True
    ):
        assert values is same
        assert not values.flags.writeable
        assert values.flags.f_contiguous
        assert values.shape[:2] == (60, 3)
        np.testing.assert_array_equal(values, expected)


@given(stop=st.integers(0, 60), name=st.sampled_from(list(CALLS)))
def test_a_view_equals_a_fresh_market_of_its_bars(stop: int, name: str) -> None:
    bars = random_bars()
    market = Market(bars)
    fresh = Market(bars.cut(0, stop))
    through_market, _ = CALLS[name]
    for values, expected in zip(
        arrays(through_market(market.until(stop))), arrays(through_market(fresh)), strict=True
    ):
        assert not values.flags.writeable
        np.testing.assert_array_equal(values, expected)


def test_arguments_and_fields_are_told_apart() -> None:
    market = Market(random_bars(missing=0))
    several = [market.sma(5), market.sma(6), market.sma(5, "open"), market.ema(5), market.zscore(5)]
    assert len({values.tobytes() for values in several}) == 5
    assert market.candle("CDLDOJI") is market.candle("doji")


def test_views_slice_what_the_root_computed() -> None:
    market = Market(random_bars())
    whole = market.sma(5)
    view = market.until(40).until(50).until(30)
    assert view.shape == (30, 3)
    assert np.shares_memory(view.sma(5), whole)
    early = market.until(20).ema(5)
    assert np.shares_memory(early, market.ema(5))


def test_a_view_does_not_change_how_volatility_is_annualised() -> None:
    market = Market(random_bars())
    assert market.until(1).periods_per_year == market.periods_per_year == 365
    assert market.window(0, 1).periods_per_year == 365
    assert Market(replace(market.bars, periods_per_year=12)).select(["A"]).periods_per_year == 12


def test_a_window_starts_anew() -> None:
    market = Market(random_bars(missing=0))
    window = market.window(10, 40)
    assert window.shape == (30, 3)
    np.testing.assert_array_equal(window.close, market.close[10:40])
    np.testing.assert_array_equal(window.sma(5), indicators.sma(market.close[10:40], 5))
    assert np.isnan(window.sma(5)[:4]).all()


def test_selected_symbols_keep_their_values_and_order() -> None:
    market = Market(random_bars())
    chosen = market.select(["C", "A"])
    assert chosen.symbols == ("C", "A")
    np.testing.assert_array_equal(chosen.rsi(), market.rsi()[:, [2, 0]])
    with pytest.raises(InvalidValueError, match="symbol"):
        market.select(["D"])


def test_what_no_plugin_said_is_an_error_that_says_so() -> None:
    market = Market(random_bars())
    for name, kind in (
        ("regime", "regime model"),
        ("patterns", "pattern detector"),
        ("volatility", "volatility model"),
    ):
        with pytest.raises(PluginError, match=rf"market\.{name}.*no {kind}"):
            getattr(market, name)


def test_having_attaches_to_a_copy_that_shares_the_memo() -> None:
    market = Market(random_bars())
    words = said(60)
    informed = market.having(regime=words["regime"]).having(volatility=words["volatility"])
    assert informed.regime is words["regime"]
    assert informed.volatility is words["volatility"]
    assert informed.sma(5) is market.sma(5)
    with pytest.raises(PluginError):
        _ = market.regime
    with pytest.raises(PluginError):
        _ = informed.patterns


@pytest.mark.parametrize(("view", "start", "stop"), [("until", 0, 12), ("window", 5, 12)])
def test_views_cut_what_plugins_said(view: str, start: int, stop: int) -> None:
    words = said(60)
    market = Market(random_bars()).having(**words)
    cut = market.until(stop) if view == "until" else market.window(start, stop)
    np.testing.assert_array_equal(cut.regime.probabilities, market.regime.probabilities[start:stop])
    np.testing.assert_array_equal(cut.volatility.mean, market.volatility.mean[start:stop])
    assert cut.patterns.confirmed.tolist() == [c - start for c in (2, 7, 12) if start <= c < stop]


def test_selecting_symbols_renumbers_what_plugins_said() -> None:
    market = Market(random_bars()).having(**said(60)).select(["C", "B"])
    assert market.patterns.symbol.tolist() == [1, 0, 1]
    assert market.patterns.confirmed.tolist() == [7, 12, 17]
    assert market.regime.probabilities.shape == (60, 2, 2)
    np.testing.assert_array_equal(market.volatility.high[0], [3, 2])


def test_comparisons_are_bool_panels() -> None:
    market = Market(random_bars())
    exposure = market.sma(5) > market.sma(20)
    assert exposure.dtype == np.bool_
    assert exposure.shape == (60, 3)
    assert exposure.flags.f_contiguous
    assert not exposure[:19].any()


def test_lag_shifts_rows_of_any_type() -> None:
    market = Market(random_bars(missing=0))
    upper, _ = market.donchian(5)
    assert np.isnan(market.lag(upper)[:5]).all()
    np.testing.assert_array_equal(market.lag(upper, 2)[2:], upper[:-2])
    rising = market.close > market.sma(5)
    assert market.lag(rising).dtype == np.bool_
    assert not market.lag(rising).flags.writeable
    assert rising.flags.writeable
    np.testing.assert_array_equal(market.lag(rising)[1:], rising[:-1])
    assert not market.lag(rising)[0].any()


def test_a_small_memo_forgets_and_still_answers() -> None:
    bars = random_bars()
    market = Market(bars, memo_bytes=2 * bars.close.nbytes)
    first = market.sma(5)
    market.sma(6)
    assert market.sma(5) is first
    market.sma(7)
    market.sma(8)
    np.testing.assert_array_equal(market.sma(5), first)
    assert market.sma(5) is not first
    nothing = Market(bars, memo_bytes=0)
    assert nothing.sma(5) is not nothing.sma(5)
    assert not nothing.sma(5).flags.writeable


@pytest.mark.parametrize(
    ("call", "parameter", "hint"),
    [
        (lambda m: m.sma(5, "clsoe"), "field", "did you mean close?"),
        (lambda m: m.sma(5, "hash"), "field", "must be one of open, high, low, close, volume"),
        (lambda m: m.sma(0), "window", "at least 1"),
        (lambda m: m.candle("CDLDOGI"), "name", "did you mean CDLDOJI?"),
        (lambda m: Market(m.bars, memo_bytes=-1), "memo_bytes", "at least 0"),
    ],
)
def test_errors_name_the_parameter(call: Callable[[Market], object], parameter: str, hint: str) -> None:
    with pytest.raises(InvalidValueError) as error:
        call(Market(random_bars()))
    assert error.value.parameter == parameter
    assert hint in str(error.value)


def test_importing_the_market_stays_light() -> None:
    heavy = "{'talib', 'pandas', 'numba', 'scipy', 'sklearn', 'polars'}"
    code = f"import sys, windtunnel.market; print(sorted({heavy} & set(sys.modules)))"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == "[]"
