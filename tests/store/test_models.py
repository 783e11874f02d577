"""A stored model is loaded only if it is, to the byte, what was saved, and fits what it is asked with."""

from __future__ import annotations

import os
import pickle
import zipfile
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import RandomForestRegressor

from windtunnel.errors import InvalidValueError, StoreError
from windtunnel.store import ModelStore, Record, Schema, StoredModel

STATE = {"weights": np.array([0.25, -1.0]), "bias": 0.5}
RECORD = Record(
    kind="scorer",
    plugin="mine",
    package="acme",
    version="1.0",
    params={"depth": 3},
    schema=Schema.of(("rsi_14", "gap")),
    symbols=("A", "B"),
    start="2020-01-01",
    end="2020-12-31",
    bars=252,
    data="d" * 32,
    scores={"base_rate": 0.5, "auc": float("nan")},
)


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path / "models")


def renamed(path: Path, content: bytes) -> None:
    """Put other content under a name that has the right checksum."""
    path.unlink()
    key = path.name.partition("-")[0]
    checksum = blake2b(content, digest_size=16).hexdigest()
    path.with_name(f"{key}-{checksum}.model").write_bytes(content)


def aged(model: StoredModel, seconds: int) -> StoredModel:
    os.utime(model.path, (seconds, seconds))
    return model


def test_what_was_saved_is_found_and_loaded(store: ModelStore) -> None:
    saved = store.save(RECORD, STATE)
    assert saved.id == RECORD.key
    found = store.find(RECORD.key)
    assert found is not None
    assert found.record == replace(RECORD, scores={"base_rate": 0.5, "auc": None})
    state = ModelStore(store.root).load(saved.id, RECORD.schema)
    assert state is not None
    np.testing.assert_array_equal(state["weights"], STATE["weights"])
    assert state["bias"] == 0.5
    assert [path.name for path in store.root.iterdir()] == [saved.path.name], "no temporary file stays"
    assert set(store.verify().values()) == {None}


def test_the_name_is_the_key_and_the_checksum_of_the_content(store: ModelStore) -> None:
    path = store.save(RECORD, STATE).path
    assert path.name == f"{RECORD.key}-{blake2b(path.read_bytes(), digest_size=16).hexdigest()}.model"


@pytest.mark.parametrize(
    "change",
    [
        {"params": {"depth": 4}},
        {"version": "1.1"},
        {"data": "e" * 32},
        {"schema": Schema.of(("gap", "rsi_14"))},
        {"context": {"source": "x"}},
    ],
)
def test_all_that_decides_a_state_is_in_the_key_and_nothing_else(change: dict[str, Any]) -> None:
    assert replace(RECORD, **change).key != RECORD.key
    assert replace(RECORD, status="failed", created="later", scores={}).key == RECORD.key


def test_a_newer_one_takes_the_place_of_the_same_key(store: ModelStore) -> None:
    training = aged(store.save(replace(RECORD, status="training")), 1_000)
    with pytest.raises(StoreError, match="is training"):
        store.load(training.id)
    store.save(RECORD, STATE)
    assert [model.record.status for model in store.list()] == ["completed"]
    assert store.load(RECORD.key) is not None


def test_a_failed_one_says_why(store: ModelStore) -> None:
    store.save(replace(RECORD, status="failed", message="no luck"))
    with pytest.raises(StoreError, match="is failed: no luck"):
        store.load(RECORD.key)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.6, 0.99])
def test_one_changed_byte_is_refused_wherever_it_is(store: ModelStore, share: float) -> None:
    path = store.save(RECORD, STATE).path
    content = bytearray(path.read_bytes())
    content[int(share * len(content))] ^= 1
    path.write_bytes(content)
    with pytest.raises(StoreError, match="does not have the checksum of its name"):
        ModelStore(store.root).load(RECORD.key)
    assert "checksum" in str(store.verify()[path.name])


def test_a_change_after_it_was_read_is_refused_too(store: ModelStore) -> None:
    path = store.save(RECORD, STATE).path
    store.load(RECORD.key)
    path.write_bytes(path.read_bytes() + b"0")
    with pytest.raises(StoreError, match="checksum"):
        store.load(RECORD.key)


class Harmful:
    """Says when it is unpickled."""

    def __reduce__(self) -> Any:
        return pytest.fail, ("it was unpickled",)


def test_a_pickle_under_a_models_name_is_no_model(store: ModelStore) -> None:
    renamed(store.save(RECORD, STATE).path, pickle.dumps(Harmful()))
    with pytest.raises(StoreError, match="is no model: BadZipFile"):
        store.load(RECORD.key)


