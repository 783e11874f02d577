"""Tables that the tests of the gate break."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from windtunnel import gate

DAYS = ["2020-01-01", "2020-01-02", "2020-01-03", "2020-01-06"]


def table(**changes: Any) -> pd.DataFrame:
    """Four good bars of one symbol, with columns replaced."""
    columns: dict[str, Any] = {
        "time": DAYS,
        "open": [10.0, 11.0, 12.0, 13.0],
        "high": [11.5, 12.5, 13.5, 14.5],
        "low": [9.5, 10.5, 11.5, 12.5],
        "close": [11.0, 12.0, 13.0, 14.0],
        "volume": [100.0, 200.0, 300.0, 400.0],
    }
    return pd.DataFrame({**columns, **changes})


def at(name: str, row: int, value: Any) -> pd.DataFrame:
    frame = table()
    frame[name] = frame[name].astype(object)
    frame.loc[row, name] = value
    return frame


def close(admitted: gate.Admitted) -> list[float]:
    return admitted.fields["close"][:, 0].tolist()


def days(admitted: gate.Admitted) -> list[str]:
    return admitted.time.astype("datetime64[D]").astype(str).tolist()


def double(frame: pd.DataFrame) -> pd.DataFrame:
    return pd.concat([frame, frame.iloc[[1]].assign(close=12.25)], ignore_index=True).sort_values(
        "time", kind="stable", ignore_index=True
    )


BROKEN: dict[str, tuple[pd.DataFrame, int | None, str]] = {
    "empty": (table().iloc[:0], None, "no rows"),
    "missing_column": (table().rename(columns={"close": "Clsoe"}), None, "did you mean 'Clsoe'"),
    "unknown_column": (table().rename(columns={"high": "hihg"}), None, "did you mean high"),
    "duplicate_column": (table().assign(CLOSE=1.0), None, "2 columns 'close'"),
    "ambiguous_time": (table(time=["1/2/2020", "1/3/2020", "1/4/2020", "1/5/2020"]), 0, "which number"),
    "mixed_timezones": (at("time", 2, "2020-01-03T00:00Z"), 2, "no time zone and UTC"),
    "bad_time": (at("time", 2, "soon"), 2, "'soon'"),
    "bad_symbol": (table(symbol=["A", "A", None, "A"]), 2, "symbol is missing"),
    "not_a_number": (at("close", 2, "n/a"), 2, "close is 'n/a'"),
    "infinite": (at("high", 2, np.inf), 2, "high is inf"),
    "missing_price": (at("open", 2, np.nan), 2, "open is missing"),
    "not_positive": (at("low", 2, 0.0), 2, "low is 0"),
    "high_below_low": (at("high", 2, 11.0), 2, "high 11 is below low 11.5"),
    "outside_range": (at("close", 2, 13.6), 2, "close 13.6 lies outside low 11.5 … high 13.5"),
    "negative_volume": (at("volume", 2, -1), 2, "volume is -1"),
    "unsorted": (table(time=[DAYS[0], DAYS[2], DAYS[1], DAYS[3]]), 2, "after a later bar"),
    "duplicate": (double(table()), 2, "there is a bar"),
}
