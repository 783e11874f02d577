"""Refusing entries and sizing what remains, on hand-made exposures."""

from __future__ import annotations

import numpy as np
import pytest

from windtunnel.pipeline.refuse import gate_refuses, refuse, sized
from windtunnel.pipeline.sections import GateSection, NotIn, SizingSection
from windtunnel.values import Forecast, Orders, Patterns, Regimes

NAN = float("nan")


def column(*values: float) -> np.ndarray:
    return np.array([[value] for value in values], dtype=float)


def here(rows: int) -> np.ndarray:
    return np.ones((rows, 1), np.bool_)


def refused_at(rows: int, *bars: int) -> np.ndarray:
    refused = np.zeros((rows, 1), np.bool_)
    refused[list(bars)] = True
    return refused


def test_a_refused_entry_stays_flat_until_the_next_signal() -> None:
    wanted = column(0, 1, 1, 0, 1, 1).astype(bool)
    kept = refuse(wanted, here(6), refused_at(6, 1))
    assert kept.dtype == np.bool_
    assert kept[:, 0].tolist() == [False, False, False, False, True, True]


def test_only_entries_are_refused_never_what_is_held() -> None:
    wanted = column(0, 1, 1, 1, 0)
    assert refuse(wanted, here(5), refused_at(5, 2, 3)).tolist() == wanted.tolist()


def test_a_refused_flip_closes_and_waits() -> None:
    kept = refuse(column(1, 1, -1, -1, 1), here(5), refused_at(5, 2))
    assert kept[:, 0].tolist() == [1, 1, 0, 0, 1]


def test_a_change_of_size_is_no_new_entry() -> None:
    kept = refuse(column(0.5, 0.7, 0.2, 0, 0.3), here(5), refused_at(5, 0))
    assert kept[:, 0].tolist() == [0, 0, 0, 0, 0.3]


def test_keep_stays_keep() -> None:
    kept = refuse(column(1, NAN, 1, 0, 1), here(5), refused_at(5, 0))
    np.testing.assert_array_equal(kept[:, 0], [0, NAN, 0, 0, 1])


def test_a_bar_that_the_symbol_does_not_have_is_no_signal() -> None:
    present = np.array([[True], [False], [True]])
    kept = refuse(column(1, 0, 1), present, refused_at(3, 2))
    assert kept[[0, 2], 0].tolist() == [1, 1]


def regimes(*codes: int) -> Regimes:
    probabilities = np.full((len(codes), 1, 2), NAN)
    for bar, code in enumerate(codes):
        if code >= 0:
            probabilities[bar, 0] = np.eye(2)[code]
    return Regimes(("calm", "wild"), probabilities)


def test_a_regime_gate_refuses_what_is_not_named_and_lets_the_unknown_pass() -> None:
    side, seen = np.ones((3, 1), np.int64), regimes(0, 1, -1)
    named = gate_refuses(GateSection(regime=("calm",)), side, seen, None)
    others = gate_refuses(GateSection(regime=NotIn.model_validate({"not": ("wild",)})), side, seen, None)
    assert named[:, 0].tolist() == [False, True, False]
    assert others[:, 0].tolist() == [False, True, False]


def patterns(bars: int, *rows: tuple[int, int]) -> Patterns:
    confirmed, direction = (np.array(values, np.int64) for values in zip(*rows, strict=True))
    real = np.full(len(rows), NAN)
    zeros = np.zeros(len(rows), np.int64)
    names = np.full(len(rows), "engulfing")
    return Patterns(zeros, names, confirmed, confirmed, direction, real, real, real, bars)


@pytest.mark.parametrize(
    ("pattern", "side", "refused"),
    [
        ("bullish", 1, [True, False, False, True, True]),
        ("bearish", 1, [True, True, True, False, False]),
        ("same", -1, [True, True, True, False, False]),
        ("not_opposite", 1, [False, False, False, True, True]),
        ("not_opposite", -1, [False, True, True, False, False]),
    ],
)
def test_a_pattern_gate_looks_back_a_few_bars(pattern: str, side: int, refused: list[bool]) -> None:
    seen = patterns(5, (1, 1), (3, -1))
    gate = GateSection.model_validate({"pattern": pattern, "within": 1})
    assert gate_refuses(gate, np.full((5, 1), side), None, seen)[:, 0].tolist() == refused


def forecast(*values: float) -> Forecast:
    mean = column(*values)
    return Forecast(mean, mean, mean, 1)


def test_the_size_is_fixed_at_the_order() -> None:
    sizing = SizingSection(fraction=0.5, target_volatility=0.2)
    weights = sized(
        Orders(column(0, 1, 1, 0, 1)), here(5), sizing, forecast(0.1, 0.4, 0.1, 0.1, 0.1)
    ).exposure
    assert weights[:, 0].tolist() == [0, 0.25, 0.25, 0, 0.5]


def test_a_forecast_that_abstains_changes_nothing() -> None:
    weights = sized(
        Orders(column(1, 1, 0)), here(3), SizingSection(target_volatility=0.1), forecast(NAN, 0.2, 0.2)
    ).exposure
    assert weights[:, 0].tolist() == [1, 1, 0]


def test_a_full_exposure_passes_through_as_it_is() -> None:
    wanted = column(1, 0).astype(bool)
    orders = Orders(wanted)
    assert sized(orders, here(2), SizingSection(), None) is orders


def test_a_pattern_gate_lets_pass_what_was_not_searched() -> None:
    seen = Patterns.join([patterns(1, (0, 1)).abstaining(2), patterns(3, (1, 1))])
    gate = GateSection.model_validate({"pattern": "bullish", "within": 0})
    refused = gate_refuses(gate, np.ones((5, 1), np.int64), None, seen)
    assert refused[:, 0].tolist() == [False, False, True, False, True]
