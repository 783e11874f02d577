"""What an optimisation searches: paths, ranges, constraints and objectives, each checked at its line."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from pydantic import ConfigDict, TypeAdapter, ValidationError

from windtunnel.engine.metrics import METRICS
from windtunnel.errors import InvalidValueError, Mistake, PluginError, nearest
from windtunnel.experiment.declared import declared, is_whole
from windtunnel.experiment.messages import got
from windtunnel.experiment.node import Node, Path, dotted
from windtunnel.experiment.parameters import shown
from windtunnel.experiment.settings import Setting, faults, meant, settings
from windtunnel.optimize.constraints import Constraint
from windtunnel.optimize.sections import OptimizeSection, Range, Searched
from windtunnel.plugin import Host, Optimizer
from windtunnel.values import Choices, Dimension, SearchSpace, Span

__all__ = ["Wanted", "refused", "wanted", "written"]

_SEARCH: Path = ("optimize", "search")
_CONSTRAINTS: Path = ("optimize", "constraints")
_FORM: TypeAdapter[Any] = TypeAdapter(Searched, config=ConfigDict(strict=True, allow_inf_nan=False))
_BETTER = [metric.name for metric in METRICS if metric.higher_is_better is not None]


@dataclass(frozen=True)
class Wanted:
    """What an optimisation is about; no space where something is wrong with it."""

    space: SearchSpace | None = None
    constraints: tuple[Constraint, ...] = ()


def wanted(root: Node, host: Host, mistakes: list[Mistake]) -> Wanted:
    """Return what the section ``optimize`` asks for; what is wrong with it adds mistakes.

    What is wrong with the form of the section is not judged here, nor what belongs to a plugin that is not
    known.
    """
    section = root.child("optimize")
    if section is None or not isinstance(section.value, dict):
        return Wanted()
    checking = _Checking(root, host, mistakes, settings(root, host))
    checking.objectives(section.child("objective"))
    dimensions = checking.dimensions(section.child("search"))
    constraints = tuple(checking.constraints(section.child("constraints"), dimensions))
    return Wanted(SearchSpace(dimensions) if dimensions else None, constraints)


def refused(
    optimizer: Optimizer, section: OptimizeSection, space: SearchSpace, seed: int
) -> tuple[str, str] | None:
    """Return the key and the reason for which an optimizer cannot search for several objectives."""
    count = len(section.objectives)
    if count == 1:
        return None
    try:
        optimizer.start(space, seed, count)
    except InvalidValueError as error:
        return "optimize.objective", f"{error.rule} (got {', '.join(section.objectives)})"
    except PluginError as error:
        return "optimize.use", str(error)
    return None


def written(space: SearchSpace) -> dict[str, Any]:
    """Return a search space as YAML says it, nothing left out."""
    return {path: _written(dimension) for path, dimension in space.dimensions.items()}


def _written(dimension: Dimension) -> Any:
    if isinstance(dimension, Choices):
        return list(dimension.values)
    tune = dimension.tune
    return {"from": tune.low, "to": tune.high, "step": tune.step, "log": tune.log}


@dataclass(frozen=True)
class _Checking:
    """One section's check, which collects mistakes."""

    root: Node
    host: Host
    mistakes: list[Mistake]
    known: Mapping[str, Setting]

    def objectives(self, node: Node | None) -> None:
        """Refuse a metric that there is not, or of which neither more nor less is better."""
        if node is None:
            return
        several = isinstance(node.value, list)
        named = node.items() if several else [("", node)]
        for place, item in named:
            name = item.value
            if not isinstance(name, str) or name in _BETTER:
                continue
            path = ("optimize", "objective", place) if several else ("optimize", "objective")
            if any(name == metric.name for metric in METRICS):
                self._say(path, f"cannot be {name}, of which neither more nor less is better")
            elif not self.host.contributors("windtunnel_metrics"):
                word = nearest(name, _BETTER)
                hint = f"Did you mean {word}?" if word else f"Known: {', '.join(_BETTER)}"
                self._say(path, f"must be a metric (got {got(name)}). {hint}")

    def dimensions(self, search: Node | None) -> dict[str, Dimension]:
        """Return what is searched, by dotted path."""
        if search is None or search.value is None:
            return self._all()
        if not isinstance(search.value, dict | list):
            return {}
        if not search.value:
            self._say(_SEARCH, "must name a parameter, or be left out to search what the plugins declare")
        by_path = isinstance(search.value, dict)
        asked = [
            (str(key), node, (*_SEARCH, key)) if by_path else (node.value, Node(None), (*_SEARCH, key))
            for key, node in search.items()
        ]
        paths = {path for path, _, _ in asked if isinstance(path, str)}
        found = {}
        for path, node, at in asked:
            if isinstance(path, str) and self._knows(path, paths, at):
                dimension = self._dimension(self.known[path], node, at)
                if dimension is not None:
                    found[path] = dimension
        return found

    def constraints(self, node: Node | None, dimensions: Mapping[str, Dimension]) -> Iterator[Constraint]:
        """Yield the constraints that can be read."""
        for place, item in node.items() if node else ():
            if not isinstance(item.value, str):
                continue
            try:
                constraint = Constraint.parse(item.value, self.known)
            except InvalidValueError as error:
                if not any(self._is_excused(path) for path in Constraint.named(item.value)):
                    self._say((*_CONSTRAINTS, place), f"{error.rule} (got {got(error.value)})")
                continue
            if dimensions and not dimensions.keys() & set(constraint.paths):
                self._say((*_CONSTRAINTS, place), f"names nothing that is searched (got {got(item.value)})")
            yield constraint

    def _all(self) -> dict[str, Dimension]:
        """Return every range that a plugin declares."""
        plugins = {path: setting for path, setting in self.known.items() if setting.of_plugin}
        ranges = {path: declared(setting) for path, setting in plugins.items()}
        found = {path: one for path, one in ranges.items() if isinstance(one, Span)}
        if not found and not any(one.key.endswith(".use") for one in self.mistakes):
            rule = "needs a search: no plugin of the experiment declares a range"
            self._say(("optimize",), rule)
        return dict(found)

    def _knows(self, path: str, paths: set[str], at: Path) -> bool:
        """Say what is wrong with a path."""
        if path in self.known:
            above = path.split(".")
            held = (".".join(above[:count]) for count in range(1, len(above)))
            whole = next((one for one in held if one in paths), None)
            if whole is not None:
                self._say(at, f"cannot be searched beside {whole}, which holds it")
            return whole is None
        if self._is_excused(path):
            return False
        named = "" if path == at[-1] else f"{path} "
        section = path.partition(".")[0]
        word = meant(path, self.known)
        if section in _SECTIONS and self.root.child(section) is None:
            self._say(at, f"{named}needs a {section} section")
        elif word is None:
            own = [name for name, setting in self.known.items() if setting.of_plugin]
            known = f"Known: {', '.join([*own, 'backtest. …'])}"
            self._say(at, f"{named}is not a parameter of this experiment. {known}")
        else:
            rule = f"{named}is not a parameter of this experiment. Did you mean {word}?"
            self._say(at, rule, self.known[word].describe())
        return False

    def _is_excused(self, path: str) -> bool:
        """Say whether a path leads into a plugin that is not known, which is told already."""
        before = path.partition(".params.")[0]
        return any(one.key == f"{before}.use" for one in self.mistakes)

    def _dimension(self, setting: Setting, node: Node, at: Path) -> Dimension | None:
        """Return what is searched of one setting; None where something is wrong with it."""
        try:
            form = _FORM.validate_json(json.dumps(node.plain()))
        except ValidationError:
            return None
        if form is None:
            found = declared(setting)
            if found is None:
                named = "" if at[-1] == dotted(setting.path) else f"{dotted(setting.path)} "
                rule = f"{named}declares no range; name one, {{from: …, to: …}}, or a list of values"
                self._say(at, rule, setting.describe())
            return found
        return (
            self._span(setting, form, node, at)
            if isinstance(form, Range)
            else self._choices(setting, form, node, at)
        )

    def _span(self, setting: Setting, form: Range, node: Node, at: Path) -> Span | None:
        ends = [node.child(key) for key in ("from", "to")]
        if self._faulty(setting, [end for end in ends if end], at):
            return None
        whole, tune = is_whole(setting, form), form.tune
        if whole and form.step is not None:
            if form.step != int(form.step):
                self._say((*at, "step"), f"must be a whole number, as {setting.name} is (got {form.step:g})")
                return None
            tune = replace(tune, step=int(form.step))
        return Span(tune, whole)

    def _choices(self, setting: Setting, form: tuple[Any, ...], node: Node, at: Path) -> Choices | None:
        texts = [shown(value) for value in form]
        twice = next((text for place, text in enumerate(texts) if text in texts[:place]), None)
        if twice is not None:
            self._say(at, f"must name each value once (got {twice} twice)")
        if self._faulty(setting, [item for _, item in node.items()], at):
            return None
        return Choices(form)

    def _faulty(self, setting: Setting, values: list[Node], at: Path) -> bool:
        found = (faults(setting, value, self.root, self.host, at) for value in values)
        first = next(filter(None, found), [])
        self.mistakes.extend(first)
        return bool(first)

    def _say(self, path: Path, message: str, hint: str = "") -> None:
        node = self.root.find(path)
        self.mistakes.append(Mistake(dotted(path), message, node.file, node.line, hint))


_SECTIONS = ("patterns", "reliability", "regime", "scorer", "volatility", "gate")
