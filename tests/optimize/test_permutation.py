"""The rotation test, against its own definition."""

from __future__ import annotations

from math import isnan

import numpy as np
import pytest

from windtunnel.optimize.permutation import rotation_test


def brute(weights: np.ndarray, returns: np.ndarray) -> float:
    held, came = weights[:-1], returns[1:]
    earned = [(held * np.roll(came, -shift, axis=0)).sum() for shift in range(len(held))]
    return float(np.mean([one >= earned[0] - 1e-12 for one in earned]))


@pytest.mark.parametrize("symbols", [1, 3])
def test_every_rotation_counts(symbols: int) -> None:
    random = np.random.default_rng(symbols)
    for bars in (20, 33):
        returns = random.normal(0, 0.01, (bars, symbols))
        weights = np.repeat(random.choice([-1.0, 0.0, 1.0], (bars // 3 + 1, symbols)), 3, axis=0)[:bars]
        assert rotation_test(weights, returns) == pytest.approx(brute(weights, returns), abs=1e-12)


def test_by_hand() -> None:
    returns = np.array([[0.5], [0.01], [-0.01], [0.02], [-0.02]])
    weights = np.array([[1.0], [0.0], [1.0], [0.0], [9.0]])
    assert rotation_test(weights, returns) == 0.5
    assert rotation_test(np.array([[0.0], [0.0], [1.0], [0.0], [9.0]]), returns) == 0.25


def test_holding_through_all_bars_has_no_timing() -> None:
    returns = np.random.default_rng(1).normal(0.01, 0.01, (400, 2))
    assert rotation_test(np.full((400, 2), [0.3, 0.7]), returns) == 1.0


def test_foresight_is_as_rare_as_can_be_and_drift_is_none() -> None:
    random = np.random.default_rng(2)
    returns = random.normal(0.002, 0.01, (500, 1))
    foresight = np.zeros_like(returns)
    foresight[:-1] = returns[1:] > 0
    assert rotation_test(foresight, returns) == 1 / 499
    chances = [rotation_test((random.random((500, 1)) < 0.5) * 1.0, returns) for _ in range(200)]
    assert 0.01 < np.mean(np.array(chances) <= 0.1) < 0.18


def test_gaps_count_as_nothing_and_nothing_held_says_nothing() -> None:
    random = np.random.default_rng(3)
    returns, weights = random.normal(size=(50, 2)), random.random((50, 2))
    gone_weights, gone_returns = weights.copy(), returns.copy()
    gone_weights[4:9, 0], gone_returns[20:30, 1] = np.nan, np.nan
    filled = rotation_test(np.nan_to_num(gone_weights), np.nan_to_num(gone_returns))
    assert rotation_test(gone_weights, gone_returns) == filled
    assert isnan(rotation_test(np.zeros((50, 2)), returns))
    assert isnan(rotation_test(weights[:2], returns[:2]))
