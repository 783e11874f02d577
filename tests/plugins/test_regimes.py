"""The rules on trend and volatility, against a plain loop and by hand."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from windtunnel.bars import Bars
from windtunnel.market import Market
from windtunnel_plugins.regimes import TrendVolatility
from windtunnel_plugins.regimes._dwell import settle
from windtunnel_plugins.regimes._naming import NAMES

Panel = Callable[..., Bars]
MODEL = TrendVolatility(trend=5, slope=3, volatility=4, lookback=10, quantile=0.8, dwell=3)


def names(model: TrendVolatility, bars: Bars, column: int = 0) -> list[str | None]:
    regimes = model.predict(Market(bars), None)
    assert regimes.names == NAMES
    return [None if code < 0 else NAMES[code] for code in regimes.codes[:, column]]


def by_loop(model: TrendVolatility, close: np.ndarray) -> list[str | None]:
    """The same rules, one bar at a time."""
    returns = np.diff(np.log(close), prepend=np.nan)
    found: list[str | None] = []
    for bar in range(len(close)):
        label = None
        if bar >= model.warmup:
            mean = close[bar - model.trend + 1 : bar + 1].mean()
            before = close[bar - model.slope - model.trend + 1 : bar - model.slope + 1].mean()
            volatility = [
                returns[day - model.volatility + 1 : day + 1].std(ddof=1)
                for day in range(bar - model.lookback + 1, bar + 1)
            ]
            if volatility[-1] > np.quantile(volatility, model.quantile):
                label = "high_volatility"
            elif close[bar] > mean > before:
                label = "trending_bullish"
            elif close[bar] < mean < before:
                label = "trending_bearish"
            else:
                label = "ranging"
        stood = len(found) - max((day for day in range(1, bar) if found[day] != found[day - 1]), default=0)
        keeps = bool(found) and found[-1] is not None and stood < model.dwell
        found.append(found[-1] if keeps else label)
    return found


def test_agrees_with_the_plain_loop(rough: Bars) -> None:
    expected = by_loop(MODEL, rough.close[:, 0])
    assert names(MODEL, rough) == expected
    assert set(expected) == {None, *NAMES}


@pytest.mark.parametrize(
    ("drift", "regime"), [(0.01, "trending_bullish"), (-0.01, "trending_bearish"), (0.0, "ranging")]
)
def test_names_a_plain_trend(drift: float, regime: str, panel: Panel) -> None:
    wiggle = np.where(np.arange(80) % 2, 0.002, -0.002)
    close = 100 * np.exp(drift * np.arange(80) + wiggle)
    calm = TrendVolatility(trend=6, slope=4, volatility=4, lookback=10, quantile=0.99, dwell=1)
    labels = names(calm, panel(close))
    assert set(labels[: calm.warmup]) == {None}
    assert labels.count(regime) > 0.8 * (80 - calm.warmup)


def test_a_burst_is_high_volatility_until_it_is_usual(panel: Panel) -> None:
    returns = np.where(np.arange(120) % 2, 0.001, -0.001)
    returns[60:] *= 30
    model = TrendVolatility(trend=5, slope=3, volatility=5, lookback=30, quantile=0.8, dwell=2)
    labels = names(model, panel(100 * np.exp(np.cumsum(returns))))
    assert "high_volatility" not in labels[model.warmup : 60]
    assert labels[62] == "high_volatility"
    assert "high_volatility" not in labels[95:]


def test_probabilities_are_certain_or_unknown(rough: Bars) -> None:
    probabilities = MODEL.predict(Market(rough), None).probabilities
    assert probabilities.shape == (*rough.shape, 4)
    unknown = np.isnan(probabilities)
    assert (unknown.all(axis=2) | ~unknown.any(axis=2)).all()
    known = probabilities[~unknown.any(axis=2)]
    assert set(np.unique(known)) == {0.0, 1.0}
    assert (known.sum(axis=1) == 1).all()
    assert unknown[~rough.present].all()


def test_does_not_learn() -> None:
    assert not MODEL.learns


@given(st.lists(st.integers(0, 3), max_size=60), st.integers(0, 9), st.integers(1, 6))
def test_a_regime_stands_for_its_dwell_and_no_longer_than_the_rules_say(
    codes: list[int], warmup: int, dwell: int
) -> None:
    raw = [-1] * warmup + codes
    settled = settle(np.array(raw, np.int64), dwell).tolist()
    assert settled[: warmup + 1] == raw[: warmup + 1]
    changes = [bar for bar in range(1, len(raw)) if settled[bar] != settled[bar - 1]]
    assert all(later - earlier >= dwell for earlier, later in pairwise(changes))
    for bar in range(warmup + 1, len(raw)):
        stood = bar - max((change for change in changes if change <= bar), default=0)
        assert settled[bar] == raw[bar] or 0 < stood < dwell
