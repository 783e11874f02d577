"""The search range of a plugin's parameter."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite

from windtunnel.errors import InvalidValueError

__all__ = ["Tune"]


@dataclass(frozen=True)
class Tune:
    """What is searched, beside what is legal: ``Annotated[int, Ge(2), Tune(5, 50)]``.

    Parameters
    ----------
    low, high : float
        Both ends belong to the range.
    step : float, optional
        Distance between neighbouring points; None means every integer, or a continuum for floats.
    log : bool
        Search the logarithm evenly; needs ``low > 0`` and no ``step``.

    Raises
    ------
    InvalidValueError
        At construction, if the range is empty or the options contradict each other.
    """

    low: float
    high: float
    step: float | None = None
    log: bool = False

    def __post_init__(self) -> None:
        if not (isfinite(self.low) and isfinite(self.high)):
            raise InvalidValueError("Tune", "must have finite ends", (self.low, self.high))
        if not self.low < self.high:
            raise InvalidValueError("Tune.high", f"must be greater than low = {self.low}", self.high)
        if self.step is not None and not 0 < self.step <= self.high - self.low:
            raise InvalidValueError("Tune.step", "must be positive and fit between low and high", self.step)
        if self.log and self.low <= 0:
            raise InvalidValueError("Tune.low", "must be positive when log is set", self.low)
        if self.log and self.step is not None:
            raise InvalidValueError("Tune.step", "cannot be combined with log", self.step)

    def __str__(self) -> str:
        step = f" by {self.step:g}" if self.step is not None else ""
        return f"{self.low:g} … {self.high:g}{step}{', log' if self.log else ''}"
