"""Longer timeframes on the market's own bars: only what had closed, whatever comes later."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from windtunnel import indicators
from windtunnel.bars import FIELDS, Bars
from windtunnel.errors import InvalidValueError
from windtunnel.features import compute
from windtunnel.market import Market
from windtunnel.readings import Readings
from windtunnel.resampling import resample
from windtunnel.testing import stages
from windtunnel.testing.cuts import provoke

nan = np.nan
ZONE = "America/New_York"


def hours(days: int = 12, seed: int = 3, missing: float = 0.1) -> Bars:
    """Hours of New York's sessions around the change of clocks: one half-day, B late, C with gaps."""
    random = np.random.default_rng(seed)
    sessions = pd.bdate_range("2020-03-02", periods=days, tz=ZONE)
    times = [day + pd.Timedelta(hours=hour) for day in sessions for hour in range(9, 16)]
    time = pd.DatetimeIndex(times).drop([times[place] for place in range(31, 35)])
    close = 50 * np.exp(np.cumsum(random.normal(0, 0.02, (len(time), 3)), axis=0))
    close[: len(time) // 3, 1] = nan
    close[random.random(len(time)) < missing, 2] = nan
    open_ = close * np.exp(random.normal(0, 0.005, close.shape))
    high, low = np.fmax(open_, close) * 1.01, np.fmin(open_, close) * 0.99
    volume = np.where(np.isnan(close), nan, random.uniform(1, 9, close.shape))
    fields = {"open": open_, "high": high, "low": low, "volume": volume}
    return Bars.from_arrays(time, close, symbols=["A", "B", "C"], **fields)


CALLS: dict[str, Callable[[Readings], Any]] = {
    **{field: (lambda at, field=field: getattr(at, field)) for field in FIELDS},
    "sma": lambda at: at.sma(3),
    "sma_of_volume": lambda at: at.sma(3, "volume"),
    "ema": lambda at: at.ema(3),
    "wma": lambda at: at.wma(3),
    "rsi": lambda at: at.rsi(3),
    "macd": lambda at: at.macd(2, 3, 2),
    "bollinger": lambda at: at.bollinger(3),
    "atr": lambda at: at.atr(3),
    "adx": lambda at: at.adx(2),
    "donchian": lambda at: at.donchian(2),
    "roc": lambda at: at.roc(2),
    "rolling_volatility": lambda at: at.rolling_volatility(2),
    "zscore": lambda at: at.zscore(3),
    "obv": lambda at: at.obv(),
    "vwap": lambda at: at.vwap(3),
    "returns": lambda at: at.returns(),
    "log_returns": lambda at: at.log_returns(),
    "candle": lambda at: at.candle("doji"),
    "features": lambda at: at.features().values,
    "lag": lambda at: at.lag(at.close, 2),
    "lag_of_bool": lambda at: at.lag(at.close > at.sma(3)),
}


def arrays(value: Any) -> tuple[np.ndarray, ...]:
    return value if isinstance(value, tuple) else (value,)


def assert_same(values: Any, expected: Any) -> None:
    for one, other in zip(arrays(values), arrays(expected), strict=True):
        np.testing.assert_array_equal(one, other)


def test_by_hand() -> None:
    """Four 6-hour bars a day; the second day has two, and B trades on the first and the third."""
    time = np.array(["01T00", "01T06", "01T12", "01T18", "02T00", "02T06", "03T00", "03T06"])
    close = np.array([[1.0, 5], [2, nan], [3, 7], [4, nan], [5, nan], [6, nan], [7, 9], [8, nan]])
    stamps = [f"2020-01-{stamp}:00" for stamp in time]
    market = Market(Bars.from_arrays(stamps, close, symbols=["A", "B"]))
    daily = market.at("1d")
    assert daily.close[:, 0].tolist()[4:] == [4, 4, 6, 6]
    assert daily.open[:, 0].tolist()[4:] == [1, 1, 5, 5]
    assert daily.high[:, 1].tolist()[4:6] == [7, 7]
    assert np.isnan(daily.close[:4]).all()
    assert np.isnan(daily.close[6:, 1]).all()
    np.testing.assert_array_equal(daily.sma(2)[:, 0], [nan] * 6 + [5.0] * 2)
    np.testing.assert_array_equal(daily.lag(daily.close)[:, 0], [nan] * 6 + [4.0] * 2)
    assert daily.shape == (8, 2)
    assert daily.symbols == ("A", "B")
    assert daily.time is market.time
    assert (daily.sma(1) < market.close)[:, 0].tolist() == [False] * 4 + [True] * 4


@pytest.mark.parametrize("timeframe", ["1h", "2h", "1d", "2d", "1w"])
@pytest.mark.parametrize("name", CALLS)
def test_each_bar_sees_the_longer_bars_that_had_closed(name: str, timeframe: str) -> None:
    """The definition, one bar at a time: resample what is there, leave out the one that is still open."""
    bars = hours()
    values = arrays(CALLS[name](Market(bars).at(timeframe)))
    for row in range(len(bars)):
        longer = resample(bars.cut(0, row + 1), timeframe)
        closed = Market(replace(longer.cut(0, len(longer) - 1), periods_per_year=periods(timeframe)))
        expected = arrays(CALLS[name](closed))
        for one, other in zip(values, expected, strict=True):
            assert one.dtype == other.dtype
            nothing = np.full(one.shape[1:], nan) if one.dtype.kind == "f" else np.zeros(one.shape[1:])
            np.testing.assert_array_equal(one[row], other[-1] if len(other) else nothing)


def periods(timeframe: str) -> float:
    return {"1h": 252 * 7, "2h": 252 * 4, "1d": 252, "2d": 157, "1w": 52}[timeframe]


@pytest.mark.parametrize("name", CALLS)
def test_arrays_are_read_only_and_computed_once(name: str) -> None:
    market = Market(hours())
    first, again = (arrays(CALLS[name](market.at("1d"))) for _ in range(2))
    for values, same in zip(first, again, strict=True):
        assert not values.flags.writeable
        assert values.flags.f_contiguous
        assert values is same or name.startswith("lag")


@given(
    stop=st.integers(0, 80), name=st.sampled_from(list(CALLS)), timeframe=st.sampled_from(["2h", "1d", "1w"])
)
def test_no_view_and_no_truncation_changes_the_past(stop: int, name: str, timeframe: str) -> None:
    bars = hours()
    market = Market(bars)
    call = CALLS[name]
    expected = tuple(values[:stop] for values in arrays(call(market.at(timeframe))))
    said = market.having()
    for view in (
        market.until(stop),
        said.until(stop),
        market.until(stop + 1).until(stop),
        market.window(0, stop),
        Market(bars.cut(0, stop)),
        market.select(["A", "B", "C"]).until(stop),
    ):
        assert_same(call(view.at(timeframe)), expected)


@pytest.mark.parametrize("cut", [1, 2, 6, 7, 8, 30, 31, 32, 55, 79])
@pytest.mark.parametrize("future", ["halved", "doubled", "truncated"])
def test_another_future_changes_nothing(cut: int, future: Any) -> None:
    bars = hours()
    asked, other = Market(bars), Market(provoke(bars, future, cut))
    for timeframe in ("1h", "3h", "1d", "1w"):
        for call in CALLS.values():
            for one, two in zip(
                arrays(call(asked.at(timeframe))), arrays(call(other.at(timeframe))), strict=True
            ):
                np.testing.assert_array_equal(one[:cut], two[:cut])


def test_a_window_starts_anew() -> None:
    bars = hours()
    for name, call in CALLS.items():
        assert_same(call(Market(bars).window(20, 70).at("1d")), call(Market(bars.cut(20, 70)).at("1d"))), name


def test_views_share_memory_and_the_longer_bars() -> None:
    market = Market(hours())
    whole = market.at("1d").sma(3)
    assert np.shares_memory(market.until(40).at("1d").sma(3), whole)
    assert market.having().at("1d").sma(3) is whole


def test_what_was_computed_says_at_which_timeframe() -> None:
    market = Market(hours())
    market.sma(3)
    daily = market.at("1d")
    daily.sma(3)
    daily.ema(4, "high")
    _ = daily.close
    market.at("2h").features()
    found = market.until(30).computed()
    assert list(found) == [
        "sma(3)",
        "at(1d).sma(3)",
        "at(1d).ema(4, field=high)",
        "at(1d).close",
        "at(2h).features",
    ]
    assert {len(each[0]) for each in found.values()} == {30}


def test_verification_sees_longer_timeframes_by_name() -> None:
    market = Market(hours())
    market.at("1d").sma(3)
    market.at("1d").features()
    found = stages.indicators(market)
    assert list(found)[:2] == ["at(1d).sma(3)", "at(1d).feature rsi_14"]
    assert {panel.values.shape for panel in found.values()} == {market.shape}


def test_timeframes_count_in_one_budget() -> None:
    bars = hours()
    market = Market(bars, memo_bytes=2 * bars.close.nbytes)
    first = market.at("1d").sma(2)
    for window in (3, 4, 5):
        market.at("1d").sma(window)
    assert market.at("1d").sma(2) is not first
    assert_same(market.at("1d").sma(2), first)


@pytest.mark.parametrize(
    ("timeframe", "rule"),
    [
        ("30m", "must not be shorter than the bars, which are 1h apart"),
        ("daily", "such as 5m"),
        ("36h", "must be written in days"),
        (5, "such as 5m"),
        (["1d"], "such as 5m"),
    ],
)
@pytest.mark.parametrize("cut", [1, 9, 80])
def test_a_wrong_timeframe_is_refused_on_any_number_of_bars(timeframe: Any, rule: str, cut: int) -> None:
    for market in (Market(hours()).until(cut), Market(hours().cut(0, cut))):
        with pytest.raises(InvalidValueError, match=rule) as caught:
            market.at(timeframe)
        assert caught.value.parameter == "timeframe"


def test_wrong_arguments_are_those_of_the_market() -> None:
    daily = Market(hours()).at("1d")
    with pytest.raises(InvalidValueError, match="did you mean close"):
        daily.sma(3, "clsoe")
    with pytest.raises(InvalidValueError, match="at least 1"):
        daily.sma(0)
    with pytest.raises(InvalidValueError, match="bars: must be at least 0"):
        daily.lag(daily.close, -1)
    with pytest.raises(InvalidValueError, match=r"values: must have a row a bar \(80\)"):
        daily.lag(daily.close[1:])


def test_lag_counts_longer_bars_and_never_looks_ahead() -> None:
    """Of a panel that changes with every bar it takes the last one of the longer bar meant."""
    bars = hours(missing=0)
    market = Market(bars)
    daily = market.at("1d")
    code = np.arange(len(bars) * 3.0).reshape(len(bars), 3)
    same = daily.lag(code, 0)
    np.testing.assert_array_equal(same, code)
    days = bars.local_time.astype("datetime64[D]")
    earlier = np.searchsorted(days, days, side="left") - 1
    lagged = daily.lag(code)
    assert np.isnan(lagged[earlier < 0]).all()
    np.testing.assert_array_equal(lagged[earlier >= 0], code[earlier[earlier >= 0]])
    np.testing.assert_array_equal(daily.lag(daily.close)[20:], daily.lag(daily.close, 1)[20:])


def test_the_past_of_figures_does_not_depend_on_how_many_bars_there_are() -> None:
    """One bar and sixty days are annualised alike."""
    bars = hours(60)
    daily = Market(bars).at("1d")
    assert daily.periods_per_year == Market(bars.cut(0, 1)).at("1d").periods_per_year == 252
    assert_same(
        daily.rolling_volatility(5)[-1],
        indicators.rolling_volatility(resample(bars, "1d").close[:-1], 5, 252.0)[-1],
    )


def test_features_of_longer_bars() -> None:
    bars = hours(60, missing=0)
    values = Market(bars).at("1d").features()
    expected = compute(resample(bars, "1d").cut(0, 59)).values[-1]
    np.testing.assert_array_equal(values.values[-1], expected)


def test_a_market_of_no_bars() -> None:
    empty = Market(hours().cut(0, 0)).at("1d")
    assert empty.close.shape == (0, 3)
    assert empty.sma(3).shape == (0, 3)
    assert empty.lag(empty.close).shape == (0, 3)
