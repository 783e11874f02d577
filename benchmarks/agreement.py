"""Whether two systems computed the same: checked before their times are compared."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from cases import METRICS
from data import Floats

__all__ = ["Agreement", "compare"]

TOLERANCE = 1e-9

# What can be held to ours, and what cannot: all found by reading and running the peer.
_WIN_RATE = {"raptorbt": "win rate of closed trades only"}
_OTHER_SEMANTICS = {
    "backtesting": "whole units, other Sharpe",
    "polars_backtest": "fills on the bar after",
}
_STOPS_TRADING = {"vectorbt": 1e-6}
"""Share of the start below which a peer's account no longer compares: vectorbt stops trading near 2e-8."""


@dataclass(frozen=True)
class Agreement:
    """How far a peer's results are from ours.

    Parameters
    ----------
    held : bool
        Whether both compute the same by definition, so that they must agree.
    largest : float
        Largest difference: relative where the number is above 1, else absolute.
    rows, compared : int
        How many results there are, and how many of them compare.
    why : str
        What was left out, and for what reason.
    """

    held: bool
    largest: float
    rows: int
    compared: int
    why: str = ""

    @property
    def fine(self) -> bool:
        return not self.held or (self.compared > 0 and self.largest <= TOLERANCE)

    def __str__(self) -> str:
        count = "" if self.rows == self.compared else f", {self.compared:,} of {self.rows:,}"
        why = f"; {self.why}" if self.why else ""
        mark = "✗ " if not self.fine else "" if self.held else "≠ "
        return f"{mark}{self.largest:.0e}{count}{why}"


def compare(ours: Floats, peer: Floats, system: str) -> Agreement:
    """Compare rows of the five metrics; of single backtests, those calls that both made.

    A number that both, or the peer by its nature, leave undefined is not compared. One that only we leave
    undefined is an infinite difference.
    """
    count = min(len(ours), len(peer))
    ours, peer = ours[:count], peer[:count]
    why = []
    keep = np.ones(count, dtype=bool)
    if system in _STOPS_TRADING:
        keep = peer[:, 0] > _STOPS_TRADING[system] - 1
        if not keep.all():
            why.append("it stops trading when ruined")
    columns = [True] * len(METRICS)
    if system in _WIN_RATE:
        columns[METRICS.index("win_rate")] = False
        why.append(_WIN_RATE[system])
    if system in _OTHER_SEMANTICS:
        columns = [name == "total_return" for name in METRICS]
        why.append("return only: " + _OTHER_SEMANTICS[system])
    mine, theirs = ours[keep][:, columns], peer[keep][:, columns]
    difference = np.abs(mine - theirs) / np.maximum(1.0, np.abs(theirs))
    difference[np.isnan(theirs) & np.isnan(mine)] = 0.0
    # NaN on one side only is a difference; equal infinities are none.
    difference[mine == theirs] = 0.0
    difference[np.isnan(difference)] = np.inf
    largest = float(difference.max(initial=0.0))
    return Agreement(system not in _OTHER_SEMANTICS, largest, count, int(keep.sum()), ", ".join(why))
