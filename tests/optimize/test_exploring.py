"""Searches ask, points are tried once and recorded, searches are told."""

from __future__ import annotations

import numpy as np
import pytest

from windtunnel.errors import InterruptedSearchError
from windtunnel.optimize.evaluate import FORBIDDEN
from windtunnel.optimize.exploring import Budget, Explorer, explore
from windtunnel.values import Trials

UP = np.array([1.0])


def tried(points):
    """Two folds: x in the first, −x in the second; negative points are forbidden."""
    values = np.array([float(point["x"]) for point in points])
    objectives = np.stack([values, -values], axis=1)[:, :, None]
    return Trials(
        {"x": [point["x"] for point in points]},
        objectives,
        np.tile(values[:, None], 5),
        np.tile(values[:, None, None], (1, 2, 3)),
        tuple(FORBIDDEN if value < 0 else "" for value in values),
    )


def keys_of(points):
    return np.array([1000 + int(point["x"]) for point in points], np.uint64)


class Runner:
    """Tries points two at a time, and counts them."""

    def __init__(self):
        self.points = []

    def __call__(self, points):
        for start in range(0, len(points), 2):
            part = points[start : start + 2]
            self.points += [point["x"] for point in part]
            yield tried(part)


class Memory:
    """A recorder."""

    def __init__(self, trials=None, keys=()):
        self.trials, self.keys = trials, list(keys)

    def known(self):
        empty = Trials({"x": []}, np.empty((0, 2, 1)), np.empty((0, 5)), np.empty((0, 2, 3)), ())
        return self.trials or empty, np.array(self.keys, np.uint64)

    def append(self, trials, keys):
        self.trials = trials if self.trials is None else Trials.join([self.trials, trials])
        self.keys += keys.tolist()


class Search:
    """Asks for the numbers given."""

    def __init__(self, numbers):
        self.numbers, self.told = list(numbers), []

    def ask(self, count):
        asked, self.numbers = self.numbers[:count], self.numbers[count:]
        return [{"x": number} for number in asked]

    def tell(self, points, values):
        self.told += [(point["x"], *row) for point, row in zip(points, values.tolist(), strict=True)]


def test_points_are_tried_once_and_told_as_often_as_they_are_asked_for():
    runner, search = Runner(), Search([3, 1, 3, 2, 1, 4])
    explorer = Explorer(runner, keys_of)
    rows, stopped = explore(explorer, search, Budget(None, 4), 0, UP)
    assert runner.points == [3, 1, 2, 4]
    assert rows.tolist() == [0, 1, 2, 3]
    assert search.told == [(3, 3.0), (1, 1.0), (3, 3.0), (2, 2.0), (1, 1.0), (4, 4.0)]
    assert stopped == ""
    again = Search([2, 5])
    rows, _ = explore(explorer, again, Budget(None, 4), 1, np.array([-1.0]))
    assert runner.points == [3, 1, 2, 4, 5]
    assert rows.tolist() == [2, 4]
    assert again.told == [(2, 2.0), (5, 5.0)]
    assert explorer.trials.parameters["x"] == [3, 1, 2, 4, 5]
    assert explorer.keys.tolist() == [1003, 1001, 1002, 1004, 1005]


def test_what_is_forbidden_is_told_as_failed_and_left_out():
    memory, search = Memory(), Search([5, -1, 7, 9, -1])
    explorer = Explorer(Runner(), keys_of, allowed=lambda point: point["x"] != 9, recorder=memory)
    rows, _ = explore(explorer, search, Budget(None, 3), 0, UP)
    assert rows.tolist() == [0, 1]
    assert [x for x, value in search.told if np.isnan(value)] == [-1, 9, -1]
    assert explorer.left_out == 2
    assert explorer.trials.parameters["x"] == memory.trials.parameters["x"] == [5, 7]


def test_budgets():
    explorer = Explorer(Runner(), keys_of)
    rows, stopped = explore(explorer, Search(range(1, 100)), Budget(10, 4), 0, UP)
    assert rows.tolist() == list(range(10))
    assert stopped == ""
    search = Search([5, 6, 1, 2, 3, 4, 9, 9])
    _, stopped = explore(Explorer(Runner(), keys_of), search, Budget(None, 2, patience=4), 0, UP)
    assert stopped == "4 trials in a row brought nothing better"
    assert len(search.told) == 6
    _, stopped = explore(explorer, Search([1, 2, 3]), Budget(None, 2, deadline=0.0), 0, UP)
    assert stopped == "the time was up after 2 trials"


@pytest.mark.parametrize("recorded", range(7))
def test_a_search_that_was_cut_off_ends_as_if_it_had_not_been(recorded):
    """Whatever has been recorded is not tried again, and the table is the same."""
    numbers = [4, 2, 6, -3, 8, 1, 7, 2]
    whole = Explorer(Runner(), keys_of)
    rows, _ = explore(whole, Search(numbers), Budget(None, 5), 0, UP)
    order = [4, 2, 6, 8, 1, 7]
    memory = Memory()
    if recorded:
        points = [{"x": number} for number in order[:recorded]]
        memory.append(tried(points), keys_of(points))
    runner = Runner()
    resumed = Explorer(runner, keys_of, recorder=memory)
    again, _ = explore(resumed, Search(numbers), Budget(None, 5), 0, UP)
    assert resumed.resumed == recorded
    assert runner.points == [x for x in [4, 2, 6, -3, 8, 1, 7] if x not in order[:recorded]]
    assert again.tolist() == rows.tolist()
    assert resumed.trials.parameters == whole.trials.parameters
    for name in ("objectives", "metrics", "sums"):
        assert np.array_equal(getattr(resumed.trials, name), getattr(whole.trials, name))


def test_being_told_to_stop_keeps_what_was_tried():
    memory, seen = Memory(), []
    explorer = Explorer(
        Runner(), keys_of, recorder=memory, finished=seen.append, stopping=lambda: len(seen) >= 2
    )
    with pytest.raises(InterruptedSearchError, match="stopped after 4 trials, all of which are kept"):
        explore(explorer, Search(range(1, 20)), Budget(None, 10), 0, UP)
    assert memory.keys == [1001, 1002, 1003, 1004]
    assert sum(map(len, seen)) == 4
