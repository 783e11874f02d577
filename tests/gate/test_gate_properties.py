"""Nothing given to the gate ends in a traceback, and what it lets in keeps every rule."""

from __future__ import annotations

import contextlib
import datetime as dt
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest
from gate_tables import DAYS, table
from hypothesis import given
from hypothesis import strategies as st

from windtunnel import gate
from windtunnel.errors import DataError, InvalidValueError, WindtunnelError


@given(
    st.one_of(
        st.text(max_size=30), st.integers(), st.dates().map(str), st.none(), st.from_regex(r"[0-9T:+-]+")
    )
)
def test_no_text_for_an_instant_ends_in_a_traceback(text: Any) -> None:
    with contextlib.suppress(InvalidValueError):
        assert gate.instant(text, "start").dtype == np.dtype("datetime64[ns]")


ODD_NAMES = st.sampled_from(["time", "Date", "TS", "Close ", "volume", "x", 3, None, ("a", "b")])
SCALARS = st.one_of(
    st.floats(),
    st.integers(),
    st.booleans(),
    st.none(),
    st.text(max_size=5),
    st.dates(),
    st.datetimes(),
    st.datetimes(timezones=st.sampled_from([dt.UTC, dt.timezone(dt.timedelta(hours=1))])),
    st.times(),
    st.timedeltas(),
    st.complex_numbers(),
    st.binary(max_size=3),
    st.decimals(allow_nan=False),
    st.just(Decimal("nan")),
    st.sampled_from(["2020-01-01", "1/2/2020", "2020-01-01T00:00Z", "nan", "inf", "1e999", "A", "B"]),
    st.lists(st.integers(), max_size=2),
    st.just(pd.Period("2020-01", "M")),
)
DTYPES = st.sampled_from(
    [
        "object",
        "object",
        "str",
        "category",
        "float32",
        "Int64",
        "datetime64[s]",
        "datetime64[ns, UTC]",
        "bool",
    ]
)
MOMENTS = (
    st.integers(0, 30).map(lambda day: f"2020-01-{day + 1:02d}"),
    st.integers(0, 30).map(lambda day: f"{day + 1}/1/2020 9:30"),
    st.datetimes(dt.datetime(1600, 1, 1), dt.datetime(2300, 1, 1)),
    st.datetimes(timezones=st.sampled_from([dt.UTC, dt.timezone(dt.timedelta(hours=1))])),
    st.dates(),
    st.integers(10**8, 10**11),
    st.integers(10**8, 2 * 10**18),
)
PRICES = st.one_of(
    st.floats(1.0, 1.1), st.integers(1, 2), st.sampled_from(["1.5", Decimal("1.5"), "x", None])
)
SYMBOLS = st.sampled_from(["A", "B", " A", 1])


@st.composite
def columns(draw: st.DrawFn, rows: int, usual: st.SearchStrategy[Any]) -> pd.Series:
    """Mostly what belongs into the column, of some dtype; now and then anything."""
    kind = draw(st.integers(0, 9))
    values = draw(
        st.lists(SCALARS if kind == 0 else usual, min_size=rows, max_size=rows)
        if kind < 5
        else st.one_of(*[st.just(value) for value in draw(st.lists(usual, min_size=1, max_size=2))]).map(
            lambda value: [value] * rows
        )
    )
    series = pd.Series(values, dtype=object)
    try:
        return series.astype(draw(DTYPES))
    except Exception:  # noqa: BLE001 - what pandas itself refuses is no table
        return series


