"""How often patterns like one paid before: by hand, and against a loop."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from windtunnel.bars import Bars
from windtunnel.learn.labels import Barriers
from windtunnel.learn.reliability import pattern_features, pattern_outcomes, with_success
from windtunnel.market import Market
from windtunnel.values import Outcomes, Patterns, Rules

BARS = 60


def patterns(confirmed: list[int], kinds: list[str], directions: list[int] | None = None) -> Patterns:
    count = len(confirmed)
    bar = np.array(confirmed, np.int64)
    return Patterns(
        symbol=np.zeros(count, np.int64),
        type=np.array(kinds, "U9"),
        first=np.maximum(bar - 4, 0),
        confirmed=bar,
        direction=np.array(directions or [1] * count, np.int64),
        confidence=np.full(count, 0.5),
        target=np.full(count, 110.0),
        stop=np.full(count, 95.0),
        bars=BARS,
    )


def outcomes(won: list[bool], known: list[int]) -> Outcomes:
    return Outcomes(np.array(won, bool), np.zeros(len(won)), np.array(known, np.int64))


def test_counts_what_was_known_by_hand() -> None:
    found = patterns([5, 10, 15, 20, 30], ["flag", "flag", "wedge", "flag", "flag"])
    counted = with_success(found, outcomes([True, False, True, True, True], [12, 20, 18, 60, 60]))
    assert counted.trials.tolist() == [0, 0, 0, 2, 2]
    np.testing.assert_equal(counted.success, [np.nan, np.nan, np.nan, 0.5, 0.5])


def test_an_outcome_counts_from_the_bar_it_is_known_at() -> None:
    kinds = ["flag", "flag"]
    at, before = (with_success(patterns([5, 12], kinds), outcomes([True, True], [k, 60])) for k in (12, 13))
    assert (at.trials[1], before.trials[1]) == (1, 0)


@given(
    rows=st.lists(
        st.tuples(st.integers(0, 50), st.integers(1, 30), st.booleans(), st.sampled_from("abc")), max_size=25
    )
)
def test_counts_as_a_loop_does(rows: list[tuple[int, int, bool, str]]) -> None:
    rows = sorted(rows, key=lambda row: row[0])
    found = patterns([row[0] for row in rows], [row[3] for row in rows])
    known = [min(row[0] + row[1], BARS) for row in rows]
    counted = with_success(found, outcomes([row[2] for row in rows], known))
    for at, (bar, _, _, kind) in enumerate(rows):
        earlier = [row[2] for row, end in zip(rows, known, strict=True) if row[3] == kind and end <= bar]
        assert counted.trials[at] == len(earlier)
        expected = np.mean(earlier) if earlier else np.nan
        np.testing.assert_allclose(counted.success[at], expected)


@pytest.fixture(scope="module")
def climbing() -> Market:
    """Closes that alternate about a steady climb of half a per cent a bar; high and low are the close."""
    close = 100 * np.exp(0.005 * np.arange(BARS) + 0.004 * (np.arange(BARS) % 2))[:, None]
    time = np.datetime64("2015-01-01", "ns") + np.arange(BARS) * np.timedelta64(1, "D")
    fields = [np.asfortranarray(close) for _ in range(5)]
    return Market(Bars(time, ("A",), *fields, np.array([BARS - 1])))


def test_bulls_win_and_bears_lose_on_a_climb(climbing: Market) -> None:
    found = patterns([30, 31, 58], ["bull", "bear", "bull"], [1, -1, 1])
    entries, ended = pattern_outcomes(found, climbing, Barriers(2.0, 2.0, 10), Rules(fees=0.0, slippage=0.0))
    assert entries.bar.tolist() == [30, 31, 58]
    assert ended.won.tolist()[:2] == [True, False]
    assert ended.returns[0] > 0 > ended.returns[1]
    assert (ended.known[:2] > found.confirmed[:2]).all()
    assert ended.known[2] == BARS, "the data end before the outcome"


def test_the_context_of_a_pattern_by_hand(climbing: Market) -> None:
    found = patterns([30, 31], ["bull", "bear"], [1, -1])
    context = pattern_features(found, climbing)
    assert context.names[-6:] == ("direction", "confidence", "success", "trials", "span", "reward_risk")
    close = climbing.close[30, 0]
    np.testing.assert_allclose(
        context.values[0, -6:], [1, 0.5, np.nan, 0, 4, (110 - close) / (close - 95)], rtol=1e-12
    )
    assert np.isnan(context.values[1, -1]), "the stop of a bear lies above its close, or there is no ratio"
    own = climbing.features().values[30, 0]
    np.testing.assert_equal(context.values[0, : len(own)], own)
