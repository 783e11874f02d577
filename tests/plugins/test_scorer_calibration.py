"""The slope and the intercept of the log-odds, on moves that the tests make up."""

from __future__ import annotations

import numpy as np
import pytest

from windtunnel.values import Outcomes
from windtunnel_plugins.scorers._calibration import calibrate


def outcomes(won: np.ndarray, bar: np.ndarray) -> Outcomes:
    """Outcomes known five bars after their signals."""
    return Outcomes(won, np.where(won, 0.01, -0.01), bar + 5)


def given(
    moves: np.ndarray, won: np.ndarray, bar: np.ndarray | None = None, folds: int = 4
) -> tuple[float, float]:
    bars = np.arange(len(won), dtype=np.int64) if bar is None else bar
    return calibrate(lambda train, test: moves[test], bars, outcomes(won, bars), folds)


def test_true_log_odds_are_left_as_they_are() -> None:
    random = np.random.default_rng(1)
    moves = random.normal(size=20_000)
    won = random.random(20_000) < 1 / (1 + np.exp(-(0.3 + moves)))
    intercept, slope = given(moves, won)
    assert slope == pytest.approx(1.0, abs=0.05)
    assert intercept == pytest.approx(0.3, abs=0.05)


def test_the_unit_of_the_moves_does_not_matter() -> None:
    random = np.random.default_rng(1)
    moves = random.normal(size=500)
    won = random.random(500) < 1 / (1 + np.exp(-moves))
    one, other = given(moves, won), given(moves * 1e-3, won)
    np.testing.assert_allclose(np.array(other) * [1, 1e-3], one, rtol=1e-6)


@pytest.mark.parametrize("sign", [-1.0, 0.0], ids=["the wrong way", "constant"])
def test_what_is_of_no_use_counts_for_nothing(sign: float) -> None:
    won = np.arange(40) % 4 != 0
    intercept, slope = given(sign * (won - 0.5), won)
    assert slope == 0.0
    assert 1 / (1 + np.exp(-intercept)) == pytest.approx(0.75)


def test_by_hand() -> None:
    """Of eight moves of 1 six won, of eight of -1 two: 12 - 16 p = b, with p = 1 ÷ (1 + exp(-b)), as b is
    penalised by half its square. The residuals of each of two pieces of time come to b ÷ 2, so v is b² ÷
    (16 p (1 - p))².
    """
    moves = np.tile([1.0, 1, 1, 1, -1, -1, -1, -1], 2)
    won = np.tile([True, True, True, False, False, False, False, True], 2)
    bar = np.repeat([0, 5], 8)
    intercept, slope = calibrate(
        lambda train, test: moves[test], bar, Outcomes(won, won * 1.0, bar + 4), folds=2
    )
    assert intercept == pytest.approx(0.0, abs=1e-9)
    raw = 0.83646776
    p = 1 / (1 + np.exp(-raw))
    assert 12 - 16 * p == pytest.approx(raw, abs=1e-5)
    assert slope == pytest.approx(raw * (1 - 1 / (16 * p * (1 - p)) ** 2), abs=1e-5)


def test_signals_of_one_day_count_as_one() -> None:
    """Ten days, on each a hundred signals of one mind and one fate: luck, though a thousand times."""
    random, believed = np.random.default_rng(2), 0
    for _ in range(60):
        moves, won = np.repeat(random.normal(size=10), 100), np.repeat(random.random(10) < 0.5, 100)
        bar = np.repeat(np.arange(10) * 20, 100)
        if won.all() or not won.any():
            continue
        believed += given(moves, won, bar)[1] > 0
    assert believed < 60 / 3


def test_a_model_judges_what_it_did_not_learn() -> None:
    bar, asked = np.arange(60, dtype=np.int64), []

    def moves_of(train: np.ndarray, test: np.ndarray) -> np.ndarray:
        assert ((bar[train] + 5 < bar[test].min()) | (bar[train] > bar[test].max() + 5)).all()
        asked.extend(test.tolist())
        return np.zeros(len(test))

    calibrate(moves_of, bar, outcomes(bar % 2 == 0, bar), 5)
    assert sorted(asked) == bar.tolist()


def test_a_block_without_both_classes_to_learn_from_is_not_judged() -> None:
    """All wins lie in the first half, so that the first block's model would see losses alone."""
    seen = []

    def moves_of(train: np.ndarray, test: np.ndarray) -> np.ndarray:
        seen.append(test.tolist())
        return np.ones(len(test))

    calibrate(moves_of, np.arange(40), outcomes(np.arange(40) < 20, np.arange(40)), 2)
    assert seen == []
