"""Tests of many trials against the benchmark, against arch and against what must come out."""

from __future__ import annotations

from math import inf, sqrt

import numpy as np
import pytest

from windtunnel.engine.metrics.returns import sharpe
from windtunnel.optimize.reality import Advantage, Reality, Resampled, advantage, contributions


def noise(bars: int, trials: int, seed: int, common: float = 0.5) -> np.ndarray:
    random = np.random.default_rng(seed)
    return 0.01 * (common * random.normal(size=(bars, 1)) + random.normal(size=(bars, trials)))


def checked(returns: np.ndarray, held: np.ndarray | None = None, **given: float) -> Reality:
    settings = {"block_length": 5.0, "seed": 3, **given}
    return Resampled.of([returns], held, **settings).against()


def test_contributions_add_up_to_the_difference_of_sharpe_ratios() -> None:
    returns, held = noise(300, 4, seed=1) + 0.001, noise(300, 1, seed=2)[:, 0]
    own = [sharpe(column, 1) for column in returns.T]
    scale = sqrt(299 / 300)
    np.testing.assert_allclose(contributions(returns).mean(axis=0) * scale, own, rtol=1e-12)
    difference = contributions(returns, held).mean(axis=0) * scale
    np.testing.assert_allclose(difference, np.array(own) - sharpe(held, 1), rtol=1e-9)


def test_by_hand_a_contribution() -> None:
    column = contributions(np.array([[0.0], [0.02]]))[:, 0]
    np.testing.assert_allclose(column, [0.0, 2.0])
    np.testing.assert_array_equal(contributions(np.zeros((5, 2))), 0.0)


def test_the_error_is_that_of_a_sharpe_ratio() -> None:
    returns = np.random.default_rng(4).normal(0.001, 0.01, 4000)
    found = advantage(returns, None, seed=1)
    assert found.error == pytest.approx(sqrt((1 + found.sharpe**2 / 2) / 4000), rel=0.08)
    assert found.statistic == pytest.approx(found.sharpe / found.error)
    assert 0 < found.chance < 0.001


def test_more_of_the_same_is_no_advantage() -> None:
    held = noise(500, 1, seed=5)[:, 0] + 0.002
    found = advantage(held / 2, held, seed=1)
    assert found.sharpe == pytest.approx(0.0, abs=1e-12)
    assert found.statistic == -inf
    assert found.chance == 1.0
    assert advantage(held / 2, None, seed=1).chance < 0.01
    assert Advantage(0.1, 0.05).statistic == 2.0


def scaled(returns: np.ndarray, length: float) -> np.ndarray:
    """Contributions in standard errors, which arch leaves to its user."""
    parts = contributions(returns)
    error = Resampled.of([returns], None, block_length=length, seed=9, samples=2000).draws.std(axis=0)
    return parts / error / sqrt(len(parts))


@pytest.mark.parametrize(("shift", "seed"), [(0.0, 1), (0.0, 2), (0.0012, 3), (-0.002, 4)])
def test_p_values_agree_with_arch(shift: float, seed: int) -> None:
    from arch.bootstrap import SPA

    returns = noise(400, 15, seed)
    returns[:, :5] -= 0.001
    returns[:, 7] += shift
    ours = checked(returns, samples=2000)
    theirs = SPA(np.zeros(400), -scaled(returns, 5.0), block_size=5, reps=1500, seed=1)
    theirs.compute()
    found = [ours.lower, ours.consistent, ours.upper]
    np.testing.assert_allclose(found, theirs.pvalues.to_numpy(), atol=0.045)
    assert ours.lower <= ours.consistent <= ours.upper
    plain = SPA(np.zeros(400), -contributions(returns), block_size=5, reps=1500, seed=1)
    plain.compute()
    assert ours.white == pytest.approx(plain.pvalues["upper"], abs=0.045)


def test_stepwise_agrees_with_arch() -> None:
    from arch.bootstrap import StepM

    returns = noise(600, 12, seed=8)
    returns[:, [2, 5]] += 0.0025
    returns[:, 9] += 0.0016
    ours = checked(returns, samples=2000)
    theirs = StepM(np.zeros(600), -scaled(returns, 5.0), block_size=5, reps=1500, seed=1)
    theirs.compute()
    assert ours.superior.tolist() == theirs.superior_models == [2, 5, 9]


def test_the_stepwise_test_lowers_its_bar_as_trials_are_found() -> None:
    found = checked(noise(400, 30, seed=2) + np.where(np.arange(30) < 20, 0.004, 0.0))
    assert set(range(20)) <= set(found.superior.tolist())
    assert not len(checked(noise(400, 30, seed=2)).superior)


def test_parts_do_not_change_the_tests() -> None:
    returns, held = noise(300, 9, seed=6), noise(300, 1, seed=7)[:, 0]
    given = {"block_length": 3.0, "seed": 1, "samples": 300}
    whole = Resampled.of([returns], held, **given)
    cut = Resampled.of([returns[:, :4], returns[:, 4:]], held, **given)
    np.testing.assert_allclose(cut.draws, whole.draws, atol=1e-15)
    assert cut.against().consistent == whole.against().consistent
    assert whole.against(cash=True).consistent == checked(returns, **given).consistent


def test_noise_is_rarely_found() -> None:
    chances = [checked(noise(300, 20, seed), samples=199, block_length=1.0).consistent for seed in range(150)]
    assert np.mean(np.array(chances) <= 0.1) <= 0.17
    assert np.mean(np.array(chances) <= 0.5) > 0.25


def test_a_chance_is_never_nothing_and_what_never_traded_is_not_lucky() -> None:
    returns = noise(200, 3, seed=1)
    returns[:, 1] = 0.0
    found = checked(returns, samples=99)
    assert found.chance(100.0) == 1 / 100
    assert found.chance(-inf) == 1.0
    assert found.statistics[1] == -inf
    assert np.isfinite(found.luckiest).all()
    still = checked(np.zeros((200, 2)), samples=99)
    assert still.consistent == still.white == 1.0
    assert not len(still.superior)
