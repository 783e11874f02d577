"""The features for scoring signals: warm-up, units, causality, gaps, and a case by hand for each."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from windtunnel import indicators
from windtunnel.bars import Bars
from windtunnel.features import FEATURES, NAMES, Features, compute

FIRST_KNOWN = {
    "rsi_14": 14,
    "macd_histogram": 33,
    "bollinger_position": 19,
    "atr_14": 14,
    "adx_14": 27,
    "momentum_5": 5,
    "momentum_21": 21,
    "momentum_63": 63,
    "volatility_percentile": 21 + 251,
    "volume_ratio": 19,
    "gap": 1,
    "distance_200": 199,
    "macd_state": 33,
    "momentum_126": 126,
    "trend_strength": 21,
    "volatility_1": 1,
    "volatility_6": 6,
    "volatility_24": 24,
    "range": 0,
    "jump": 24,
    "time_of_day": 0,
    "day_of_week": 0,
}
WITHIN_0_AND_1 = ("rsi_14", "adx_14", "volatility_percentile", "jump", "time_of_day", "day_of_week")
OF_CLOCK = {"time_of_day", "day_of_week"}


def random_bars(
    seed: int, bars: int = 330, symbols: int = 2, missing: float = 0.0, minutes: int = 24 * 60
) -> Bars:
    rng = np.random.default_rng(seed)
    close = 50 * np.exp(np.cumsum(rng.normal(0, 0.02, (bars, symbols)), axis=0))
    open_ = close * (1 + rng.normal(0, 0.01, close.shape))
    high, low = np.maximum(open_, close) * 1.01, np.minimum(open_, close) * 0.99
    volume = rng.uniform(1, 9, close.shape)
    absent = rng.uniform(size=close.shape) < missing
    fields = (np.asfortranarray(np.where(absent, np.nan, x)) for x in (open_, high, low, close, volume))
    time = np.datetime64("2001-01-01", "ns") + np.arange(bars) * np.timedelta64(minutes * 60 * 10**9, "ns")
    return Bars(time, tuple("ABCDEF"[:symbols]), *fields, np.full(symbols, bars - 1))


def plane(features: Features, name: str) -> np.ndarray:
    return features.values[:, :, features.names.index(name)]


def test_every_feature_is_declared_once_and_defined_in_a_sentence() -> None:
    assert len(set(NAMES)) == len(NAMES) == len(FEATURES)
    assert set(NAMES) == set(FIRST_KNOWN)
    assert all(feature.definition.endswith(".") for feature in FEATURES)


@pytest.mark.parametrize("name", NAMES)
def test_known_from_its_warm_up_on_and_not_before(name: str) -> None:
    values = plane(compute(random_bars(1, minutes=60)), name)
    assert np.isnan(values[: FIRST_KNOWN[name]]).all()
    assert np.isfinite(values[FIRST_KNOWN[name] :]).all()


def test_shape_and_bounds() -> None:
    features = compute(random_bars(2, minutes=60))
    assert features.values.shape == (330, 2, len(NAMES))
    for name in WITHIN_0_AND_1:
        known = plane(features, name)[FIRST_KNOWN[name] :]
        assert known.min() >= 0
        assert known.max() <= 1
        assert known.max() - known.min() > 0.2


def test_by_hand() -> None:
    bars = random_bars(3)
    features = compute(bars)
    close, t = bars.close, 300
    upper, _, lower = indicators.bollinger(close, 20, 2.0)
    ranges = np.maximum(bars.high[1:], close[:-1]) - np.minimum(bars.low[1:], close[:-1])
    volatility = [
        np.log(close[i - 20 : i + 1, 0] / close[i - 21 : i, 0]).std() for i in range(t - 251, t + 1)
    ]
    expected = {
        "momentum_5": close[t] / close[t - 5] - 1,
        "momentum_21": close[t] / close[t - 21] - 1,
        "momentum_63": close[t] / close[t - 63] - 1,
        "momentum_126": close[t] / close[t - 126] - 1,
        "macd_state": np.where(indicators.macd(close, 12, 26, 9)[2][t] > 0, 1, -1),
        "range": (bars.high[t] - bars.low[t]) / close[t],
        "gap": bars.open[t] / close[t - 1] - 1,
        "distance_200": close[t] / close[t - 199 : t + 1].mean(axis=0) - 1,
        "volume_ratio": bars.volume[t] / bars.volume[t - 19 : t + 1].mean(axis=0),
        "bollinger_position": ((close - lower) / (upper - lower))[t],
        "macd_histogram": indicators.macd(close, 12, 26, 9)[2][t] / close[t],
        "rsi_14": indicators.rsi(close, 14)[t] / 100,
    }
    for name, value in expected.items():
        np.testing.assert_allclose(plane(features, name)[t], value, rtol=1e-10, err_msg=name)
    np.testing.assert_allclose(plane(features, "atr_14")[14] * close[14], ranges[:14].mean(axis=0))
    rank = np.mean(np.array(volatility[:-1]) < volatility[-1])
    np.testing.assert_allclose(plane(features, "volatility_percentile")[t, 0], rank)


def of_closes(*closes: float) -> Features:
    """The features of one symbol with these closes, a bar a day."""
    close = np.array(closes)[:, None]
    time = np.datetime64("2001-01-01", "ns") + np.arange(len(close)) * np.timedelta64(1, "D")
    bars = Bars(
        time, ("A",), *(close.copy("F") for _ in range(4)), close * np.nan, np.array([len(close) - 1])
    )
    return compute(bars)


def test_volatility_of_returns_by_hand() -> None:
    """Log returns 0.01, 0.02, … in turn up and down: squares 1, 4, 9, … × 0.0001."""
    moves = 0.01 * np.arange(1, 26) * np.where(np.arange(25) % 2, -1, 1)
    features = of_closes(*np.exp(np.cumsum([0.0, *moves])))
    np.testing.assert_allclose(plane(features, "volatility_1")[-1], 0.25)
    np.testing.assert_allclose(plane(features, "volatility_6")[6], 0.01 * np.sqrt(91 / 6))
    np.testing.assert_allclose(plane(features, "volatility_24")[24], 0.01 * np.sqrt(4900 / 24))


@pytest.mark.parametrize(
    ("up", "down", "strength"), [(21, 0, 1.0), (0, 21, -1.0), (14, 7, 1 / 3), (7, 14, -1 / 3)]
)
def test_trend_strength_by_hand(up: int, down: int, strength: float) -> None:
    closes = np.exp(np.cumsum([0.0, *[0.01] * up, *[-0.01] * down]))
    np.testing.assert_allclose(plane(of_closes(*closes), "trend_strength")[-1], strength)


def test_jump_by_hand() -> None:
    """One of 24 returns is 0.2, the others 0.01; so two of the 23 pairs are 0.002, the others 0.0001."""
    moves = np.full(24, 0.01)
    moves[10] = 0.2
    smooth = np.pi / 2 * (2 * 0.002 + 21 * 0.0001) * 24 / 23
    features = of_closes(*np.exp(np.cumsum([0.0, *moves])))
    np.testing.assert_allclose(plane(features, "jump")[-1], 1 - smooth / (0.04 + 23 * 0.0001))
    even = of_closes(*np.exp(np.cumsum([0.0, *[0.01] * 24])))
    assert plane(even, "jump")[-1] == 0.0  # bipower variation is above the squares, and no share is below 0


def test_time_by_hand() -> None:
    """From Monday, 1 January 2001, on, a bar every six hours."""
    features = compute(random_bars(1, bars=29, minutes=6 * 60))
    np.testing.assert_allclose(plane(features, "time_of_day")[:5, 0], [0, 0.25, 0.5, 0.75, 0])
    days = plane(features, "day_of_week")[:, 1]
    np.testing.assert_allclose(days[[0, 3, 4, 8, 27, 28]], [0, 0, 1 / 6, 2 / 6, 1, 0])


@pytest.mark.parametrize(
    ("minutes", "known"), [(1, True), (720, True), (24 * 60, False), (7 * 24 * 60, False)]
)
def test_time_says_something_only_within_the_day(minutes: int, known: bool) -> None:
    features = compute(random_bars(1, bars=40, minutes=minutes, missing=0.2))
    for name in OF_CLOCK:
        values = plane(features, name)
        assert np.isfinite(values).any() == known
        assert np.isnan(values[np.isnan(plane(features, "range"))]).all()


@given(seed=st.integers(0, 30), stop=st.integers(0, 330))
def test_a_prefix_gives_the_same_bits(seed: int, stop: int) -> None:
    bars = random_bars(seed, missing=0.1, minutes=60 if seed % 2 else 24 * 60)
    np.testing.assert_array_equal(compute(bars.cut(0, stop)).values, compute(bars).values[:stop])


def test_no_unit_of_price_or_volume() -> None:
    bars = random_bars(4)
    scaled = replace(
        bars,
        **{name: getattr(bars, name) * 2.0**-30 for name in ("open", "high", "low", "close")},
        volume=bars.volume * 2.0**20,
    )
    np.testing.assert_array_equal(compute(scaled).values, compute(bars).values)


def test_a_gap_changes_nothing_after_it() -> None:
    whole = random_bars(5)
    holes = np.zeros(whole.shape, np.bool_)
    holes[[3, 100, 101, 102], 0] = True
    fields = {
        n: np.where(holes, np.nan, getattr(whole, n)) for n in ("open", "high", "low", "close", "volume")
    }
    values = compute(replace(whole, **fields)).values
    rows = ~holes[:, 0]
    alone = replace(whole.select(["A"]), time=whole.time[rows], **{n: x[rows, :1] for n, x in fields.items()})
    assert np.isnan(values[holes]).all()
    np.testing.assert_array_equal(values[rows, :1], compute(alone).values)
    np.testing.assert_array_equal(values[:, 1], compute(whole).values[:, 1])


def test_without_volume_only_its_ratio_is_unknown() -> None:
    bars = random_bars(6)
    features = compute(replace(bars, volume=np.full(bars.shape, np.nan)))
    unknown = {name for name in NAMES if np.isnan(plane(features, name)).all()}
    assert unknown == {"volume_ratio"} | OF_CLOCK


def test_constant_prices_raise_nothing_and_claim_nothing() -> None:
    bars = random_bars(7)
    flat = np.full(bars.shape, 0.1)
    features = compute(replace(bars, open=flat, high=flat, low=flat, close=flat, volume=flat * 0))
    last = dict(zip(NAMES, features.values[-1, 0], strict=True))
    undefined = {"rsi_14", "bollinger_position", "volume_ratio", "trend_strength", "jump"} | OF_CLOCK
    assert {name for name, value in last.items() if np.isnan(value)} == undefined
    assert last["volatility_percentile"] == 0.5
    zero = set(NAMES) - undefined - {"volatility_percentile"}
    assert all(abs(last[name]) < 1e-15 for name in zero)


def test_cut_is_a_view() -> None:
    features = compute(random_bars(8))
    part = features.cut(10, 20)
    assert part.names == features.names
    assert part.values.base is not None
    np.testing.assert_array_equal(part.values, features.values[10:20])
