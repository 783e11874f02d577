"""The section of an experiment that says which combinations to try."""

from __future__ import annotations

from math import floor
from typing import Annotated, Any, Literal, TypeAlias

from annotated_types import Gt
from pydantic import Discriminator, Field, Tag, model_validator

from windtunnel.values import ConfigModel

__all__ = ["MOST", "Dimension", "Span", "SweepSection"]

MOST = 10_000_000
"""Most combinations that a sweep may have."""

_NEARLY = 1e-9
_COUNTLESS = 1e12


class Span(ConfigModel):
    """Evenly spaced numbers."""

    from_: Annotated[int | float, Field(alias="from")]
    """The first."""
    to: int | float
    """The last, if the steps meet it."""
    step: Annotated[int | float, Gt(0)] | None = None
    """From one to the next; 1 if left out, where both ends are whole numbers."""

    @model_validator(mode="after")
    def _has_points(self) -> Span:
        if self.from_ > self.to:
            raise ValueError(f"from must be at most to (got from = {self.from_:g}, to = {self.to:g})")
        if self.step is None and not (isinstance(self.from_, int) and isinstance(self.to, int)):
            raise ValueError("needs a step, for its ends are not whole numbers")
        return self

    @property
    def count(self) -> int:
        """How many numbers there are; of more than a trillion, about as many."""
        first, step = self.from_, self._by
        if isinstance(first, int) and isinstance(self.to, int) and isinstance(step, int):
            return (self.to - first) // step + 1
        return floor(min((self.to - first) / step, _COUNTLESS) + _NEARLY) + 1

    @property
    def points(self) -> list[int | float]:
        """The numbers, to 12 digits; whole ones where the first and the step are."""
        first, step = self.from_, self._by
        if isinstance(first, int) and isinstance(step, int):
            return list(range(first, first + step * self.count, step))
        return [float(f"{first + step * place:.12g}") for place in range(self.count)]

    @property
    def _by(self) -> int | float:
        return 1 if self.step is None else self.step


def _form(value: Any) -> str:
    return "span" if isinstance(value, dict | Span) else "list"


Value: TypeAlias = bool | int | float | str | None
"""What a parameter may be in a sweep; null switches a rule off."""

Dimension: TypeAlias = Annotated[
    Annotated[Span, Tag("span")] | Annotated[tuple[Value, ...], Field(min_length=1), Tag("list")],
    Discriminator(_form),
]
"""The values of one parameter."""


class SweepSection(ConfigModel):
    """Backtest every legal combination of some parameters, then the best of them as an ordinary run."""

    space: dict[str, Dimension] | None = None
    """What to try, by the dotted path that ``--set`` takes (``strategy.params.fast``,
    ``backtest.stop_loss``): numbers ``{from: 2, to: 100, step: 2}``, both ends belong to them, or a list.
    Left out, the ranges that the strategy declares, at most 20 values each."""
    metric: Literal["sharpe", "total_return", "max_drawdown", "win_rate"] = "sharpe"
    """By which the best is chosen."""
