"""Secrets come from the environment and are never told."""

from __future__ import annotations

import traceback

import pytest

from windtunnel.errors import ConfigError
from windtunnel.experiment import from_mapping, load

CANARY = "cAnArY-5up3r"


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    monkeypatch.setenv("GOOD_KEY", CANARY)
    monkeypatch.setenv("BAD_KEY", f"bad{CANARY}")
    monkeypatch.setenv("BOOM_KEY", f"boom{CANARY}")
    monkeypatch.setenv("REGION", "eu")
    monkeypatch.delenv("NO_KEY", raising=False)


def experiment(**params):
    return {"data": {"use": "remote", "params": params}, "strategy": "cross"}


def refused(host, **params):
    with pytest.raises(ConfigError) as caught:
        from_mapping(experiment(**params), host=host)
    told = (
        "".join(traceback.format_exception(caught.value))
        + repr(caught.value)
        + repr(caught.value.__context__)
    )
    assert CANARY.lower() not in told.lower()
    return str(caught.value).splitlines()[:-1]


def test_the_plugin_gets_the_secret_and_nobody_else(host, write):
    path = write(
        """
        data: {use: remote, params: {key: "${GOOD_KEY}", headers: {auth: "Bearer ${GOOD_KEY}, ${REGION}"}}}
        strategy: cross
        """
    )
    loaded = load(path, host=host)
    assert loaded.source.key == CANARY
    assert loaded.source.headers == {"auth": f"Bearer {CANARY}, eu"}
    params = loaded.resolved()["data"]["params"]
    assert params == {
        "key": "${GOOD_KEY}",
        "region": "eu",
        "headers": {"auth": "Bearer ${GOOD_KEY}, ${REGION}"},
    }
    for shown in (repr(loaded), str(loaded), loaded.resolved_yaml(), repr(loaded.experiment)):
        assert CANARY not in shown
    again = load(write(loaded.resolved_yaml(), "again.yaml"), host=host)
    assert again.resolved() == loaded.resolved()
    assert again.source.key == CANARY


def test_another_secret_leaves_the_resolved_configuration_alone(host, monkeypatch):
    before = from_mapping(experiment(key="${GOOD_KEY}"), host=host).resolved_yaml()
    monkeypatch.setenv("GOOD_KEY", "other")
    assert from_mapping(experiment(key="${GOOD_KEY}"), host=host).resolved_yaml() == before


def test_a_missing_variable_is_a_mistake(host, write):
    path = write("data:\n  use: remote\n  params:\n    key: x${NO_KEY}\n    region: mars\nstrategy: cross")
    with pytest.raises(ConfigError) as caught:
        load(path, host=host)
    assert str(caught.value).splitlines() == [
        "mine.yaml:4: data.params.key: the environment variable NO_KEY is not set",
        "mine.yaml:5: data.params.region: must be one of eu, us (got 'mars')",
        "2 mistakes; nothing was run.",
    ]


def test_what_a_validator_says_about_a_secret_is_withheld(host):
    withheld = "is refused with what the environment gives; the reason is withheld, for it may tell a secret"
    assert refused(host, key="${BAD_KEY}") == [f"data.params.key: {withheld}"]
    assert refused(host, key="${BOOM_KEY}") == [f"data.params: {withheld}"]
    assert refused(host, key="x", region="${GOOD_KEY}") == [
        "data.params.region: must be one of eu, us (got '${GOOD_KEY}')"
    ]


def test_other_mistakes_are_told_beside_a_secret(host):
    assert refused(host, key="${GOOD_KEY}", region="e")[0] == (
        "data.params.region: must be one of eu, us (got 'e'). Did you mean eu?"
    )
    assert refused(host, key="${GOOD_KEY}", headers={"a": 3}, regon="eu") == [
        "data.params.regon: unknown parameter of remote. Did you mean region?",
        "    region: eu or us, default eu — Where the server stands.",
        "data.params.headers.a: must be text (got 3); put it in quotes",
    ]


def test_a_secret_that_only_the_environment_makes_legal_is_shown_by_name(host):
    loaded = from_mapping(experiment(key="k", region="${REGION}"), host=host)
    assert loaded.source.region == "eu"
    assert loaded.resolved()["data"]["params"] == {"key": "k", "region": "${REGION}", "headers": {}}


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("name: ${GOOD_KEY}\ndata: files\nstrategy: cross", "name"),
        (
            "data: files\nstrategy: {use: cross, params: {kind_of_mean: '${GOOD_KEY}'}}",
            "strategy.params.kind_of_mean",
        ),
        ("data: {use: files, symbols: ['${GOOD_KEY}']}\nstrategy: cross", "data.symbols.0"),
        ("data: {use: '${GOOD_KEY}'}\nstrategy: cross", "data.use"),
        ("extends: '${GOOD_KEY}'\ndata: files\nstrategy: cross", "extends"),
    ],
)
def test_secrets_stand_under_data_params_only(host, write, text, key):
    with pytest.raises(ConfigError) as caught:
        load(write(text), host=host)
    said = str(caught.value)
    assert CANARY not in said
    line = next(line for line in said.splitlines() if f": {key}: " in line)
    if key != "extends":
        assert line.endswith(
            f"{key}: ${{NAME}} may stand only under data.params and in ledger (got '${{GOOD_KEY}}')"
        )


def test_an_override_may_name_a_secret(host, write):
    path = write("data: {use: remote, params: {key: x}}\nstrategy: cross")
    assert load(path, ["data.params.key=${GOOD_KEY}"], host=host).source.key == CANARY


def test_a_secret_in_a_path_is_put_in_before_the_path_is_found(host, write, monkeypatch):
    monkeypatch.setenv("FOLDER", "/mnt/prices")
    params = "{path: '${FOLDER}/p.csv', attributes: '${REGION}/a.csv'}"
    path = write(f"data: {{use: files, params: {params}}}\nstrategy: cross", "configs/mine.yaml")
    loaded = load(path, host=host)
    assert loaded.source.path == "/mnt/prices/p.csv"
    assert str(loaded.source.attributes) == "configs/eu/a.csv"
    assert loaded.resolved()["data"]["params"]["path"] == "${FOLDER}/p.csv"


def test_a_plugin_that_masks_its_secrets_still_shows_their_names(host, write):
    path = write("data: {use: masked, params: {token: 'x-${GOOD_KEY}'}}\nstrategy: cross")
    loaded = load(path, host=host)
    assert loaded.source.token.get_secret_value() == f"x-{CANARY}"
    assert loaded.resolved()["data"]["params"] == {"token": "x-${GOOD_KEY}", "rows": 5}
    assert CANARY not in repr(loaded) + repr(loaded.source)
    in_clear = load(path, ["data.params.token=plain"], host=host)
    assert "plain" not in in_clear.resolved_yaml()
