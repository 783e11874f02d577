"""What a sweep tries: paths and values, checked against the parameters that they are for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import prod
from typing import Annotated, Any

from pydantic import ConfigDict, TypeAdapter, ValidationError

from windtunnel.errors import InvalidValueError, Mistake, PluginError
from windtunnel.experiment.node import Node, Path, dotted
from windtunnel.experiment.parameters import shown
from windtunnel.experiment.settings import Setting, faults, meant, settings
from windtunnel.pipeline import Space
from windtunnel.pipeline.sweep_section import MOST, Dimension, Span, SweepSection
from windtunnel.pipeline.tuned_values import tuned_values
from windtunnel.plugin import Host, LearnedStrategy, Strategy
from windtunnel.values import Rules

__all__ = ["build_space", "tried"]

_SPACE: Path = ("sweep", "space")
_PARAMS, _RULES = "strategy.params.", "backtest."
_DIMENSION: TypeAdapter[Any] = TypeAdapter(Dimension, config=ConfigDict(strict=True, allow_inf_nan=False))


def tried(root: Node, host: Host, mistakes: list[Mistake]) -> dict[str, list[Any]]:
    """Return the values to try by dotted path; what is wrong with them adds mistakes.

    What is wrong with the form of the section is not judged here. Nothing is returned where the experiment
    has no sweep, or its strategy is not known.
    """
    section, use = root.child("sweep"), root.find(("strategy", "use"))
    if section is None or not isinstance(section.value, dict) or not isinstance(use.value, str):
        return {}
    try:
        strategy = host.plugin("strategy", use.value)
    except PluginError:
        return {}
    checking = _Checking(root, strategy, host, mistakes, _known(root, strategy, host))
    space = section.child("space")
    if space is None or space.value is None:
        return checking.declared()
    return checking.given(space) if isinstance(space.value, dict) else {}


def build_space(
    strategy: Strategy | LearnedStrategy,
    section: SweepSection | None,
    values: Mapping[str, list[Any]],
    rules: Rules,
) -> Space | None:
    """Return the combinations of checked values; None where the experiment has no sweep.

    Raises
    ------
    InvalidValueError
        If a validator refuses a value for a reason that :func:`tried` could not see.
    """
    if section is None:
        return None
    try:
        return Space.of(strategy, values, rules)
    except InvalidValueError as error:
        place = "" if error.parameter == "space" else f".{_path(error.parameter)}"
        raise InvalidValueError(f"sweep.space{place}", error.rule, error.value) from None
    except Exception as error:  # noqa: BLE001 - a stranger's validator may raise anything
        rule = f"could not be checked by {strategy.name}: {type(error).__name__}: {error}"
        raise InvalidValueError("sweep.space", rule, dict(values)) from None


def _path(name: str) -> str:
    return name if name.startswith(_RULES) else f"{_PARAMS}{name}"


@dataclass(frozen=True)
class _Checking:
    """One section's check, which collects mistakes."""

    root: Node
    strategy: type[Any]
    host: Host
    mistakes: list[Mistake]
    known: Mapping[str, Setting]

    def declared(self) -> dict[str, list[Any]]:
        """Return the ranges that the strategy declares."""
        found = {f"{_PARAMS}{name}": values for name, values in tuned_values(self.strategy).items()}
        kept = {
            path: [value for value in values if not self._faults(path, Node(value))]
            for path, values in found.items()
        }
        kept = {path: values for path, values in kept.items() if values}
        if not kept:
            self._say(("sweep",), f"needs a space: {self.strategy.name} declares no range to search")
        return kept if self._few({path: len(values) for path, values in kept.items()}) else {}

    def given(self, space: Node) -> dict[str, list[Any]]:
        """Return the values of a space that is written down."""
        if not space.value:
            self._say(_SPACE, "must name a parameter, or be left out to try what the strategy declares")
        forms = {path: _form(node) for path, node in space.value.items() if self._knows(path, space)}
        read = {path: form for path, form in forms.items() if form is not None}
        sizes = {path: form.count if isinstance(form, Span) else len(form) for path, form in read.items()}
        if not self._few(sizes):
            return {}
        return {path: self._values(path, form, space.value[path]) for path, form in read.items()}

    def _knows(self, path: str, space: Node) -> bool:
        """Say what is wrong with a path."""
        if path in self.known:
            whole = path.rpartition(".")[0]
            if whole in space.value:
                self._say((*_SPACE, path), f"cannot be tried beside {whole}, which holds it")
            return True
        word = meant(path, self.known)
        rule = f"is neither a parameter of {self.strategy.name} nor a rule of backtest"
        if word is None:
            own = ", ".join(name for name in self.known if name.startswith(_PARAMS))
            self._say((*_SPACE, path), f"{rule}. Known: {own or 'none of its own'}, and backtest. …")
        else:
            self._say((*_SPACE, path), f"{rule}. Did you mean {word}?", self.known[word].describe())
        return False

    def _few(self, sizes: Mapping[str, int]) -> bool:
        """Say whether there are few enough combinations to hold."""
        count = prod(sizes.values())
        if count <= MOST:
            return True
        product = " × ".join(f"{size:,}" for size in sizes.values())
        got = f"{product} = {count:,}" if len(sizes) > 1 else product
        self._say(_SPACE, f"must have at most {MOST:,} combinations (got {got})")
        return False

    def _values(self, path: str, form: Span | tuple[Any, ...], node: Node) -> list[Any]:
        """Return the values of one parameter in the types of its field; the first that it forbids is told."""
        if isinstance(form, Span):
            points = form.points
            ends = [replace(node, value=point) for point in (points[0], points[-1])]
            self.mistakes.extend(next(filter(None, (self._faults(path, end) for end in ends)), []))
            return list(points)
        texts = [shown(value) for value in form]
        twice = next((text for place, text in enumerate(texts) if text in texts[:place]), None)
        if twice is not None:
            self._say((*_SPACE, path), f"must name each value once (got {twice} twice)")
        items = [item for _, item in node.items()]
        self.mistakes.extend(next(filter(None, (self._faults(path, item) for item in items)), []))
        return [self._typed(path, value) for value in form]

    def _faults(self, path: str, node: Node) -> list[Mistake]:
        return faults(self.known[path], node, self.root, self.host, (*_SPACE, path))

    def _typed(self, path: str, value: Any) -> Any:
        """Return a value as its field would hold it: text may stand for a date."""
        if not (isinstance(value, str) and path.startswith(_PARAMS)):
            return value
        field = self.strategy.model_fields[path.removeprefix(_PARAMS)]
        try:
            declared: Any = (
                Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation
            )
            adapter: TypeAdapter[Any] = TypeAdapter(declared)
            return adapter.validate_json(json.dumps(value), strict=True, context={"host": self.host})
        except Exception:  # noqa: BLE001 - refused, and told, already
            return value

    def _say(self, path: Path, message: str, hint: str = "") -> None:
        node = self.root.find(path)
        self.mistakes.append(Mistake(dotted(path), message, node.file, node.line, hint))


def _known(root: Node, strategy: type[Any], host: Host) -> dict[str, Setting]:
    """Return every setting that can be tried: the strategy's own, and the rules."""
    own = {f"{_PARAMS}{name}" for name in strategy.model_fields}
    found = settings(root, host)
    return {path: setting for path, setting in found.items() if path in own or path.startswith(_RULES)}


def _form(node: Node) -> Span | tuple[Any, ...] | None:
    """Return the values of one parameter as they are written; None where their form is wrong."""
    try:
        found: Span | tuple[Any, ...] = _DIMENSION.validate_json(json.dumps(node.plain()))
    except ValidationError:
        return None
    return found