@st.composite
def frames(draw: st.DrawFn) -> pd.DataFrame:
    rows = draw(st.integers(1, 5))
    names = ["time", *draw(st.permutations(["symbol", "open", "high", "low", "volume"])), "close"]
    names = names[draw(st.integers(0, 9)) // 9 :][-draw(st.integers(2, 7)) :]
    names = ["time", *names] if "time" not in names and draw(st.integers(0, 9)) else names
    kinds = {"time": draw(st.sampled_from(MOMENTS)), "symbol": SYMBOLS}
    data = [draw(columns(rows, kinds.get(name, PRICES))) for name in names]
    frame = pd.concat(data, axis=1)
    frame.columns = pd.Index(names)
    if draw(st.integers(0, 9)) == 0:
        frame.columns = pd.Index([draw(ODD_NAMES), *names[1:]], tupleize_cols=False)
    if draw(st.integers(0, 9)) == 0:
        frame.index = pd.Index(
            draw(columns(rows, MOMENTS[0])), name=draw(st.sampled_from(["time", "date", None, 7]))
        )
    if draw(st.integers(0, 4)) == 0 and "time" in frame.columns:
        frame = frame.set_index("time")
    if draw(st.integers(0, 9)) == 0:
        frame.columns = pd.MultiIndex.from_tuples([(name, "A") for name in frame.columns.map(str)])
    return frame


def test_a_signalling_nan_is_not_a_number() -> None:
    with pytest.raises(DataError, match="not_a_number"):
        gate.admit(table(close=[Decimal("11"), Decimal("sNaN"), Decimal("13"), Decimal("14")]))


@given(frames(), st.sampled_from(["none", "drop", "forward_fill", "mark_missing", "sort", "keep_last"]))
def test_no_frame_ends_in_a_traceback(frame: pd.DataFrame, repair: str) -> None:
    with contextlib.suppress(WindtunnelError):
        assert_sound(gate.admit(frame, repair=repair))


def assert_sound(admitted: gate.Admitted) -> None:
    assert (admitted.time[1:] > admitted.time[:-1]).all()
    open_, high, low, last = (admitted.fields[name] for name in ("open", "high", "low", "close"))
    present = ~np.isnan(last)
    assert present.any(axis=0).all()
    for values in (open_, high, low):
        assert (np.isnan(values) == ~present).all()
    slack = 1 + 2 * gate.TOLERANCE
    prices = np.stack([open_, high, low, last])[:, present]
    assert np.isfinite(prices).all()
    assert (prices > 0).all()
    assert (prices.max(axis=0) <= prices[1] * slack).all()
    assert (prices.min(axis=0) * slack >= prices[2]).all()
    assert not (admitted.fields["volume"] < 0).any()


ARRAYS = st.one_of(
    st.none(),
    SCALARS,
    st.lists(SCALARS, max_size=3),
    st.lists(st.floats(1, 2), min_size=2, max_size=2),
    st.lists(st.lists(st.floats(1, 2), min_size=1, max_size=2), min_size=2, max_size=2),
)


@given(
    st.one_of(st.just(DAYS[:2]), ARRAYS),
    ARRAYS,
    st.fixed_dictionaries({}, optional=dict.fromkeys(["open", "high", "low", "volume", "symbols"], ARRAYS)),
)
def test_no_arrays_end_in_a_traceback(time: Any, close: Any, others: dict[str, Any]) -> None:
    with contextlib.suppress(WindtunnelError):
        assert_sound(gate.admit_arrays(time, close, **others))


BAR_RULES = [rule for rule, legal in gate.REPAIRS.items() if "forward_fill" in legal]
PRICE = st.one_of(st.floats(0.5, 2.0), st.sampled_from([np.nan, np.inf, 0.0, -1.0]))


@st.composite
def nearly_good(draw: st.DrawFn) -> pd.DataFrame:
    rows = draw(st.integers(1, 12))
    frame = pd.DataFrame(
        {
            "time": draw(st.lists(st.sampled_from(DAYS), min_size=rows, max_size=rows)),
            "symbol": draw(st.lists(st.sampled_from(["A", "B"]), min_size=rows, max_size=rows)),
            "close": draw(st.lists(PRICE, min_size=rows, max_size=rows)),
        }
    )
    wide = draw(st.lists(st.floats(0.9, 1.2), min_size=rows, max_size=rows))
    return frame.assign(high=frame["close"] * wide, low=frame["close"] / wide)


@given(
    nearly_good(),
    st.sampled_from(["drop", "forward_fill", "mark_missing"]),
    st.sampled_from(["keep_first", "keep_last"]),
)
def test_repairs_mend_everything_that_they_name(frame: pd.DataFrame, bar: str, duplicate: str) -> None:
    repair = dict.fromkeys(BAR_RULES, bar) | {"unsorted": "sort", "duplicate": duplicate}
    try:
        admitted = gate.admit(frame, repair=repair)
    except DataError as error:
        assert error.rule == "empty"  # noqa: PT017 - either outcome is right
        return
    assert_sound(admitted)
    good = frame[np.isfinite(frame["close"]) & (frame["close"] > 0) & (frame["high"] >= frame["low"])]
    chosen = good.drop_duplicates(["symbol", "time"], keep="first" if duplicate == "keep_first" else "last")
    if bar == "drop":
        for row in chosen.itertuples():
            place = admitted.time.tolist().index(np.datetime64(row.time, "ns").astype(int))
            assert admitted.fields["close"][place, admitted.symbols.index(row.symbol)] == row.close
        assert np.isfinite(admitted.fields["close"]).sum() == len(chosen)
