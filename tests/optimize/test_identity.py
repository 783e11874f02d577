"""Two trials are the same when they trade the same, whichever of their parameters were searched."""

from __future__ import annotations

from copy import deepcopy
from datetime import date
from hashlib import blake2b
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from windtunnel.errors import InvalidValueError
from windtunnel.optimize.identity import trial_keys

CONFIG: dict[str, Any] = {
    "strategy": {"use": "sma_cross", "params": {"fast": 10, "slow": 50, "short": False}},
    "patterns": [{"use": "gaps", "params": {}}, {"use": "candles", "params": {"only": ["star", "hammer"]}}],
    "scorer": None,
    "backtest": {"fees": 0.001, "stop_loss": None, "take_profit": 0.1},
}


def with_value(path: str, value: Any) -> dict[str, Any]:
    """Return the configuration with a value written into it, whatever stands in its way."""
    config = deepcopy(CONFIG)
    at: Any = config
    *way, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    for part in way:
        if isinstance(at, dict) and not isinstance(at.get(part), dict | list):
            at[part] = {}
        at = at[part]
    at[last] = value
    return config


def hashed(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "little")


def key(config: dict[str, Any], **searched: Any) -> int:
    (found,) = trial_keys(config, {path: [value] for path, value in searched.items()}).tolist()
    return int(found)


def test_a_key_is_the_sum_of_the_hashes_of_path_and_value() -> None:
    config = {"a": {"b": 1, "c": ["x", None]}, "d": 0.5}
    leaves = ("a.b=1", 'a.c.0="x"', "a.c.1=null", "d=0.5")
    assert key(config) == sum(map(hashed, leaves)) % 2**64
    keys = trial_keys(config, {"a.b": [1, 2], "d": [True, 0.25]})
    rest = hashed('a.c.0="x"') + hashed("a.c.1=null")
    assert keys.dtype == np.uint64
    assert keys.tolist() == [
        (rest + hashed("a.b=1") + hashed("d=true")) % 2**64,
        (rest + hashed("a.b=2") + hashed("d=0.25")) % 2**64,
    ]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("strategy.params.fast", 12),
        ("strategy.params.fast", 10.0),
        ("strategy.params.short", True),
        ("strategy.params.new", "x"),
        ("strategy.params", {"fast": 3}),
        ("strategy.params", {}),
        ("patterns.0.params.clear", 2.0),
        ("patterns.1.params.only", ("star",)),
        ("patterns.1.params.only", []),
        ("patterns.1.params.only.0", "engulfing"),
        ("scorer.threshold", 0.6),
        ("scorer", {"use": "logistic", "params": {}}),
        ("backtest.stop_loss", 0.05),
        ("backtest.stop_loss", None),
        ("backtest.stop_loss", {"atr": 2}),
        ("backtest.stop_loss.atr", 2),
        ("backtest.take_profit.atr", 2),
    ],
)
def test_a_searched_value_counts_like_the_same_value_written_down(path: str, value: Any) -> None:
    assert trial_keys(CONFIG, {path: [value]}).tolist() == [key(with_value(path, value))]


def test_a_stop_in_ranges_is_the_same_by_either_path() -> None:
    inner = trial_keys(CONFIG, {"backtest.stop_loss.atr": [1, 2]})
    outer = trial_keys(CONFIG, {"backtest.stop_loss": [{"atr": 1.0}, {"atr": 2.0}]})
    assert inner.tolist() == outer.tolist()


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        (10, 10.0, True),
        (0.0, -0.0, True),
        (2**53, 2.0**53, True),
        (2**53 + 1, 2.0**53, False),
        (10, "10", False),
        (1, True, False),
        (0, False, False),
        (None, "null", False),
        (None, 0, False),
        ((1, 2), [1.0, 2.0], True),
        ((1, 2), (2, 1), False),
        ((1,), (True,), False),
        ((), None, False),
        ((), {}, False),
        (0.1, np.float64(0.1), True),
        (3, np.int64(3), True),
        (date(2020, 1, 2), "2020-01-02", True),
    ],
)
def test_what_counts_as_the_same_value(left: Any, right: Any, same: bool) -> None:
    for column in ([left, right], [left, right, None, 7, True, (1,)]):
        keys = trial_keys({}, {"p": column})
        assert (keys[0] == keys[1]) is np.bool_(same)


def test_order_of_writing_does_not_matter_and_every_leaf_does() -> None:
    turned = {name: CONFIG[name] for name in reversed(CONFIG)}
    assert key(turned) == key(CONFIG)
    changes = [
        with_value("strategy.use", "macd"),
        with_value("backtest.fees", 0.0),
        with_value("patterns.1.use", "x"),
    ]
    swapped = {**CONFIG, "patterns": CONFIG["patterns"][::-1]}
    assert len({key(CONFIG), *map(key, [*changes, swapped])}) == 5


def test_two_parameters_that_swap_values_are_different_trials() -> None:
    keys = trial_keys(CONFIG, {"strategy.params.fast": [20, 30], "strategy.params.slow": [30, 20]})
    assert keys[0] != keys[1]


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(st.integers(0, 3) | st.booleans() | st.none(), st.floats(allow_nan=False) | st.text()),
        min_size=1,
        max_size=12,
    )
)
def test_a_row_has_the_same_key_among_others_as_alone(rows: list[tuple[Any, Any]]) -> None:
    left, right = zip(*rows, strict=True)
    together = trial_keys(CONFIG, {"strategy.params.fast": left, "scorer.threshold": right})
    alone = [key(CONFIG, **{"strategy.params.fast": one, "scorer.threshold": other}) for one, other in rows]
    assert together.tolist() == alone


def test_many_rows_of_few_values_have_as_many_keys_as_there_are_points() -> None:
    rng = np.random.default_rng(0)
    fast, slow = rng.integers(2, 200, 50_000), rng.random(300)[rng.integers(0, 300, 50_000)]
    keys = trial_keys(CONFIG, {"strategy.params.fast": fast, "strategy.params.slow": slow.tolist()})  # type: ignore[dict-item]
    points = set(zip(fast.tolist(), slow.tolist(), strict=True))
    assert len(np.unique(keys)) == len(points)


def test_no_rows_have_no_keys_and_nothing_searched_is_one_trial() -> None:
    assert trial_keys(CONFIG, {"strategy.params.fast": []}).shape == (0,)
    assert trial_keys(CONFIG, {}).shape == (1,)
    assert key({}, a=1) == key({"a": 1})


@pytest.mark.parametrize(
    ("parameters", "told"),
    [
        ({"a": [1, 2], "b": [1]}, "parameters: must all have as many values"),
        ({"backtest.stop_loss": [1], "backtest.stop_loss.atr": [2]}, "parameters: cannot hold backtest.stop"),
        ({"a": [object()]}, "a: must be a value that a configuration can hold"),
        ({"a": [(1, {2})]}, r"a\.1: must be a value that a configuration can hold"),
    ],
)
def test_what_cannot_be_searched_is_refused(parameters: dict[str, list[Any]], told: str) -> None:
    with pytest.raises(InvalidValueError, match=f"^{told}"):
        trial_keys(CONFIG, parameters)
