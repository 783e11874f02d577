"""What the ledger was given is in it once, in order, and comes back bit for bit."""

from __future__ import annotations

import struct
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ledger_cases import STUDY, Opened, as_bytes, some_trials

from windtunnel.engine.sweep import SWEEP_METRICS
from windtunnel.errors import InvalidValueError, LedgerError
from windtunnel.store import Ledger, database, ledger
from windtunnel.store.blocks import pack, unpack
from windtunnel.values import Trials


def of(values: list[Any]) -> tuple[Trials, dict[str, tuple[int, ...]]]:
    """Return trials with one parameter of these values."""
    count = len(values)
    arrays = np.zeros((count, 1, 1)), np.zeros((count, 5)), np.zeros((count, 0, 3))
    shapes: dict[str, tuple[int, ...]] = {"objectives": (1, 1), "metrics": (5,), "sums": (0, 3)}
    return Trials({"p": values}, *arrays, ("",) * count), shapes


def round_trip(values: list[Any]) -> list[Any]:
    found = unpack(pack(*of(values)), of(values)[1]).parameters["p"]
    assert isinstance(found, list)
    return found


# --- blocks


@pytest.mark.parametrize(
    "values",
    [
        [],
        [1, 2, -(2**63)],
        [2**63, 1],
        [0.1, -0.0, 5e-324, float("inf")],
        [True, False],
        ["a", "", "ä€", "\ud800", "None"],
        [None, None],
        [None, 3],
        [None, 0.5],
        [1, 1.0, True, "1", None],
        [True, 1],
        [(1, 2), (1.0, 2), (True, 2), [1, 2]],
        [{"atr": 2}, {"atr": 2.0}, 0.05, {1: (None,)}],
        [{"tuple": [1]}, (1,)],
        [date(2020, 1, 2), datetime(2020, 1, 2, 3, tzinfo=UTC)],
        ["1", 1],
    ],
)
def test_parameters_keep_value_and_type(values: list[Any]) -> None:
    found = round_trip(values)
    assert found == values
    assert repr(found) == repr(values), "1, 1.0 and True are equal, but not the same"


@settings(max_examples=60)
@given(
    st.lists(
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
            lambda inner: st.lists(inner, max_size=3) | st.lists(inner, max_size=3).map(tuple),
            max_leaves=5,
        ),
        max_size=8,
    )
)
def test_any_mixture_of_parameters_comes_back(values: list[Any]) -> None:
    assert repr(round_trip(values)) == repr(values)


def test_a_float_column_keeps_the_bits_of_nan() -> None:
    (odd,) = struct.unpack("<d", struct.pack("<Q", 0xFFF8_0000_0000_1234))
    found = round_trip([odd, None, -0.0])
    assert struct.pack("<d", found[0]) == struct.pack("<d", odd)
    assert found[1] is None
    assert str(found[2]) == "-0.0"


def test_arrays_keep_the_bits_of_every_nan() -> None:
    trials, _ = some_trials(50)
    bits = np.array([0x7FF8_0000_0000_0001, 0xFFF8_0000_0000_0002, 0x7FF0_0000_0000_0003], np.uint64)
    odd = bits.view(np.float64)
    trials.objectives[3, 1, :2] = odd[:2]
    trials.metrics[4, :3] = odd
    trials.sums[5, 1] = odd
    found = unpack(pack(trials, STUDY.shapes), STUDY.shapes)
    for name in ("objectives", "metrics", "sums"):
        assert getattr(found, name).tobytes() == getattr(trials, name).tobytes()


def test_a_problem_in_any_letters_comes_back() -> None:
    trials, shapes = of([1, 2, 3])
    for problems in (("", "", ""), ("ö", "", "\ud800"), ("a", "b", "a")):
        assert unpack(pack(replace(trials, problems=problems), shapes), shapes).problems == problems


def test_numpy_numbers_come_back_as_python_ones() -> None:
    found = round_trip([np.int64(3), np.float64(0.5), np.bool_(True)])
    assert [(type(value), value) for value in found] == [(int, 3), (float, 0.5), (bool, True)]
    column = unpack(pack(*of(np.array([3, 4]))), of([0])[1]).parameters["p"]  # type: ignore[arg-type]
    assert repr(column) == "[3, 4]"


def test_a_parameter_that_nothing_can_write_down_is_named() -> None:
    with pytest.raises(InvalidValueError, match=r"^p: must be a number, text, .* \(got <object"):
        pack(*of([1, object()]))


# --- append, known


