"""A state survives the way to files and back bit by bit; anything that no state may hold is refused."""

from __future__ import annotations

import io
import json
import math
import os
import pickle
import sys
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from sklearn.base import BaseEstimator
from sklearn.calibration import CalibratedClassifierCV
from sklearn.cluster import KMeans
from sklearn.ensemble import (
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.mixture import GaussianMixture
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from windtunnel.errors import MissingExtraError, StoreError
from windtunnel.store.states import freeze, thaw

RANDOM = np.random.default_rng(5)
FEATURES = RANDOM.normal(size=(200, 4))
WON = FEATURES[:, 0] + RANDOM.normal(size=200) > 0


def same(one: Any, other: Any) -> bool:
    """Whether two states are equal to the last bit and type."""
    if type(one) is not type(other):
        return False
    if isinstance(one, np.ndarray | np.generic):
        return one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes()
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other or (one != one and other != other)


LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(),
    npst.arrays(np.float64, npst.array_shapes()),
)
STATES = st.dictionaries(
    st.text() | st.integers(),
    st.recursive(
        LEAVES,
        lambda inner: st.lists(inner) | st.lists(inner).map(tuple) | st.dictionaries(st.text(), inner),
        max_leaves=8,
    ),
)


@settings(max_examples=60)
@given(STATES)
def test_what_is_thawed_is_what_was_frozen(state: Any) -> None:
    files = freeze(state)
    assert same(thaw(files), state)
    assert freeze(state) == files


@pytest.mark.parametrize(
    "value",
    [
        np.float32(0.1),
        np.array(3),
        np.array(["a", "bc"]),
        np.array(["2020-01-01", "NaT"], "datetime64[ns]"),
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        np.empty((0, 3)),
        -0.0,
        math.inf,
        10**30,
    ],
)
def test_types_of_numpy_and_odd_numbers_are_kept(value: Any) -> None:
    back = thaw(freeze({"x": value}))
    assert back is not None
    assert same(back["x"], value)
    assert math.copysign(1, back["x"]) == -1 if isinstance(value, float) and value == 0 else True


def test_nothing_learned_is_a_state_too() -> None:
    assert thaw(freeze(None)) is None


class Plain(BaseEstimator):
    """An estimator that is not on the list."""


@pytest.mark.parametrize(
    ("state", "place"),
    [
        ({"a": {"b": [1, object()]}}, r"state\['a'\]\['b'\]\[1\] is a builtins\.object"),
        ({"f": math.sin}, r"state\['f'\] is a builtins\.builtin_function"),
        ({"x": np.array([{}], object)}, r"state\['x'\] holds Python objects"),
        ({"x": {1.5: 2}}, r"state\['x'\] has the key 1\.5"),
        ({"x": np.ma.masked_array([1.0])}, r"state\['x'\] is a numpy\.ma"),
        ({"m": Plain()}, r"state\['m'\] is a .*Plain, which"),
        (
            {"m": make_pipeline(FunctionTransformer(os.path.basename))},
            r"state\['m'\], a .*holds (posix|nt)path",
        ),
    ],
)
def test_anything_else_is_refused_with_its_place(state: Any, place: str) -> None:
    with pytest.raises(StoreError, match=place):
        freeze(state)


def test_a_state_that_holds_itself_is_refused() -> None:
    state: dict[str, Any] = {}
    state["again"] = state
    with pytest.raises(StoreError, match="nested more than"):
        freeze(state)


ESTIMATORS: list[Callable[[], Any]] = [
    lambda: RandomForestClassifier(10, max_depth=4, random_state=0),
    lambda: GradientBoostingRegressor(n_estimators=10, random_state=0),
    lambda: HistGradientBoostingClassifier(max_iter=3, random_state=0),
    lambda: CalibratedClassifierCV(RandomForestClassifier(5, random_state=0), ensemble=False, cv=2),
    lambda: CalibratedClassifierCV(LogisticRegression(), method="isotonic", cv=2),
    lambda: make_pipeline(SimpleImputer(), StandardScaler(), LogisticRegression()),
    lambda: CalibratedClassifierCV(LogisticRegression(), method="temperature", cv=2),
    lambda: KMeans(3, n_init=2, random_state=0),
    lambda: GaussianMixture(2, random_state=0),
]


@pytest.mark.parametrize("build", ESTIMATORS)
def test_an_estimator_answers_with_the_same_bits(build: Callable[[], Any]) -> None:
    model = build().fit(FEATURES, WON)
    back = thaw(freeze({"models": [model]}))
    assert back is not None
    method = "predict_proba" if hasattr(model, "predict_proba") else "predict"
    answers = [getattr(one, method)(FEATURES) for one in (model, back["models"][0])]
    assert answers[0].tobytes() == answers[1].tobytes()


