"""Every rule of the gate, and every repair."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from gate_tables import BROKEN, DAYS, at, close, days, double, table

from windtunnel import gate
from windtunnel.errors import DataError, InvalidValueError


def test_a_good_table_is_let_in_as_it_is() -> None:
    admitted = gate.admit(table())
    assert days(admitted) == DAYS
    assert admitted.symbols == ("asset",)
    assert admitted.timezone is None
    assert admitted.repairs == {}
    for name in ("open", "high", "low", "close", "volume"):
        assert admitted.fields[name].shape == (4, 1)
        assert admitted.fields[name].flags.f_contiguous
        assert admitted.fields[name][:, 0].tolist() == table()[name].tolist()


def test_every_rule_has_a_broken_table() -> None:
    assert set(BROKEN) == set(gate.REPAIRS)


@pytest.mark.parametrize("rule", BROKEN)
def test_a_broken_rule_is_named_with_its_row(rule: str) -> None:
    frame, row, text = BROKEN[rule]
    with pytest.raises(DataError) as caught:
        gate.admit(frame)
    assert caught.value.rule == rule
    assert caught.value.row == row
    assert text in str(caught.value)


@pytest.mark.parametrize("rule", BROKEN)
def test_a_broken_rule_names_its_repairs(rule: str) -> None:
    with pytest.raises(DataError) as caught:
        gate.admit(BROKEN[rule][0])
    assert caught.value.repairs == gate.REPAIRS[rule]
    told = f"[{rule}]; data.quality.repair can be {', '.join(gate.REPAIRS[rule])}"
    assert str(caught.value).endswith(told if gate.REPAIRS[rule] else f"[{rule}]")


def test_arrays_are_not_told_of_repairs_that_they_cannot_have() -> None:
    with pytest.raises(DataError, match=r"\[not_positive\]$"):
        gate.admit_arrays(DAYS, [1.0, -1.0, 1.0, 1.0])


ONE_BAR = [rule for rule, legal in gate.REPAIRS.items() if "forward_fill" in legal]


@pytest.mark.parametrize("rule", ONE_BAR)
def test_dropping_removes_the_row(rule: str) -> None:
    admitted = gate.admit(BROKEN[rule][0], repair={rule: "drop"})
    assert days(admitted) == [DAYS[0], DAYS[1], DAYS[3]]
    assert close(admitted) == [11.0, 12.0, 14.0]
    assert admitted.repairs == {rule: 1}


@pytest.mark.parametrize("rule", ONE_BAR)
def test_marking_as_missing_keeps_the_time(rule: str) -> None:
    admitted = gate.admit(BROKEN[rule][0], repair={rule: "mark_missing"})
    assert days(admitted) == DAYS
    for name, values in admitted.fields.items():
        assert np.isnan(values[:, 0]).tolist() == [False, False, True, False], name


@pytest.mark.parametrize("rule", ONE_BAR)
def test_forward_fill_makes_a_flat_bar_at_the_last_close(rule: str) -> None:
    admitted = gate.admit(BROKEN[rule][0], repair={rule: "forward_fill"})
    assert days(admitted) == DAYS
    filled = {name: values[2, 0] for name, values in admitted.fields.items()}
    assert filled == {"open": 12.0, "high": 12.0, "low": 12.0, "close": 12.0, "volume": 0.0}


def test_forward_fill_stays_within_its_symbol_and_needs_an_earlier_bar() -> None:
    frame = pd.concat([table(symbol="A"), table(symbol="B")], ignore_index=True)
    frame.loc[[4, 6, 7], "close"] = np.nan
    admitted = gate.admit(frame, repair={"missing_price": "forward_fill"})
    assert np.isnan(admitted.fields["close"][0, 1])
    assert admitted.fields["close"][1:, 1].tolist() == [12.0, 12.0, 12.0]
    assert admitted.repairs == {"missing_price": 3}


def test_rows_without_a_time_or_symbol_can_be_dropped() -> None:
    for rule in ("bad_time", "bad_symbol"):
        admitted = gate.admit(BROKEN[rule][0], repair={rule: "drop"})
        assert days(admitted) == [DAYS[0], DAYS[1], DAYS[3]]
        assert admitted.repairs == {rule: 1}


def test_times_centuries_apart_are_compared_rightly() -> None:
    with pytest.raises(DataError, match="unsorted"):
        gate.admit(pd.DataFrame({"time": ["2039-01-01", "1746-01-01"], "close": 1.0}))


def test_sorting_orders_the_times() -> None:
    admitted = gate.admit(BROKEN["unsorted"][0], repair="sort")
    assert days(admitted) == DAYS
    assert close(admitted) == [11.0, 13.0, 12.0, 14.0]
    assert admitted.repairs == {"unsorted": 1}


def test_of_duplicates_the_first_or_last_is_kept() -> None:
    assert close(gate.admit(double(table()), repair="keep_first")) == [11.0, 12.0, 13.0, 14.0]
    assert close(gate.admit(double(table()), repair="keep_last")) == [11.0, 12.25, 13.0, 14.0]
    thrice = double(double(table()))
    admitted = gate.admit(thrice, repair={"duplicate": "keep_first"})
    assert close(admitted) == [11.0, 12.0, 13.0, 14.0]
    assert admitted.repairs == {"duplicate": 2}


def test_a_broken_duplicate_is_dropped_before_the_choice() -> None:
    frame = double(table())
    frame.loc[2, "high"] = np.nan
    admitted = gate.admit(frame, repair={"missing_price": "drop"})
    assert close(admitted) == [11.0, 12.0, 13.0, 14.0]


def test_one_name_repairs_where_it_may_and_nowhere_else() -> None:
    frame = at("open", 1, np.nan)
    frame.loc[2, "volume"] = -5
    assert gate.admit(frame, repair="drop").repairs == {"missing_price": 1, "negative_volume": 1}
    with pytest.raises(DataError, match="duplicate"):
        gate.admit(double(table()), repair="drop")


def test_a_row_that_breaks_several_rules_counts_once() -> None:
    frame = at("high", 1, -1.0)
    assert gate.admit(frame, repair="drop").repairs == {"not_positive": 1}


def test_an_error_counts_all_offenders_and_names_the_first_in_the_table() -> None:
    frame = pd.concat([table(symbol="B"), table(symbol="A")], ignore_index=True)
    frame.loc[[2, 5, 7], "close"] = 99.0
    with pytest.raises(DataError) as caught:
        gate.admit(frame)
    assert (caught.value.symbol, caught.value.row, caught.value.count) == ("B", 2, 3)


def test_nothing_left_is_an_error() -> None:
    frame = table(symbol=["A", "A", "A", "B"])
    frame.loc[3, "close"] = np.nan
    with pytest.raises(DataError) as caught:
        gate.admit(frame, repair="drop")
    assert (caught.value.rule, caught.value.symbol) == ("empty", "B")


def test_rounding_to_float32_passes_and_more_does_not() -> None:
    assert gate.TOLERANCE == 2e-7
    frame = table(close=[11.5, 12.5, 13.5, 14.5])
    frame["close"] *= 1 + 1.5e-7
    assert close(gate.admit(frame)) == frame["close"].tolist()
    frame["close"] = np.nextafter(
        frame["high"].astype(np.float32) * np.float32(1.1), np.inf, dtype=np.float32
    )
    frame["high"] *= 1.1
    gate.admit(frame)
    frame["close"] = frame["high"] * (1 + 3e-7)
    with pytest.raises(DataError, match="outside"):
        gate.admit(frame)


@pytest.mark.parametrize(
    ("repair", "text"),
    [
        ("mend", "drop, forward_fill, keep_first, keep_last, mark_missing, none, sort"),
        ({"outside_rnge": "drop"}, "did you mean outside_range"),
        ({"outside_range": "sort"}, "none, drop, forward_fill, mark_missing"),
        ({"unsorted": "drop"}, "none, sort"),
        ({"mixed_timezones": "drop"}, "must be one of none"),
        (7, "a name or a mapping"),
        ({3: "drop"}, "must name a rule"),
        ({"duplicate": ["drop"]}, "keep_first, keep_last"),
    ],
)
def test_an_illegal_repair_is_refused_with_what_is_legal(repair: Any, text: str) -> None:
    with pytest.raises(InvalidValueError, match=text):
        gate.admit(table(), repair=repair)