def test_what_was_appended_comes_back_bit_for_bit_in_order(opened: Opened) -> None:
    given = [some_trials(count, seed) for seed, count in enumerate((7, 1, 30))]
    first = opened()
    for trials, keys in given:
        first.append(STUDY, trials, keys)
    whole = Trials.join([trials for trials, _ in given]), np.concatenate([keys for _, keys in given])
    for ledger_ in (first, opened()):
        assert as_bytes(ledger_.known(STUDY)) == as_bytes(whole)


def test_nothing_is_known_of_a_new_study_and_its_shapes_are_right(opened: Opened) -> None:
    trials, keys = opened().known(STUDY)
    assert {path: list(values) for path, values in trials.parameters.items()} == {
        "strategy.params.fast": [],
        "backtest.stop_loss": [],
    }
    assert (trials.objectives.shape, trials.metrics.shape) == ((0, 2, 2), (0, 5))
    assert (trials.sums.shape, keys.shape, keys.dtype) == ((0, 3, 3), (0,), np.dtype(np.uint64))
    assert len(trials) == 0


def test_a_study_without_blocks_of_sums_or_rows_works(opened: Opened) -> None:
    study = replace(STUDY, edges=())
    trials, keys = some_trials(4)
    trials = replace(trials, sums=np.empty((4, 0, 3)))
    ledger_ = opened()
    ledger_.append(study, trials.take([]), keys[:0])
    assert ledger_.family(study).studies == 0, "nothing was recorded"
    ledger_.append(study, trials, keys)
    assert as_bytes(ledger_.known(study)) == as_bytes((trials, keys))


def test_a_key_is_recorded_once_per_study(opened: Opened) -> None:
    trials, keys = some_trials(10)
    first, second = opened(), opened()
    first.append(STUDY, trials.take(range(6)), keys[:6])
    second.append(STUDY, trials, keys)
    second.append(STUDY, trials, keys)
    first.append(STUDY, trials, keys)
    assert as_bytes(first.known(STUDY)) == as_bytes((trials, keys))
    other = replace(STUDY, key="other")
    first.append(other, trials, keys)
    assert len(first.known(other)[0]) == 10


def test_of_a_key_given_twice_at_once_the_first_row_counts(opened: Opened) -> None:
    trials, keys = some_trials(5)
    keys[[1, 4]] = keys[2]
    ledger_ = opened()
    ledger_.append(STUDY, trials, keys)
    rows = [0, 1, 3]
    assert as_bytes(ledger_.known(STUDY)) == as_bytes((trials.take(rows), keys[rows]))


def test_long_appends_are_split_into_blocks(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "ROWS", 8)
    trials, keys = some_trials(20)
    ledger_ = opened()
    ledger_.append(STUDY, trials, keys)
    assert as_bytes(ledger_.known(STUDY)) == as_bytes((trials, keys))
    table = ledger_._batches
    numbers = table.select().with_only_columns(table.c.first, table.c.size).order_by(table.c.first)
    rows = ledger_._database.read(lambda connection: connection.execute(numbers).all())
    assert [tuple(row) for row in rows] == [(0, 8), (8, 8), (16, 4)]


def test_columns_may_be_given_in_another_order(opened: Opened) -> None:
    trials, keys = some_trials(3)
    ledger_ = opened()
    turned = dict(reversed(trials.parameters.items()))
    ledger_.append(STUDY, replace(trials, parameters=turned), keys)
    assert as_bytes(ledger_.known(STUDY)) == as_bytes((trials, keys))
    assert list(ledger_.known(STUDY)[0].parameters) == list(STUDY.paths)


def test_writers_at_the_same_time_neither_lose_nor_repeat(opened: Opened) -> None:
    trials, keys = some_trials(120)
    ledgers = [opened() for _ in range(4)]

    def append(number: int) -> None:
        for start in range(0, 120, 10):
            rows = range(start, min(start + 10 + number, 120))
            ledgers[number].append(STUDY, trials.take(rows), keys[list(rows)])

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(append, range(4)))
    found, found_keys = opened().known(STUDY)
    assert sorted(found_keys.tolist()) == sorted(keys.tolist())
    place = {key: row for row, key in enumerate(keys.tolist())}
    expected = trials.take([place[key] for key in found_keys.tolist()])
    assert as_bytes((found, found_keys)) == as_bytes((expected, found_keys))


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda t, k: (t.take([0, 1]), k), "keys"),
        (lambda t, k: (t, k.astype(np.int64)), "keys"),
        (lambda t, k: (replace(t, metrics=t.metrics[:, :4]), k), "trials.metrics"),
        (lambda t, k: (replace(t, objectives=t.objectives[:, :1]), k), "trials.objectives"),
        (lambda t, k: (replace(t, sums=t.sums[:, :2]), k), "trials.sums"),
        (lambda t, k: (replace(t, parameters={"strategy.params.fast": [1] * 3}), k), "trials.parameters"),
        (
            lambda t, k: (replace(t, parameters={**t.parameters, "backtest.stop_loss": [None]}), k),
            r"trials\.parameters\['backtest.stop_loss'\]",
        ),
    ],
)
def test_trials_of_another_form_are_refused(tmp_path: Path, change: Any, named: str) -> None:
    ledger_ = Ledger(tmp_path)
    with pytest.raises(InvalidValueError, match=f"^{named}: must"):
        ledger_.append(STUDY, *change(*some_trials(3)))
    assert len(ledger_.known(STUDY)[0]) == 0
    ledger_.close()