def rewritten(content: bytes, change: Callable[[dict[str, Any]], None]) -> bytes:
    """Change the description of a stored estimator."""
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(packed, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name == "schema.json":
                described = json.loads(data)
                change(described)
                data = json.dumps(described).encode()
            new.writestr(name, data)
    return packed.getvalue()


def test_a_foreign_type_inside_an_estimator_is_refused() -> None:
    files = freeze({"m": StandardScaler().fit(FEATURES)})

    def foreign(described: dict[str, Any]) -> None:
        described["__module__"], described["__class__"] = "subprocess", "Popen"

    with pytest.raises(StoreError, match=r"holds subprocess\.Popen"):
        thaw({**files, "0.skops": rewritten(files["0.skops"], foreign)})


def test_an_estimator_that_is_another_than_it_is_said_to_be_is_refused() -> None:
    files = freeze({"m": StandardScaler().fit(FEATURES)})
    other = freeze({"m": KMeans(2, n_init=1).fit(FEATURES)})
    with pytest.raises(StoreError, match=r"is a sklearn.cluster._kmeans.KMeans, not the sklearn"):
        thaw({**files, "0.skops": other["0.skops"]})


def test_compressed_data_are_refused() -> None:
    files, packed = freeze({"x": np.zeros(1000)}), io.BytesIO()
    np.savez_compressed(packed, a0=np.zeros(1000))
    with pytest.raises(StoreError, match="compressed"):
        thaw({**files, "arrays.npz": packed.getvalue()})


class Harmful:
    """Says when it is unpickled."""

    def __reduce__(self) -> Any:
        return pytest.fail, ("it was unpickled",)


def test_pickles_are_never_read() -> None:
    files, packed = freeze({"x": np.zeros(2)}), io.BytesIO()
    np.savez(packed, a0=np.array([Harmful()], object))
    for hidden in (packed.getvalue(), pickle.dumps(Harmful())):
        with pytest.raises(StoreError, match="cannot be read"):
            thaw({**files, "arrays.npz": hidden})


def broken_tree(change: Callable[[Any], None]) -> RandomForestRegressor:
    """Return a forest whose first tree was tampered with."""
    model = RandomForestRegressor(2, max_depth=3, random_state=0).fit(FEATURES, FEATURES[:, 1])
    tree = model.estimators_[0].tree_
    inner = tree.__getstate__()
    inner["nodes"] = inner["nodes"].copy()
    change(inner["nodes"])
    tree.__setstate__(inner)
    return model


def set_left(nodes: Any) -> None:
    nodes["left_child"][0] = len(nodes) + 5


def set_loop(nodes: Any) -> None:
    nodes["right_child"][0] = 0


def set_feature(nodes: Any) -> None:
    nodes["feature"][0] = 4


@pytest.mark.parametrize("change", [set_left, set_loop, set_feature])
def test_a_tree_that_leads_outside_itself_is_refused(change: Callable[[Any], None]) -> None:
    files = freeze({"m": broken_tree(change)})
    with pytest.raises(StoreError, match="outside its nodes or features"):
        thaw(files)


def test_a_histogram_tree_that_leads_outside_itself_is_refused() -> None:
    model = HistGradientBoostingClassifier(max_iter=2, random_state=0).fit(FEATURES, WON)
    model._predictors[1][0].nodes["feature_idx"][0] = 99
    with pytest.raises(StoreError, match="outside its nodes or features"):
        thaw(freeze({"m": model}))


def test_without_skops_arrays_work_and_an_estimator_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stored = freeze({"m": StandardScaler().fit(FEATURES)})
    monkeypatch.setitem(sys.modules, "skops", None)
    monkeypatch.setitem(sys.modules, "skops.io", None)
    assert thaw(freeze({"x": np.ones(2)})) is not None
    for refused in (lambda: freeze({"m": StandardScaler()}), lambda: thaw(stored)):
        with pytest.raises(MissingExtraError, match=r"pip install 'windtunnel\[ml\]'"):
            refused()


@pytest.mark.parametrize(
    "text", ["", "[", "3", '["estimator", 1]', '["array", "gone"]', '["code", "x"]', "null"]
)
def test_a_broken_structure_is_a_store_error(text: str) -> None:
    with pytest.raises(StoreError):
        thaw({**freeze({}), "state.json": text.encode()})
