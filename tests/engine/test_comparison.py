"""Sharpe ratios compared: the interval, the verdict, and the sentence for every case."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from windtunnel.engine.comparison import Comparison, compare
from windtunnel.engine.metrics.returns import sharpe
from windtunnel.errors import InvalidValueError
from windtunnel.values import FloatArray


def normal(count: int, seed: int, mean: float = 0.0005) -> FloatArray:
    return np.random.default_rng(seed).normal(mean, 0.01, count)


def test_the_ratios_are_the_metric_and_the_difference_is_theirs() -> None:
    own, other = normal(500, 1), normal(500, 2)
    said = compare(own, other, 252, seed=1)
    assert (said.sharpe, said.benchmark_sharpe) == (sharpe(own, 252), sharpe(other, 252))
    assert said.difference == said.sharpe - said.benchmark_sharpe
    assert said.low < said.difference < said.high
    assert said.sharpe_low < said.sharpe < said.sharpe_high
    assert said.benchmark_low < said.benchmark_sharpe < said.benchmark_high
    assert said.special is None
    assert said.bars == 500


def test_intervals_have_the_width_that_theory_gives_for_normal_returns() -> None:
    """Lo, "The Statistics of Sharpe Ratios" (2002): a per-bar ratio S has variance (1 + S² / 2) / T."""
    own, other = normal(4_000, 3, mean=0.002), normal(4_000, 4, mean=0.001)
    said = compare(own, other, 252, seed=1, samples=8_000)
    errors = [math.sqrt((252 + ratio**2 / 2) / 4_000) for ratio in (said.sharpe, said.benchmark_sharpe)]
    assert said.sharpe_high - said.sharpe_low == pytest.approx(2 * 1.96 * errors[0], rel=0.1)
    assert said.benchmark_high - said.benchmark_low == pytest.approx(2 * 1.96 * errors[1], rel=0.1)
    assert said.high - said.low == pytest.approx(2 * 1.96 * math.hypot(*errors), rel=0.1)


def test_what_moves_together_is_compared_more_sharply() -> None:
    market = normal(1_000, 5)
    alike = compare(market + normal(1_000, 6) / 10, market, 252, seed=1)
    apart = compare(normal(1_000, 6), market, 252, seed=1)
    assert alike.high - alike.low < (apart.high - apart.low) / 4


def test_trending_returns_widen_the_interval() -> None:
    steps = normal(2_000, 7)
    smooth = np.convolve(steps, np.ones(10) / math.sqrt(10), "same")
    assert (
        compare(smooth, steps, 252, seed=1).block_length
        > 3 * compare(steps, normal(2_000, 8), 252, seed=1).block_length
    )
    wide, narrow = compare(smooth, steps, 252, seed=1), compare(steps, smooth, 252, seed=1)
    assert wide.sharpe_high - wide.sharpe_low > 2 * (narrow.sharpe_high - narrow.sharpe_low)


def test_the_interval_covers_the_truth_as_often_as_it_says() -> None:
    """Of 300 intervals of 95 % over independent normal returns, 270 or more hold the truth (p > 0.999)."""
    covered = np.zeros(3)
    generator = np.random.default_rng(11)
    truth = 0.05 * math.sqrt(252)
    for repetition in range(300):
        shared = generator.normal(size=250)
        own, other = (0.0005 + 0.01 * (0.6 * shared + 0.8 * generator.normal(size=250)) for _ in range(2))
        said = compare(own, other, 252, seed=repetition, samples=400)
        covered += (
            said.low <= 0 <= said.high,
            said.sharpe_low <= truth <= said.sharpe_high,
            said.benchmark_low <= truth <= said.benchmark_high,
        )
    assert (covered >= 270).all(), covered
    assert (covered < 300).all(), covered


@pytest.mark.parametrize(("edge", "verdict"), [(0.002, "beat"), (0.0, "did not beat"), (-0.002, "did worse")])
def test_verdicts(edge: float, verdict: str) -> None:
    own, market = normal(1_000, 9, mean=0.0005 + edge), normal(1_000, 10)
    said, other_way = compare(own, market, 252, seed=3), compare(market, own, 252, seed=3)
    assert said.verdict == verdict
    assert (said.low > 0, said.high < 0) == (verdict == "beat", verdict == "did worse")
    assert (other_way.difference, other_way.low) == pytest.approx((-said.difference, -said.high))


def comparison(difference: float, low: float, high: float) -> Comparison:
    plain = compare(normal(50, 1), normal(50, 2), 252, seed=1)
    verdict = "beat" if low > 0 else "did worse" if high < 0 else "did not beat"
    return dataclasses.replace(plain, difference=difference, low=low, high=high, verdict=verdict)


@pytest.mark.parametrize(
    ("figures", "sentence"),
    [
        (
            (0.08, -0.21, 0.36),
            "did not beat holding SP500: Sharpe difference +0.08, 95% interval [−0.21, +0.36].",
        ),
        ((0.5, 0.1, 0.9), "beat holding SP500: Sharpe difference +0.50, 95% interval [+0.10, +0.90]."),
        (
            (-0.5, -1.2, -0.1),
            "did worse than holding SP500: Sharpe difference −0.50, 95% interval [−1.20, −0.10].",
        ),
    ],
)
def test_sentences(figures: tuple[float, float, float], sentence: str) -> None:
    assert comparison(*figures).sentence("SP500") == f"After costs it {sentence}"


def test_the_sentence_names_the_level() -> None:
    said = compare(normal(100, 1), normal(100, 2), 252, seed=1, level=0.9)
    assert "90% interval" in said.sentence("SP500")
    wider = compare(normal(100, 1), normal(100, 2), 252, seed=1, level=0.99)
    assert wider.low < said.low < said.high < wider.high


def test_it_never_traded() -> None:
    said = compare(np.zeros(100), normal(100, 1), 252, seed=1, traded=False)
    assert said.verdict == "did not beat"
    assert said.sentence("SP500") == "It never traded, so there is nothing to compare with holding SP500."
    assert math.isnan(said.sharpe)
    assert math.isnan(said.low)
    assert said.benchmark_low < said.benchmark_sharpe < said.benchmark_high


def test_returns_that_never_vary() -> None:
    moving, still = normal(100, 1), np.full(100, 0.001)
    said = compare(still, moving, 252, seed=1)
    assert said.sentence("X") == (
        "Its returns never vary, so it has no Sharpe ratio to compare with holding X."
    )
    said = compare(moving, still, 252, seed=1)
    assert (
        said.sentence("X")
        == "The returns of holding X never vary, so it has no Sharpe ratio to compare with."
    )
    assert said.sharpe_low < said.sharpe < said.sharpe_high
    assert said.verdict == "did not beat"


def test_the_same_returns() -> None:
    market = normal(100, 1)
    said = compare(market + 1e-15, market, 252, seed=1)
    assert said.sentence("SP500") == "Its returns are those of holding SP500, bar by bar."
    assert (said.difference, said.low, said.high, said.verdict) == (0.0, 0.0, 0.0, "did not beat")
    assert said.sharpe_low < said.sharpe < said.sharpe_high


@pytest.mark.parametrize("bars", [0, 1, 2, 29])
def test_few_bars(bars: int) -> None:
    said = compare(normal(bars, 1), normal(bars, 2), 252, seed=1)
    count = f"{bars} bar" if bars == 1 else f"{bars} bars"
    assert said.sentence("SP500") == f"Only {count}: too few to say whether it beat holding SP500."
    assert math.isnan(said.low)
    assert math.isnan(said.sharpe) == (bars < 2)
    assert said.verdict == "did not beat"
    assert compare(normal(30, 1), normal(30, 2), 252, seed=1).special is None


def test_an_account_that_moved_once_is_not_certain_of_anything() -> None:
    once = np.zeros(300)
    once[100] = 0.05
    said = compare(once, normal(300, 1), 252, seed=1)
    assert np.isfinite([said.sharpe_low, said.sharpe_high, said.low, said.high]).all()
    assert said.sharpe_low == 0.0, "some resamples hold no move at all"
    assert said.verdict == "did not beat"


def test_the_seed_decides() -> None:
    own, other = normal(400, 1), normal(400, 2)
    assert compare(own, other, 252, seed=5) == compare(own, other, 252, seed=5)
    assert compare(own, other, 252, seed=5).low != compare(own, other, 252, seed=6).low


def test_the_unit_of_the_returns_does_not_matter() -> None:
    own, other = normal(400, 1), normal(400, 2)
    said, scaled = compare(own, other, 252, seed=5), compare(own * 0.5, other * 2, 252, seed=5)
    for name in ("difference", "low", "high", "sharpe_low", "benchmark_high", "block_length"):
        assert getattr(scaled, name) == pytest.approx(getattr(said, name), rel=1e-9)


def test_long_series_are_resampled_in_longer_blocks() -> None:
    said = compare(normal(60_000, 1), normal(60_000, 2), 252 * 390, seed=1, samples=100)
    assert said.block_length >= 12


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"returns": np.ones((40, 2))}, r"returns: must be one-dimensional \(got \(40, 2\)\)"),
        ({"benchmark_returns": np.ones(39)}, r"benchmark_returns: must have the shape \(40,\)"),
        ({"returns": np.append(np.ones(39), np.nan)}, r"returns\[39\]: must be finite \(got nan\)"),
        ({"benchmark_returns": np.append(np.inf, np.ones(39))}, r"benchmark_returns\[0\]: must be finite"),
        ({"periods_per_year": 0}, r"periods_per_year: must be positive and finite \(got 0\)"),
        ({"samples": 99}, r"samples: must be at least 100 \(got 99\)"),
        ({"level": 95}, r"level: must be between 0 and 1 \(got 95\)"),
    ],
)
def test_bad_arguments_are_named(change: dict[str, object], message: str) -> None:
    arguments: dict[str, object] = {
        "returns": normal(40, 1),
        "benchmark_returns": normal(40, 2),
        "periods_per_year": 252,
        "seed": 1,
    }
    with pytest.raises(InvalidValueError, match=message):
        compare(**(arguments | change))  # type: ignore[arg-type]
