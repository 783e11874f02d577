"""Which scikit-learn estimators a stored state may hold, and whether their trees are sound."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from windtunnel.errors import StoreError

__all__ = ["TRUSTED", "check_trees", "class_name"]

_TREE = "sklearn.tree._tree.Tree"
_PREDICTOR = "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor"
_CALIBRATION = {
    f"sklearn.calibration.{name}"
    for name in ("_CalibratedClassifier", "_SigmoidCalibration", "_TemperatureScaling")
}
_NOTHING: frozenset[str] = frozenset()
_BOOSTING = "sklearn.ensemble._hist_gradient_boosting.gradient_boosting"

TRUSTED: Mapping[str, frozenset[str]] = {
    "sklearn.calibration.CalibratedClassifierCV": frozenset({_TREE, _PREDICTOR, *_CALIBRATION}),
    "sklearn.cluster._kmeans.KMeans": _NOTHING,
    "sklearn.decomposition._pca.PCA": _NOTHING,
    "sklearn.ensemble._forest.ExtraTreesClassifier": frozenset({_TREE}),
    "sklearn.ensemble._forest.ExtraTreesRegressor": frozenset({_TREE}),
    "sklearn.ensemble._forest.RandomForestClassifier": frozenset({_TREE}),
    "sklearn.ensemble._forest.RandomForestRegressor": frozenset({_TREE}),
    "sklearn.ensemble._gb.GradientBoostingClassifier": frozenset({_TREE}),
    "sklearn.ensemble._gb.GradientBoostingRegressor": frozenset({_TREE}),
    f"{_BOOSTING}.HistGradientBoostingClassifier": frozenset({_PREDICTOR}),
    f"{_BOOSTING}.HistGradientBoostingRegressor": frozenset({_PREDICTOR}),
    "sklearn.impute._base.SimpleImputer": frozenset({"numpy.dtype"}),
    "sklearn.isotonic.IsotonicRegression": _NOTHING,
    "sklearn.linear_model._base.LinearRegression": _NOTHING,
    "sklearn.linear_model._logistic.LogisticRegression": _NOTHING,
    "sklearn.linear_model._quantile.QuantileRegressor": _NOTHING,
    "sklearn.linear_model._ridge.Ridge": _NOTHING,
    "sklearn.mixture._bayesian_mixture.BayesianGaussianMixture": _NOTHING,
    "sklearn.mixture._gaussian_mixture.GaussianMixture": _NOTHING,
    "sklearn.pipeline.Pipeline": frozenset({_TREE, _PREDICTOR, "numpy.dtype", *_CALIBRATION}),
    "sklearn.preprocessing._data.QuantileTransformer": _NOTHING,
    "sklearn.preprocessing._data.RobustScaler": _NOTHING,
    "sklearn.preprocessing._data.StandardScaler": _NOTHING,
    "sklearn.tree._classes.DecisionTreeClassifier": frozenset({_TREE}),
    "sklearn.tree._classes.DecisionTreeRegressor": frozenset({_TREE}),
}
"""Estimators that a state may hold, each with the types in it that skops does not trust by itself."""


def class_name(value: object) -> str:
    """Return the full name of a value's class."""
    return f"{type(value).__module__}.{type(value).__qualname__}"


def check_trees(estimator: Any) -> None:
    """Refuse trees whose numbers point outside them: scikit-learn follows these without looking.

    Raises
    ------
    StoreError
        If a branch leads to no later node, or asks for a feature that there is not.
    """
    for tree, features in _trees(estimator, 0, set()):
        name = class_name(tree)
        if name == _TREE:
            nodes = tree.__getstate__()["nodes"]
            inner = nodes["left_child"] != -1
            _check(nodes, inner, ("left_child", "right_child", "feature"), features)
        else:
            nodes = tree.nodes
            inner = nodes["is_leaf"] == 0
            _check(nodes, inner, ("left", "right", "feature_idx"), features)
            sets = min(len(tree.binned_left_cat_bitsets), len(tree.raw_left_cat_bitsets))
            asked = nodes["bitset_idx"][(nodes["is_categorical"] != 0) & inner]
            if (asked >= sets).any():
                raise StoreError("a tree asks for categories that it does not hold")


def _check(nodes: Any, inner: Any, names: tuple[str, str, str], features: int) -> None:
    own = np.flatnonzero(inner)
    left, right, feature = (nodes[name][own].astype(np.int64) for name in names)
    later = (left > own) & (right > own) & (left < len(nodes)) & (right < len(nodes))
    if not len(nodes) or not later.all() or not ((feature >= 0) & (feature < features)).all():
        raise StoreError("a tree of the model leads outside its nodes or features")


def _trees(value: Any, features: int, seen: set[int]) -> Iterator[tuple[Any, int]]:
    """Yield every tree in an estimator with the number of features that it is asked with."""
    if id(value) in seen:
        return
    seen.add(id(value))
    if class_name(value) in (_TREE, _PREDICTOR):
        yield value, features
        return
    if isinstance(value, list | tuple):
        parts: Any = value
    elif isinstance(value, dict):
        parts = value.values()
    elif isinstance(value, np.ndarray):
        parts = value.ravel() if value.dtype.hasobject else ()
    elif type(value).__module__.startswith("sklearn."):
        features = getattr(value, "n_features_in_", features)
        parts = vars(value).values() if hasattr(value, "__dict__") else ()
    else:
        return
    for part in parts:
        yield from _trees(part, features, seen)