def test_a_study_of_another_layout_under_the_same_key_is_refused(opened: Opened) -> None:
    ledger_ = opened()
    trials, keys = some_trials(3)
    ledger_.append(STUDY, trials, keys)
    with pytest.raises(InvalidValueError, match=r"^study\.edges: must be \[0, 100, 200, 300\], as it was"):
        ledger_.known(replace(STUDY, edges=(0, 50, 200, 300)))
    with pytest.raises(InvalidValueError, match=r"^study\.objectives: must be"):
        ledger_.append(replace(STUDY, objectives=("sharpe", "win_rate")), trials, keys)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"start": "yesterday"}, r"study\.start: must be a date"),
        ({"end": "2000-01-01"}, r"study\.end: must not be before"),
        ({"periods_per_year": 0.0}, r"study\.periods_per_year: must be more than 0"),
        ({"periods_per_year": float("nan")}, r"study\.periods_per_year: must be more than 0"),
    ],
)
def test_a_study_that_cannot_be_is_refused(change: dict[str, Any], named: str) -> None:
    with pytest.raises(InvalidValueError, match=named):
        replace(STUDY, **change)


# --- family


def with_sharpes(*values: float) -> Trials:
    trials, _ = some_trials(len(values))
    trials.metrics[:, SWEEP_METRICS.index("sharpe")] = values
    return trials


def test_the_family_is_the_strategy_the_set_of_symbols_and_overlapping_dates(opened: Opened) -> None:
    ledger_ = opened()
    relatives: dict[str, dict[str, Any]] = {
        "itself": {},
        "turned": {"symbols": ("B", "A")},
        "a year more": {"end": "2020-12-31", "data": "e" * 32},
        "one bar in common": {"start": "2019-12-31T00:00:00.000000000", "end": "2030-01-01"},
        "other folds": {"experiment": "yours", "edges": (0, 1, 2, 3)},
    }
    strangers: dict[str, dict[str, Any]] = {
        "other plugin": {"plugin": "donchian"},
        "fewer symbols": {"symbols": ("A",)},
        "later": {"start": "2020-01-01", "end": "2030-01-01"},
        "earlier": {"start": "2000-01-01", "end": "2010-01-03T23:00:00"},
    }
    for number, (name, change) in enumerate({**relatives, **strangers}.items()):
        study = replace(STUDY, key=name, **change)
        ledger_.append(study, with_sharpes(float(number)), np.array([number], np.uint64))
    family = ledger_.family(STUDY)
    assert family.keys.tolist() == [0, 1, 2, 3, 4]
    assert family.studies == 5
    assert family.sharpes.tolist() == [number / np.sqrt(252) for number in range(5)]
    assert family.first == datetime.now(UTC).date().isoformat()
    assert ledger_.family(replace(STUDY, plugin="unheard of")).studies == 0


def test_sharpe_ratios_are_per_bar_and_the_latest_counts(opened: Opened) -> None:
    ledger_ = opened()
    hourly = replace(STUDY, key="hourly", periods_per_year=1600.0)
    ledger_.append(STUDY, with_sharpes(2.52, 1.0, 3.0), np.array([9, 8, 7], np.uint64))
    ledger_.append(hourly, with_sharpes(20.0, np.nan), np.array([8, 7], np.uint64))
    family = ledger_.family(STUDY)
    assert family.keys.tolist() == [9, 8, 7]
    np.testing.assert_allclose(family.sharpes, [2.52 / 252**0.5, 0.5, np.nan], rtol=1e-15)
    assert family.studies == 2


def test_a_family_of_none_is_empty(opened: Opened) -> None:
    family = opened().family(STUDY)
    assert (len(family.keys), len(family.sharpes), family.studies, family.first) == (0, 0, 0, "")
    assert family.keys.dtype == np.uint64


# --- where it is