@pytest.mark.parametrize("name", ["state.pkl", "../state.json", "0.joblib"])
def test_a_pickle_beside_the_state_is_refused(store: ModelStore, name: str) -> None:
    path = store.save(RECORD, STATE).path
    with zipfile.ZipFile(path, "a") as file:
        file.writestr(name, pickle.dumps(Harmful()))
    renamed(path, path.read_bytes())
    with pytest.raises(StoreError, match="is no model: ValueError: it holds"):
        store.load(RECORD.key)


def test_a_pickle_in_place_of_the_arrays_is_refused(store: ModelStore) -> None:
    path = store.save(RECORD, STATE).path
    with zipfile.ZipFile(path) as file:
        members = {name: file.read(name) for name in file.namelist()}
    members["arrays.npz"] = pickle.dumps(Harmful())
    with zipfile.ZipFile(path, "w") as file:
        for name, content in members.items():
            file.writestr(name, content)
    renamed(path, path.read_bytes())
    with pytest.raises(StoreError, match="the state cannot be read"):
        store.load(RECORD.key)


def test_a_model_under_the_name_of_another_is_refused(store: ModelStore) -> None:
    path = store.save(RECORD, STATE).path
    path.rename(path.with_name(f"{'0' * 16}-{path.name.partition('-')[2]}"))
    with pytest.raises(StoreError, match=f"is that of another key, {RECORD.key}"):
        store.load("0" * 16)


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (("rsi_14",), "it needs gap"),
        (("rsi_14", "gap", "mood"), "it never saw mood"),
        (("gap", "rsi_14"), "the same in another order"),
    ],
)
def test_other_features_are_refused_in_words(store: ModelStore, names: tuple[str, ...], told: str) -> None:
    store.save(RECORD, STATE)
    with pytest.raises(StoreError, match=f"fitted on other features: {told}"):
        store.load(RECORD.key, Schema.of(names))


def test_a_feature_that_is_defined_otherwise_is_another(store: ModelStore) -> None:
    store.save(RECORD, STATE)
    with pytest.raises(StoreError, match="defined otherwise"):
        store.load(RECORD.key, replace(RECORD.schema, hash="f" * 32))


def test_a_state_that_may_not_be_stored_leaves_nothing(store: ModelStore) -> None:
    with pytest.raises(StoreError, match=r"state\['x'\]"):
        store.save(RECORD, {"x": object()})
    assert not store.root.exists()


def test_there_may_be_no_model(store: ModelStore) -> None:
    assert store.list() == []
    assert store.verify() == {}
    assert store.find("../x") is None
    with pytest.raises(StoreError, match="there is no model"):
        store.load("0" * 16)


def test_a_model_is_found_by_the_beginning_of_its_id(store: ModelStore) -> None:
    store.save(RECORD, STATE)
    assert store.get(RECORD.key[:5]).id == RECORD.key
    with pytest.raises(InvalidValueError, match=f"did you mean {RECORD.key}"):
        store.get(RECORD.key[:-1] + "x")
    with pytest.raises(InvalidValueError, match="is no model"):
        store.get("")


def test_pruning_keeps_the_newest_completed_of_each_plugin(store: ModelStore) -> None:
    def saved(age: int, **changes: Any) -> str:
        return aged(store.save(replace(RECORD, data=str(age), **changes), STATE), 10_000 - age).id

    saved(1, status="failed", message="no luck")
    new, middle, _old = saved(2), saved(3), saved(4)
    other = saved(5, plugin="other")
    damaged = store.root / f"{'0' * 16}-{'0' * 32}.model"
    damaged.write_bytes(b"")
    foreign = store.root / "notes.txt"
    foreign.write_text("mine")
    assert len(store.prune(keep=2)) == 3
    assert [model.id for model in store.list()] == [new, middle, other]
    assert foreign.exists(), "what is no model is left alone"
    with pytest.raises(InvalidValueError, match="keep"):
        store.prune(keep=-1)


def test_what_is_named_like_no_model_does_not_verify(store: ModelStore) -> None:
    store.save(RECORD, STATE)
    (store.root / "model.pkl").write_bytes(pickle.dumps(Harmful()))
    assert store.verify()["model.pkl"] == "is named like no model"
    assert list(store.verify().values()).count(None) == 1


def test_a_warm_load_and_one_prediction_take_less_than_20_milliseconds(store: ModelStore) -> None:
    features = np.random.default_rng(0).normal(size=(500, 22))
    forest = RandomForestRegressor(100, max_depth=15, random_state=0, n_jobs=1)
    store.save(RECORD, {"forest": forest.fit(features, features[:, 0])})

    def answer() -> float:
        start = perf_counter()
        state = store.load(RECORD.key, RECORD.schema)
        assert state is not None
        state["forest"].predict(features[:1])
        return perf_counter() - start

    answer()
    assert min(answer() for _ in range(10)) < 0.02
