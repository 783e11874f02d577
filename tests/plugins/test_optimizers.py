"""What optimizers propose: within the space, the same for the same seed, and better for being told."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from windtunnel.errors import InvalidValueError
from windtunnel.plugin import Optimizer
from windtunnel.values import Choices, Point, SearchSpace, Span, Tune
from windtunnel_plugins.optimizers import CmaEs, Gp, Grid, Nsga2, Random, Sobol, Tpe

SPACE = SearchSpace(
    {
        "strategy.params.fast": Span(Tune(2, 60), whole=True),
        "backtest.stop_loss": Span(Tune(0.01, 1.0, log=True), whole=False),
        "strategy.params.side": Choices(("long", "short", "both")),
    }
)
NUMBERS = SearchSpace({name: Span(Tune(-1.0, 1.0), whole=False) for name in "xyz"})
SAMPLERS = [Random(), Sobol(), Tpe(start_up=10), Gp(start_up=5), CmaEs(), Nsga2(population=10)]


def followed(optimizer: Optimizer, space: SearchSpace, objective: Any, count: int, batch: int = 4) -> Any:
    """Return the points of a search that was told what they came to, and their values."""
    search, points, values = optimizer.start(space, seed=3), [], []
    while len(points) < count:
        asked = search.ask(min(batch, count - len(points)))
        told = np.array([[objective(point)] for point in asked])
        search.tell(asked, told)
        points += asked
        values += told[:, 0].tolist()
    return points, np.array(values)


def within(point: Point) -> bool:
    fast, stop, side = point.values()
    return (
        isinstance(fast, int)
        and 2 <= fast <= 60
        and 0.01 <= stop <= 1.0
        and side in ("long", "short", "both")
    )


def bowl(point: Point) -> float:
    return -sum((value - 0.3) ** 2 for value in point.values())


def test_a_grid_by_hand() -> None:
    space = SearchSpace({"n": Span(Tune(1, 9, step=4), whole=True), "side": Choices(("a", "b"))})
    search = Grid().start(space, seed=0)
    assert search.ask(4) == [
        {"n": 1, "side": "a"},
        {"n": 1, "side": "b"},
        {"n": 5, "side": "a"},
        {"n": 5, "side": "b"},
    ]
    assert [point["n"] for point in search.ask(10)] == [9, 9]
    assert search.ask(10) == []


@pytest.mark.parametrize("optimizer", SAMPLERS, ids=str)
def test_points_lie_in_the_space_and_a_seed_repeats_them(optimizer: Optimizer) -> None:
    def worth(point: Point) -> float:
        return float("nan") if point["strategy.params.fast"] < 5 else -abs(point["strategy.params.fast"] - 30)

    count = 8 if isinstance(optimizer, Gp) else 24
    points, _ = followed(optimizer, SPACE, worth, count)
    assert all(within(point) for point in points)
    assert len({tuple(point.values()) for point in points}) > count * 0.6
    assert points == followed(optimizer, SPACE, worth, count)[0]


@pytest.mark.parametrize("optimizer", [Tpe(start_up=10), CmaEs()], ids=str)
def test_being_told_helps(optimizer: Optimizer) -> None:
    blind = followed(Random(), NUMBERS, bowl, 60)[1].max()
    assert followed(optimizer, NUMBERS, bowl, 60, batch=1)[1].max() > blind / 3


def test_several_objectives_lead_to_a_front() -> None:
    search = Nsga2(population=10).start(NUMBERS, seed=1, objectives=2)
    last: list[Point] = []
    for _ in range(20):
        last = list(search.ask(10))
        search.tell(last, np.array([[-abs(p["x"] - 0.5), -abs(p["y"] + 0.5)] for p in last]))
    assert np.mean([abs(point["x"] - 0.5) + abs(point["y"] + 0.5) for point in last]) < 0.5
    with pytest.raises(InvalidValueError, match="nsga2 takes several"):
        CmaEs().start(NUMBERS, seed=1, objectives=2)


def test_sobol_fills_the_space_more_evenly_than_chance() -> None:
    space = SearchSpace({"x": Span(Tune(0.0, 1.0), whole=False)})
    points = Sobol().start(space, seed=5).ask(256)
    counts = np.histogram([point["x"] for point in points], bins=16, range=(0, 1))[0]
    assert counts.tolist() == [16] * 16


@given(
    low=st.integers(-5, 50),
    width=st.integers(1, 60),
    share=st.floats(0, 1),
    whole=st.booleans(),
    step=st.sampled_from([None, 1, 3]),
)
def test_spans_stay_within_their_ends(
    low: int, width: int, share: float, whole: bool, step: int | None
) -> None:
    if step is not None and step > width:
        return
    span = Span(Tune(low, low + width, step=step), whole=whole)
    value = span.at(share)
    assert low <= value <= low + width
    assert 0.0 <= span.share(value) <= 1.0
    grid = span.grid()
    assert grid == sorted(set(grid))
    assert grid[0] == low
    if step is None:
        assert grid[-1] == low + width
        assert span.at(0.0) == low
        assert span.at(1.0) == low + width
    else:
        assert all((value - low) % step == 0 for value in [*grid, value])


def test_a_space_without_parameters_is_refused() -> None:
    with pytest.raises(InvalidValueError, match="search"):
        SearchSpace({})


def test_a_search_learns_from_points_that_it_did_not_ask_for():
    """Told of a good corner first, it asks for points nearby; what lies outside or failed says nothing."""
    space = SearchSpace({"a": Span(Tune(0, 1), False), "b": Span(Tune(0, 1), False), "c": Choices((1, 2))})
    corner = [{"a": 0.9 + place / 200, "b": 0.9, "c": 2} for place in range(20)]
    values = np.array([[1.0 + place] for place in range(20)])
    warm, cold = (Tpe(start_up=2).start(space, 1) for _ in range(2))
    warm.tell(corner, values)
    warm.tell([{"a": 7.0, "b": 0.5, "c": 9}], np.array([[99.0]]))
    warm.tell([{"a": 0.5, "b": 0.5, "c": 1}], np.array([[np.nan]]))
    near, far = (
        np.mean([abs(point["a"] - 0.95) + abs(point["b"] - 0.9) for point in search.ask(10)])
        for search in (warm, cold)
    )
    assert near < far
