"""Entries and their outcomes, on hand-made bars."""

from __future__ import annotations

import numpy as np
import pytest

from windtunnel.bars import Bars
from windtunnel.learn import Barriers, barrier_outcomes, entries
from windtunnel.market import Market
from windtunnel.values import Rules, SignalFeatures

NAN = float("nan")


def test_entries_open_or_flip() -> None:
    exposure = np.array([[0, 1, 1, -1, -1, 0, NAN, 0.5]], dtype=float).T
    present = np.ones((8, 1), np.bool_)
    assert np.flatnonzero(entries(exposure, present)).tolist() == [1, 3, 7]


def test_an_entry_on_the_first_bar_counts_and_missing_bars_do_not() -> None:
    present = np.array([[True, False, True, True]]).T
    exposure = np.array([[True, False, True, False]]).T
    assert np.flatnonzero(entries(exposure, present)).tolist() == [0]


class Steady(Market):
    """A market whose volatility is what the test says."""

    def rolling_volatility(self, window: int) -> np.ndarray:
        return np.full(self.shape, 0.1 * np.sqrt(self.periods_per_year))


def signal(bar: int, direction: int = 1) -> SignalFeatures:
    one = np.array([bar])
    return SignalFeatures((), np.empty((1, 0)), one, np.array([0]), np.array([direction]))


def bars(open_: list[float], high: list[float], low: list[float], close: list[float]) -> Bars:
    time = np.datetime64("2020-01-01") + np.arange(len(close))
    return Bars.from_arrays(time, close, open=open_, high=high, low=low)


FLAT = [100.0] * 6


@pytest.mark.parametrize(
    ("high", "low", "direction", "known", "returns"),
    [
        ([100, 100, 100, 125, 100, 100], FLAT, 1, 3, 0.2),  # 100 × (1 + 0.1 × √4) is touched on bar 3
        (FLAT, [100, 100, 75, 100, 100, 100], 1, 2, -0.2),
        ([100, 100, 125, 100, 100, 100], [100, 100, 75, 100, 100, 100], 1, 2, -0.2),  # both: the stop first
        (FLAT, [100, 100, 75, 100, 100, 100], -1, 2, 0.2),
        (FLAT, FLAT, 1, 5, 0.0),  # neither: as it stands after the horizon
    ],
)
def test_triple_barrier(
    high: list[float], low: list[float], direction: int, known: int, returns: float
) -> None:
    market = Steady(bars(FLAT, high, low, FLAT))
    barriers = Barriers(target=1.0, stop=1.0, horizon=4)
    ended = barrier_outcomes(market, signal(1, direction), barriers, Rules())
    assert ended.known.tolist() == [known]
    assert ended.returns[0] == pytest.approx(returns)
    assert ended.won[0] == (returns > 0)


def test_costs_count_and_an_unfinished_outcome_is_unknown() -> None:
    market = Steady(bars(FLAT, FLAT, FLAT, FLAT))
    ended = barrier_outcomes(market, signal(1), Barriers(1.0, 1.0, 4), Rules(fees=0.01, slippage=0.005))
    assert ended.returns[0] == pytest.approx(-0.03)
    unfinished = barrier_outcomes(market, signal(2), Barriers(1.0, 1.0, 4), Rules())
    assert unfinished.known.tolist() == [6]
    assert np.isnan(unfinished.returns[0])


def test_an_open_beyond_the_barrier_is_the_price() -> None:
    market = Steady(
        bars([100, 100, 100, 70, 70, 70], FLAT, [100, 100, 100, 70, 70, 70], [100, 100, 100, 70, 70, 70])
    )
    ended = barrier_outcomes(market, signal(1), Barriers(1.0, 1.0, 3), Rules())
    assert ended.returns[0] == pytest.approx(-0.3)
