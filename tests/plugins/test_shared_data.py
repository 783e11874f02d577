"""Every file of real market data loads, or fails with an error that says where and why."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from source_tables import bars, dataset

from windtunnel.errors import DataError
from windtunnel.plugin import DataSource
from windtunnel_plugins.sources import Arch, Csv, Parquet


@dataclass(frozen=True)
class Case:
    """A file, how it is read, and what comes of it: a number of bars, or a rule and a row."""

    file: str
    expected: int | tuple[str, int | None]
    params: dict[str, Any] = field(default_factory=dict)
    repair: str | dict[str, str] = "none"

    @property
    def label(self) -> str:
        changed = "+".join([*self.params, *([] if self.repair == "none" else ["repair"])])
        return f"{Path(self.file).name}{f' {changed}' if changed else ''}"

    def source(self, shared: Path) -> DataSource:
        kind = Parquet if self.file.endswith(("parquet", "feather")) else Csv
        return kind(path=str(shared / "data" / self.file), **self.params)


INTEREST = {"ignore": ("OpenInterest",)}
ADJUSTED = {"ignore": ("Adj Close",)}
TICKS = {"columns": {"volume": "tick_volume"}}
FEED = {"ignore": ("adj_close", "received")}
NEW_YORK = {"timezone": "America/New_York"}
HEADER = {
    "skip": 1,
    "header": ("Date", "Time", "Open", "High", "Low", "Close", "Volume", "OpenInterest"),
    **INTEREST,
}
NO_BARS = ("missing_column", None)
UNKNOWN = ("unknown_column", None)

CASES = [
    Case("backtrader_samples/2006-01-02-volume-min-001.txt", ("unreadable", 0)),
    Case("backtrader_samples/2006-01-02-volume-min-001.txt", 30_889, HEADER),
    Case("backtrader_samples/2006-day-001.txt", UNKNOWN),
    Case("backtrader_samples/2006-day-001.txt", 255, INTEREST),
    Case("backtrader_samples/2006-min-005.txt", 2_142, INTEREST),
    Case("backtrader_samples/nvda-1999-2014.txt", UNKNOWN),
    Case("backtrader_samples/nvda-1999-2014.txt", 4_012, ADJUSTED),
    Case("backtrader_samples/orcl-1995-2014.txt", 5_036, ADJUSTED),
    Case("backtrader_samples/ticksample.csv", ("duplicate", 22), INTEREST),
    Case("backtrader_samples/ticksample.csv", 134, INTEREST, "keep_last"),
    Case("backtrader_samples/yhoo-1996-2015.txt", 4_965, ADJUSTED),
    Case("crypto_1m_bitfinex/BTCUSD_2015.parquet", 366_710),
    Case("crypto_1m_bitfinex/BTCUSD_2016.parquet", 293_230),
    Case("fx_hourly_ejtrader/EURUSD_d1.csv.gz", UNKNOWN),
    Case("fx_hourly_ejtrader/EURUSD_d1.csv.gz", 2_400, TICKS),
    Case("fx_hourly_ejtrader/EURUSD_h4.csv.gz", 14_400, TICKS),
    Case("fx_hourly_ejtrader/GBPUSD_d1.csv.gz", 2_400, TICKS),
    Case("fx_hourly_ejtrader/GBPUSD_h1.csv.gz", 57_600, TICKS),
    Case("fx_hourly_ejtrader/XAUUSD_h1.csv.gz", 57_600, TICKS),
    Case("mplfinance_samples/SP500_NOV2019_IDay.csv", ("ambiguous_time", 0)),
    Case("mplfinance_samples/SP500_NOV2019_IDay.csv", 1_563, {"time_format": "%m/%d/%Y %H:%M", **NEW_YORK}),
    Case("mplfinance_samples/yahoofinance-AAPL-20040819-20180120.csv", 3_379, ADJUSTED),
    Case("mplfinance_samples/yahoofinance-INTC-19950101-20040412.csv", 2_335, ADJUSTED),
    Case("mplfinance_samples/yahoofinance-SPY-20080101-20180101.csv", ("outside_range", 1_806), ADJUSTED),
    Case("mplfinance_samples/yahoofinance-SPY-20080101-20180101.csv", 2_517, ADJUSTED, "drop"),
    Case("pathological/crypto_1m_sparse/LTCUSD_2013.parquet", 18_645),
    Case("pathological/crypto_1m_sparse/LTCUSD_2016.parquet", 41_250),
    Case("pathological/freqtrade/ADA_BTC-5m.feather", 5_720),
    Case("pathological/freqtrade/NXT_BTC-5m.feather", 5_760),
    Case("pathological/freqtrade/UNITTEST_BTC-1m.feather", 13_681),
    Case("pathological/freqtrade/UNITTEST_BTC-8m.feather", ("unreadable", None)),
    Case("pathological/freqtrade/XRP_ETH-1m.feather", 2_469),
    Case("pathological/freqtrade/XRP_ETH-trades.parquet", NO_BARS),
    Case("pathological/us_daily_illiquid/prices.csv.gz", UNKNOWN),
    Case("pathological/us_daily_illiquid/prices.csv.gz", 12_588, {"ignore": ("adj_close",)}),
    Case("pathological/us_daily_raw_with_revisions/feed.csv.gz", UNKNOWN),
    Case("pathological/us_daily_raw_with_revisions/feed.csv.gz", ("duplicate", 28), FEED),
    Case("pathological/us_daily_raw_with_revisions/feed.csv.gz", 7_182, FEED, "keep_last"),
    Case("sp500_vix_daily/sp500_1985_1998.csv", 3_539, ADJUSTED),
    Case("sp500_vix_daily/sp500_1999_2018.csv", 5_031, ADJUSTED),
    Case("sp500_vix_daily/vix_1990_2018.csv", ("outside_range", 533)),
    Case("sp500_vix_daily/vix_1990_2018.csv", 7_257, repair={"outside_range": "drop"}),
    Case("us_raw_with_factor_files/aapl_daily_raw.csv.gz", 5_849, NEW_YORK),
    Case("us_raw_with_factor_files/aapl_factor_files.csv", NO_BARS),
    Case("us_raw_with_factor_files/aapl_map_files.csv", NO_BARS),
    Case("us_raw_with_factor_files/bac_daily_raw.csv.gz", 5_849),
    Case("us_raw_with_factor_files/bac_factor_files.csv", NO_BARS),
    Case("us_raw_with_factor_files/bac_map_files.csv", NO_BARS),
    Case("us_raw_with_factor_files/spy_daily_raw.csv.gz", 5_849),
    Case("us_raw_with_factor_files/spy_factor_files.csv", ("duplicate_column", None)),
    Case("us_raw_with_factor_files/spy_hour_raw.csv.gz", 40_832, NEW_YORK),
    Case("us_raw_with_factor_files/spy_map_files.csv", NO_BARS),
    Case("us_sp500_daily_2013_2018/prices.parquet", ("missing_price", 82_949)),
    Case(
        "us_sp500_daily_2013_2018/prices.parquet",
        ("high_below_low", 54_261),
        repair={"missing_price": "drop"},
    ),
    Case("us_sp500_daily_2013_2018/prices.parquet", 619_040 - 23, repair="drop"),
    Case("us_sp500_daily_2013_2018/sectors.csv", NO_BARS),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.label)
def test_a_file_loads_or_says_why_not(case: Case, shared: Path) -> None:
    source = case.source(shared)
    if isinstance(case.expected, int):
        assert bars(source, quality={"repair": case.repair}).present.sum() == case.expected
        return
    with pytest.raises(DataError) as caught:
        bars(source, quality={"repair": case.repair})
    assert (caught.value.rule, caught.value.row) == case.expected


def test_no_file_is_forgotten(shared: Path) -> None:
    folder = shared / "data"
    files = {str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()}
    assert {case.file for case in CASES} == {file for file in files if not file.endswith("SOURCE.txt")}


def test_the_same_index_from_a_file_and_from_arch(shared: Path) -> None:
    file = Csv(path=str(shared / "data/sp500_vix_daily/sp500_1999_2018.csv"), **ADJUSTED)
    assert bars(file, symbols=("SP500",)).hash == bars(Arch(), symbols=("SP500",)).hash


def test_revised_rows_differ_by_which_is_kept(shared: Path) -> None:
    source = Csv(path=str(shared / "data/pathological/us_daily_raw_with_revisions/feed.csv.gz"), **FEED)
    first, last = (
        bars(source, quality={"repair": {"duplicate": keep}}) for keep in ("keep_first", "keep_last")
    )
    assert np.array_equal(first.time, last.time)
    assert (first.volume != last.volume).sum() == 918
    assert (first.close != last.close).sum() == 16
    split = last.select(["NFLX"])["2015-07-14":"2015-07-15"].close[:, 0]
    assert split[1] / split[0] == pytest.approx(1 - 0.8603, abs=1e-4)


def test_a_universe_with_sectors(shared: Path) -> None:
    folder = shared / "data/us_sp500_daily_2013_2018"
    source = Parquet(path=str(folder / "prices.parquet"), attributes=folder / "sectors.csv")
    universe = dataset(
        source,
        quality={
            "repair": {"missing_price": "mark_missing", "high_below_low": "drop", "outside_range": "drop"}
        },
    )
    assert universe.bars.shape == (1259, 505)
    assert universe.repairs == {"missing_price": 11, "high_below_low": 1, "outside_range": 11}
    assert universe.attributes["AAPL"]["gics_sector"] == "Information Technology"
    assert set(universe.attributes) == set(universe.bars.symbols)


def test_minutes_of_a_market_with_gaps_become_hours(shared: Path) -> None:
    source = Parquet(path=str(shared / "data/crypto_1m_bitfinex/BTCUSD_2015.parquet"))
    hours = dataset(source, symbols=("BTCUSD",), resample="1h", start="2015-01-01", end="2015-01-31")
    frame = bars(source, symbols=("BTCUSD",), end="2015-01-31").to_frame().set_index("time")
    rules = {"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum"}
    expected = frame.resample("1h").agg(rules).dropna()
    assert hours.resampled_from == len(frame)
    assert hours.bars.time.tolist() == expected.index.tz_localize(None).as_unit("ns").asi8.tolist()
    for name in rules:
        np.testing.assert_allclose(getattr(hours.bars, name)[:, 0], expected[name], rtol=1e-12)
