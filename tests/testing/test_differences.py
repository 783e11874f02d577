"""What counts as equal between two runs, and which difference comes first."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from windtunnel.testing.differences import Difference, Panel, Rows, first_difference, same


def rows(*table: tuple[int, int, str, float]) -> Rows:
    bar, symbol, label, values = zip(*table, strict=True) if table else ((), (), (), ())
    return Rows(
        np.array(bar, np.int64),
        np.array(symbol, np.int64),
        np.array(label, np.str_),
        ("confidence",),
        np.array(values, float).reshape(-1, 1),
    )


@pytest.mark.parametrize(
    ("a", "b", "equal"),
    [
        (1.0, 1.0 + 1e-10, True),
        (1.0, 1.0 + 1e-8, False),
        (np.nan, np.nan, True),
        (np.nan, 0.0, False),
        (np.inf, np.inf, True),
        (np.inf, -np.inf, False),
        (np.inf, 1e300, False),
        (1e-9, 2e-9, False),
        (True, False, False),
        (1, 1.0, True),
        ("calm", "wild", False),
    ],
)
def test_equal_is_equal_but_for_the_last_bits(a: Any, b: Any, equal: bool) -> None:
    assert bool(same(np.array([[a]]), np.array([[b]]))[0, 0]) is equal


def test_what_is_left_of_equal_terms_is_measured_against_the_column() -> None:
    a, b = np.array([[1e6, 1.0], [0.0, 0.0]]), np.array([[1e6, 1.0], [1e-8, 1e-8]])
    assert same(a, b).tolist() == [[True, True], [True, False]]


def test_the_first_bar_comes_first_and_what_lies_behind_the_cut_does_not_count() -> None:
    a = np.zeros((6, 2))
    b, c = a.copy(), a.copy()
    b[3, 1], c[2, 0], c[5, 1] = 1.0, np.nan, 7.0
    before = {"b": Panel(a), "c": Panel(a), "only here": Panel(a)}
    after = {"b": Panel(b), "c": Panel(c)}
    assert first_difference(before, after, 6) == Difference("c", 0, 2, 0.0, "unknown")
    assert first_difference(before, after, 2) is None


def test_the_order_of_rows_does_not_count() -> None:
    one, two = (3, 0, "flag", 0.5), (3, 0, "wedge", 0.7)
    assert rows(one, two).difference(rows(two, one), "pattern", 10) is None


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        ([(3, 0, "flag", 0.5)], Difference("pattern flag", 1, 7, "there", None)),
        ([(7, 1, "flag", 0.5)], Difference("pattern flag", 0, 3, "there", None)),
        (
            [(1, 1, "wedge", 0.1), (3, 0, "flag", 0.5), (7, 1, "flag", 0.5)],
            Difference("pattern wedge", 1, 1, None, "there"),
        ),
        (
            [(3, 0, "flag", 0.6), (7, 1, "flag", 0.5)],
            Difference("confidence of pattern flag", 0, 3, 0.5, 0.6),
        ),
        ([], Difference("pattern flag", 0, 3, "there", None)),
    ],
)
def test_rows_that_come_go_or_change(after: list[tuple[int, int, str, float]], expected: Difference) -> None:
    before = rows((3, 0, "flag", 0.5), (7, 1, "flag", 0.5))
    assert before.difference(rows(*after), "pattern", 10) == expected
    assert before.difference(rows(*after), "pattern", expected.bar) is None


def test_what_says_nothing_has_no_answers() -> None:
    assert not Panel(np.array([[np.nan, 0.0]])).answers(1)
    assert not Panel(np.zeros((3, 1), bool)).answers(3)
    assert not rows((1, 0, "", np.nan)).answers(3)
    assert Panel(np.array([[0.0], [0.3]])).answers(2)
    assert not Panel(np.array([[0.0], [0.3]])).answers(1)
    assert rows((1, 0, "", 0.4)).answers(2)
