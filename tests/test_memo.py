"""The memo: its budget, the order in which values go, and threads."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np
import pytest

from windtunnel.memo import Memo

KILOBYTE = 128


def counting(values: int, calls: list[str], name: str) -> Callable[[], np.ndarray]:
    def compute() -> np.ndarray:
        calls.append(name)
        return np.zeros(values)

    return compute


def test_computes_once_and_hands_out_the_same_read_only_array() -> None:
    memo, calls = Memo(10_000), []
    first = memo.get("a", counting(KILOBYTE, calls, "a"))
    assert memo.get("a", counting(KILOBYTE, calls, "a")) is first
    assert calls == ["a"]
    with pytest.raises(ValueError, match="read-only"):
        first[0] = 1


def test_what_was_kept_longest_goes_first() -> None:
    memo, calls = Memo(3 * 1024), []
    for name in ("a", "b", "c", "a", "d"):
        memo.get(name, counting(KILOBYTE, calls, name))
    assert memo.used == 3 * 1024
    memo.get("b", counting(KILOBYTE, calls, "b"))
    assert calls == ["a", "b", "c", "d"]
    memo.get("a", counting(KILOBYTE, calls, "a"))
    assert calls == ["a", "b", "c", "d", "a"]


def test_what_is_larger_than_the_budget_is_handed_out_and_throws_nothing_out() -> None:
    memo, calls = Memo(1024), []
    memo.get("small", counting(KILOBYTE, calls, "small"))
    assert len(memo.get("large", counting(KILOBYTE + 1, calls, "large"))) == KILOBYTE + 1
    memo.get("large", counting(KILOBYTE + 1, calls, "large"))
    memo.get("small", counting(KILOBYTE, calls, "small"))
    assert calls == ["small", "large", "large"]
    assert memo.used == 1024


def test_a_tuple_counts_all_its_arrays() -> None:
    memo = Memo(10_000)
    pair = memo.get("pair", lambda: (np.zeros(KILOBYTE), np.zeros(KILOBYTE)))
    assert memo.used == 2 * 1024
    assert not any(array.flags.writeable for array in pair)


def test_an_error_leaves_nothing_behind() -> None:
    memo = Memo(10_000)
    with pytest.raises(ZeroDivisionError):
        memo.get("a", lambda: np.zeros(1 // 0))
    assert memo.used == 0
    assert len(memo.get("a", lambda: np.zeros(2))) == 2


def test_threads_that_compute_at_once_all_get_one_array() -> None:
    memo, barrier = Memo(10_000), Barrier(4)

    def compute() -> np.ndarray:
        barrier.wait(timeout=10)
        return np.zeros(KILOBYTE)

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: memo.get("a", compute), range(4)))
    assert all(array is found[0] for array in found)
    assert memo.used == 1024


def test_threads_never_go_over_the_budget() -> None:
    memo = Memo(5 * 1024)

    def work(worker: int) -> None:
        for step in range(200):
            value = (worker * step) % 13
            assert memo.get(value, lambda value=value: np.full(KILOBYTE, value))[0] == value

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    assert memo.used == 5 * 1024
