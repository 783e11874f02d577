"""The data sources that ship with Windtunnel, but those of files and of simulated prices."""

from __future__ import annotations

import json
import sqlite3
import sys
from pathlib import Path

import numpy as np
import pytest
from pydantic import SecretStr, ValidationError
from source_tables import bars, dataset, small

from windtunnel.errors import DataError, InvalidValueError, MissingExtraError, PluginError
from windtunnel.values import Request
from windtunnel_plugins import sources
from windtunnel_plugins.sources import Arch, Bokeh, Frame, Sql


@pytest.mark.parametrize("name", sources.__all__)
def test_every_parameter_is_documented_and_every_source_has_an_example(name: str) -> None:
    source = getattr(sources, name)
    assert source.__doc__
    assert ":`" not in source.__doc__
    for parameter, field in source.model_fields.items():
        assert field.description, parameter
        assert ":`" not in field.description, parameter
    example = source.example()
    assert json.loads(json.dumps(example.params())) == example.params()


def test_arch_gives_two_indexes() -> None:
    both = bars(Arch())
    assert both.symbols == ("SP500", "NASDAQ")
    assert both.shape == (5031, 2)
    assert both.present.all()
    assert both.close[[0, -1], 0].tolist() == [1228.099976, 2506.850098]
    assert both.volume[0].tolist() == [877000000, 936660000]


def test_arch_gives_two_series_of_closes() -> None:
    oil = bars(Arch(), symbols=("WTI", "VIX"))
    assert oil.present.sum(axis=0).tolist() == [8611 - 290, 1305 - 46]
    assert np.array_equal(oil.high, oil.close, equal_nan=True)
    assert np.isnan(oil.volume).all()
    with pytest.raises(InvalidValueError, match="did you mean SP500"):
        bars(Arch(), symbols=("SP50",))


def test_bokeh_is_adjusted_unless_raw_is_asked_for() -> None:
    """Apple split two for one on 28 February 2005: 88.99 → 44.86, adjusted 5.718 → 5.765."""
    raw = bars(Bokeh(adjust=False), symbols=("AAPL",))["2005-02-25":"2005-02-28"]
    adjusted = bars(Bokeh(), symbols=("AAPL",))["2005-02-25":"2005-02-28"]
    assert raw.close[:, 0].tolist() == [88.99, 44.86]
    ratio = adjusted.close[1, 0] / adjusted.close[0, 0]
    assert ratio == pytest.approx(2 * 44.86 / 88.99, rel=1e-6)
    np.testing.assert_allclose(adjusted.open / raw.open, adjusted.close / raw.close, rtol=1e-12)
    assert adjusted.volume.tolist() == raw.volume.tolist()
    assert bars(Bokeh()).symbols == ("AAPL", "FB", "GOOG", "IBM", "MSFT")


def test_bokeh_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "bokeh_sampledata", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'windtunnel\[demo\]'"):
        Bokeh().load(Request())


def test_sql_reads_a_query(tmp_path: Path) -> None:
    file = tmp_path / "prices.db"
    with sqlite3.connect(file) as connection:
        small("A", "B").assign(time=lambda frame: frame["time"].astype(str)).to_sql("prices", connection)
    connection.close()
    source = Sql(url=SecretStr(f"sqlite:///{file}"), query="SELECT time, symbol, close FROM prices")
    assert bars(source, symbols=("B",)).close[:, 0].tolist() == [11.0, 12.0, 13.0]
    with pytest.raises(PluginError) as caught:
        bars(Sql(url=SecretStr(f"sqlite:///{file}"), query="SELECT * FROM trades"))
    assert str(caught.value) == "data source sql: no such table: trades"


@pytest.mark.parametrize("form", ["sqlite:///{}", "sqlite+pysqlite:///{}", "sqlite:///file:{}?uri=true"])
def test_sql_does_not_make_the_file_that_it_cannot_find(tmp_path: Path, form: str) -> None:
    file = tmp_path / "pries.db"
    source = Sql(url=SecretStr(form.format(file)), query="SELECT 1")
    with pytest.raises(InvalidValueError, match=r"url: must name a database file that is there .*pries\.db"):
        bars(source)
    assert not file.exists()
    file.touch()
    with pytest.raises(DataError, match="no column of time"):
        bars(source)


@pytest.mark.parametrize(
    "url",
    [
        "sqlite://",
        "sqlite:///:memory:",
        "sqlite:///file:x?mode=memory&uri=true",
        "sqlite:///file::memory:?uri=true",
    ],
)
@pytest.mark.filterwarnings("ignore:Selection of the SingletonThreadPool")
def test_sql_needs_no_file_for_a_database_in_memory(url: str) -> None:
    source = Sql(url=SecretStr(url), query="SELECT '2020-01-01' AS time, 2.0 AS close")
    assert bars(source).close.tolist() == [[2.0]]


SECRET = "pa55word"


def test_sql_never_shows_a_password() -> None:
    url = f"postgresql+nodriver://me:{SECRET}@host/db?sslpassword={SECRET}"
    source = Sql.from_params({"url": url, "query": "SELECT 1"})
    with pytest.raises(PluginError) as caught:
        source.load(Request())
    shown = [
        repr(source),
        str(source),
        json.dumps(source.params()),
        str(caught.value),
        repr(caught.value.__cause__),
    ]
    for wrong in ({"url": f"me:{SECRET}@host", "query": "x"}, {"url": url, "query": ""}):
        with pytest.raises(ValidationError) as refused:
            Sql.from_params(wrong)
        shown.append(str(refused.value))
    assert not [text for text in shown if SECRET in text]
    assert source.params()["url"] == "postgresql+nodriver://me:***@host/db"


def test_sql_shows_secrets_that_are_named() -> None:
    for url in ("postgresql+psycopg://me:${PW}@host/db", "${URL}", "sqlite:///prices.db"):
        source = Sql.from_params({"url": url, "query": "SELECT 1"})
        assert source.params()["url"] == url
        assert Sql.from_params(source.params()) == source


def test_sql_says_which_driver_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    source = Sql(url=SecretStr("postgresql+psycopg://me@localhost/db"), query="SELECT 1")
    with pytest.raises(MissingExtraError, match=r"windtunnel\[postgres\]"):
        source.load(Request())


def test_a_frame_is_known_by_its_content() -> None:
    frame = small("A", "B")
    source = Frame(frame=frame, attributes={"A": {"sector": "x"}})
    assert bars(source).close.tolist() == [[1.0, 11.0], [2.0, 12.0], [3.0, 13.0]]
    assert dataset(source).attributes == {"A": {"sector": "x"}}
    same = Frame(frame=frame.copy(), attributes={"A": {"sector": "x"}})
    assert source == same
    assert hash(source) == hash(same)
    assert source != Frame(frame=frame.assign(close=1.0), attributes={"A": {"sector": "x"}})
    frame.loc[0, "close"] = 99.0
    assert source == same
    assert source.params()["frame"].startswith("blake2b:")
    assert json.loads(source.model_dump_json())["params"] == source.params()
    with pytest.raises(ValidationError, match="must be a pandas DataFrame, given in Python"):
        Frame.from_params(source.params())
