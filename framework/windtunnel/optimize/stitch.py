"""The account that follows each fold's choice over the bars that judge it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from windtunnel.bars import Bars
from windtunnel.engine import Simulation
from windtunnel.engine.account import Account, advance
from windtunnel.engine.simulation import Fills
from windtunnel.learn import entries
from windtunnel.pipeline import Candidate, Decision
from windtunnel.values import Bounds, Orders

__all__ = ["Piece", "stitched"]


@dataclass(frozen=True, eq=False)
class Piece:
    """What a fold chose, and the bars for which it is followed.

    Parameters
    ----------
    candidate : Candidate
    decision : Decision
        Over all bars.
    bounds : (int, int)
        First bar and one past the last.
    """

    candidate: Candidate
    decision: Decision
    bounds: Bounds


def stitched(bars: Bars, pieces: Sequence[Piece]) -> tuple[Bars, Decision, Simulation]:
    """Follow one piece after the other with a single account.

    Positions carry over from piece to piece, and a change of parameters costs what its orders cost. The
    account begins flat on the first bar of the first piece.

    Parameters
    ----------
    bars : Bars
        All bars.
    pieces : sequence of Piece
        In time order, without gaps.

    Returns
    -------
    bars : Bars
        Those of the pieces.
    decision : Decision
        What was decided on them; without signals, for these belong to one scorer each.
    simulation : Simulation
    """
    first, last = pieces[0].bounds[0], pieces[-1].bounds[1]
    judged = bars.cut(first, last)
    rules = pieces[0].candidate.rules
    account, done = Account.opened(bars.shape[1], rules), []
    for piece in pieces:
        low, high = piece.bounds
        orders = piece.decision.orders.cut(first, last)
        done.append(advance(account, judged, orders, piece.candidate.rules, low - first, high - first))
    from windtunnel.engine.kernel.book import CARRY

    series = {
        name: np.concatenate([getattr(part, name) for part in done])
        for name in ("equity", "cash", "gross", "carry")
    }
    columns = {
        name: np.concatenate([getattr(part.fills, name) for part in done]) for name in vars(done[0].fills)
    }
    simulation = Simulation(
        judged, rules, **series, fills=Fills(**columns), unpaid=account.book[CARRY].copy()
    )
    return judged, _joined(pieces, judged), simulation


def _joined(pieces: Sequence[Piece], judged: Bars) -> Decision:
    def orders(name: str) -> Orders:
        return Orders.join([getattr(piece.decision, name).cut(*piece.bounds) for piece in pieces])

    def exposure(name: str) -> Any:
        parts = [getattr(piece.decision, name)[slice(*piece.bounds)] for piece in pieces]
        return np.concatenate(parts)

    wanted = orders("wanted")
    gated, scored = exposure("gated"), exposure("scored")
    opened = [entries(panel, judged.present) for panel in (wanted.exposure, gated, scored)]
    return Decision(
        wanted=wanted,
        gated=gated,
        scored=scored,
        orders=orders("orders"),
        forecast=_said(pieces, "forecast"),
        regimes=_said(pieces, "regimes"),
        patterns=_said(pieces, "patterns"),
        signals=None,
        entries=int(opened[0].sum()),
        refused_by_gate=int((opened[0] & ~opened[1]).sum()),
        refused_by_scorer=int((opened[1] & ~opened[2]).sum()),
        abstained=0,
    )


def _said(pieces: Sequence[Piece], name: str) -> Any:
    """Return what the models said in the pieces; None without such a model."""
    parts = [getattr(piece.decision, name) for piece in pieces]
    if parts[0] is None:
        return None
    cut = [part.cut(*piece.bounds) for part, piece in zip(parts, pieces, strict=True)]
    return type(cut[0]).join(cut)
