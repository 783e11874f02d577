"""What is to be expected of each candidate in given conditions: by a forest, or by a table of regimes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from windtunnel.errors import PluginError
from windtunnel.values import FloatArray, IntArray
from windtunnel_plugins.strategies._conditions import Conditions

__all__ = ["Expectation", "expect", "fit_forest", "fit_table", "influences"]


@dataclass(frozen=True, eq=False)
class Expectation:
    """What is expected of K candidates at n decisions, each ``[n, K]``; NaN where there is no opinion.

    Parameters
    ----------
    expected : array of float64
        Net return, as a fraction.
    probability : array of float64
        Of doing best.
    risk : array of float64
        Probability of a loss.
    """

    expected: FloatArray
    probability: FloatArray
    risk: FloatArray


def fit_forest(
    now: Conditions, returns: FloatArray, ahead: int, *, trees: int, leaf: float, seed: int
) -> dict[str, Any]:
    """Return a random forest that estimates all targets of :func:`_targets` at once."""
    from sklearn.ensemble import RandomForestRegressor

    median = np.array([_median(column) for column in now.values.T])
    forest = RandomForestRegressor(
        n_estimators=trees, min_samples_leaf=leaf, max_features=1 / 3, n_jobs=1, random_state=seed
    )
    forest.fit(_filled(now.values, median), _targets(now, returns, ahead))
    return {"names": np.array(now.names), "median": median, "forest": forest}


def fit_table(now: Conditions, returns: FloatArray, ahead: int) -> dict[str, Any] | None:
    """Return the mean of every target in each regime, ``[R, 3 K]``; None where no regime is known.

    A regime without a decision takes the mean over all.
    """
    weight, targets = _regimes(now), _targets(now, returns, ahead)
    known = ~np.isnan(weight).any(axis=1)
    weight, targets = weight[known], targets[known]
    if not len(weight):
        return None
    total = weight.sum(axis=0)[:, None]
    means = np.where(total > 0, weight.T @ targets / np.where(total > 0, total, 1), targets.mean(axis=0))
    return {"names": np.array(now.names), "table": means}


def expect(now: Conditions, state: Mapping[str, Any], ahead: int) -> Expectation:
    """Return what is expected at each decision.

    Raises
    ------
    PluginError
        If the conditions are not those that were learned from.
    """
    if now.names != (learned := tuple(state["names"].tolist())):
        raise PluginError(f"recommended has learned from {', '.join(learned)} (got {', '.join(now.names)})")
    if "table" in state:
        found = _regimes(now) @ state["table"]
    else:
        trees = [estimator.tree_ for estimator in state["forest"].estimators_]
        seen = _filled(now.values, state["median"]).astype(np.float32)
        found = sum(tree.predict(seen)[..., 0] for tree in trees) / len(trees)
    unit = now.scale * np.sqrt(ahead)
    found = np.where((unit > 0)[:, None], found, np.nan)
    scaled, probability, risk = np.split(found, 3, axis=1)
    return Expectation(scaled * unit[:, None], probability, risk)


def influences(now: Conditions, state: Mapping[str, Any], rows: IntArray, candidate: IntArray) -> FloatArray:
    """Return how far each condition moved the expected return of a candidate, ``[rows, F]``, in deviations.

    Along each tree's path, a node's mean less its parent's belongs to the feature that was asked there:
    Palczewska et al. (2013), Interpreting random forest models using a feature contribution method, IEEE IRI.
    A table has no such parts: all are 0.
    """
    moved = np.zeros((len(rows), len(now.names)))
    if "forest" not in state:
        return moved
    seen = _filled(now.values[rows], state["median"]).astype(np.float32)
    trees = [estimator.tree_ for estimator in state["forest"].estimators_]
    roots = np.cumsum([0, *(tree.node_count for tree in trees)])[:-1]
    feature, threshold, value = (
        np.concatenate([getattr(tree, name) for tree in trees]) for name in ("feature", "threshold", "value")
    )
    left, right = (
        np.concatenate([getattr(tree, side) + root for tree, root in zip(trees, roots, strict=True)])
        for side in ("children_left", "children_right")
    )
    row, of = np.arange(len(rows))[:, None], candidate[:, None]
    node = np.tile(roots, (len(rows), 1))
    while (split := feature[node] >= 0).any():
        asked = np.where(split, feature[node], 0)
        below = np.where(seen[row, asked] <= threshold[node], left[node], right[node])
        below = np.where(split, below, node)
        np.add.at(moved, (row, asked), value[below, of, 0] - value[node, of, 0])
        node = below
    return moved / len(trees)


def _targets(now: Conditions, returns: FloatArray, ahead: int) -> FloatArray:
    """Return for each candidate its return in deviations, its share in being best, and whether it lost."""
    best = returns == returns.max(axis=1, keepdims=True)
    scaled = returns / (now.scale * np.sqrt(ahead))[:, None]
    return np.concatenate([scaled, best / best.sum(axis=1, keepdims=True), returns < 0], axis=1)


def _regimes(now: Conditions) -> FloatArray:
    """Return the probabilities of the regimes, ``[n, R]``.

    Raises
    ------
    PluginError
        If there are none.
    """
    columns = [place for place, name in enumerate(now.names) if name.startswith("regime ")]
    if not columns:
        raise PluginError("recommended with method: table needs a regime model: configure regime")
    return now.values[:, columns]


def _filled(values: FloatArray, median: FloatArray) -> FloatArray:
    return np.where(np.isnan(values), median, values)


def _median(column: FloatArray) -> float:
    known = column[~np.isnan(column)]
    return float(np.median(known)) if len(known) else 0.0
