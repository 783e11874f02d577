"""The splits of validation schemes, against another program's index sets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windtunnel.errors import InvalidValueError
from windtunnel.optimize import combinatorial, holdout, purged_kfold, walk_forward
from windtunnel.values import Split


def rows(spans: tuple[tuple[int, int], ...]) -> list[int]:
    return [row for first, stop in spans for row in range(first, stop)]


def known(shared: Path) -> dict[str, Any]:
    return json.loads((shared / "oracles" / "cross_validation" / "skfolio_index_sets.json").read_text())


def test_combinatorial_splits_agree_with_another_program(shared: Path) -> None:
    for case in known(shared)["cpcv"]:
        splits = list(
            combinatorial(
                case["n"],
                folds=case["n_folds"],
                judged=case["n_test_folds"],
                purge=case["purged_size"],
                embargo=case["embargo_size"],
            )
        )
        assert len(splits) == case["n_splits"]
        for split, told in zip(splits, case["splits"], strict=True):
            assert rows(split.train) == told["train"]
            assert [list(range(*span)) for span in split.test] == told["test"]


def test_walking_forward_agrees_with_another_program(shared: Path) -> None:
    for case in known(shared)["walk_forward"]:
        splits = walk_forward(
            case["n"],
            train=case["train_size"],
            test=case["test_size"],
            purge=case.get("purged_size", 0),
            anchored=case.get("expand_train", False),
        )
        assert [(rows(one.train), rows(one.test)) for one in splits] == [
            (told["train"], told["test"]) for told in case["splits"]
        ]


def test_by_hand() -> None:
    assert holdout(10, share=0.3, purge=2) == Split(((0, 5),), ((7, 10),))
    assert list(purged_kfold(9, folds=3, purge=1, embargo=1)) == [
        Split(((5, 9),), ((0, 3),)),
        Split(((0, 2), (8, 9)), ((3, 6),)),
        Split(((0, 5),), ((6, 9),)),
    ]


@given(
    bars=st.integers(10, 60),
    folds=st.integers(2, 6),
    judged=st.integers(1, 5),
    purge=st.integers(0, 4),
    embargo=st.integers(0, 4),
)
def test_nothing_learned_from_lies_near_what_is_judged(
    bars: int, folds: int, judged: int, purge: int, embargo: int
) -> None:
    if judged >= folds:
        return
    for split in combinatorial(bars, folds=folds, judged=judged, purge=purge, embargo=embargo):
        train, test = set(rows(split.train)), rows(split.test)
        assert all(row + back not in train for row in test for back in range(-purge, purge + embargo + 1))
        far = {row for row in range(bars) if all(not -purge - embargo <= one - row <= purge for one in test)}
        assert far == train


@pytest.mark.parametrize(
    ("make", "parameter"),
    [
        (lambda: holdout(10, share=1.0), "share"),
        (lambda: holdout(10, share=0.9, purge=1), "share"),
        (lambda: list(walk_forward(10, train=8, test=3)), "train"),
        (lambda: list(combinatorial(10, folds=1, judged=1)), "folds"),
        (lambda: list(combinatorial(3, folds=4, judged=1)), "folds"),
        (lambda: list(combinatorial(10, folds=3, judged=3)), "judged"),
    ],
)
def test_schemes_that_cannot_be(make: Any, parameter: str) -> None:
    with pytest.raises(InvalidValueError) as error:
        make()
    assert error.value.parameter == parameter
