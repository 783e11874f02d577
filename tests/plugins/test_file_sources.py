"""Bars from CSV, Parquet and Feather files."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError
from source_tables import bars, dataset, small

from windtunnel.errors import DataError, InvalidValueError
from windtunnel_plugins.sources import Csv, Parquet


@pytest.mark.parametrize("ending", ["csv", "csv.gz", "parquet", "feather"])
def test_a_long_table(tmp_path: Path, ending: str) -> None:
    file = tmp_path / f"prices.{ending}"
    _write(small("A", "BRK.B"), file)
    source = Csv(path=str(file)) if "csv" in ending else Parquet(path=str(file))
    assert bars(source).close.tolist() == [[1.0, 11.0], [2.0, 12.0], [3.0, 13.0]]
    assert bars(source, symbols=("BRK.B",)).close[:, 0].tolist() == [11.0, 12.0, 13.0]
    with pytest.raises(InvalidValueError, match=r"did you mean BRK\.B"):
        bars(source, symbols=("BRK-B",))


@pytest.mark.parametrize("ending", ["csv", "csv.gz", "parquet", "feather"])
def test_a_folder_with_one_file_a_symbol(tmp_path: Path, ending: str) -> None:
    for place, symbol in enumerate(["A", "BRK.B"]):
        frame = small("A", "B").iloc[3 * place : 3 * place + 3].drop(columns="symbol")
        _write(frame, tmp_path / f"{symbol}.{ending}")
    (tmp_path / "README.txt").write_text("not bars")
    (tmp_path / f".hidden.{ending}").write_text("not bars")
    source = Csv(path=str(tmp_path)) if "csv" in ending else Parquet(path=str(tmp_path))
    assert bars(source).symbols == ("A", "BRK.B")
    assert bars(source).close[:, 1].tolist() == [11.0, 12.0, 13.0]
    _write(pd.DataFrame({"nothing": [1]}), tmp_path / f"C.{ending}")
    assert bars(source, symbols=("BRK.B", "A")).symbols == ("BRK.B", "A")


def _write(frame: pd.DataFrame, file: Path) -> None:
    if file.suffix == ".parquet":
        frame.to_parquet(file)
    elif file.suffix == ".feather":
        frame.reset_index(drop=True).to_feather(file)
    else:
        frame.to_csv(file, index=False)


def test_a_single_file_is_called_as_it_is_asked_for(tmp_path: Path) -> None:
    _write(small("A").drop(columns="symbol"), tmp_path / "apple-2020.csv")
    source = Csv(path=str(tmp_path / "apple-2020.csv"))
    assert bars(source).symbols == ("apple-2020",)
    assert bars(source, symbols=("AAPL",)).symbols == ("AAPL",)


def test_a_table_of_closes(tmp_path: Path) -> None:
    file = tmp_path / "closes.csv"
    file.write_text("Date,AAPL,LOW\n2020-01-01,1.5,\n2020-01-02,2.5,7\n")
    assert bars(Csv(path=str(file)), symbols=("LOW", "AAPL")).close[1].tolist() == [7.0, 2.5]
    assert bars(Csv(path=str(file))).present.tolist() == [[True, False], [True, True]]


YAHOO = (
    "Date,Open,High,Low,Close,Adj Close,Volume\n2020-01-01,10,12,9,11,5.5,100\n2020-01-02,11,12,9,10,5,100\n"
)


def test_columns_are_mapped_or_ignored_and_nothing_is_guessed(tmp_path: Path) -> None:
    file = tmp_path / "X.csv"
    file.write_text(YAHOO)
    with pytest.raises(DataError, match="'Adj Close' is none of time, symbol"):
        bars(Csv(path=str(file)))
    assert bars(Csv(path=str(file), ignore=("Adj Close",))).close[:, 0].tolist() == [11.0, 10.0]
    mapped = Csv(path=str(file), columns={"close": "Adj Close"}, ignore=("Open", "High", "Low"))
    assert bars(mapped).close[:, 0].tolist() == [5.5, 5.0]
    with pytest.raises(
        InvalidValueError, match=r"columns.close: must be a column of X.csv; did you mean Adj Close"
    ):
        bars(Csv(path=str(file), columns={"close": "AdjClose"}))
    with pytest.raises(ValidationError, match="did you mean close"):
        Csv(path=str(file), columns={"clsoe": "Close"})


def test_parquet_keeps_a_time_index_and_columns_are_mapped(tmp_path: Path) -> None:
    frame = small("A").drop(columns="symbol").rename(columns={"close": "last"}).assign(note="x")
    for place, index in enumerate((None, "Day")):
        indexed = frame.set_index("time").rename_axis(index)
        _write(indexed, tmp_path / f"{place}.parquet")
    plain = Parquet(path=str(tmp_path / "0.parquet"), columns={"close": "last"}, ignore=("note",))
    assert bars(plain).close[:, 0].tolist() == [1.0, 2.0, 3.0]
    named = Parquet(
        path=str(tmp_path / "1.parquet"), columns={"close": "last", "time": "Day"}, ignore=("note",)
    )
    assert bars(named).hash == bars(plain, symbols=("1",)).hash


def test_formats_of_numbers_times_and_headers(tmp_path: Path) -> None:
    file = tmp_path / "X.txt"
    file.write_text("made by hand\n05.11.2019;09:30;1,5;0001\n05.11.2019;09:31;2,5;0001\n")
    source = Csv(
        path=str(file),
        separator=";",
        decimal=",",
        skip=1,
        header=("date", "time", "close", "symbol"),
        time_format="%d.%m.%Y %H:%M",
        timezone="Europe/Berlin",
    )
    loaded = bars(source)
    assert loaded.symbols == ("0001",)
    assert loaded.close[:, 0].tolist() == [1.5, 2.5]
    assert loaded.time[0] == np.datetime64("2019-11-05T08:30")


def test_numbers_are_read_to_the_last_bit(tmp_path: Path) -> None:
    values = np.random.default_rng(0).uniform(1, 2, 1000)
    file = tmp_path / "X.csv"
    text = "\n".join(
        f"{day},{value!r}" for day, value in zip(np.arange(1000) + 10**9, values.tolist(), strict=True)
    )
    file.write_text(f"time,close\n{text}\n")
    assert bars(Csv(path=str(file))).close[:, 0].tolist() == values.tolist()


@pytest.mark.parametrize(
    ("content", "rule", "row", "text"),
    [
        (b"", "unreadable", None, "Empty"),
        (b"time,close\n", "empty", None, "no rows"),
        (b"time,close\n2020-01-01,1\n2020-01-02,2,3\n", "unreadable", 1, "Expected 2 columns, got 3"),
        (b"time,close\n2020-01-01,1\n2020-01-02,one\n", "not_a_number", 1, "close is 'one'"),
        (b"time,close\n2020-01-01,1\n2020-01-02,\n", "missing_price", 1, "the prices are missing"),
        (b"time,cl\xff\n2020-01-01,1\n", "unreadable", None, "X.csv"),
        (b"time,close\n2020-01-01,\xff\n", "not_a_number", 0, "xff"),
        (b"\x00\x01\x02", "unreadable", None, "X.csv"),
        (gzip.compress(b"time,close\n2020-01-01,1\n", mtime=0), "unreadable", None, "X.csv"),
    ],
)
def test_a_broken_csv_file_names_the_row(
    tmp_path: Path, content: bytes, rule: str, row: int | None, text: str
) -> None:
    file = tmp_path / "X.csv"
    file.write_bytes(content)
    with pytest.raises(DataError, match=text) as caught:
        bars(Csv(path=str(file)))
    assert (caught.value.rule, caught.value.row) == (rule, row)


@pytest.mark.parametrize(
    ("before", "params"),
    [
        ("time,close\n", {}),
        ("", {"header": ("time", "close")}),
        ("junk\n", {"header": ("time", "close"), "skip": 1}),
        ("junk\ntime,close\n", {"skip": 1}),
    ],
)
def test_rows_are_counted_from_the_first_of_data(tmp_path: Path, before: str, params: dict[str, Any]) -> None:
    file = tmp_path / "X.csv"
    file.write_text(f"{before}2020-01-01,1\n2020-01-02,2,3\n")
    with pytest.raises(DataError) as caught:
        bars(Csv(path=str(file), **params))
    assert caught.value.row == 1


@pytest.mark.parametrize(("ending", "line"), [("csv", 7), ("csv.gz", 7), ("parquet", None)])
def test_a_folder_s_error_names_file_and_row(tmp_path: Path, ending: str, line: int | None) -> None:
    """A has 80 good rows; in B the sixth of 60 closes is negative, in line 7 after the header."""
    time = pd.date_range("2020-01-01", periods=80)
    good = pd.DataFrame({"time": time, "close": 1.0})
    _write(good, tmp_path / f"A.{ending}")
    _write(good.iloc[:60].assign(close=np.where(np.arange(60) == 5, -1.0, 1.0)), tmp_path / f"B.{ending}")
    source = Parquet(path=str(tmp_path)) if ending == "parquet" else Csv(path=str(tmp_path))
    with pytest.raises(DataError, match=rf"symbol B, row 5 of B\.{ending}") as caught:
        bars(source)
    assert (caught.value.file, caught.value.row, caught.value.line) == (f"B.{ending}", 5, line)
    with pytest.raises(DataError) as caught:
        bars(source, symbols=("B",))
    assert (caught.value.file, caught.value.row, caught.value.line) == (f"B.{ending}", 5, line)


def test_rows_are_those_of_the_file_when_only_some_symbols_are_read(tmp_path: Path) -> None:
    """B has the rows 1, 3 and 5; the last is broken."""
    frame = small("A", "B").sort_values(["time", "symbol"], ignore_index=True)
    frame.loc[5, "close"] = -1.0
    _write(frame, tmp_path / "prices.parquet")
    with pytest.raises(DataError) as caught:
        bars(Parquet(path=str(tmp_path / "prices.parquet")), symbols=("B",))
    assert (caught.value.symbol, caught.value.row) == ("B", 5)


@pytest.mark.parametrize("last", ["2020-01-02,-2", "2020-01-02,2,3"])
@pytest.mark.parametrize(
    ("before", "params"),
    [
        ("time,close\n", {}),
        ("\n\ntime,close\n\n", {}),
        ("", {"header": ("time", "close")}),
        ("junk\r\n\r\ntime,close\r\n", {"skip": 1}),
        ("junk\n\n\n", {"header": ("time", "close"), "skip": 2}),
    ],
)
def test_the_line_counts_what_the_reader_leaves_out(
    tmp_path: Path, before: str, params: dict[str, Any], last: str
) -> None:
    text = f"{before}2020-01-01,1\n\n{last}\n\n"
    (tmp_path / "X.csv").write_bytes(text.encode())
    with pytest.raises(DataError) as caught:
        bars(Csv(path=str(tmp_path / "X.csv"), **params))
    assert caught.value.row == 1
    assert caught.value.line == text.splitlines().index(last) + 1


def test_two_columns_of_one_name_are_an_error_unless_ignored(tmp_path: Path) -> None:
    file = tmp_path / "X.csv"
    file.write_text("time,close,close,note,note\n2020-01-01,1,2,a,b\n")
    with pytest.raises(DataError, match=r"X\.csv: there are 2 columns 'close'") as caught:
        bars(Csv(path=str(file), ignore=("note",)))
    assert caught.value.rule == "duplicate_column"
    with pytest.raises(DataError, match="there are 2 columns 'close'"):
        bars(Csv(path=str(file), skip=1, header=("time", "close", "close", "a", "b"), ignore=("a", "b")))
    file.write_text("time,close,note,note\n2020-01-01,1,a,b\n")
    assert bars(Csv(path=str(file), ignore=("note",))).close.tolist() == [[1.0]]


@pytest.mark.parametrize("content", [b"", b"PAR1", b"ARROW1\0\0", b"x" * 100])
@pytest.mark.parametrize("ending", ["parquet", "feather"])
def test_a_broken_parquet_file_is_unreadable(tmp_path: Path, content: bytes, ending: str) -> None:
    file = tmp_path / f"X.{ending}"
    file.write_bytes(content)
    with pytest.raises(DataError, match=rf"X.{ending}: .*\[unreadable\]"):
        bars(Parquet(path=str(file)))


def test_a_path_must_be_there(tmp_path: Path) -> None:
    for source in (Csv(path=str(tmp_path / "none")), Parquet(path=str(tmp_path))):
        with pytest.raises(InvalidValueError, match="path: must be"):
            bars(source)


def test_attributes_come_from_a_file_beside(tmp_path: Path) -> None:
    _write(small("A", "0001"), tmp_path / "prices.csv")
    sectors = tmp_path / "sectors.csv"
    sectors.write_text("symbol,sector,size\n0001,Energy,3\nZ,Other,4\n")
    source = Csv(path=str(tmp_path / "prices.csv"), attributes=str(sectors))
    assert dataset(source).attributes == {"0001": {"sector": "Energy", "size": 3}}
    assert Csv.from_params(source.params()) == source
    sectors.write_text("symbol,sector\nA,x\nA,y\n")
    with pytest.raises(DataError, match=r"symbol A, row 1 of sectors\.csv: the symbol is there twice"):
        dataset(source)
    sectors.write_text("ticker,sector\nA,x\n")
    with pytest.raises(DataError, match="no column symbol"):
        dataset(source)
    with pytest.raises(InvalidValueError, match="attributes"):
        dataset(Csv(path=str(tmp_path / "prices.csv"), attributes=tmp_path / "none.csv"))


def test_actions_come_from_a_file_beside(tmp_path: Path) -> None:
    _write(small("A", "0001"), tmp_path / "prices.csv")
    for ending in ("csv", "parquet", "feather"):
        file = tmp_path / f"actions.{ending}"
        _write(pd.DataFrame({"time": ["2020-01-02"], "symbol": ["0001"], "split": [2.0]}), file)
        source = Csv(path=str(tmp_path / "prices.csv"), actions=str(file))
        actions = bars(source).actions
        assert actions is not None
        assert (actions.bar.tolist(), actions.symbol.tolist(), actions.split.tolist()) == ([1], [1], [2.0])
        assert Csv.from_params(source.params()) == source
        assert source.fingerprint
    assert Csv(path="prices.csv").fingerprint == Csv(path="prices.csv", actions="none.csv").fingerprint == ""


def test_actions_have_the_format_of_the_times(tmp_path: Path) -> None:
    (tmp_path / "X.csv").write_text("time,close\n01.02.2020,1\n02.02.2020,2\n")
    (tmp_path / "actions.csv").write_text("time,dividend\n02.02.2020,0.5\n")
    source = Csv(path=str(tmp_path / "X.csv"), actions=tmp_path / "actions.csv", time_format="%d.%m.%Y")
    actions = bars(source).actions
    assert actions is not None
    assert actions.bar.tolist() == [1]


def test_what_is_wrong_with_actions_names_their_file(tmp_path: Path) -> None:
    _write(small("A"), tmp_path / "prices.csv")
    file = tmp_path / "actions.csv"
    source = Csv(path=str(tmp_path / "prices.csv"), actions=file)
    with pytest.raises(InvalidValueError, match="actions: must be a CSV or Parquet file that is there"):
        bars(source)
    file.write_text("time,symbol,split\n2020-01-02,A,2\n2020-01-03,A,-2\n")
    with pytest.raises(
        DataError, match=r"row 1 of actions\.csv: split is -2, not a number above 0 \[action_split\]"
    ):
        bars(source)
    file.write_text("time,split\n2020-01-02,2,3\n")
    with pytest.raises(DataError, match=r"actions\.csv.*\[unreadable\]"):
        bars(source)
    file.write_text("time,splits\n2020-01-02,2\n")
    with pytest.raises(
        DataError, match=r"'splits' is none of time, symbol, dividend, split; did you mean split\?"
    ):
        bars(source)
