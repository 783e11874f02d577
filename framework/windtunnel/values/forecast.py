"""What a volatility model says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from windtunnel.errors import InvalidValueError
from windtunnel.values.arrays import FloatArray

__all__ = ["Forecast"]


@dataclass(frozen=True, eq=False)
class Forecast:
    """Forecast of realised volatility over the next ``horizon`` bars, as known at each bar's close.

    Parameters
    ----------
    mean, low, high : array of float64, ``[T, N]``
        Annualised volatility (0.15 is 15 % a year): the square root of the mean squared log return over
        the next ``horizon`` bars times the periods per year. ``low`` and ``high`` bound it with the
        model's nominal coverage. NaN means that the model abstains.
    horizon : int
        Bars ahead.
    """

    mean: FloatArray
    low: FloatArray
    high: FloatArray
    horizon: int

    def check(self, shape: tuple[int, int]) -> None:
        """Refuse what is no volatility.

        Raises
        ------
        InvalidValueError
            If an array is not ``[T, N]``, or the mean is negative or infinite.
        """
        for name in ("mean", "low", "high"):
            if getattr(self, name).shape != shape:
                raise InvalidValueError(name, f"must be of shape {shape}", getattr(self, name).shape)
        wrong = (self.mean < 0) | np.isinf(self.mean)
        if wrong.any():
            raise InvalidValueError("mean", "must be finite and at least 0", float(self.mean[wrong][0]))

    def cut(self, start: int, stop: int) -> Forecast:
        """Return the bars ``start`` to ``stop`` (exclusive), without copying."""
        window = slice(start, stop)
        return Forecast(self.mean[window], self.low[window], self.high[window], self.horizon)

    @classmethod
    def join(cls, parts: Sequence[Forecast]) -> Forecast:
        """Put pieces, in time order, together again."""
        mean, low, high = (
            np.concatenate([getattr(part, field) for part in parts]) for field in ("mean", "low", "high")
        )
        return cls(mean, low, high, parts[0].horizon)

    def abstaining(self, bars: int) -> Forecast:
        """Return a forecast that is unknown for ``bars`` bars."""
        unknown = np.full((bars, self.mean.shape[1]), np.nan)
        return Forecast(unknown, unknown, unknown, self.horizon)
