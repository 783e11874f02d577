"""The statistics of overfitting, against published values and another program's runs."""

from __future__ import annotations

import json
from math import inf, isnan, sqrt
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from windtunnel.engine.metrics.returns import sharpe, sortino
from windtunnel.errors import InvalidValueError
from windtunnel.optimize import (
    block_sums,
    deflated_sharpe,
    expected_maximum,
    minimum_backtest_length,
    minimum_track_record,
    overfitting,
    probabilistic_sharpe,
)


def published(shared: Path) -> dict:
    return json.loads((shared / "oracles" / "overfitting" / "published_values.json").read_text())


def test_the_published_values_come_out(shared: Path) -> None:
    known = published(shared)
    told = known["_recomputed_by_closed_form"]
    assert expected_maximum(100) == pytest.approx(known["E_max_N100"]["value"], rel=1e-12)
    monthly = 1.585 / sqrt(12)
    assert probabilistic_sharpe(monthly, 24, skewness=-2.448, kurtosis=10.164) == pytest.approx(
        known["PSR_SharpeRatioEfficientFrontier"]["value"], rel=1e-12
    )
    assert probabilistic_sharpe(monthly, 24) == pytest.approx(told["PSR_normal"], rel=1e-12)
    daily = {"sharpe": 2.5 / sqrt(250), "bars": 1250, "variance": 0.5 / 250}
    tails = {"skewness": -3.0, "kurtosis": 10.0}
    assert deflated_sharpe(**daily, **tails, trials=100) == pytest.approx(told["DSR"], rel=1e-12)
    assert deflated_sharpe(**daily, **tails, trials=46) == pytest.approx(told["DSR_N46"], rel=1e-12)
    assert deflated_sharpe(**daily, trials=88) == pytest.approx(told["DSR_N88_normal"], rel=1e-12)
    for name, periods in (("MinTRL_daily", 250), ("MinTRL_weekly", 52)):
        bars = minimum_track_record(2 / sqrt(periods), benchmark=1 / sqrt(periods))
        assert bars / periods == pytest.approx(known[name]["value_years"], rel=1e-12)
    monthly = minimum_track_record(3 / sqrt(12), benchmark=2.5 / sqrt(12), skewness=-0.72, kurtosis=5.78)
    assert monthly / 12 == pytest.approx(told["MinTRL_m"], rel=1e-12)
    assert monthly / 12 == pytest.approx(known["MinTRL_monthly_nonnormal"]["value_years"], rel=1e-12)
    normal = minimum_track_record(2 / sqrt(12), benchmark=1 / sqrt(12))
    assert normal / 12 == pytest.approx(told["MinTRL_monthly_normal_2v1"], rel=1e-12)
    funds = minimum_track_record(2 / sqrt(12), benchmark=1 / sqrt(12), skewness=-0.72, kurtosis=5.78)
    assert funds / 12 == pytest.approx(told["MinTRL_monthly_hf_2v1"], rel=1e-12)
    assert minimum_backtest_length(45) == pytest.approx(told["MinBTL"], rel=1e-12)
    assert minimum_backtest_length(45) == pytest.approx(known["MinBTL_N45_SR1"]["value_years"], rel=1e-12)
    assert deflated_sharpe(**daily, **tails, trials=100) == pytest.approx(
        known["DSR_paper_example"]["value"], rel=1e-12
    )
    assert sqrt(daily["variance"]) * expected_maximum(100) == pytest.approx(told["SR0_daily"], rel=1e-12)


def test_the_published_ratios_come_out(shared: Path) -> None:
    known = published(shared)
    case = known["sharpe_iid"]
    returns = np.array(case["inputs"]["returns"]) - case["inputs"]["bench"]
    assert sharpe(returns, 1.0) == pytest.approx(case["value"], abs=5e-7)
    case = known["sortino_iid"]
    assert sortino(np.array(case["inputs"]["returns"]), 1.0) == pytest.approx(case["value"], abs=5e-7)


def test_a_single_trial_is_no_luck_and_a_poor_one_takes_forever() -> None:
    assert expected_maximum(1) == 0.0
    assert deflated_sharpe(0.1, 500, trials=1, variance=1.0) == probabilistic_sharpe(0.1, 500)
    assert minimum_track_record(0.1, benchmark=0.1) == inf
    assert isnan(probabilistic_sharpe(0.1, 1))


@pytest.mark.parametrize("name", ["goog", "sp500"])
@pytest.mark.parametrize("blocks", [4, 8, 10, 12])
def test_overfitting_agrees_with_another_program(shared: Path, name: str, blocks: int) -> None:
    folder = shared / "oracles" / "overfitting"
    returns = pd.read_parquet(folder / f"pbo_matrix_{name}.parquet").to_numpy(np.float64)
    both = json.loads((folder / f"pbo_{name}.json").read_text())[f"S={blocks}"]
    known = both["independent"]
    found = overfitting(block_sums(returns, blocks))
    assert len(found.logits) == known["n"]
    assert found.probability == pytest.approx(known["pbo_le0"], abs=1e-12)
    np.testing.assert_allclose(found.logits[:10], known["logits_first10"], rtol=1e-9)
    assert (found.logits < 0).mean() == pytest.approx(known["pbo_lt0"], abs=1e-12)
    assert found.logits.mean() == pytest.approx(known["logit_mean"], rel=1e-9)
    assert np.median(found.logits) == pytest.approx(known["logit_median"], rel=1e-9)
    assert (found.outside < 0).mean() == pytest.approx(both["pypbo"]["prob_oos_loss"], abs=1e-12)


def test_by_hand_the_best_of_one_half_is_the_worst_of_the_other() -> None:
    up, down = [0.01, 0.03], [-0.03, -0.01]
    returns = np.array([up + down, down + up, [0.0, 0.001, 0.0, 0.001]]).T
    found = overfitting(block_sums(returns, 2))
    np.testing.assert_allclose(found.logits, np.log(1 / 3))
    assert found.probability == 1.0


def test_noise_is_overfitted_half_the_time_and_an_edge_is_not() -> None:
    rng = np.random.default_rng(1)
    noise = rng.normal(0, 0.01, (1000, 50))
    assert 0.2 < overfitting(block_sums(noise, 10)).probability < 0.8
    noise[:, 7] += 0.003
    assert overfitting(block_sums(noise, 10)).probability == 0.0


def test_a_trial_that_never_traded_is_never_best() -> None:
    returns = np.random.default_rng(2).normal(-0.01, 0.01, (100, 3))
    returns[:, 1] = 0.0
    found = overfitting(block_sums(returns, 4))
    assert np.isfinite(found.inside).all()


@pytest.mark.parametrize(("blocks", "rule"), [(3, "even"), (0, "even"), (80, "two of 100 bars")])
def test_blocks_that_cannot_be(blocks: int, rule: str) -> None:
    with pytest.raises(InvalidValueError, match=rule):
        block_sums(np.zeros((100, 2)), blocks)
    with pytest.raises(InvalidValueError, match="trials"):
        overfitting(block_sums(np.zeros((100, 1)), 4))
