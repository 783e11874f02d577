"""Numbers as text."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from windtunnel.reporting.text import (
    bar_word,
    called,
    counted,
    duration,
    figure,
    interval,
    number,
    percent,
    spacing,
    sparkline,
    stamp,
)


@pytest.mark.parametrize(
    ("value", "digits", "signed", "text"),
    [
        (1234567.891, 2, False, "1,234,567.89"),
        (-0.5, 2, False, "−0.50"),
        (-0.001, 2, False, "0.00"),
        (0.08, 2, True, "+0.08"),
        (-1234.5, 0, True, "−1,234"),
        (math.nan, 2, True, "–"),
        (math.inf, 2, False, "∞"),
        (-math.inf, 2, False, "−∞"),
    ],
)
def test_a_number_has_a_true_minus_and_thousands(value, digits, signed, text):
    assert number(value, digits, signed=signed) == text


def test_a_fraction_is_printed_in_per_cent():
    assert percent(0.1234) == "12.3%"
    assert percent(-0.0666, 0) == "−7%"
    assert percent(0.05, signed=True) == "+5.0%"
    assert percent(math.nan) == "–"


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.256, "fraction", "25.6%"),
        (1.005, "ratio", "1.00"),
        (1204, "count", "1,204"),
        (31.0, "bars", "31"),
        (-12.345, "currency", "−12.35"),
        (math.nan, "count", "–"),
    ],
)
def test_a_metric_is_printed_in_its_unit(value, unit, text):
    assert figure(value, unit) == text


def test_an_interval_needs_both_bounds():
    assert interval(-0.21, 0.36, signed=True) == "[−0.21, +0.36]"
    assert interval(math.nan, 0.36) == ""


def test_counts_take_a_plural():
    assert counted(1, "trade") == "1 trade"
    assert counted(1204, "trade") == "1,204 trades"
    assert counted(2, "entry", "entries") == "2 entries"
    assert counted(0, "trade") == "0 trades"


@pytest.mark.parametrize(
    ("days", "text"),
    [(1 / 24, "1 hour"), (3, "3 days"), (21, "3 weeks"), (943, "31 months"), (2000, "5.5 years")],
)
def test_lengths_of_time_are_said_as_people_do(days, text):
    assert duration(days) == text


def test_bars_have_names():
    assert [bar_word(periods) for periods in (252.0, 365.0, 12.0, 1638.0)] == ["day", "day", "month", "bar"]


def test_a_stamp_leaves_midnight_out():
    assert stamp(np.datetime64("2008-10-07T00:00", "ns")) == "2008-10-07"
    assert stamp(np.datetime64("2008-10-07T14:30", "ns")) == "2008-10-07 14:30"


def test_a_sparkline_goes_from_low_to_high():
    assert sparkline(np.arange(8.0), 8) == "▁▂▃▄▅▆▇█"
    assert sparkline(np.array([1.0, np.nan, 2.0]), 3) == "▁ █"
    assert sparkline(np.full(4, 5.0), 4) == "▅▅▅▅"
    assert sparkline(np.full(3, np.nan), 3) == "   "
    assert sparkline(np.empty(0), 10) == ""


def test_a_sparkline_averages_what_does_not_fit():
    assert sparkline(np.array([0.0, 2.0, 7.0, 9.0]), 2) == "▁█"


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True, width=32), max_size=60), st.integers(1, 40))
def test_a_sparkline_never_fails_and_keeps_its_width(values, width):
    assert len(sparkline(np.array(values, np.float64), width)) == min(width, len(values))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(30, "30s"), (60, "1m"), (900, "15m"), (5400, "90m"), (14_400, "4h"), (86_400, ""), (2_592_000, "")],
)
def test_bars_of_less_than_a_day_are_called_by_their_median_distance(seconds, text):
    time = np.datetime64("2024-01-01", "ns") + np.arange(10) * np.timedelta64(seconds, "s")
    assert spacing(time) == text
    assert spacing(np.delete(time, 4)) == text
    assert spacing(time[:1]) == ""


def test_a_component_is_written_as_a_call_with_values_as_in_yaml():
    params = {"fast": 20, "short": False, "of": None, "level": 2.0, "names": ["a", "b"], "more": {"x": 0.5}}
    assert called({"use": "mine", "params": params}) == (
        "mine(fast=20, short=false, of=null, level=2, names=[a, b], more={x: 0.5})"
    )
    assert called({"use": "bare", "params": {}}) == "bare"
    assert called({"use": "bad", "params": {"x": "a\x1b\n"}}) == r"bad(x=a\x1b\n)"
    nested = {"members": [{"use": "garch", "params": {"p": 1}}, {"use": "har", "params": {}}]}
    assert called({"use": "ensemble", "params": nested}) == "ensemble(members=[garch, har])"
    many = dict.fromkeys("abcdefgh", 1)
    assert called({"use": "m", "params": many}) == "m(a=1, b=1, c=1, d=1, e=1, f=1, …)"
    assert len(called({"use": "long", "params": {"x": "a" * 99}})) == len("long(x=)") + 60
