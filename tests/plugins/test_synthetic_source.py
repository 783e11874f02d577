"""Prices whose truth is known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError
from source_tables import bars, dataset

from windtunnel_plugins.sources import Synthetic


def test_synthetic_bars_are_the_same_for_the_same_seed() -> None:
    one = bars(Synthetic(seed=3, bars=500))
    assert one.hash == bars(Synthetic(seed=3, bars=500)).hash
    assert one.hash != bars(Synthetic(seed=4, bars=500)).hash
    more = bars(Synthetic(seed=3, bars=500, assets=3))
    assert more.symbols == ("S1", "S2", "S3")
    assert more.select(["S1"]).hash == one.hash
    assert (np.unique((more.time.astype("datetime64[D]").astype(int) + 3) % 7) < 5).all()


def test_synthetic_bars_are_sound_and_continuous() -> None:
    made = bars(Synthetic(assets=2, bars=2000, first="2000-01-01"))
    assert (made.open[1:] == made.close[:-1]).all()
    assert (made.high >= np.maximum(made.open, made.close)).all()
    assert (made.low <= np.minimum(made.open, made.close)).all()
    assert str(made.time[0]).startswith("2000-01-03")


def test_gbm_has_the_drift_and_volatility_stated() -> None:
    """Over n days the mean return is known to volatility ÷ √(n ÷ 252), the volatility to itself ÷ √(2n)."""
    made = bars(Synthetic(process="gbm", bars=50_000, drift=0.3, volatility=0.2, price=50))
    returns = np.diff(np.log(np.concatenate(([50.0], made.close[:, 0]))))
    assert returns.std() * np.sqrt(252) == pytest.approx(0.2, abs=4 * 0.2 / np.sqrt(100_000))
    assert returns.mean() * 252 == pytest.approx(0.3 - 0.02, abs=4 * 0.2 / np.sqrt(50_000 / 252))
    # Parkinson's estimator needs high and low; drawn apart they widen the range by about 1 %.
    ranges = np.log(made.high / made.low)
    assert np.sqrt((ranges**2).mean() / (4 * np.log(2)) * 252) == pytest.approx(0.2, rel=0.03)


def test_regimes_have_their_volatility_drift_and_dwell() -> None:
    made = dataset(Synthetic(assets=20, bars=5000, dwell=60.0))
    assert made.truth is not None
    labels = made.truth["regimes"]
    assert labels.index.tolist() == pd.DatetimeIndex(made.bars.time).tolist()
    returns = np.diff(np.log(np.vstack((np.full(20, 100.0), made.bars.close))), axis=0)
    expected = {"trending_bullish": (0.25, 0.12), "trending_bearish": (-0.3, 0.22)}
    expected |= {"ranging": (0.0, 0.12), "high_volatility": (0.0, 0.4)}
    for name, (drift, volatility) in expected.items():
        part = returns[labels.to_numpy() == name]
        assert 20_000 < len(part) < 30_000
        assert part.std() * np.sqrt(252) == pytest.approx(volatility, rel=0.02)
        slack = 4 * volatility / np.sqrt(len(part) / 252)
        assert part.mean() * 252 == pytest.approx(drift - volatility**2 / 2, abs=slack)
    changes = (labels.to_numpy()[1:] != labels.to_numpy()[:-1]).sum()
    assert 100_000 / changes == pytest.approx(60, rel=0.1)
    assert set(dataset(Synthetic(process="gbm")).truth or {}) == {"patterns"}


def test_planted_patterns_are_the_difference_to_the_same_walk_without() -> None:
    plain = dataset(Synthetic(process="gbm", bars=2000))
    planted = dataset(Synthetic(process="gbm", bars=2000, patterns=20, amplitude=3.0))
    assert planted.truth is not None
    table = planted.truth["patterns"]
    assert len(table) == 20
    time = planted.bars.time.tolist()
    added = np.diff(np.log(planted.bars.close[:, 0] / plain.bars.close[:, 0]), prepend=0.0)
    inside = np.zeros(2000, bool)
    for row in table.itertuples():
        first, last = (time.index(moment.as_unit("ns").value) for moment in (row.first, row.last))
        assert 30 <= last - first + 1 <= 60
        path = np.cumsum(added[first + 1 : last + 1])
        height = 3.0 * 0.2 * np.sqrt(20 / 252)
        assert np.abs(path).max() == pytest.approx(
            height * (1.5 if "triangle" in row.type else 1.4 if "flag" in row.type else 1.0), rel=0.12
        )
        assert np.sign(path[-1] - path[int(len(path) * 0.75)]) == row.direction
        assert not inside[first : last + 1].any()
        inside[first : last + 1] = True
    assert np.abs(added[~inside]).max() < 1e-12


@pytest.mark.parametrize(
    "params",
    [{"bars": 100, "patterns": 2}, {"first": "soon"}, {"process": "levy"}, {"dwell": 0.5}, {"volatility": 0}],
)
def test_impossible_worlds_are_refused(params: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Synthetic.from_params(params)
