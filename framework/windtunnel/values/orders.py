"""What a strategy wants."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from windtunnel.errors import InvalidValueError
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

    def check(self, shape: tuple[int, int]) -> None:
        """Refuse what no engine could fill.

        Raises
        ------
        InvalidValueError
            If the exposure is not of ``shape``, not bool, int8 or float64, or not within [-1, 1].
        """
        exposure: Any = np.asarray(self.exposure)
        if exposure.shape != shape:
            rule = f"must have one value a bar and symbol, {shape}"
            raise InvalidValueError("exposure", rule, exposure.shape)
        if exposure.dtype not in (np.bool_, np.int8, np.float64):
            raise InvalidValueError("exposure", "must be of type bool, int8 or float64", str(exposure.dtype))
        outside = (exposure > 1) | (exposure < -1) if exposure.dtype != np.bool_ else np.zeros(0, np.bool_)
        if outside.any():
            raise InvalidValueError("exposure", "must lie between -1 and 1", float(exposure[outside][0]))

    def cut(self, start: int, stop: int) -> Orders:
        """Return the bars ``start`` to ``stop`` (exclusive), without copying."""
        return Orders(self.exposure[start:stop])

    @classmethod
    def join(cls, parts: Sequence[Orders]) -> Orders:
        """Put pieces, in time order, together again."""
        return cls(np.concatenate([part.exposure for part in parts]))

    def abstaining(self, bars: int) -> Orders:
        """Return orders that stay flat for ``bars`` bars."""
        flat: Any = np.zeros_like(self.exposure, shape=(bars, self.exposure.shape[1]))
        return Orders(flat)
