"""Whether probabilities came true: the figures by hand and against scikit-learn, and the charts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
import plotly.graph_objects as go
import pytest

from windtunnel.learn.calibration import auc, brier_skill, calibration_error
from windtunnel.pipeline.decide import Signals
from windtunnel.pipeline.result import Result
from windtunnel.reporting.charts.calibration import bootstrap, reliability, risk
from windtunnel.reporting.charts.chart import Chart
from windtunnel.values import Outcomes, Scores, SignalFeatures

ONE = np.ones(4)
WON = np.array([True, False, True, False])


def drawn(seed: int, count: int = 500) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Probabilities with ties, wins that follow them, and whole weights."""
    random = np.random.default_rng(seed)
    said = random.integers(1, 20, count) / 20
    return said, random.random(count) < said, random.integers(0, 4, count).astype(float)


def test_brier_skill_by_hand() -> None:
    """Squared errors 0.04 + 0.04 + 0.16 + 0.16 against four times 0.25."""
    said = np.array([0.8, 0.2, 0.6, 0.4])
    assert brier_skill(said, WON, np.full(4, 0.5), ONE) == pytest.approx(0.6)
    assert brier_skill(said, WON, np.full(4, 0.5), np.array([1.0, 0, 0, 0])) == pytest.approx(0.84)
    assert brier_skill(said, WON, said, ONE) == 0.0
    assert np.isnan(brier_skill(said, WON, WON * 1.0, ONE))


@pytest.mark.parametrize(
    ("said", "area"), [([0.9, 0.1, 0.8, 0.2], 1.0), ([0.1, 0.9, 0.2, 0.8], 0.0), ([0.5] * 4, 0.5)]
)
def test_area_under_the_curve_by_hand(said: list[float], area: float) -> None:
    assert auc(np.array(said), WON, ONE) == area
    assert np.isnan(auc(np.array(said), WON | True, ONE))


@pytest.mark.parametrize("seed", range(5))
def test_agrees_with_scikit_learn(seed: int) -> None:
    from sklearn.metrics import brier_score_loss, roc_auc_score

    said, won, weight = drawn(seed)
    assert auc(said, won, weight) == pytest.approx(roc_auc_score(won, said, sample_weight=weight))
    ours, naive = (
        brier_score_loss(won, each, sample_weight=weight) for each in (said, np.full(len(won), 0.5))
    )
    assert brier_skill(said, won, np.full(len(won), 0.5), weight) == pytest.approx(1 - ours / naive)


def test_calibration_error_by_hand() -> None:
    """Said 0.62 and 0.66, one of two won: 0.14 off. Said 1, neither won: 1 off. Said 0.05: 0.05 off."""
    said, won = np.array([0.62, 0.66, 1.0, 1.0, 0.05]), np.array([True, False, False, False, False])
    assert calibration_error(said, won, np.ones(5)) == pytest.approx((2 * 0.14 + 2 * 1 + 0.05) / 5)
    twice = calibration_error(said, won, np.array([1.0, 1, 2, 2, 1]))
    assert twice == pytest.approx((2 * 0.14 + 4 * 1 + 0.05) / 7)


def test_calibration_error_of_bins_of_equal_count() -> None:
    """Twenty signals said from 0.51 to 0.7 share two bins by width; by count each pair stands alone."""
    said, won = 0.5 + np.arange(1, 21) / 100, np.arange(20) % 2 == 0
    pairs = [abs(said[i : i + 2].mean() - 0.5) for i in range(0, 20, 2)]
    assert calibration_error(said, won, np.ones(20), equal_counts=True) == pytest.approx(np.mean(pairs))


def test_the_bootstrap_covers_what_blocks_have_in_common() -> None:
    """Fifty blocks of ten equal wins: the interval is that of fifty coins, not of five hundred."""
    random = np.random.default_rng(3)
    won = np.repeat(random.random(50) < 0.5, 10)

    def share(weight: np.ndarray) -> float:
        return float(weight @ won / weight.sum())

    blocks, single = (bootstrap(share, block, 1) for block in (np.repeat(np.arange(50), 10), np.arange(500)))
    assert blocks.value == single.value == won.mean()
    assert blocks.high - blocks.low == pytest.approx(2 * 1.96 * np.sqrt(0.25 / 50), rel=0.15)
    assert single.high - single.low == pytest.approx(2 * 1.96 * np.sqrt(0.25 / 500), rel=0.15)
    assert bootstrap(share, np.arange(500), 1) == single
    assert np.isnan(bootstrap(share, np.zeros(500, np.int64), 1).low)


