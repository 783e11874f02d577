"""The account over some stretches of bars, joined as if nothing lay between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from windtunnel.bars import FIELDS, Bars
from windtunnel.engine.simulation import Fills, Simulation, Trades
from windtunnel.values import BoolArray, Bounds, FloatArray, IntArray

__all__ = ["within"]

_FILL_MONEY = ("units", "fee", "slippage", "position", "carry")
_TRADE_MONEY = ("units", "fees", "carry", "pnl")


def within(simulation: Simulation, stretches: Sequence[Bounds]) -> Simulation:
    """Return what an account did on some stretches of bars.

    Equity begins with the starting cash and grows by the returns of these bars alone; units and what is in
    currency are scaled by the same factor. A trade belongs to the bar on which it ended.

    Parameters
    ----------
    simulation : Simulation
        Over all bars.
    stretches : sequence of (int, int)
        First bar of each and one past the last, in time order, none overlapping.
    """
    if list(stretches) == [(0, len(simulation.bars))]:
        return simulation
    rows = np.concatenate([np.arange(*bounds) for bounds in stretches])
    before = simulation.equity[rows]
    equity = simulation.rules.cash * np.cumprod(1 + simulation.returns[rows])
    scale = np.divide(equity, before, out=np.zeros(len(rows)), where=before != 0)
    kept = _Kept(len(simulation.bars), rows, scale)
    return _Stretches(
        bars=_rows(simulation.bars, rows),
        rules=simulation.rules,
        equity=equity,
        fills=kept.fills(simulation.fills),
        unpaid=simulation.unpaid,
        whole=simulation,
        kept=kept,
        **{name: getattr(simulation, name)[rows] * scale for name in ("cash", "gross", "carry")},
    )


class _Kept:
    """Which bars are kept, where they stand then, and by what their money is scaled."""

    def __init__(self, bars: int, rows: IntArray, scale: FloatArray) -> None:
        self._inside: BoolArray = np.zeros(bars, np.bool_)
        self._inside[rows] = True
        self._place = np.cumsum(self._inside) - 1
        self._scale = scale

    def fills(self, fills: Fills) -> Fills:
        """Return the fills on bars that are kept."""
        mask = self._inside[fills.bar]
        columns = {name: column[mask] for name, column in vars(fills).items()}
        return Fills(**self._moved(columns, ("bar",), _FILL_MONEY))

    def trades(self, trades: Trades) -> Trades:
        """Return the trades that ended on bars that are kept; one may have begun before them all."""
        mask = self._inside[trades.exit_bar]
        columns = {name: column[mask] for name, column in vars(trades).items()}
        return Trades(**self._moved(columns, ("exit_bar", "entry_bar"), _TRADE_MONEY))

    def _moved(
        self, columns: dict[str, Any], places: tuple[str, ...], money: tuple[str, ...]
    ) -> dict[str, Any]:
        for name in places:
            columns[name] = np.maximum(self._place[columns[name]], 0)
        scale = self._scale[columns[places[0]]]
        return columns | {name: columns[name] * scale for name in money}


@dataclass(frozen=True, eq=False)
class _Stretches(Simulation):
    """An account whose trades may have begun on bars that are left out."""

    whole: Simulation
    kept: _Kept

    @cached_property
    def trades(self) -> Trades:
        """The round trips, ordered by exit."""
        return self.kept.trades(self.whole.trades)


def _rows(bars: Bars, rows: IntArray) -> Bars:
    if rows[-1] - rows[0] + 1 == len(rows):
        return bars.cut(int(rows[0]), int(rows[-1]) + 1)
    fields: dict[str, Any] = {name: np.asfortranarray(getattr(bars, name)[rows]) for name in FIELDS}
    last = np.searchsorted(rows, bars.last_bar, "right") - 1
    return replace(bars, time=bars.time[rows], **fields, last_bar=last, actions=None)