def test_a_folder_a_text_and_a_url_are_the_same_ledger(tmp_path: Path) -> None:
    trials, keys = some_trials(3)
    path = tmp_path / "a folder" / "ledger.db"
    for target in (path.parent, str(path.parent), f"sqlite:///{path}"):
        ledger_ = Ledger(target)
        assert ledger_.name == str(path)
        ledger_.append(STUDY, trials, keys)
        assert len(ledger_.known(STUDY)[0]) == 3
        ledger_.close()


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("mysql://me:secret@host/base", "mysql://me:***@host/base"),
        ("postgresql+psycopg2://me:secret@host/base", "postgresql://me:***@host/base"),
        ("postgresql://me:secret@host:port/base", "postgresql://…"),
    ],
)
def test_another_kind_of_url_is_refused_without_its_password(url: str, shown: str) -> None:
    with pytest.raises(InvalidValueError, match="must be a folder, or begin with sqlite://") as caught:
        Ledger(url)
    assert caught.value.value == shown
    assert "secret" not in str(caught.value)


def test_sqlite_writes_ahead_and_synchronises_every_commit(tmp_path: Path) -> None:
    ledger_ = Ledger(tmp_path)
    settings = ledger_._database.read(
        lambda connection: [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("journal_mode", "synchronous", "busy_timeout")
        ]
    )
    assert settings == ["wal", 2, 30_000]
    ledger_.close()


def test_a_file_that_is_no_database_is_left_alone_and_named(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    path.write_text("these are my notes about sailing, which I would be sorry to lose\n" * 20)
    before = path.read_bytes()
    with pytest.raises(LedgerError, match=r"ledger\.db is no database: file is not a database; move it"):
        Ledger(tmp_path)
    assert path.read_bytes() == before


def test_a_file_in_place_of_the_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "results").write_text("")
    with pytest.raises(LedgerError, match=r"results/ledger\.db cannot be opened: File exists"):
        Ledger(tmp_path / "results")


def execute(ledger_: Ledger, statement: str, *values: Any) -> None:
    ledger_._database.write(lambda connection: connection.exec_driver_sql(statement, values or None))


def test_tables_of_something_else_are_left_alone_and_named(opened: Opened) -> None:
    ledger_ = opened()
    execute(ledger_, "ALTER TABLE ledger_studies RENAME COLUMN plugin TO sail")
    with pytest.raises(
        LedgerError, match="is no ledger of trials: its table ledger_studies has no column pl"
    ):
        opened()


def test_a_ledger_of_a_newer_version_is_refused(opened: Opened) -> None:
    ledger_ = opened()
    ledger_.append(STUDY, *some_trials(3))
    execute(ledger_, "UPDATE ledger_batches SET version = 2")
    told = r"was written by a newer windtunnel \(version 2, this one knows 1\): update windtunnel"
    with pytest.raises(LedgerError, match=told):
        opened()
    with pytest.raises(LedgerError, match=told):
        ledger_.known(STUDY)


@pytest.mark.parametrize("part", ["block", "summary"])
def test_a_damaged_block_is_named_and_never_read(opened: Opened, part: str) -> None:
    ledger_ = opened()
    for seed in range(3):
        ledger_.append(STUDY, *some_trials(4, seed))
    value = "zeroblob(9)" if ledger_._database.on_file else r"'\x0102'::bytea"
    execute(ledger_, f"UPDATE ledger_batches SET {part} = {value} WHERE first = 4")
    told = r"is damaged: trials 4–7 of study abc do not have their checksum; bring back a copy"
    with pytest.raises(LedgerError, match=told):
        opened().known(STUDY)
    if part == "summary":
        with pytest.raises(LedgerError, match=told):
            opened().family(STUDY)
        with pytest.raises(LedgerError, match=told):
            opened().append(STUDY, *some_trials(4, 9))


def test_a_missing_batch_is_noticed(opened: Opened) -> None:
    ledger_ = opened()
    for seed in range(3):
        ledger_.append(STUDY, *some_trials(4, seed))
    execute(ledger_, "DELETE FROM ledger_batches WHERE first = 4")
    with pytest.raises(LedgerError, match="trials 4–7 of study abc are missing"):
        ledger_.known(STUDY)


def test_two_batches_cannot_have_the_same_number(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "PATIENCE", 0.2)
    ledger_ = opened()
    for seed in range(2):
        ledger_.append(STUDY, *some_trials(4, seed))
    with pytest.raises(LedgerError, match=r"(?i)unique"):
        execute(ledger_, "UPDATE ledger_batches SET first = 0")


def test_nothing_heavy_is_imported_before_a_ledger_is_opened() -> None:
    heavy = "{'sqlalchemy', 'pyarrow'} & set(sys.modules)"
    code = f"import sys, windtunnel.store; print({heavy})"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "set()"
