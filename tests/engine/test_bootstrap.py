"""The stationary bootstrap against its own theory, and the block length against arch."""

from __future__ import annotations

import numpy as np
import pytest

from windtunnel.engine.bootstrap import optimal_block_length, resampled_sums
from windtunnel.values import FloatArray


def autoregression(count: int, coefficient: float, seed: int) -> FloatArray:
    noise = np.random.default_rng(seed).normal(size=count)
    for bar in range(1, count):
        noise[bar] += coefficient * noise[bar - 1]
    return noise


def variance_of_the_mean(values: FloatArray, block_length: float) -> float:
    """Variance of a resampled mean, exactly, as Politis and Romano (1994) derive it."""
    count, centred = len(values), values - values.mean()
    lags, stay = np.arange(1, count), 1 - 1 / block_length
    covariance = np.array([centred[lag:] @ centred[: count - lag] for lag in range(count)]) / count
    weight = (1 - lags / count) * stay**lags + lags / count * stay ** (count - lags)
    return float(covariance[0] + 2 * weight @ covariance[1:]) / count


@pytest.mark.parametrize("block_length", [1.0, 1.5, 3.0, 12.0, 80.0])
def test_resampled_means_have_the_moments_of_the_theory(block_length: float) -> None:
    values = autoregression(120, 0.6, seed=4)
    means = resampled_sums(values[:, None], block_length, 40_000, seed=1)[:, 0] / 120
    expected = variance_of_the_mean(values, block_length)
    assert means.var() == pytest.approx(expected, rel=0.03)
    assert means.mean() == pytest.approx(values.mean(), abs=4 * (expected / 40_000) ** 0.5)


@pytest.mark.parametrize("block_length", [1.0, 2.5, 400.0])
def test_every_sample_has_as_many_rows_as_the_data(block_length: float) -> None:
    columns = np.column_stack((np.ones(97), np.arange(97.0)))
    sums = resampled_sums(columns, block_length, 500, seed=3)
    assert (sums[:, 0] == 97).all()
    assert (sums[:, 1] % 1 == 0).all(), "whole rows only"
    assert len(set(sums[:, 1])) > 50


def test_columns_are_resampled_together() -> None:
    values = autoregression(200, 0.3, seed=5)
    sums = resampled_sums(np.column_stack((values, 2 * values)), 6.0, 300, seed=2)
    np.testing.assert_allclose(sums[:, 1], 2 * sums[:, 0], rtol=0, atol=1e-11)


def test_the_seed_decides() -> None:
    values = autoregression(3_000, 0.2, seed=6)[:, None]
    first, again, other = (resampled_sums(values, 4.0, 200, seed) for seed in (1, 1, 2))
    assert first.tobytes() == again.tobytes()
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("count", [250, 2_000])
def test_block_length_agrees_with_arch(count: int) -> None:
    """Exactly, but where arch, which divides by the variance of the overlap, stops at another lag."""
    from arch.bootstrap import optimal_block_length as of_arch

    cases = [(coefficient, seed) for coefficient in (-0.5, 0.0, 0.3, 0.8, 0.97) for seed in range(10)]
    ratios = []
    for coefficient, seed in cases:
        values = autoregression(count, coefficient, seed)
        theirs = float(of_arch(values)["stationary"].iloc[0])
        ratios.append(optimal_block_length(values) / max(1.0, theirs))
    off = np.abs(np.array(ratios) - 1)
    assert np.count_nonzero(off < 1e-9) >= 47
    assert off.max() < 0.25


def test_block_length_is_never_under_one_nor_over_its_bound() -> None:
    assert optimal_block_length(np.sin(np.arange(400) / 3)) == 60.0
    lone = np.zeros(100)
    lone[50] = 1.0
    assert optimal_block_length(lone) == 1.0
