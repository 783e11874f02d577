"""Scorers made of decision trees: purged calibration, and what each feature did on the way to the leaves."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
from annotated_types import Ge, Le

from windtunnel.plugin import SignalScorer, State
from windtunnel.values import FloatArray, IntArray, Outcomes, Scores, SignalFeatures
from windtunnel_plugins.scorers._calibration import calibrate
from windtunnel_plugins.scorers._fitting import (
    enough,
    fill,
    libraries,
    medians,
    of_log_odds,
    same_features,
)

__all__ = ["Grown", "_TreeScorer"]

ROWS = 512
"""Signals that walk the trees at a time, so that their places stay in the processor's cache."""


@dataclass(frozen=True)
class Grown:
    """One fitted tree: its nodes as scikit-learn holds them, and what each of them adds to the score."""

    nodes: Any
    value: FloatArray


class _TreeScorer(SignalScorer):
    """A sum of decision trees, calibrated on outcomes that the trees did not see.

    Notes
    -----
    With v the value of a node, a tree moves the score of a signal by v(leaf) − v(root), and each feature by
    the sum of v(child) − v(node) over the nodes that split on it (Saabas 2014, Interpreting random forests).
    The log-odds of a win are a + b × the sum of these moves over the trees, a and b from the calibration.
    """

    folds: Annotated[int, Ge(2), Le(20)] = 4
    """Blocks of time for the calibration, each judged by trees that did not see it."""
    min_class: Annotated[int, Ge(1)] = 20
    """Least number of wins, and of losses, to learn from."""
    contributions: bool = True
    """Whether to say what each feature did; scoring takes about half the time without."""
    seed: Annotated[int, Ge(0)] = 0
    """Of what is drawn at random."""

    @abstractmethod
    def _grow(self, values: FloatArray, outcomes: Outcomes) -> Sequence[Grown]:
        """Return trees fitted on features without gaps."""

    def fit(self, features: SignalFeatures, outcomes: Outcomes) -> State:
        """Return the trees, scaled to log-odds; None with too few wins or losses."""
        if not enough(features.names, outcomes, self.min_class):
            return None
        median = medians(features.values)
        values = fill(features.values, median)

        def moves_of(train: IntArray, test: IntArray) -> FloatArray:
            return _walk(values[test], _pack(self._grow(values[train], outcomes.take(train))), False)[0]

        with libraries().limit(limits=1):
            intercept, slope = calibrate(moves_of, features.bar, outcomes, self.folds)
            trees = _pack(self._grow(values, outcomes), slope)
        return {"names": np.array(features.names), "median": median, "intercept": intercept, **trees}

    def score(self, features: SignalFeatures, state: State) -> Scores:
        """Return the probability of a win of each signal.

        Raises
        ------
        PluginError
            If the features are not those that were fitted, in the same order.
        """
        if state is None:
            return Scores.unknown(len(features), len(features.names))
        same_features(self.name, features.names, state)
        values = fill(features.values, state["median"])
        moves, moved = _walk(values, state, self.contributions)
        probability, confidence = of_log_odds(state["intercept"] + moves)
        return Scores(probability, confidence, moved)


def _pack(trees: Sequence[Grown], slope: float = 1.0) -> dict[str, Any]:
    """Lay the nodes of all trees end to end; a leaf leads to itself, and values are relative to the root."""
    starts = np.cumsum([0, *(len(tree.value) for tree in trees)])
    feature, threshold, child, value = [], [], [], []
    for start, tree in zip(starts.tolist(), trees, strict=False):
        nodes = tree.nodes
        split = nodes.children_left >= 0
        own = np.arange(len(split))
        ways = (np.where(split, way, own) for way in (nodes.children_left, nodes.children_right))
        child.append(np.column_stack([*ways]).ravel() + start)
        feature.append(np.where(split, nodes.feature, 0))
        threshold.append(np.where(split, nodes.threshold, np.inf))
        value.append(slope * (tree.value - tree.value[0]))
    return {
        "roots": starts[:-1].astype(np.int32),
        "feature": np.concatenate(feature).astype(np.int32),
        "threshold": np.concatenate(threshold),
        "child": np.concatenate(child).astype(np.int32),
        "value": np.concatenate(value),
        "levels": int(max(tree.nodes.max_depth for tree in trees)),
    }


def _walk(values: FloatArray, trees: Mapping[str, Any], contributions: bool) -> tuple[FloatArray, FloatArray]:
    """Return how far all trees move each signal, ``[n]``, and each feature's part, ``[n, F]``."""
    moves, parts = np.empty(len(values)), np.zeros(values.shape)
    seen = values.astype(np.float32)
    for start in range(0, len(values), ROWS):
        rows = slice(start, start + ROWS)
        moves[rows] = _walk_some(seen[rows], trees, parts[rows] if contributions else None)
    return moves, parts


def _walk_some(
    values: npt.NDArray[np.float32], trees: Mapping[str, Any], parts: FloatArray | None
) -> FloatArray:
    count, width = values.shape
    feature, threshold, child, value = (trees[key] for key in ("feature", "threshold", "child", "value"))
    flat, first = values.ravel(), (np.arange(count, dtype=np.int32) * width)[:, None]
    place = np.tile(trees["roots"], (count, 1))
    for _ in range(trees["levels"]):
        asked = feature.take(place) + first
        after = child.take(2 * place + (flat.take(asked) > threshold.take(place)))
        if parts is not None:
            step = value.take(after) - value.take(place)
            parts += np.bincount(asked.ravel(), step.ravel(), count * width).reshape(parts.shape)
        place = after
    moved: FloatArray = value.take(place).sum(axis=1)
    return moved
