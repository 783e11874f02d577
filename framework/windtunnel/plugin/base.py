"""What a plugin is: its parameters."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    TypeAdapter,
    ValidationInfo,
    model_serializer,
)
from pydantic_core import CoreSchema, core_schema

from windtunnel.errors import PluginError
from windtunnel.values import Tune

__all__ = ["Plugin", "tuned"]


class Plugin(BaseModel):
    """A frozen set of parameters with behaviour; subclass one of its kinds, never this class itself.

    From one annotated field come the validation of the YAML, the JSON schema, the search space and the
    documentation: ``fast: Annotated[int, Ge(2), Tune(5, 50)] = 10``, with a docstring under it.
    A plugin's JSON is ``{"use": name, "params": {…}}``, wherever it stands: that is how one plugin can be
    a parameter of another.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        use_attribute_docstrings=True,
        allow_inf_nan=False,
        validate_default=True,
    )

    kind: ClassVar[str] = ""
    """The slot that the plugin fits, set by the kind's base class."""
    name: ClassVar[str] = ""
    """What the plugin is called in YAML; unique within its kind."""

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        """Refuse a plugin without a name of its own at definition."""
        super().__pydantic_init_subclass__(**kwargs)
        if "kind" in cls.__dict__ or cls.__name__.startswith("_"):
            return
        if not cls.kind:
            raise PluginError(f"{cls.__qualname__} must subclass a kind, such as Strategy, not Plugin itself")
        if not cls.__dict__.get("name"):
            raise PluginError(f'{cls.__qualname__} must set a name of its own: name = "…"')

    @property
    def warmup(self) -> int:
        """Bars before the first meaningful output; derive it from the parameters."""
        return 0

    @property
    def fingerprint(self) -> str:
        """A hash of what the output depends on beyond the parameters, such as the content of a file."""
        return ""

    @classmethod
    def example(cls) -> Self:
        """Return an instance to try; override where the class cannot be built without arguments."""
        return cls()

    @classmethod
    def from_params(cls, params: Mapping[str, Any], *, host: Any = None) -> Self:
        """Build the plugin from YAML or JSON values: a list may stand for a tuple, text for a date.

        Raises
        ------
        pydantic.ValidationError
            If a parameter is unknown, missing, of the wrong type or outside its bounds.
        """
        return cls.model_validate_json(json.dumps(params), context={"host": host})

    def params(self) -> dict[str, Any]:
        """Return the parameters as JSON values."""
        fields: dict[str, Any] = type(self).model_fields
        return {name: _to_json(getattr(self, name)) for name in fields}

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Copy, validating what is changed (pydantic's own copy does not)."""
        if not update:
            return super().model_copy(deep=deep)
        return type(self)(**{**dict(self), **update})

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Let a field typed as a kind take any plugin of that kind, or ``{use, params}`` by name."""
        if "kind" not in cls.__dict__:
            return handler(source)
        return core_schema.with_info_plain_validator_function(
            cls._by_name, serialization=core_schema.plain_serializer_function_ser_schema(cls._as_component)
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """Describe a field typed as a kind as ``{use, params}``."""
        if "kind" not in cls.__dict__:
            return handler(schema)
        properties = {"use": {"type": "string"}, "params": {"type": "object"}}
        return {
            "type": "object",
            "properties": properties,
            "required": ["use"],
            "additionalProperties": False,
        }

    @classmethod
    def _by_name(cls, data: Any, info: ValidationInfo) -> Plugin:
        if isinstance(data, Plugin) and data.kind == cls.kind:
            return data
        if not isinstance(data, Mapping) or "use" not in data or set(data) - {"use", "params"}:
            raise ValueError(f"must be a {cls.kind}, written as {{use: name, params: {{…}}}}")
        host = (info.context or {}).get("host")
        if host is None:
            raise ValueError(f"naming the plugin {data['use']!r} here needs a host in the validation context")
        plugin: type[Plugin] = host.plugin(cls.kind, data["use"])
        return plugin.from_params(data.get("params") or {}, host=host)

    @model_serializer
    def _as_component(self) -> dict[str, Any]:
        return {"use": self.name, "params": self.params()}

    def __str__(self) -> str:
        listed = ", ".join(f"{key}={value}" for key, value in self.params().items())
        return f"{self.name}({listed})"


def _to_json(value: Any) -> Any:
    if isinstance(value, set | frozenset):
        value = sorted(value, key=repr)
    return json.loads(TypeAdapter(Any).dump_json(value))


def tuned(plugin: type[Plugin]) -> dict[str, Tune]:
    """Return the search range of each parameter that declares one, in the order of the fields."""
    found = {}
    for name, field in plugin.model_fields.items():
        ranges = [item for item in field.metadata if isinstance(item, Tune)]
        if ranges:
            found[name] = ranges[-1]
    return found
