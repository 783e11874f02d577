"""Rows of stationary bootstrap samples."""

from __future__ import annotations

import numpy as np
import pytest

from windtunnel.optimize.resampling import block_length_of, resampled_rows, times_drawn


def drawn(count: int, length: float, samples: int, seed: int = 0) -> np.ndarray:
    return np.concatenate(list(resampled_rows(count, length, samples, seed)))


@pytest.mark.parametrize("length", [1.0, 4.0, 25.0])
def test_blocks_run_on_for_their_mean_length(length: float) -> None:
    rows = drawn(500, length, 400)
    assert rows.shape == (400, 500)
    follows = (np.diff(rows, axis=1) % 500 == 1).mean()
    assert follows == pytest.approx(1 - 1 / length + 1 / length / 500, abs=0.005)
    counts = np.bincount(rows.ravel(), minlength=500)
    assert counts.min() > 0.5 * 400
    assert counts.max() < 2 * 400


def test_counts_say_how_often_each_row_was_drawn() -> None:
    rows = np.array([[0, 1, 2, 0], [3, 3, 3, 3]])
    np.testing.assert_array_equal(times_drawn(rows), [[2, 1, 1, 0], [0, 0, 0, 4]])
    values = np.random.default_rng(1).normal(size=300)
    some = drawn(300, 6.0, 50)
    np.testing.assert_allclose(times_drawn(some) @ values, values[some].sum(axis=1), atol=1e-12)


def test_the_seed_decides_and_batches_do_not_show() -> None:
    np.testing.assert_array_equal(drawn(200, 3.0, 40, seed=5), drawn(200, 3.0, 40, seed=5))
    assert (drawn(200, 3.0, 40, seed=5) != drawn(200, 3.0, 40, seed=6)).any()
    parts = list(resampled_rows(3_000_000, 10.0, 2, seed=1))
    assert [part.shape for part in parts] == [(1, 3_000_000), (1, 3_000_000)]


def test_short_and_constant_series_have_blocks_of_one() -> None:
    assert block_length_of(np.zeros(500)) == 1.0
    assert block_length_of(np.arange(20.0)) == 1.0
    assert block_length_of(np.sin(np.arange(400) / 30)) > 20.0
