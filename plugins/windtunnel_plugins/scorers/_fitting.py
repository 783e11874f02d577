"""What the scorers have in common: the features they were fitted on, and those that are missing."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from windtunnel.errors import PluginError
from windtunnel.values import FloatArray, Outcomes

if TYPE_CHECKING:
    from threadpoolctl import ThreadpoolController

__all__ = ["enough", "fill", "libraries", "medians", "of_log_odds", "same_features"]


@cache
def libraries() -> ThreadpoolController:
    """Return the numerical libraries that are loaded; looking for them takes longer than a fit."""
    import sklearn.ensemble  # noqa: F401
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def enough(names: tuple[str, ...], outcomes: Outcomes, least: int) -> bool:
    """Say whether there are features, and so many wins and losses at least."""
    wins = int(outcomes.won.sum())
    return bool(names) and min(wins, len(outcomes) - wins) >= least


def medians(values: FloatArray) -> FloatArray:
    """Return the median of each column, 0 where all of it is missing."""
    known = [column[~np.isnan(column)] for column in values.T]
    return np.array([np.median(column) if len(column) else 0.0 for column in known])


def fill(values: FloatArray, median: FloatArray) -> FloatArray:
    """Put the median where a feature is missing."""
    return np.where(np.isnan(values), median, values)


def same_features(scorer: str, names: tuple[str, ...], state: Mapping[str, Any]) -> None:
    """Refuse other features.

    Raises
    ------
    PluginError
        If the features are not those that were fitted, in the same order.
    """
    if names != (fitted := tuple(state["names"].tolist())):
        raise PluginError(f"{scorer} was fitted on the features {fitted} (got {names})")


def of_log_odds(log_odds: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the probability p and the confidence abs(2p − 1)."""
    twice_less_one = np.tanh(log_odds / 2)
    return (1 + twice_less_one) / 2, np.abs(twice_less_one)
