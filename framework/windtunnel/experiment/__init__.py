"""One experiment: its YAML, checked against the sections of all rooms and the plugins that it names."""

from windtunnel.experiment.loaded import Loaded
from windtunnel.experiment.loader import from_mapping, load
from windtunnel.experiment.messages import checked
from windtunnel.experiment.model import Experiment, PluginsSection
from windtunnel.experiment.parameters import describe_parameter
from windtunnel.experiment.schema import json_schema, write_schema

__all__ = [
    "Experiment",
    "Loaded",
    "PluginsSection",
    "checked",
    "describe_parameter",
    "from_mapping",
    "json_schema",
    "load",
    "write_schema",
]
