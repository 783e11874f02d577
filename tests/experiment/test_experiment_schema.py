"""The JSON schema for editors, and the copy that is checked in."""

from __future__ import annotations

import json

import pytest

from windtunnel.experiment import Experiment, json_schema, write_schema
from windtunnel.experiment.parameters import keys_of
from windtunnel.plugin import build_host


def test_every_key_is_there_with_its_meaning():
    schema = json_schema()
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert list(schema["properties"]) == ["extends", *keys_of(Experiment)]
    assert schema["required"] == ["data", "strategy"]
    assert schema["additionalProperties"] is False
    assert schema["$defs"]["Rules"]["properties"]["cash"]["description"].startswith("Starting cash")
    assert schema["$defs"]["NotIn"]["required"] == ["not"]


def test_each_plugin_brings_its_parameters(host):
    definitions = json_schema(host)["$defs"]
    section = definitions["StrategySection"]
    assert section["properties"]["use"]["enum"] == ["cross", "faulty", "half"]
    chosen = {case["if"]["properties"]["use"]["const"]: case["then"] for case in section["allOf"]}
    assert chosen["cross"] == {"properties": {"params": {"$ref": "#/$defs/strategy.cross"}}}
    assert chosen["half"]["required"] == ["params"]
    fast = definitions["strategy.cross"]["properties"]["fast"]
    assert (fast["minimum"], fast["default"], fast["description"]) == (2, 10, "Fast window, in bars.")
    assert definitions["strategy.cross"]["additionalProperties"] is False


def test_a_component_may_be_its_name_alone(host):
    schema = json_schema(host)
    assert schema["properties"]["strategy"]["$ref"] == "#/$defs/StrategySectionOrName"
    assert schema["properties"]["patterns"]["items"]["$ref"] == "#/$defs/PatternsSectionOrName"
    by_name, in_full = schema["$defs"]["StrategySectionOrName"]["anyOf"]
    assert by_name["enum"] == ["cross", "faulty", "half"]
    assert in_full == {"$ref": "#/$defs/StrategySection"}


@pytest.mark.parametrize("with_plugins", [False, True])
def test_every_reference_leads_somewhere(host, with_plugins):
    schema = json_schema(host if with_plugins else None)

    def references(part):
        if isinstance(part, dict):
            yield from [part["$ref"]] if "$ref" in part else []
            for value in part.values():
                yield from references(value)
        elif isinstance(part, list):
            for value in part:
                yield from references(value)

    found = set(references(schema))
    assert len(found) > 10
    for reference in found:
        place = schema
        for key in reference.removeprefix("#/").split("/"):
            place = place[key]


def test_the_schema_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    target = tmp_path / "schema.json"
    write_schema(target)
    assert json.loads(target.read_text(encoding="utf-8")) == json_schema()
    before = target.read_bytes()
    monkeypatch.setattr("pathlib.Path.replace", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        write_schema(target)
    assert [path.name for path in tmp_path.iterdir()] == ["schema.json"]
    assert target.read_bytes() == before


def test_the_schema_that_is_checked_in_is_current(repository):
    kept = json.loads((repository / "configs" / "experiment.schema.json").read_text(encoding="utf-8"))
    current = json_schema(build_host(allow={"windtunnel"}))
    assert kept == json.loads(json.dumps(current)), (
        "run: windtunnel schema --with-plugins --output configs/experiment.schema.json"
    )
