"""What a backtest of a candidate tells a strategy that learns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from windtunnel.values.arrays import FloatArray

__all__ = ["Evaluation"]


@dataclass(frozen=True, eq=False)
class Evaluation(Mapping[str, float]):
    """The metrics of a backtest, by name, and what it earned bar by bar.

    Parameters
    ----------
    metrics : mapping of str to float
        Fractions, not per cent; NaN where a figure is not defined.
    returns : array of float64, ``[T]``
        Net return of the account on each bar.
    """

    metrics: Mapping[str, float]
    returns: FloatArray

    def __getitem__(self, name: str) -> float:
        return self.metrics[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.metrics)

    def __len__(self) -> int:
        return len(self.metrics)
