"""A plugin is its parameters: one declaration, and the traps that the base class closes."""

from __future__ import annotations

import pickle
from typing import Annotated

import numpy as np
import pytest
from annotated_types import Ge
from pydantic import ValidationError, model_validator

from windtunnel.errors import InvalidValueError, PluginError
from windtunnel.market import Market
from windtunnel.plugin import Plugin, RegimeModel, Strategy, VolatilityModel, build_host, tuned
from windtunnel.values import Exposure, Tune


class Cross(Strategy):
    """Long while fast is above slow."""

    name = "cross"
    fast: Annotated[int, Ge(2), Tune(5, 50)] = 10
    """Fast window, in bars."""
    slow: Annotated[int, Ge(3), Tune(20, 200, step=5)] = 50
    """Slow window, in bars."""
    weights: tuple[float, ...] = (1.0,)
    """Weights."""

    @model_validator(mode="after")
    def _ordered(self) -> Cross:
        if self.fast >= self.slow:
            raise ValueError(f"fast must be below slow = {self.slow} (got {self.fast})")
        return self

    def exposure(self, market: Market) -> Exposure:
        return np.ones(market.shape, np.bool_)


class Mix(Strategy):
    """Holds what its parts hold."""

    name = "mix"
    parts: tuple[Strategy, ...] = (Cross(), Cross(fast=3))
    """The parts."""

    def exposure(self, market: Market) -> Exposure:
        return self.parts[0].exposure(market)


def test_one_declaration_gives_description_bounds_and_range() -> None:
    schema = Cross.model_json_schema()["properties"]["fast"]
    assert schema["description"] == "Fast window, in bars."
    assert schema["minimum"] == 2
    assert tuned(Cross) == {"fast": Tune(5, 50), "slow": Tune(20, 200, step=5)}


def test_text_is_no_number() -> None:
    with pytest.raises(ValidationError, match="valid integer"):
        Cross.from_params({"fast": "10"})


def test_a_yaml_list_stands_for_a_tuple() -> None:
    assert Cross.from_params({"weights": [1, 0.5]}).weights == (1.0, 0.5)


def test_unknown_parameters_are_refused() -> None:
    with pytest.raises(ValidationError, match="fsat"):
        Cross.from_params({"fsat": 10})


def test_a_copy_is_validated() -> None:
    assert Cross().model_copy(update={"fast": 20}).fast == 20
    with pytest.raises(ValidationError, match="greater than or equal to 2"):
        Cross().model_copy(update={"fast": 1})
    with pytest.raises(ValidationError, match="below slow"):
        Cross().model_copy(update={"fast": 60})


def test_nothing_can_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Cross().fast = 3  # type: ignore[misc]


def test_infinite_parameters_are_refused() -> None:
    with pytest.raises(ValidationError):
        Cross.from_params({"weights": [float("nan")]})


def test_nested_plugins_keep_their_parameters() -> None:
    """Pydantic would write a nested plugin as {}, so that two different ones looked the same."""
    host = build_host(extra=[Cross, Mix])
    params = Mix().params()
    assert params["parts"][1] == {"use": "cross", "params": {"fast": 3, "slow": 50, "weights": [1.0]}}
    assert Mix.from_params(params, host=host) == Mix()
    assert Mix.from_params({"parts": [{"use": "cross"}]}, host=host).parts == (Cross(),)


def test_a_mistake_inside_a_nested_plugin_is_located() -> None:
    host = build_host(extra=[Cross, Mix])
    with pytest.raises(ValidationError) as caught:
        Mix.from_params({"parts": [{"use": "cross", "params": {"fast": 0}}]}, host=host)
    assert caught.value.errors()[0]["loc"] == ("parts", 0, "fast")


def test_naming_a_nested_plugin_needs_a_host() -> None:
    with pytest.raises(ValidationError, match="host"):
        Mix.from_params({"parts": [{"use": "cross"}]})


def test_a_nested_plugin_must_be_of_the_kind() -> None:
    class Calm(VolatilityModel):
        """Says nothing."""

        name = "calm"

        def forecast(self, market: Market, state: object, horizon: int) -> object:
            return None

    with pytest.raises(ValidationError, match="strategy"):
        Mix(parts=(Calm(),))  # type: ignore[arg-type]


def test_pickle_and_json_round_trips() -> None:
    assert pickle.loads(pickle.dumps(Cross(fast=4))) == Cross(fast=4)
    assert Cross.from_params(Cross(fast=4).params()) == Cross(fast=4)
    assert Cross(fast=4).model_dump_json() == '{"use":"cross","params":{"fast":4,"slow":50,"weights":[1.0]}}'


def test_a_class_without_a_name_is_refused_at_definition() -> None:
    with pytest.raises(PluginError, match="name of its own"):

        class Nameless(Cross):
            """Inherits a name, which is not enough."""


def test_a_class_without_a_kind_is_refused_at_definition() -> None:
    with pytest.raises(PluginError, match="subclass a kind"):

        class Homeless(Plugin):
            """Is nothing."""

            name = "homeless"


def test_a_plugin_without_its_method_cannot_be_built() -> None:
    class Lazy(RegimeModel):
        """Does nothing."""

        name = "lazy"

    with pytest.raises(TypeError, match="predict"):
        Lazy()


@pytest.mark.parametrize(
    ("arguments", "parameter"),
    [
        ((5, 5), "high"),
        ((5, 1), "high"),
        ((1, 5, 9), "step"),
        ((1, 5, -1), "step"),
        ((0, 5, None, True), "low"),
    ],
)
def test_impossible_ranges_are_refused(arguments: tuple[float, ...], parameter: str) -> None:
    with pytest.raises(InvalidValueError) as caught:
        Tune(*arguments)
    assert caught.value.parameter == f"Tune.{parameter}"
