"""What a loaded experiment holds: plugins, the resolved configuration, paths."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from windtunnel.errors import ConfigError, InvalidValueError
from windtunnel.experiment import Experiment, from_mapping, load
from windtunnel.experiment.parameters import keys_of

FULL = """
    name: full
    data: {use: files, params: {path: data/p.csv, columns: {open: o}}, symbols: [A, B], start: 1999}
    strategy: {use: half, params: {inner: {use: cross, params: {fast: 3, since: 2008-09-15}}}}
    patterns: [shapes, {use: shapes, params: {width: 5}}]
    regime: {use: calm, of: benchmark}
    volatility: {use: flat, horizon: 5}
    gate: {regime: {not: [high]}, pattern: bullish}
    sizing: {target_volatility: 0.15}
    backtest: {cash: 10_000, fees: 1e-3}
    benchmark: B
    seed: 7
"""


def test_the_plugins_are_built(host, write):
    loaded = load(write(FULL), host=host)
    assert loaded.strategy.inner.fast == 3
    assert [pattern.width for pattern in loaded.patterns] == [3, 5]
    assert loaded.regime.name == "calm"
    assert loaded.volatility.name == "flat"
    assert loaded.scorer is None
    assert loaded.source.columns == {"open": "o"}
    assert loaded.experiment.volatility.horizon == 5
    assert loaded.experiment.gate.regime.not_ == ("high",)
    assert loaded.file == "mine.yaml"
    assert loaded.host is host


def test_the_smallest_experiment_has_every_default(host):
    resolved = from_mapping({"data": "files", "strategy": "cross"}, host=host).resolved()
    assert resolved == json.loads(json.dumps(resolved))
    assert list(resolved) == keys_of(Experiment)
    assert resolved["name"] == "experiment"
    assert resolved["seed"] == 0
    assert resolved["benchmark"] == "first"
    assert resolved["regime"] is None
    assert resolved["patterns"] == []
    assert resolved["strategy"]["params"] == {
        "fast": 10,
        "slow": 50,
        "kind_of_mean": "simple",
        "since": None,
        "levels": [0.5, 1.0],
        "costs": {"rate": 0.0},
    }
    assert resolved["data"]["params"] == {"path": "prices.csv", "attributes": None, "columns": {}}
    assert resolved["backtest"]["fill"] == "next_open"


def test_resolved_cannot_be_changed_from_outside(host):
    loaded = from_mapping({"data": "files", "strategy": "cross"}, host=host)
    loaded.resolved()["strategy"]["params"]["fast"] = 99
    assert loaded.resolved()["strategy"]["params"]["fast"] == 10


def test_the_resolved_configuration_loads_to_itself(host, write):
    loaded = load(write(FULL), ["strategy.params.inner.params.fast=4"], host=host)
    again = load(write(loaded.resolved_yaml(), "again.yaml"), host=host)
    assert again.resolved() == loaded.resolved()
    assert again.resolved_yaml() == loaded.resolved_yaml()
    assert again.strategy == loaded.strategy


@given(
    st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), st.text(), max_size=3),
    st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=3),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=10),
)
def test_any_parameters_survive_the_round_trip(host, tmp_path_factory, columns, levels, symbol):
    columns = {key: value.encode("utf-8", "replace").decode() for key, value in columns.items()}
    loaded = from_mapping(
        {
            "data": {"use": "files", "params": {"columns": columns}, "symbols": [symbol]},
            "strategy": {"use": "cross", "params": {"levels": levels}},
        },
        host=host,
    )
    file = tmp_path_factory.getbasetemp() / "round.yaml"
    file.write_text(loaded.resolved_yaml(), encoding="utf-8", newline="")
    again = load(file, host=host)
    assert again.resolved() == loaded.resolved()
    assert again.source.columns == columns


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("trend.yaml", "trend"),
        ("my trend (2).yaml", "my-trend-2"),
        ("_x_y.yaml", "x_y"),
        ("é.yaml", "experiment"),
    ],
)
def test_the_name_is_the_files_own_by_default(host, write, file, name):
    path = write("data: files\nstrategy: cross", file)
    assert load(path, host=host).resolved()["name"] == name


def test_paths_are_relative_to_the_file_and_shown_as_written(host, write):
    path = write(
        """
        data: {use: files, params: {path: ../data/p.csv, attributes: sectors.csv}}
        strategy: cross
        """,
        "configs/mine.yaml",
    )
    loaded = load(path, host=host)
    assert loaded.source.path == "configs/../data/p.csv"
    assert loaded.source.attributes == Path("configs/sectors.csv")
    params = loaded.resolved()["data"]["params"]
    assert (params["path"], params["attributes"]) == ("../data/p.csv", "sectors.csv")


def test_the_resolved_configuration_does_not_depend_on_where_one_stands(host, write, tmp_path, monkeypatch):
    path = write("data: {use: files, params: {path: p.csv}}\nstrategy: cross", "configs/mine.yaml")
    here = load(path, host=host)
    monkeypatch.chdir(tmp_path / "configs")
    assert load("mine.yaml", host=host).resolved() == here.resolved()
    assert load(tmp_path / path, host=host).resolved() == here.resolved()
    assert load(tmp_path / path, host=host).source.path == str(tmp_path / "configs" / "p.csv")


def test_an_inherited_path_is_relative_to_the_parents_folder(host, write):
    write("data: {use: files, params: {path: p.csv}}\nstrategy: cross", "base/base.yaml")
    loaded = load(write("extends: ../base/base.yaml", "configs/mine.yaml"), host=host)
    assert Path(loaded.source.path).resolve() == Path("base/p.csv").resolve()
    assert loaded.resolved()["data"]["params"]["path"] == "../base/p.csv"
    again = load(write(loaded.resolved_yaml(), "configs/again.yaml"), host=host)
    assert Path(again.source.path).resolve() == Path("base/p.csv").resolve()


@pytest.mark.parametrize("path", ["/data/p.csv", "s3://bucket/p.csv", ""])
def test_a_path_that_is_not_relative_stays(host, write, path):
    file = write(f"data: {{use: files, params: {{path: '{path}'}}}}\nstrategy: cross", "configs/mine.yaml")
    loaded = load(file, host=host)
    assert loaded.source.path == path
    assert loaded.resolved()["data"]["params"]["path"] == path


PLUGIN = """
    from windtunnel.plugin import Strategy

    class Beside(Strategy):
        \"\"\"Does nothing.\"\"\"
        name = "beside_the_file"
        width: int = 3

        def exposure(self, market):
            return market.close * 0

    class Source(__import__("windtunnel.plugin").plugin.DataSource):
        name = "source_beside"

        def load(self, request):
            raise NotImplementedError
