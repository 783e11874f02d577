"""Plugins and a host for the tests of experiments."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from textwrap import dedent
from typing import Annotated, Literal

import pytest
from annotated_types import Ge, Le
from pydantic import Field, SecretStr, field_validator, model_validator

from windtunnel.plugin import (
    DataSource,
    Host,
    PatternDetector,
    RegimeModel,
    Strategy,
    VolatilityModel,
    build_host,
)
from windtunnel.values import ConfigModel, Tune


class Costs(ConfigModel):
    rate: Annotated[float, Ge(0)] = 0.0
    """Share of the price."""


class Cross(Strategy):
    """Long while the fast average is above the slow one."""

    name = "cross"
    fast: Annotated[int, Ge(2), Tune(5, 50)] = 10
    """Fast window, in bars."""
    slow: Annotated[int, Ge(3), Le(500), Tune(20, 200)] = 50
    """Slow window, in bars."""
    kind_of_mean: Literal["simple", "exponential"] = "simple"
    """Which average."""
    since: date | None = None
    """First day of trading."""
    levels: tuple[float, ...] = (0.5, 1.0)
    """Steps of the position."""
    costs: Costs = Costs()

    @model_validator(mode="after")
    def _fast_below_slow(self) -> Cross:
        if self.fast >= self.slow:
            raise ValueError("fast must be less than slow")
        return self

    def exposure(self, market):
        return market.sma(self.fast) > market.sma(self.slow)


class Half(Strategy):
    """Half of what another strategy wants."""

    name = "half"
    inner: Strategy
    """The other strategy."""

    def exposure(self, market):
        return self.inner.exposure(market) * 0.5


class Faulty(Strategy):
    """Raises what no validator should."""

    name = "faulty"
    divisor: int = 1

    @field_validator("divisor")
    @classmethod
    def _divides(cls, value: int) -> int:
        return 1 // value and value

    def exposure(self, market):
        return market.close * 0


class Files(DataSource):
    """Reads files."""

    name = "files"
    path: str = "prices.csv"
    """The file."""
    attributes: Path | None = None
    """A file of attributes."""
    columns: dict[str, str] = Field(default_factory=dict)
    """Names of columns."""

    def load(self, request):
        raise NotImplementedError


class Remote(DataSource):
    """Asks a server."""

    name = "remote"
    key: str
    """What opens the door."""
    region: Literal["eu", "us"] = "eu"
    """Where the server stands."""
    headers: dict[str, str] = Field(default_factory=dict)
    """More to send."""

    @field_validator("key")
    @classmethod
    def _long_enough(cls, value: str) -> str:
        if value.startswith("bad"):
            raise ValueError(f"{value!r} opens nothing, nor does {value.upper()}")
        if value.startswith("boom"):
            raise KeyError(value)
        return value

    def load(self, request):
        raise NotImplementedError


class Masked(DataSource):
    """Masks what it was given."""

    name = "masked"
    token: SecretStr
    """What opens the door."""
    rows: int = 5
    """How many."""

    def load(self, request):
        raise NotImplementedError


class Shapes(PatternDetector):
    """Finds shapes."""

    name = "shapes"
    width: Annotated[int, Ge(1)] = 3

    def detect(self, market, state):
        raise NotImplementedError


class Calm(RegimeModel):
    """Calm or not."""

    name = "calm"

    def predict(self, market, state):
        raise NotImplementedError


class Flat(VolatilityModel):
    """Always the same."""

    name = "flat"

    def forecast(self, market, state, horizon):
        raise NotImplementedError


@pytest.fixture(scope="session")
def host() -> Host:
    """Only the plugins of this file."""
    made = build_host(extra=[Cross, Half, Faulty, Files, Remote, Masked, Shapes, Calm, Flat], allow=())
    made.broken.clear()
    return made


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Write a YAML file in the current folder and return its name."""
    monkeypatch.chdir(tmp_path)

    def written(text: str, name: str = "mine.yaml") -> str:
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text).lstrip("\n"), encoding="utf-8")
        return name

    return written
