"""What a strategy wants."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from windtunnel.values.arrays import Exposure

__all__ = ["Orders"]


@dataclass(frozen=True, eq=False)
class Orders:
    """Wanted exposure, decided at the close of each bar with what is known then.

    Parameters
    ----------
    exposure : array of bool, int8 or float64, ``[T, N]``
        Share of equity to hold; 1 is fully long, -1 fully short, 0 flat. NaN keeps the units held.
        A number that differs from the bar before is an order; so is any number after NaN.
    """

    exposure: Exposure

    def cut(self, start: int, stop: int) -> Orders:
        """Return the bars ``start`` to ``stop`` (exclusive), without copying."""
        return Orders(self.exposure[start:stop])

    @classmethod
    def join(cls, parts: Sequence[Orders]) -> Orders:
        """Put pieces, in time order, together again."""
        return cls(np.concatenate([part.exposure for part in parts]))

    def abstaining(self, bars: int) -> Orders:
        """Return orders that stay flat for ``bars`` bars."""
        return Orders(np.zeros((bars, self.exposure.shape[1]), self.exposure.dtype))