"""


def test_a_plugin_may_be_a_file_beside_the_experiment(write):
    write(PLUGIN, "configs/plugins/mine.py")
    path = write(
        """
        data: source_beside
        strategy: {use: beside_the_file, params: {width: 4}}
        plugins: {files: [plugins/mine.py], allow: []}
        """,
        "configs/mine.yaml",
    )
    loaded = load(path)
    assert loaded.strategy.width == 4
    assert loaded.resolved()["plugins"] == {"files": ["plugins/mine.py"], "allow": []}
    assert {item.reason for item in loaded.host.broken} == {"not in plugins.allow, so it was not imported"}


def test_broken_plugin_files_are_mistakes(write):
    write("x = 1\nraise KeyError('no')", "broken.py")
    path = write(
        """
        data: source_beside
        strategy: {use: beside_the_file}
        seed: -1
        plugins:
          allow: []
          files:
            - missing.py
            - broken.py
        """
    )
    with pytest.raises(ConfigError) as caught:
        load(path)
    seed, missing, broken, count = str(caught.value).splitlines()
    assert seed == "mine.yaml:3: seed: must be at least 0 (got -1)"
    assert missing == "mine.yaml:7: plugins.files.0: missing.py: no such file"
    assert broken.startswith("mine.yaml:8: plugins.files.1: broken.py:")
    assert broken.endswith(": KeyError: 'no'")
    assert count == "3 mistakes; nothing was run."


def test_packages_are_not_imported_where_the_list_of_those_allowed_is_wrong(write, monkeypatch):
    monkeypatch.setattr("windtunnel.experiment.loader.build_host", lambda **_: pytest.fail("imported"))
    with pytest.raises(ConfigError, match=r"plugins\.allow: must be a list"):
        load(write("data: files\nstrategy: cross\nplugins: {allow: windtunnel}"))


def test_python_values_are_taken_as_they_come(host):
    loaded = from_mapping(
        {
            "data": {"use": "files", "params": {"path": Path("p.csv")}, "symbols": ("A",)},
            "strategy": {"use": "cross", "params": {"fast": np.int64(4), "levels": (np.float32(0.5),)}},
        },
        folder="elsewhere",
        host=host,
    )
    assert loaded.strategy.fast == 4
    assert loaded.strategy.levels == (0.5,)
    assert loaded.source.path == "elsewhere/p.csv"
    assert loaded.file is None


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        ({"data": "files", "strategy": "cross", 3: 4}, "keys must be text (got 3)"),
        (
            {"data": "files", "strategy": "cross", "seed": 1j},
            "seed: must be text, a number, a list or a mapping",
        ),
        ({"data": "files", "strategy": "cross", "seed": float("nan")}, "seed: must be a finite number"),
        ({"data": "files", "strategy": "cross", "seed": 2**63}, "seed: must fit into 64 bits"),
        ({"data": "files", "strategy": "cross", "\ud800": 1}, "keys must be text (got '\\ud800')"),
        ([], "must be a mapping of keys, such as data and strategy"),
        (None, "must be a mapping of keys, such as data and strategy"),
        (b"x", "must be text, a number, a list or a mapping (got bytes)"),
    ],
)
def test_python_values_that_yaml_cannot_say_are_refused(host, mapping, message):
    with pytest.raises(ConfigError) as caught:
        from_mapping(mapping, host=host)
    assert str(caught.value).startswith(message)


def test_a_mapping_that_holds_itself_is_refused(host):
    mapping = {"data": "files", "strategy": "cross"}
    mapping["report"] = mapping
    with pytest.raises(ConfigError, match="nested"):
        from_mapping(mapping, host=host)


def test_the_benchmark_is_one_of_the_symbols():
    experiment = Experiment(data={"use": "x"}, strategy={"use": "y"})
    assert experiment.benchmark_of(["A", "B"]) == "A"
    assert experiment.benchmark_of(["A", "first"]) == "first"
    named = Experiment(data={"use": "x"}, strategy={"use": "y"}, benchmark="B")
    assert named.benchmark_of(["A", "B"]) == "B"
    with pytest.raises(InvalidValueError, match=r"benchmark: must be one of A, C \(got 'B'\)"):
        named.benchmark_of(["A", "C"])
    assert Experiment(data={"use": "x"}, strategy={"use": "y"}, benchmark=None).benchmark_of(["A"]) is None


def test_python_alone_is_held_to_the_rules_between_sections():
    with pytest.raises(ValueError, match=r"gate\.pattern: needs a patterns section"):
        Experiment(data={"use": "x"}, strategy={"use": "y"}, gate={"pattern": "bullish"})
