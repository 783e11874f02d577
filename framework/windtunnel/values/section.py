"""The base of what stands in an experiment's YAML, and a piece of a report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from pydantic import BaseModel, ConfigDict

__all__ = ["ConfigModel", "Section"]


class ConfigModel(BaseModel):
    """A frozen, closed piece of configuration whose field docstrings become the schema's descriptions."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True, allow_inf_nan=False
    )

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Copy, validating what is changed (pydantic's own copy does not)."""
        if not update:
            return super().model_copy(deep=deep)
        keys = {name: field.alias or name for name, field in type(self).model_fields.items()}
        return type(self)(**{keys.get(name, name): value for name, value in {**dict(self), **update}.items()})


@dataclass(frozen=True)
class Section:
    """A section that a plugin adds to the report.

    ``html`` is inserted as it is; ``title`` says what to see.
    """

    title: str
    html: str
