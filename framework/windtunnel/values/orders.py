"""What a strategy wants."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from windtunnel.errors import InvalidValueError
from windtunnel.values.arrays import Exposure, FloatArray

__all__ = ["Orders"]

_PANELS = ("entry_limit", "entry_stop", "exit_stop", "exit_target", "rank", "atr")


@dataclass(frozen=True, eq=False)
class Orders:
    """Wanted exposure, decided at the close of each bar with what is known then; and how to get in and out.

    All arrays are ``[T, N]``; those but ``exposure`` are float64, None for none, and NaN where there is none.

    Parameters
    ----------
    exposure : array of bool, int8 or float64
        How much to hold; positive is long, negative short, 0 flat. NaN keeps the units held.
        A number that differs from the bar before is an order; so is any number after NaN.
    size : {"weight", "units", "risk"}
        What a number of ``exposure`` means: a share of equity (1 is all of it), units, or the share of equity
        that is lost when the stop is hit.
    entry_limit, entry_stop : array, optional
        Price of an order that opens: a limit fills when the price comes down (up, for a short) to it, a stop
        when it goes up (down) to it. With neither, an order is a market order. While a symbol is flat, a
        price that differs from the bar before is an order as well.
    exit_stop, exit_target : array, optional
        Price at which to close. The numbers on the bar of the decision come before the rules' own
        ``stop_loss`` and ``take_profit``. A later number moves a stop towards the price, never away from it,
        and replaces a target; it counts from the next bar on.
    rank : array, optional
        Which entries come first where ``max_positions`` allows too few: the highest; columns in their order
        where ranks are equal or missing.
    atr : array, optional
        Average true range, in price units, for rules that state distances in it.
    """

    exposure: Exposure
    size: Literal["weight", "units", "risk"] = "weight"
    entry_limit: FloatArray | None = None
    entry_stop: FloatArray | None = None
    exit_stop: FloatArray | None = None
    exit_target: FloatArray | None = None
    rank: FloatArray | None = None
    atr: FloatArray | None = None

    def panels(self) -> Iterator[tuple[str, FloatArray]]:
        """Yield name and array of what is given beside the exposure."""
        for name in _PANELS:
            panel = getattr(self, name)
            if panel is not None:
                yield name, panel

    @property
    def plain(self) -> bool:
        """Whether there is nothing but exposure, as a weight."""
        return self.size == "weight" and all(getattr(self, name) is None for name in _PANELS)

    def check(self, shape: tuple[int, int], largest: float = 1.0) -> None:
        """Refuse what no engine could fill.

        Parameters
        ----------
        shape : tuple of int
            ``(T, N)``.
        largest : float
            Largest weight, either way.

        Raises
        ------
        InvalidValueError
            If the exposure is not of ``shape``, not bool, int8 or float64, or not within its bounds; if
            another array is not float64 of ``shape``, or holds an infinite or impossible number.
        """
        exposure: Any = np.asarray(self.exposure)
        if exposure.shape != shape:
            rule = f"must have one value a bar and symbol, {shape}"
            raise InvalidValueError("exposure", rule, exposure.shape)
        if exposure.dtype.char not in "?bd":
            raise InvalidValueError("exposure", "must be of type bool, int8 or float64", str(exposure.dtype))
        if exposure.dtype.char != "?":
            bound = np.finfo(np.float64).max if self.size == "units" else largest
            outside = (exposure > bound) | (exposure < -bound)
            if outside.any():
                rule = f"must lie between {-bound:g} and {bound:g}"
                raise InvalidValueError("exposure", rule, float(exposure[outside][0]))
        for name, panel in self.panels():
            _check_panel(name, panel, shape)
        if self.entry_limit is not None and self.entry_stop is not None:
            both = ~np.isnan(self.entry_limit) & ~np.isnan(self.entry_stop)
            if both.any():
                value = float(self.entry_stop[both][0])
                raise InvalidValueError("entry_stop", "must not stand beside an entry_limit", value)

    def of_columns(self, columns: Sequence[int]) -> Orders:
        """Return those of some symbols, in their order."""
        panels: dict[str, Any] = {name: panel[:, columns] for name, panel in self.panels()}
        return replace(self, exposure=self.exposure[:, columns], **panels)

    def cut(self, start: int, stop: int) -> Orders:
        """Return the bars ``start`` to ``stop`` (exclusive), without copying."""
        panels: dict[str, Any] = {name: panel[start:stop] for name, panel in self.panels()}
        return replace(self, exposure=self.exposure[start:stop], **panels)

    @classmethod
    def join(cls, parts: Sequence[Orders]) -> Orders:
        """Put pieces, in time order, together again; what only some of them give is NaN in the others.

        Raises
        ------
        InvalidValueError
            If the pieces do not mean the same by a number.
        """
        for part in parts:
            if part.size != parts[0].size:
                raise InvalidValueError("size", f"must be {parts[0].size} after every fit", part.size)
        given = {name for part in parts for name, _ in part.panels()}
        panels: dict[str, Any] = {
            name: np.concatenate([part._panel(name) for part in parts]) for name in given
        }
        return cls(np.concatenate([part.exposure for part in parts]), parts[0].size, **panels)

    def _panel(self, name: str) -> FloatArray:
        panel: FloatArray | None = getattr(self, name)
        return np.full(self.exposure.shape, np.nan) if panel is None else panel

    def abstaining(self, bars: int) -> Orders:
        """Return orders that stay flat for ``bars`` bars."""
        flat: Any = np.zeros_like(self.exposure, shape=(bars, self.exposure.shape[1]))
        return Orders(flat, self.size)


def _check_panel(name: str, panel: Any, shape: tuple[int, int]) -> None:
    if not isinstance(panel, np.ndarray) or panel.dtype != np.float64:
        raise InvalidValueError(name, "must be an array of float64", getattr(panel, "dtype", type(panel)))
    if panel.shape != shape:
        raise InvalidValueError(name, f"must have one value a bar and symbol, {shape}", panel.shape)
    least = -np.inf if name == "rank" else 0.0
    wrong = np.isinf(panel) | (panel < least if name == "atr" else panel <= least)
    if wrong.any():
        rule = "must be finite" + ("" if name == "rank" else " and positive")
        raise InvalidValueError(name, rule, float(panel[wrong][0]))
