"""What a search is about: the parameters that may change, and who proposes their values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp, floor, log
from typing import Any, Protocol

from windtunnel.errors import InvalidValueError
from windtunnel.values.arrays import FloatArray
from windtunnel.values.tune import Tune

__all__ = ["Choices", "Dimension", "Point", "Search", "SearchSpace", "Span"]

Point = Mapping[str, Any]
"""A value of every parameter that is searched, by its dotted path."""

_STEPS = 20
_NEARLY = 1e-9


@dataclass(frozen=True)
class Span:
    """Numbers from one to another.

    Parameters
    ----------
    tune : Tune
    whole : bool
        Whether the numbers are whole.
    """

    tune: Tune
    whole: bool

    def __str__(self) -> str:
        return str(self.tune)

    def at(self, share: float) -> Any:
        """Return the number at a share of the way, 0 … 1, on the logarithm where the range says so."""
        tune = self.tune
        share = min(max(share, 0.0), 1.0)
        if tune.step is not None:
            steps = floor((tune.high - tune.low) / tune.step + _NEARLY) + 1
            return self._number(tune.low + tune.step * min(floor(share * steps), steps - 1))
        low, high = tune.low, tune.high
        if self.whole:
            low, high = low - 0.5 + _NEARLY, high + 0.5 - _NEARLY
        if tune.log:
            return self._number(exp(log(low) + share * (log(high) - log(low))))
        return self._number(low + share * (high - low))

    def holds(self, value: Any) -> bool:
        """Say whether a number lies in the range."""
        number = isinstance(value, int | float) and not isinstance(value, bool)
        return number and self.tune.low <= value <= self.tune.high

    def share(self, value: float) -> float:
        """Return how far on the way a number lies, 0 … 1."""
        tune = self.tune
        if tune.log:
            return (log(value) - log(tune.low)) / (log(tune.high) - log(tune.low))
        return (value - tune.low) / (tune.high - tune.low)

    def grid(self, count: int = _STEPS) -> list[Any]:
        """Return at most so many numbers, evenly from end to end, each once."""
        tune = self.tune
        if tune.step is not None:
            steps = floor((tune.high - tune.low) / tune.step + _NEARLY)
        else:
            steps = floor(tune.high - tune.low) if self.whole else count - 1
        most = max(1, min(count, steps + 1) - 1)
        found = []
        for place in range(most + 1):
            share = place / most
            if tune.step is not None:
                found.append(self._number(tune.low + tune.step * round(share * steps)))
            elif tune.log:
                found.append(self._number(exp(log(tune.low) + share * (log(tune.high) - log(tune.low)))))
            else:
                found.append(self._number(tune.low + share * (tune.high - tune.low)))
        return list(dict.fromkeys(found))

    def _number(self, value: float) -> Any:
        return round(value) if self.whole else float(f"{value:.12g}")


@dataclass(frozen=True)
class Choices:
    """Some values, in their order."""

    values: tuple[Any, ...]

    def __str__(self) -> str:
        return " or ".join("off" if value is None else str(value) for value in self.values)

    def at(self, share: float) -> Any:
        """Return the value at a share of the way, 0 … 1."""
        return self.values[min(floor(max(share, 0.0) * len(self.values)), len(self.values) - 1)]

    def holds(self, value: Any) -> bool:
        """Say whether it is one of the values."""
        return value in self.values

    def share(self, value: Any) -> float:
        """Return how far on the way a value lies, 0 … 1."""
        return self.values.index(value) / max(len(self.values) - 1, 1)

    def grid(self, count: int = _STEPS) -> list[Any]:
        """Return all values, whatever their number."""
        return list(self.values)


Dimension = Span | Choices


@dataclass(frozen=True)
class SearchSpace:
    """The parameters that are searched, by their dotted paths.

    Raises
    ------
    InvalidValueError
        If there are none.
    """

    dimensions: Mapping[str, Dimension]

    def __post_init__(self) -> None:
        if not self.dimensions:
            raise InvalidValueError("search", "must name a parameter", [])

    def at(self, shares: Sequence[float]) -> dict[str, Any]:
        """Return the point at shares of the way of each dimension, 0 … 1."""
        pairs = zip(self.dimensions.items(), shares, strict=True)
        return {name: dimension.at(share) for (name, dimension), share in pairs}

    def holds(self, point: Point) -> bool:
        """Say whether a point has a value of every dimension, and each within its range."""
        return point.keys() == self.dimensions.keys() and all(
            dimension.holds(point[path]) for path, dimension in self.dimensions.items()
        )

    def __len__(self) -> int:
        return len(self.dimensions)


class Search(Protocol):
    """A search on its way: it proposes points and is told what came of them."""

    def ask(self, count: int) -> Sequence[Point]:
        """Return up to ``count`` points to try next; none where the search is over."""

    def tell(self, points: Sequence[Point], values: FloatArray) -> None:
        """Learn what points came to.

        Parameters
        ----------
        points : sequence of Point
            Some of those that were asked for, in any order; before the first of these perhaps others of the
            space, which were tried earlier.
        values : array of float64, ``[n, m]``
            Of m objectives, higher is better; NaN where a point could not be tried.
        """
