"""Losses, tests and coverage, computed by hand or held to another implementation."""

from __future__ import annotations

from math import isnan, log, sqrt

import numpy as np
import pytest
from scipy.stats import binomtest, t

from windtunnel.learn.losses import confidence_set, coverage, diebold_mariano, mincer_zarnowitz, mse, qlike


def test_losses_by_hand() -> None:
    came, said = np.array([4.0, 0.0, 1.0, 1.0, np.nan]), np.array([2.0, 1.0, 0.0, np.nan, 1.0])
    np.testing.assert_allclose(qlike(came, said), [log(2) + 2, 0, np.nan, np.nan, np.nan])
    np.testing.assert_array_equal(mse(came, said), [4, 1, 1, np.nan, np.nan])


def test_both_losses_are_least_at_the_mean_though_the_proxy_is_noisy() -> None:
    variance = 2.5
    came = variance * np.random.default_rng(1).chisquare(1, 200_000)
    grid = np.linspace(1, 5, 81)
    for loss in (qlike, mse):
        means = [loss(came, np.full(len(came), said)).mean() for said in grid]
        assert grid[int(np.argmin(means))] == pytest.approx(variance, abs=0.06)


def test_regression_on_a_line() -> None:
    said = np.array([1.0, 2.0, np.nan, 4.0])
    fit = mincer_zarnowitz(0.5 + 0.8 * said, said)
    assert (fit.alpha, fit.beta, fit.r2) == pytest.approx((0.5, 0.8, 1.0))
    random = np.random.default_rng(2)
    said, noise = random.normal(size=(2, 300))
    fit = mincer_zarnowitz(said + noise, said)
    beta, alpha = np.polyfit(said, said + noise, 1)
    assert (fit.alpha, fit.beta) == pytest.approx((alpha, beta))
    assert fit.r2 == pytest.approx(np.corrcoef(said, said + noise)[0, 1] ** 2)


def test_regression_on_a_constant_says_nothing() -> None:
    fit = mincer_zarnowitz(np.array([1.0, 2.0]), np.array([3.0, 3.0]))
    assert all(isnan(value) for value in (fit.alpha, fit.beta, fit.r2))


def test_diebold_mariano_by_hand() -> None:
    """Differences 1, 2, 6, 3: one lag, weighing half."""
    loss, other = np.array([2.0, 2.0, 7.0, np.nan, 3.0]), np.array([1.0, 0.0, 1.0, 5.0, 0.0])
    centred = np.array([-2.0, -1.0, 3.0, 0.0])
    variance = (centred @ centred + 2 * 0.5 * (centred[1:] @ centred[:-1])) / 4
    statistic = sqrt(3 / 4) * 3 / sqrt(variance / 4)
    found = diebold_mariano(loss, other)
    assert found.difference == 3.0
    assert found.statistic == pytest.approx(statistic)
    assert found.p == pytest.approx(2 * t.sf(statistic, 3))


@pytest.mark.parametrize("horizon", [1, 10])
def test_diebold_mariano_rejects_equal_forecasts_as_seldom_as_it_says(horizon: int) -> None:
    random = np.random.default_rng(3)
    rejected = 0
    for _ in range(400):
        noise = random.normal(size=600 + horizon - 1)
        difference = np.convolve(noise, np.ones(horizon), "valid")
        rejected += diebold_mariano(difference, np.zeros(600), horizon).p < 0.05
    assert 0.02 <= rejected / 400 <= 0.11


def test_diebold_mariano_is_antisymmetric_and_knows_when_it_knows_nothing() -> None:
    one, other = np.random.default_rng(4).normal(size=(2, 50))
    there, back = diebold_mariano(one, other, 3), diebold_mariano(other, one, 3)
    assert there.statistic == pytest.approx(-back.statistic)
    assert there.p == pytest.approx(back.p)
    assert isnan(diebold_mariano(one, one).p)
    assert isnan(diebold_mariano(one[:4], other[:4], 3).p)
    assert isnan(diebold_mariano(one[:0], other[:0]).difference)


def test_coverage_counts_windows_that_do_not_overlap() -> None:
    came = np.array([np.nan, 1.0, 9.0, 1.0, 9.0, 1.0, 1.0, 9.0])
    low, high = np.zeros(8), np.full(8, 2.0)
    low[3] = np.nan
    every = coverage(came, low, high, 1)
    assert (every.share, every.windows) == (3 / 6, 6)
    second = coverage(came, low, high, 2)  # bars 1, 3, 5, 7, of which 3 is unknown
    assert (second.share, second.windows) == (2 / 3, 3)
    exact = binomtest(2, 3).proportion_ci(0.95, "exact")
    assert (second.low, second.high) == pytest.approx((exact.low, exact.high))


@pytest.mark.parametrize(("inside", "low", "high"), [(0, 0.0, 0.0362167), (100, 0.9637833, 1.0)])
def test_coverage_at_the_ends(inside: int, low: float, high: float) -> None:
    came = np.where(np.arange(100) < inside, 0.5, 2.0)
    found = coverage(came, np.zeros(100), np.ones(100), 1)
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-7)


def test_coverage_of_nothing() -> None:
    nothing = np.full(5, np.nan)
    found = coverage(nothing, nothing, nothing, 2)
    assert found.windows == 0
    assert isnan(found.share)


def test_the_confidence_set_keeps_the_best_and_drops_the_worst() -> None:
    random = np.random.default_rng(5)
    losses = random.normal(size=(800, 3)) * 0.5 + random.normal(size=(800, 1)) + [0.0, 0.01, 0.5]
    losses[3, 1] = np.nan
    found = confidence_set(losses, ["good", "as_good", "bad"], seed=6)
    assert found["bad"] < 0.01
    assert min(found["good"], found["as_good"]) > 0.1
    assert found == confidence_set(losses, ["good", "as_good", "bad"], seed=6)
