"""One line of the table: what a model reached, what a naive one did, and what it must reach."""

from __future__ import annotations

import os
from dataclasses import dataclass
from math import nan
from pathlib import Path

__all__ = ["Row", "shared"]


@dataclass(frozen=True)
class Row:
    """One figure of one model, out of sample.

    Parameters
    ----------
    exam : str
        What is asked, such as ``regimes, synthetic, dwell 60``.
    model : str
        Who answered.
    figure : str
        What was measured, with its unit.
    value, low, high : float
        The figure and its 95% interval; NaN for an interval that there is none of.
    baseline : str
        The naive answer that it is compared with, in words with its figure; empty for a baseline itself.
    floor : str
        What must be reached, in words; empty where nothing must.
    met : bool or None
        Whether it is; None without a floor.
    note : str
        What a reader must know to trust the figure.
    """

    exam: str
    model: str
    figure: str
    value: float
    low: float = nan
    high: float = nan
    baseline: str = ""
    floor: str = ""
    met: bool | None = None
    note: str = ""


def shared() -> Path:
    """Return the folder of market data and oracles: WINDTUNNEL_SHARED, or ``shared`` beside here."""
    given = os.environ.get("WINDTUNNEL_SHARED")
    return Path(given) if given else Path(__file__).resolve().parents[3] / "shared"
