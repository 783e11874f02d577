"""How many different things were tried."""

from __future__ import annotations

import numpy as np
import pytest

from windtunnel.optimize.clustering import effective_trials


def families(sizes: list[int], seed: int, own: float = 0.4, bars: int = 500) -> np.ndarray:
    random = np.random.default_rng(seed)
    return np.concatenate(
        [random.normal(size=(bars, 1)) + own * random.normal(size=(bars, size)) for size in sizes], axis=1
    )


@pytest.mark.parametrize("sizes", [[10, 10], [12, 8, 20], [8] * 6])
def test_families_of_trials_are_counted(sizes: list[int]) -> None:
    returns = families(sizes, seed=len(sizes))
    assert effective_trials(returns, seed=1) == len(sizes)
    mixed = np.random.default_rng(0).permutation(returns.shape[1])
    assert effective_trials(returns[:, mixed], seed=1) == len(sizes)


def test_the_same_trial_again_is_none() -> None:
    returns = families([1, 1, 1, 1], seed=2)
    assert effective_trials(np.repeat(returns[:, :1], 9, axis=1), seed=1) == 1
    assert effective_trials(np.repeat(returns[:, :2], 9, axis=1), seed=1) == 2
    again = effective_trials(np.concatenate((returns, 2 * returns), axis=1), seed=1)
    assert again == effective_trials(returns, seed=1)


def test_few_and_still_ones() -> None:
    returns = families([1, 1, 1], seed=3)
    assert [effective_trials(returns[:, :count], seed=1) for count in (0, 1, 2, 3)] == [0, 1, 2, 3]
    assert effective_trials(np.concatenate((returns, np.zeros((500, 2))), axis=1), seed=1) == 4
    assert effective_trials(np.zeros((500, 3)), seed=1) == 1


def test_the_seed_decides() -> None:
    returns = np.random.default_rng(4).normal(size=(100, 20))
    assert effective_trials(returns, seed=1) == effective_trials(returns, seed=1)
    assert 1 <= effective_trials(returns, seed=1) <= 20
