"""Values can be cut at a bar and joined again."""

from __future__ import annotations

import numpy as np
import pytest

from windtunnel.errors import InvalidValueError
from windtunnel.values import Forecast, Orders, Patterns, Regimes


def table(bars: int, *rows: tuple[int, int, int]) -> Patterns:
    symbol, confirmed, direction = (np.array(column, np.int64) for column in zip(*rows, strict=True))
    real = np.full(len(rows), 0.5)
    return Patterns(
        symbol, np.full(len(rows), "star"), confirmed - 1, confirmed, direction, real, real, real, bars
    )


def test_patterns_count_from_the_cut_and_join_back() -> None:
    whole = table(10, (0, 2, 1), (1, 5, -1), (0, 9, 1))
    parts = [whole.cut(0, 4), whole.cut(4, 10)]
    assert parts[1].confirmed.tolist() == [1, 5]
    assert parts[1].first.tolist() == [0, 4]
    joined = Patterns.join(parts)
    assert joined.confirmed.tolist() == whole.confirmed.tolist()
    assert joined.first.tolist() == whole.first.tolist()
    assert joined.bars == 10


def test_a_pattern_is_active_on_its_bar_and_a_few_after() -> None:
    active = table(6, (0, 1, 1), (1, 2, -1)).active(1, within=2, symbols=2)
    assert active[:, 0].tolist() == [False, True, True, True, False, False]
    assert not active[:, 1].any()


def test_tables_on_top_of_each_other_are_ordered() -> None:
    both = Patterns.union([table(9, (0, 5, 1)), table(9, (1, 3, 1), (0, 3, -1)), Patterns.empty(9)], 9)
    assert both.confirmed.tolist() == [3, 3, 5]
    assert both.symbol.tolist() == [0, 1, 0]
    assert both.to_frame().shape == (3, 12)


def test_regimes_name_the_likeliest_and_abstain() -> None:
    probabilities = np.array([[[0.2, 0.8]], [[0.6, 0.4]], [[np.nan, np.nan]]])
    regimes = Regimes(("calm", "wild"), probabilities)
    assert regimes.codes[:, 0].tolist() == [1, 0, -1]
    assert regimes.is_any(["wild"])[:, 0].tolist() == [True, False, False]
    with pytest.raises(InvalidValueError, match="did you mean calm"):
        regimes.is_any(["clam"])
    joined = Regimes.join([regimes.abstaining(2), regimes.cut(1, 3)])
    assert joined.codes[:, 0].tolist() == [-1, -1, 0, -1]


def test_forecasts_and_orders_cut_and_join() -> None:
    mean = np.arange(4.0)[:, None]
    forecast = Forecast(mean, mean - 1, mean + 1, 5)
    joined = Forecast.join([forecast.cut(0, 1), forecast.cut(1, 4)])
    assert joined.low.tolist() == forecast.low.tolist()
    assert joined.horizon == 5
    assert np.isnan(forecast.abstaining(2).high).all()
    orders = Orders(np.array([[True], [False]]))
    assert Orders.join([orders.abstaining(1), orders]).exposure[:, 0].tolist() == [False, True, False]


def test_a_detector_that_has_not_learned_yet_abstains() -> None:
    whole = table(4, (0, 1, 1))
    joined = Patterns.join([whole.abstaining(3), whole])
    assert joined.known_from == 3
    assert (joined.cut(2, 7).known_from, joined.cut(5, 7).known_from) == (1, 0)
    assert Patterns.union([joined, Patterns.empty(7)], 7).known_from == 3


def test_regimes_of_other_names_are_not_joined() -> None:
    one = Regimes(("calm", "wild"), np.full((1, 1, 2), 0.5))
    other = Regimes(("wild", "calm"), np.full((1, 1, 2), 0.5))
    with pytest.raises(InvalidValueError, match="the same after every fit"):
        Regimes.join([one, other])


@pytest.mark.parametrize(
    ("value", "parameter"),
    [
        (Regimes(("calm", "wild"), np.full((3, 1, 2), 0.6)), "probabilities"),
        (Regimes(("calm",), np.ones((2, 1, 1))), "probabilities"),
        (Forecast(-np.ones((3, 1)), np.ones((3, 1)), np.ones((3, 1)), 1), "mean"),
        (Forecast(np.ones((3, 1)), np.ones((2, 1)), np.ones((3, 1)), 1), "low"),
        (table(3, (0, 3, 1)), "confirmed"),
        (table(3, (1, 2, 1)), "symbol"),
        (table(3, (0, 2, 7)), "direction"),
    ],
)
def test_what_cannot_be_about_the_bars_is_refused(value: object, parameter: str) -> None:
    with pytest.raises(InvalidValueError) as caught:
        value.check((3, 1))  # type: ignore[attr-defined]
    assert caught.value.parameter == parameter