def test_draws_without_a_figure_are_left_out() -> None:
    said, won = np.array([0.2, 0.4, 0.6]), np.array([False, False, True])
    found = bootstrap(partial(auc, said, won), np.arange(3), 0)
    assert (found.value, found.low, found.high) == (1.0, 1.0, 1.0)


def judged(said: np.ndarray, won: np.ndarray, stop: np.ndarray | None = None) -> Signals:
    """Signals on every other bar, known six bars later; losers lose as much as their stop says."""
    count = len(said)
    bar = np.arange(count) * 2
    zeros = np.zeros(count, np.int64)
    features = SignalFeatures(("x",), np.zeros((count, 1)), bar, zeros, zeros + 1)
    width = np.full(count, 0.05) if stop is None else stop
    ended = Outcomes(won, np.where(won, 0.05, -width), bar + 6)
    scores = Scores(said, np.abs(2 * said - 1), np.zeros((count, 1)))
    return Signals(features, ended, scores, np.full(count, 0.5), 1, width)


@pytest.fixture
def scored(make_result: Callable[..., Result]) -> Callable[[Signals | None], Result]:
    result = make_result()

    def with_signals(signals: Signals | None) -> Result:
        return replace(result, decision=replace(result.decision, signals=signals))

    return with_signals


def test_reliability_shows_what_came_beside_what_was_said(scored: Callable[..., Result]) -> None:
    random = np.random.default_rng(1)
    said = np.repeat([0.2, 0.8], 60)[random.permutation(120)]
    won = random.random(120) < said
    said[-1] = np.nan
    drawn_ = reliability(scored(judged(said, won)))
    assert isinstance(drawn_, Chart)
    go.Figure(data=list(drawn_.data), layout=drawn_.layout)
    curve = drawn_.data[-1]
    seen = np.arange(3, 119)  # the first three came before any outcome was known
    parts = np.array_split(seen[np.argsort(said[seen], kind="stable")], 5)
    np.testing.assert_allclose(curve["x"], [said[part].mean() for part in parts], rtol=1e-5)
    np.testing.assert_allclose(curve["y"], [won[part].mean() for part in parts], rtol=1e-5)
    assert curve["text"] == ["24 entries"] + ["23 entries"] * 4
    assert drawn_.title.startswith("Of 116 scored entries")
    assert "are better than the share of wins so far" in drawn_.title


@pytest.mark.parametrize(("flip", "verdict"), [(False, "cannot be told from"), (True, "are worse than")])
def test_reliability_says_so_where_scores_are_of_no_use(
    scored: Callable[..., Result], flip: bool, verdict: str
) -> None:
    random = np.random.default_rng(2)
    won = random.random(120) < 0.5
    said = np.where(won, 0.1, 0.9) if flip else 0.5 + random.normal(0, 0.01, 120)
    drawn_ = reliability(scored(judged(said, won)))
    assert isinstance(drawn_, Chart)
    assert verdict in drawn_.title


@pytest.mark.parametrize("signals", [None, judged(np.full(30, np.nan), np.ones(30, bool))])
def test_nothing_to_judge_is_a_sentence(scored: Callable[..., Result], signals: Signals | None) -> None:
    for part in (reliability, risk):
        said = part(scored(signals))
        assert isinstance(said, str)
        assert said.endswith(".")


def test_one_class_is_no_error(scored: Callable[..., Result]) -> None:
    drawn_ = reliability(scored(judged(np.full(60, 0.7), np.ones(60, bool))))
    assert isinstance(drawn_, Chart)
    assert "100% won" in drawn_.title


@pytest.mark.parametrize(
    ("as_called", "told"), [(True, "as called"), (False, "not in the order of their levels")]
)
def test_risk_levels_are_told_by_their_worst_tenth(
    scored: Callable[..., Result], as_called: bool, told: str
) -> None:
    random = np.random.default_rng(3)
    stop = random.uniform(0.01, 0.2, 150)
    signals = judged(np.full(150, 0.5), random.random(150) < 0.5, stop)
    if not as_called:
        returns = np.where(signals.outcomes.won, 0.05, stop - 0.21)
        signals = replace(signals, outcomes=replace(signals.outcomes, returns=returns))
    drawn_ = risk(scored(signals))
    assert isinstance(drawn_, Chart)
    go.Figure(data=list(drawn_.data), layout=drawn_.layout)
    mean, worst = drawn_.data
    assert mean["x"] == worst["x"] == ["low", "medium", "high"]
    high = np.sort(signals.outcomes.returns[signals.risk_level == "high"])
    np.testing.assert_allclose(worst["y"][2], high[: len(high) // 10].mean(), rtol=1e-5)
    np.testing.assert_allclose(mean["y"][2], high.mean(), rtol=1e-4)
    assert drawn_.title.endswith(f": {told}.")
