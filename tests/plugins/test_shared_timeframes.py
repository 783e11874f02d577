"""Longer timeframes on real bars: half-days, sparse minutes, days without trades, listings."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from source_tables import bars as load

from windtunnel.bars import Bars
from windtunnel.market import Market
from windtunnel.readings import Readings
from windtunnel.resampling import resample
from windtunnel_plugins.sources import Csv, Parquet

CALLS: tuple[Callable[[Readings], np.ndarray], ...] = (
    lambda at: at.close,
    lambda at: at.volume,
    lambda at: at.sma(3),
    lambda at: at.rolling_volatility(5),
    lambda at: at.atr(3),
    lambda at: at.lag(at.close, 2),
    lambda at: at.candle("doji"),
)


def real(shared: Path, name: str) -> Bars:
    folder = shared / "data"
    if name == "spy_hours":
        source = Csv(
            path=str(folder / "us_raw_with_factor_files/spy_hour_raw.csv.gz"), timezone="America/New_York"
        )
        return load(source, start="2019-06", end="2020-03")
    if name == "litecoin_minutes":
        return load(Parquet(path=str(folder / "pathological/crypto_1m_sparse/LTCUSD_2013.parquet"))).cut(
            0, 6000
        )
    if name == "illiquid_days":
        file = folder / "pathological/us_daily_illiquid/prices.csv.gz"
        return load(Csv(path=str(file), ignore=("adj_close",)))
    repair = {"missing_price": "mark_missing", "high_below_low": "drop", "outside_range": "drop"}
    late = ("AAPL", "BHF", "FTV", "HPE", "KHC", "QRVO", "DXC", "APTV")
    source = Parquet(path=str(folder / "us_sp500_daily_2013_2018/prices.parquet"))
    return load(source, symbols=late, quality={"repair": repair})


@pytest.mark.parametrize(
    ("name", "timeframes"),
    [
        ("spy_hours", ("1h", "4h", "1d", "1w")),
        ("litecoin_minutes", ("5m", "1h", "1d")),
        ("illiquid_days", ("1d", "1w", "1M")),
        ("late_starts", ("1d", "1w", "1M")),
    ],
)
def test_real_bars_see_what_had_closed(name: str, timeframes: tuple[str, ...], shared: Path) -> None:
    """Half-days, sparse minutes, days without trades, listings: any cut gives the same past."""
    bars = real(shared, name)
    market = Market(bars)
    random = np.random.default_rng(1)
    cuts = sorted({1, 2, *random.integers(3, len(bars), 12).tolist()})
    for timeframe in timeframes:
        at = market.at(timeframe)
        for cut in cuts:
            fresh = Market(bars.cut(0, cut)).at(timeframe)
            longer = resample(bars.cut(0, cut), timeframe)
            if len(longer) > 1:
                np.testing.assert_array_equal(at.close[cut - 1], longer.close[-2])
            for call in CALLS:
                np.testing.assert_array_equal(call(fresh), call(at)[:cut])


def test_half_days_and_holidays_of_a_real_exchange(shared: Path) -> None:
    """28 November 2019 is Thanksgiving, the 29th ends at 13:00; Monday is the first to know of it."""
    bars = real(shared, "spy_hours")
    daily = Market(bars).at("1d")
    day = bars.local_time.astype("datetime64[D]").astype(str)
    for seen, known in (
        ("2019-11-27", "2019-11-26"),
        ("2019-11-29", "2019-11-27"),
        ("2019-12-02", "2019-11-29"),
    ):
        expected = bars.close[day == known][-1, 0]
        assert (daily.close[day == seen, 0] == expected).all()


def test_a_listing_in_the_middle_of_a_week(shared: Path) -> None:
    """KHC trades from Monday, 6 July 2015; its first week is known on the 13th."""
    bars = real(shared, "late_starts")
    weekly = Market(bars).at("1w")
    column = bars.column("KHC")
    known = np.flatnonzero(~np.isnan(weekly.close[:, column]))
    assert str(bars.time[known[0]].astype("datetime64[D]")) == "2015-07-13"
    first = np.flatnonzero(bars.present[:, column])[0]
    assert weekly.open[known[0], column] == bars.open[first, column]
    assert np.isnan(weekly.sma(3)[known[0] + 9, column])
    assert weekly.sma(3)[known[0] + 10, column] == pytest.approx(
        weekly.close[known[0] + np.array([0, 5, 10]), column].mean()
    )
