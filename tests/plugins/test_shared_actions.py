"""Real raw prices with the factors that adjust them, turned into dividends and splits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from source_tables import bars as load

from windtunnel.bars import Bars
from windtunnel.market import Market
from windtunnel.resampling import resample
from windtunnel_plugins.sources import Csv

ZONE = "America/New_York"


def factors(shared: Path, symbol: str) -> pd.DataFrame:
    file = shared / f"data/us_raw_with_factor_files/{symbol}_factor_files.csv"
    return pd.read_csv(file, names=["date", "price", "split", "reference"], parse_dates=["date"])


def actions_of(table: pd.DataFrame) -> pd.DataFrame:
    """A row of factors holds to the end of its day: what changes them takes effect on the next."""
    following = table.shift(-1)
    return pd.DataFrame(
        {
            "time": table["date"] + pd.Timedelta(days=1),
            "dividend": table["reference"] * (1 - table["price"] / following["price"]),
            "split": following["split"] / table["split"],
        }
    ).iloc[:-1]


def raw(
    shared: Path, tmp_path: Path, symbol: str, *, kind: str = "daily", ending: str = "csv", **section: str
) -> Bars:
    file = tmp_path / f"{symbol}_actions.{ending}"
    actions = actions_of(factors(shared, symbol))
    if ending == "csv":
        actions.to_csv(file, index=False)
    else:
        actions.to_parquet(file)
    folder = shared / "data/us_raw_with_factor_files"
    return load(Csv(path=str(folder / f"{symbol}_{kind}_raw.csv.gz"), timezone=ZONE, actions=file), **section)


def days(bars: Bars) -> list[str]:
    return bars.local_time.astype("datetime64[D]").astype(str).tolist()


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_splits_land_on_their_days(shared: Path, tmp_path: Path, ending: str) -> None:
    bars = raw(shared, tmp_path, "aapl", ending=ending)
    actions = bars.actions
    assert actions is not None
    split = actions.split != 1
    found = {
        days(bars)[bar]: size for bar, size in zip(actions.bar[split], actions.split[split], strict=True)
    }
    assert found == {
        "2000-06-21": pytest.approx(2, rel=1e-5),
        "2005-02-28": pytest.approx(2, rel=1e-5),
        "2014-06-09": pytest.approx(7, rel=1e-5),
        "2020-08-31": 4,
    }
    paid = {days(bars)[bar]: cash for bar, cash in zip(actions.bar, actions.dividend, strict=True) if cash}
    assert paid["2014-08-07"] == pytest.approx(0.47, abs=0.001)
    assert len(paid) == 35


@pytest.mark.parametrize("symbol", ["aapl", "bac", "spy"])
def test_returns_with_actions_are_those_of_adjusted_prices(shared: Path, tmp_path: Path, symbol: str) -> None:
    bars = raw(shared, tmp_path, symbol)
    close, actions, table = bars.close[:, 0], bars.actions, factors(shared, symbol)
    assert actions is not None
    dividend, split = np.zeros(len(bars)), np.ones(len(bars))
    dividend[actions.bar], split[actions.bar] = actions.dividend, actions.split
    held = (close + dividend)[1:] * split[1:] / close[:-1] - 1
    row = np.searchsorted(table["date"].to_numpy(), bars.local_time)
    adjusted = close * (table["price"] * table["split"]).to_numpy()[row]
    np.testing.assert_allclose(held, np.diff(adjusted) / adjusted[:-1], atol=2e-3)
    assert np.abs(np.diff(close) / close[:-1]).max() > 0.7 or symbol != "aapl"


def test_a_split_inside_a_week_leaves_no_jump_in_it(shared: Path, tmp_path: Path) -> None:
    """A month's bar that holds the 4:1 of 31 August 2020 is in the new units from its open on."""
    bars = raw(shared, tmp_path, "aapl", start="2020-07", end="2020-10")
    months = resample(bars, "1M")
    august = days(months).index("2020-08-01")
    assert months.open[august, 0] == bars.open[days(bars).index("2020-08-03"), 0] / 4
    assert months.high[august, 0] < 135
    assert months.actions is not None
    assert months.actions.bar.tolist() == [august]
    assert months.actions.split.tolist() == [4]
    assert months.actions.dividend[0] == pytest.approx(0.82 / 4, abs=0.001)


def test_hours_know_their_actions_and_their_days(shared: Path, tmp_path: Path) -> None:
    """An ex-date is midnight; the first hour of the session takes it."""
    hours = raw(shared, tmp_path, "spy", kind="hour", start="2020-11", end="2021-03")
    assert hours.actions is not None
    assert days(hours)[hours.actions.bar[0]] == "2020-12-18"
    assert str(hours.local_time[hours.actions.bar[0]])[11:13] == "09"
    daily = Market(hours).at("1d").close
    assert daily[hours.actions.bar[0], 0] == hours.close[hours.actions.bar[0] - 1, 0]


def test_the_fingerprint_is_of_the_file(shared: Path, tmp_path: Path) -> None:
    raw(shared, tmp_path, "bac")
    file = tmp_path / "bac_actions.csv"
    source = Csv(path="prices.csv", actions=file)
    before = source.fingerprint
    file.write_text(file.read_text().replace("1998-03-04", "1998-03-05"))
    assert before
    assert source.fingerprint != before
