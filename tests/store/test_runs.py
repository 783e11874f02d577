"""Run folders are whole or not there, and found by name or id."""

from __future__ import annotations

import errno
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from windtunnel.errors import InvalidValueError
from windtunnel.store import RunStore, run_id, write_json


def keep(store: RunStore, name: str, id_: str, value: float = 1.0) -> None:
    with store.writing(name, id_) as folder:
        write_json(folder / "metrics.json", {"sharpe": value})
        write_json(folder / "manifest.json", {"id": id_})


def test_a_run_appears_whole_and_latest_points_to_it(tmp_path: Path) -> None:
    store = RunStore(tmp_path)
    keep(store, "mine", "aaa111")
    keep(store, "mine", "bbb222", 2.0)
    latest = store.latest("mine")
    assert latest is not None
    assert latest.id == "bbb222"
    assert (tmp_path / "mine" / "latest" / "metrics.json").is_file()
    assert {run.id for run in store.runs()} == {"aaa111", "bbb222"}


def test_a_failure_leaves_the_old_run_and_no_rubbish(tmp_path: Path) -> None:
    store = RunStore(tmp_path)
    keep(store, "mine", "aaa111")

    def fail_midway() -> None:
        with store.writing("mine", "aaa111") as folder:
            write_json(folder / "metrics.json", {"sharpe": 9.0})
            raise RuntimeError("disk full")

    with pytest.raises(RuntimeError):
        fail_midway()
    kept = store.get("mine", "aaa111")
    assert kept is not None
    assert kept.metrics == {"sharpe": 1.0}
    assert sorted(path.name for path in (tmp_path / "mine").iterdir()) == ["aaa111", "latest"]


def test_running_again_replaces_the_whole_folder(tmp_path: Path) -> None:
    store = RunStore(tmp_path)
    keep(store, "mine", "aaa111")
    (tmp_path / "mine" / "aaa111" / "stray.txt").write_text("old")
    keep(store, "mine", "aaa111", 2.0)
    kept = store.get("mine", "aaa111")
    assert kept is not None
    assert kept.metrics == {"sharpe": 2.0}
    assert not (kept.folder / "stray.txt").exists()


def test_a_run_is_found_by_name_and_by_the_beginning_of_its_id(tmp_path: Path) -> None:
    store = RunStore(tmp_path)
    keep(store, "mine", "aaa111")
    keep(store, "other", "aab222")
    assert store.find("mine").id == "aaa111"
    assert store.find("mine/latest").id == "aaa111"
    assert store.find("other/aab222").id == "aab222"
    assert store.find("aab").name == "other"
    with pytest.raises(InvalidValueError, match="2 runs"):
        store.find("aa")
    with pytest.raises(InvalidValueError, match="did you mean mine"):
        store.find("mien")


def test_the_id_depends_on_content_not_on_order() -> None:
    assert run_id({"a": 1, "b": {"c": 2, "d": 3}}) == run_id({"b": {"d": 3, "c": 2}, "a": 1})
    assert run_id({"a": 1}) != run_id({"a": 2})


def test_json_has_no_nan(tmp_path: Path) -> None:
    write_json(tmp_path / "x.json", {"a": float("nan"), "b": [float("inf"), 1.5], "c": (1,)})
    assert json.loads((tmp_path / "x.json").read_text()) == {"a": None, "b": [None, 1.5], "c": [1]}


@pytest.mark.parametrize("file", ["manifest.json", "metrics.json"])
@pytest.mark.parametrize("content", ["{", "[1]", None])
def test_a_damaged_run_is_not_there_but_listed_with_its_damage(
    tmp_path: Path, file: str, content: str | None
) -> None:
    store = RunStore(tmp_path)
    keep(store, "mine", "aaa111")
    damaged = tmp_path / "mine" / "aaa111" / file
    damaged.unlink() if content is None else damaged.write_text(content)
    assert store.get("mine", "aaa111") is None
    if damaged.name == "metrics.json" or content is not None:
        found = store.find("mine")
        assert found.damage == (f"{file} is missing" if content is None else f"{file} cannot be read")
    keep(store, "mine", "aaa111")
    again = store.get("mine", "aaa111")
    assert again is not None
    assert again.damage is None


def test_a_first_failure_leaves_no_folders(tmp_path: Path) -> None:
    store = RunStore(tmp_path / "new" / "results")

    def fail() -> None:
        with store.writing("mine", "aaa111"):
            store.assets.mkdir()
            raise OSError(errno.ENOSPC, "words of a library")

    with pytest.raises(OSError, match="words") as caught:
        fail()
    assert caught.value.filename == str(tmp_path / "new" / "results" / "mine" / "aaa111")
    assert list(tmp_path.iterdir()) == []

    (tmp_path / "results").mkdir()
    store = RunStore(tmp_path / "results")
    with pytest.raises(OSError, match="words"):
        fail()
    assert [path.name for path in tmp_path.iterdir()] == ["results"], "what was there stays"


def test_writers_that_finish_at_once_leave_one_whole_run(tmp_path: Path) -> None:
    store = RunStore(tmp_path)

    def write(value: int) -> None:
        for _ in range(40):
            keep(store, "mine", "aaa111", float(value))

    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(write, value) for value in range(4)]:
            done.result()
    assert sorted(path.name for path in (tmp_path / "mine").iterdir()) == ["aaa111", "latest"]
    assert len(store.runs()) == 1
