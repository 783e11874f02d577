"""Files that extend another, overrides, and names for components."""

from __future__ import annotations

import pytest

from windtunnel.errors import ConfigError
from windtunnel.experiment import load

BASE = """
    data: {use: files, symbols: [A, B]}
    strategy: {use: cross, params: {fast: 20, slow: 100}}
    patterns: [shapes]
    backtest: {fees: 0.001, slippage: 0.0002}
"""


def refused(*arguments, host):
    with pytest.raises(ConfigError) as caught:
        load(*arguments, host=host)
    return str(caught.value).splitlines()


def test_the_child_wins_and_mappings_merge(host, write):
    write(BASE, "base.yaml")
    child = write("""
        extends: base.yaml
        strategy: {params: {fast: 7}}
        data: {symbols: [C]}
        backtest: {fees: 0}
    """)
    resolved = load(child, host=host).resolved()
    assert resolved["name"] == "mine"
    assert resolved["strategy"]["use"] == "cross"
    assert resolved["strategy"]["params"]["fast"] == 7
    assert resolved["strategy"]["params"]["slow"] == 100
    assert resolved["data"]["symbols"] == ["C"]
    assert resolved["backtest"]["fees"] == 0
    assert resolved["backtest"]["slippage"] == 0.0002
    assert [pattern["use"] for pattern in resolved["patterns"]] == ["shapes"]
    assert "extends" not in resolved


def test_another_plugin_takes_over_what_belongs_to_the_framework(host, write):
    write("data: files\nstrategy: {use: half, params: {inner: {use: cross}}, refit: 5}", "base.yaml")
    child = write("extends: base.yaml\nstrategy: cross")
    strategy = load(child, host=host).resolved()["strategy"]
    assert strategy["refit"] == 5
    assert "inner" not in strategy["params"]


def test_null_takes_a_component_away(host, write):
    write(f"{BASE}    regime: calm", "base.yaml")
    assert load(write(BASE), ["regime=calm"], host=host).regime is not None
    child = write("extends: base.yaml\nregime: null")
    assert load(child, host=host).regime is None


def test_an_inherited_mistake_names_the_parent(host, write):
    write(BASE + "    sed: 3\n", "configs/base.yaml")
    child = write("extends: base.yaml\nbacktest: {fees: -1}", "configs/child.yaml")
    assert refused(child, host=host) == [
        "configs/child.yaml:2: backtest.fees: must be at least 0 (got -1)",
        "configs/base.yaml:5: sed: unknown key. Did you mean seed?",
        "    seed: int ≥ 0, default 0 — Seed of everything random.",
        "2 mistakes; nothing was run.",
    ]


def test_extending_goes_one_level(host, write):
    write(BASE, "grandparent.yaml")
    write(f"    extends: grandparent.yaml{BASE}", "parent.yaml")
    assert refused(write("extends: parent.yaml"), host=host)[0] == (
        "parent.yaml:1: extends: a file that is extended must not extend another"
    )
    assert refused(write(f"    extends: mine.yaml{BASE}"), host=host)[0] == (
        "mine.yaml:1: extends: a file that is extended must not extend another"
    )


@pytest.mark.parametrize(
    ("extends", "message"),
    [
        ("bse.yaml", "mine.yaml:1: extends: bse.yaml: no such file. Did you mean base.yaml?"),
        ("[base.yaml]", "mine.yaml:1: extends: must be the name of a file"),
        ("''", "mine.yaml:1: extends: must be the name of a file"),
        ('"a\\0b"', "mine.yaml:1: extends: a\\x00b: cannot be read: embedded null byte"),
        (".", "mine.yaml:1: extends: .: cannot be read: Is a directory"),
    ],
)
def test_what_cannot_be_extended_is_said(host, write, extends, message):
    write(BASE, "base.yaml")
    assert refused(write(f"extends: {extends}"), host=host)[0] == message


def test_a_missing_file_names_its_neighbour(host, write):
    write(BASE, "quickstart.yaml")
    assert refused("quikstart.yaml", host=host) == [
        "quikstart.yaml: no such file. Did you mean quickstart.yaml?",
        "1 mistake; nothing was run.",
    ]


def test_a_document_must_be_a_mapping(host, write):
    assert refused(write("- a\n- b"), host=host)[0] == (
        "mine.yaml:1: must be a mapping of keys, such as data and strategy"
    )


def test_overrides_are_yaml_under_a_dotted_key(host, write):
    loaded = load(
        write(BASE),
        [
            "strategy.params.fast=1e1",
            "strategy.params.fast = 12",
            "patterns.0.params.width=7",
            "data.symbols=[X, Y]",
            "benchmark=null",
            "regime={use: calm, refit: 5}",
            "data.start=2008-09-15",
        ],
        host=host,
    )
    resolved = loaded.resolved()
    assert resolved["strategy"]["params"]["fast"] == 12
    assert loaded.patterns[0].width == 7
    assert resolved["data"]["symbols"] == ["X", "Y"]
    assert resolved["data"]["start"] == "2008-09-15"
    assert resolved["benchmark"] is None
    assert resolved["regime"]["refit"] == 5


def test_an_override_of_use_drops_the_old_parameters_whatever_the_order(host, write):
    path = write("data: files\nstrategy: {use: half, params: {inner: {use: cross}}}")
    strategy = load(path, ["strategy.params.fast=7", "strategy.use=cross"], host=host).strategy
    assert (strategy.name, strategy.fast) == ("cross", 7)
    assert load(path, ["strategy=cross"], host=host).strategy.fast == 10


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("stratgy.params.fast=3", "--set: stratgy: unknown key. Did you mean strategy?"),
        ("strategy.parms.fast=3", "--set: strategy.parms: unknown key. Did you mean params?"),
        (
            "strategy.params.fsat=3",
            "--set: strategy.params.fsat: unknown parameter of cross. Did you mean fast?",
        ),
        ("strategy.params.fast=ten", "--set: strategy.params.fast: must be a whole number (got 'ten')"),
        ("patterns.1.params.width=3", "--set: patterns.1: no such item. Known: 0 … 0"),
        ("patterns.first.params.width=3", "--set: patterns.first: no such item. Known: 0 … 0"),
        ("backtest.fees.x=3", "--set: backtest.fees.x: backtest.fees is neither a mapping nor a list"),
        ("seed", "--set: seed: must be written key=value, such as strategy.params.fast=20"),
        ("=3", "--set: must be written key=value, such as strategy.params.fast=20"),
        ("a..b=3", "--set: a..b: must be written key=value, such as strategy.params.fast=20"),
        ("seed=", "--set: seed: is empty"),
        ("seed=[1", "--set: seed: not valid YAML: expected ',' or ']', but got '<stream end>'"),
        ("backtest={fees: 1, fees: 2}", "--set: backtest.fees: is given twice (first on line 1)"),
        ("gate.regime=[x]", "--set: gate.regime: needs a regime section"),
        ("regime.refit=5", "--set: regime.use: is required"),
        ("a" * 9 + ".a" * 50 + "=1", "--set: aaaaaaaaa" + ".a" * 50 + ": must be written key=value"),
        ("\udcff=1", "--set: \\udcff: must be written key=value"),
    ],
)
def test_a_mistake_in_an_override_says_so(host, write, override, message):
    said = refused(write(BASE), [override], host=host)[0]
    assert said.startswith(message)
