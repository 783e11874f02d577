"""What is known of a fitted model."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from hashlib import blake2b
from typing import Any, Literal, Self

__all__ = ["Record", "Schema"]


@dataclass(frozen=True)
class Schema:
    """The features that a model was fitted on: their names, in order, and a hash of names and definitions."""

    names: tuple[str, ...]
    hash: str

    @classmethod
    def of(cls, names: tuple[str, ...]) -> Self:
        """Describe features by name; those of the framework also by their definition."""
        from windtunnel.features import FEATURES

        defined = {feature.name: feature.definition for feature in FEATURES}
        return cls(tuple(names), _hash([[name, defined.get(name, "")] for name in names]))

    def difference(self, asked: Schema) -> str:
        """Say in words how the features asked differ from these."""
        gone = [name for name in self.names if name not in asked.names]
        new = [name for name in asked.names if name not in self.names]
        kinds = (("it needs", gone), ("it never saw", new))
        said = [f"{words} {', '.join(names[:3])}" for words, names in kinds if names]
        if said:
            return "; ".join(said)
        return (
            "the same in another order" if self.names != asked.names else "the same names, defined otherwise"
        )


@dataclass(frozen=True)
class Record:
    """What is known of a fitted model.

    Parameters
    ----------
    kind, plugin, package, version : str
        Which plugin, and the package that it came in.
    params : mapping
        The plugin's parameters as JSON values.
    schema : Schema
    symbols : tuple of str
    start, end : str
        First and last time of the bars that it learned from.
    bars : int
        How many these were.
    data : str
        Hash of all that it learned from.
    context : mapping
        What else decides the state: hashes of the code, versions, section, rules.
    scores : mapping of str to float
        Figures of what it learned from, such as ``base_rate``.
    status : {"training", "completed", "failed"}
    message : str
        Why it failed.
    created : str
        When the record was written, in UTC.
    """

    kind: str
    plugin: str
    package: str
    version: str
    params: Mapping[str, Any]
    schema: Schema
    symbols: tuple[str, ...]
    start: str
    end: str
    bars: int
    data: str
    context: Mapping[str, Any] = field(default_factory=dict)
    scores: Mapping[str, float | None] = field(default_factory=dict)
    status: Literal["training", "completed", "failed"] = "completed"
    message: str = ""
    created: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="milliseconds"))

    @cached_property
    def key(self) -> str:
        """Hash of all that decides the state; the model's id."""
        names = ("kind", "plugin", "package", "version", "params", "data", "context")
        return _hash([self.schema.hash, *(getattr(self, name) for name in names)], size=8)

    def as_json(self) -> dict[str, Any]:
        """Return the record as JSON values; a figure that is not defined is null."""
        scores = {
            name: None if value is None or not math.isfinite(value) else float(value)
            for name, value in self.scores.items()
        }
        return {**asdict(replace(self, scores={})), "scores": scores}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Return the record that :meth:`as_json` described."""
        schema = Schema(tuple(content["schema"]["names"]), content["schema"]["hash"])
        return cls(**{**content, "schema": schema, "symbols": tuple(content["symbols"])})


def _hash(content: Any, size: int = 16) -> str:
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), default=dict)
    return blake2b(text.encode(), digest_size=size).hexdigest()
