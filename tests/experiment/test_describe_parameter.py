"""A parameter's line, made of its declaration alone."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from annotated_types import Ge, Gt, Le, Lt, MinLen
from pydantic import Field

from windtunnel.experiment import describe_parameter
from windtunnel.pipeline.sections import NotIn, ScorerSection
from windtunnel.plugin import Strategy
from windtunnel.values import ConfigModel, Rules, Tune


class Inner(ConfigModel):
    rate: float = 0.5


class Sample(Strategy):
    """Has one parameter of each sort."""

    name = "sample_of_parameters"
    fast: Annotated[int, Ge(2), Tune(5, 50)] = 10
    """Fast window, in bars."""
    rate: Annotated[float, Gt(0), Lt(1), Tune(0.001, 0.5, log=True)] = 0.1
    """Share
    of the price."""
    window: Annotated[int, Ge(1)] | None = None
    mode: Literal["a", "b"] = "a"
    flag: bool = False
    names: Annotated[tuple[str, ...], MinLen(1)]
    pairs: dict[str, float] = Field(default_factory=dict)
    day: date | None = None
    file: Path
    inner: Inner = Inner()
    other: Strategy | None = None
    whatever: Any = None
    big: Annotated[float, Le(1e9)] = 10_000.0

    def exposure(self, market):
        return market.close * 0


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("fast", "fast: int ≥ 2, searched 5 … 50, default 10 — Fast window, in bars."),
        ("rate", "rate: float > 0, < 1, searched 0.001 … 0.5, log, default 0.1 — Share of the price."),
        ("window", "window: int ≥ 1 or null, default null"),
        ("mode", "mode: a or b, default a"),
        ("flag", "flag: true or false, default false"),
        ("names", "names: list of text, not empty, required"),
        ("pairs", "pairs: mapping"),
        ("day", "day: date or null, default null"),
        ("file", "file: path, required"),
        ("inner", "inner: mapping, default {rate: 0.5}"),
        ("other", "other: a strategy plugin as {use, params} or null, default null"),
        ("whatever", "whatever: any value, default null"),
        ("big", "big: float ≤ 1000000000, default 10000"),
    ],
)
def test_every_sort_of_parameter_has_its_line(name, line):
    assert describe_parameter(Sample, name) == line


def test_the_frameworks_own_keys_have_one_too():
    assert describe_parameter(ScorerSection, "threshold") == (
        "threshold: float ≥ 0, < 1 or base, default 0.6 — "
        "Least probability of a win; ``base`` is the share of wins among the signals learned from."
    )
    assert (
        describe_parameter(NotIn, "not")
        == "not: list of text, not empty, required — The values that are refused."
    )
    assert describe_parameter(Rules, "cash").startswith("cash: float > 0, default 10000 — Starting cash")


def test_an_unknown_parameter_has_none():
    with pytest.raises(KeyError):
        describe_parameter(Sample, "fsat")
