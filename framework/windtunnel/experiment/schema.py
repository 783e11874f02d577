"""The JSON schema of an experiment, so that editors complete and check while one writes."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from pydantic.errors import PydanticUserError

from windtunnel.experiment.loaded import SLOTS
from windtunnel.experiment.model import Experiment
from windtunnel.plugin import Host, Plugin

__all__ = ["json_schema", "write_schema"]

_SECTIONS = {
    "data": "DataSection",
    "strategy": "StrategySection",
    "patterns": "PatternsSection",
    "regime": "RegimeSection",
    "scorer": "ScorerSection",
    "reliability": "ReliabilitySection",
    "volatility": "VolatilitySection",
    "optimize": "OptimizeSection",
}


def json_schema(host: Host | None = None) -> dict[str, Any]:
    """Return the JSON schema (draft 2020-12) of an experiment's YAML.

    Parameters
    ----------
    host : Host, optional
        With one, ``use`` is one of its plugins and ``params`` has that plugin's parameters.
    """
    schema = Experiment.model_json_schema(mode="validation")
    definitions = schema["$defs"]
    extends = {"type": "string", "description": "Another experiment, over which this one is laid."}
    schema["properties"] = {"extends": extends, **schema["properties"]}
    for slot, section in _SECTIONS.items():
        kind = SLOTS.get(slot, slot)
        if host is not None:
            _offer(definitions, section, kind, host)
        use = definitions[section]["properties"]["use"]
        by_name = {**use, "description": f"Name of the {kind} plugin, with its defaults."}
        definitions[f"{section}OrName"] = {"anyOf": [by_name, {"$ref": f"#/$defs/{section}"}]}
    for name in ("start", "end"):
        definitions["DataSection"]["properties"][name]["anyOf"].append({"type": "integer"})
    schema["properties"] = _by_name_too(schema["properties"])
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def write_schema(path: str | os.PathLike[str], host: Host | None = None) -> None:
    """Write :func:`json_schema` to a file, whole or not at all."""
    target = Path(path)
    unfinished = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        unfinished.write_text(
            json.dumps(json_schema(host), indent=2, ensure_ascii=False) + "\n", encoding="utf-8"
        )
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)


def _offer(definitions: dict[str, Any], section: str, kind: str, host: Host) -> None:
    """Limit ``use`` to the plugins that there are, and ``params`` to each one's parameters."""
    choices = []
    for name in host.names(kind):
        plugin = host.plugin(kind, name)
        key = f"{kind}.{name}"
        definitions[key] = _parameters(plugin, key)
        params: dict[str, Any] = {"properties": {"params": {"$ref": f"#/$defs/{key}"}}}
        if definitions[key].get("required"):
            params["required"] = ["params"]
        chosen = {"properties": {"use": {"const": name}}, "required": ["use"]}
        choices.append({"if": chosen, "then": params})
    definitions[section]["properties"]["use"]["enum"] = host.names(kind)
    definitions[section]["allOf"] = choices


def _parameters(plugin: type[Plugin], key: str) -> dict[str, Any]:
    """Return the schema of a plugin's parameters; anything goes where a type has none."""
    try:
        schema = plugin.model_json_schema(mode="validation", ref_template=f"#/$defs/{key}/$defs/{{model}}")
    except PydanticUserError:
        return {"type": "object", "description": plugin.__doc__ or ""}
    return schema


def _by_name_too(schema: Any) -> Any:
    """Let a component's name alone stand wherever its section may."""
    if isinstance(schema, dict):
        section = str(schema.get("$ref", "")).rpartition("/")[2]
        if section in _SECTIONS.values():
            return {**schema, "$ref": f"#/$defs/{section}OrName"}
        return {key: _by_name_too(value) for key, value in schema.items()}
    return [_by_name_too(item) for item in schema] if isinstance(schema, list) else schema
