"""What a signal scorer sees and says."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from windtunnel.errors import InvalidValueError
from windtunnel.values.arrays import BoolArray, FloatArray, IntArray

__all__ = ["Outcomes", "Scores", "SignalFeatures"]


@dataclass(frozen=True, eq=False)
class SignalFeatures:
    """The features of n signals, as known at the close of each signal's bar.

    Parameters
    ----------
    names : tuple of str
        The F features.
    values : array of float64, ``[n, F]``
        NaN where a feature is not known.
    bar, symbol, direction : array of int64, ``[n]``
        The signal's bar, its column in the bars, and 1 for long, -1 for short.
    """

    names: tuple[str, ...]
    values: FloatArray
    bar: IntArray
    symbol: IntArray
    direction: IntArray

    def __len__(self) -> int:
        return len(self.bar)

    def take(self, rows: BoolArray | IntArray) -> SignalFeatures:
        """Return the chosen signals."""
        return SignalFeatures(
            self.names, self.values[rows], self.bar[rows], self.symbol[rows], self.direction[rows]
        )


@dataclass(frozen=True, eq=False)
class Outcomes:
    """How n signals ended.

    Parameters
    ----------
    won : array of bool, ``[n]``
        Whether the trade made money after costs.
    returns : array of float64, ``[n]``
        Its net return, in the direction of the signal.
    known : array of int64, ``[n]``
        The bar at whose close the outcome is known; T, one past the last bar, where it is still open.
    weight : array of float64, ``[n]``
        How much each is worth to who learns from them, in (0, 1]: outcomes that overlap in time say the same
        twice. 1 if left out.
    """

    won: BoolArray
    returns: FloatArray
    known: IntArray
    weight: FloatArray = field(default_factory=lambda: np.empty(0))

    def __post_init__(self) -> None:
        if len(self.weight) != len(self.won):
            object.__setattr__(self, "weight", np.ones(len(self.won)))

    def __len__(self) -> int:
        return len(self.won)

    def take(self, rows: BoolArray | IntArray) -> Outcomes:
        """Return the chosen signals' outcomes."""
        return Outcomes(self.won[rows], self.returns[rows], self.known[rows], self.weight[rows])


@dataclass(frozen=True, eq=False)
class Scores:
    """A scorer's opinion of n signals.

    Parameters
    ----------
    probability : array of float64, ``[n]``
        Of a win, in [0, 1]; NaN where the scorer abstains.
    confidence : array of float64, ``[n]``
        How much the scorer trusts that probability, in [0, 1]; NaN where it abstains.
    contributions : array of float64, ``[n, F]``
        How far each feature moved the score, in the scorer's own units; 0 where it had no part.
    """

    probability: FloatArray
    confidence: FloatArray
    contributions: FloatArray

    def check(self, signals: int, features: int) -> None:
        """Refuse what is no probability.

        Raises
        ------
        InvalidValueError
            If an array has the wrong shape, or a probability lies outside [0, 1].
        """
        shapes = {"probability": (signals,), "confidence": (signals,), "contributions": (signals, features)}
        for name, shape in shapes.items():
            if getattr(self, name).shape != shape:
                raise InvalidValueError(name, f"must be of shape {shape}", getattr(self, name).shape)
        wrong = (self.probability < 0) | (self.probability > 1)
        if wrong.any():
            value = float(self.probability[wrong][0])
            raise InvalidValueError("probability", "must lie between 0 and 1", value)

    @classmethod
    def unknown(cls, signals: int, features: int) -> Scores:
        """Return scores that say nothing."""
        return cls(np.full(signals, np.nan), np.full(signals, np.nan), np.zeros((signals, features)))
