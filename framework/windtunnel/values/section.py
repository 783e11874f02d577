"""The base of what stands in an experiment's YAML, and a piece of a report."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

__all__ = ["ConfigModel", "Section"]


class ConfigModel(BaseModel):
    """A frozen, closed piece of configuration whose field docstrings become the schema's descriptions."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True, allow_inf_nan=False
    )


@dataclass(frozen=True)
class Section:
    """A section that a plugin adds to the report.

    ``html`` is inserted as it is; ``title`` says what to see.
    """

    title: str
    html: str
