"""The points of a sweep: which parameters of the strategy, under which rules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product, repeat
from math import prod
from operator import itemgetter
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from pydantic import ValidationError

from windtunnel.errors import InvalidValueError, nearest
from windtunnel.pipeline.rule_grid import PREFIX, RuleGrid, changed
from windtunnel.plugin import LearnedStrategy, Strategy
from windtunnel.values import IntArray, Rules

__all__ = ["Space", "SpaceLike"]

SpaceLike: TypeAlias = Mapping[str, Sequence[Any]] | Sequence[Mapping[str, Any]]
"""Values by parameter, for every combination of them; or the combinations themselves."""

_STRATEGY = "strategy.params."


@dataclass(frozen=True)
class Space:
    """Combinations of parameters of a strategy with rules; made by :meth:`of`.

    Parameters
    ----------
    strategy : type
        The strategy's class.
    fixed : mapping of str
        Its parameters that are not searched, where they differ from the defaults.
    names : tuple of str
        What is searched: the strategy's own parameters by their names, rules as ``backtest.stop_loss``.
    values : mapping of str to list
        The values of each name.
    points : int or None
        Number of combinations that are listed, ``listed`` holding their values by name; None where all
        combinations of ``values`` are meant.
    rules : RuleGrid
    """

    strategy: type[Strategy | LearnedStrategy]
    fixed: Mapping[str, Any]
    names: tuple[str, ...]
    values: Mapping[str, list[Any]]
    points: int | None
    listed: Mapping[str, list[Any]]
    rules: RuleGrid

    @classmethod
    def of(
        cls,
        strategy: Strategy | LearnedStrategy | type[Strategy | LearnedStrategy],
        space: SpaceLike,
        rules: Rules,
    ) -> Space:
        """Check names and values, each by itself, before anything runs.

        Raises
        ------
        InvalidValueError
            If there is nothing to search, a name is unknown, or a value is illegal whatever the others are.
        """
        kind = strategy if isinstance(strategy, type) else type(strategy)
        fixed = {} if isinstance(strategy, type) else dict(strategy)
        if not space or (not isinstance(space, Mapping) and not space[0]):
            raise InvalidValueError("space", "must name a parameter to try", space)
        listed = {} if isinstance(space, Mapping) else _listed(space)
        if isinstance(space, Mapping):
            values = {_short(name): _python(given) for name, given in space.items()}
        else:
            values = {name: list(dict.fromkeys(given)) for name, given in listed.items()}
        single: dict[str, list[Rules]] = {}
        for name, given in values.items():
            if not given:
                raise InvalidValueError(name, "must have values to try", given)
            _check_name(kind, name)
            if name.startswith(PREFIX):
                single[name] = [_rules(rules, name, value) for value in given]
            else:
                _check_values(kind, fixed, name, given)
        names = tuple(values)
        own = {name: given for name, given in values.items() if name.startswith(PREFIX)}
        points = None if isinstance(space, Mapping) else len(space)
        if points is None:
            shape = [len(given) for given in own.values()]
            rows = prod(shape)
            index = dict(zip(own, np.unravel_index(np.arange(rows), shape), strict=True)) if own else {}
        else:
            rows = points
            index = {
                name: np.array([given.index(one) for one in listed[name]]) for name, given in own.items()
            }
        return cls(kind, fixed, names, values, points, listed, RuleGrid(rules, own, index, single, rows))

    def __len__(self) -> int:
        if self.points is not None:
            return self.points
        return prod(len(given) for given in self.values.values())

    @property
    def parameters(self) -> list[str]:
        """The names that are parameters of the strategy."""
        return [name for name in self.names if not name.startswith(PREFIX)]

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Yield the strategy's parameters of each point; those of a product go with all rules."""
        names = tuple(self.parameters)
        if self.points is None:
            chosen: Iterable[tuple[Any, ...]] = product(*(self.values[name] for name in names))
        elif names:
            chosen = zip(*(self.listed[name] for name in names), strict=True)
        else:
            chosen = [()] * self.points
        return map(dict, map(zip, repeat(names), chosen))

    @property
    def rules_each(self) -> int:
        """How many rows of the rules each point goes with: all, or the one at its own place."""
        return self.rules.rows if self.points is None else 1

    def rows_of(self, place: IntArray) -> tuple[IntArray, IntArray]:
        """Return, for every combination of these points, which of them it is and its row of the rules."""
        which = np.repeat(np.arange(len(place)), self.rules_each)
        rule = np.tile(np.arange(self.rules_each), len(place)) if self.points is None else place
        return which, rule

    def build(self, params: dict[str, Any]) -> Strategy | LearnedStrategy | None:
        """Return the strategy of a point; None where a rule between its parameters forbids it."""
        given = {**self.fixed, **params} if self.fixed else params
        try:
            built: Strategy | LearnedStrategy = self.strategy.__pydantic_validator__.validate_python(given)
        except ValidationError:
            return None
        return built

    def params(self, place: int) -> dict[str, Any]:
        """Return the strategy's parameters at a point."""
        if self.points is not None:
            return {name: self.listed[name][place] for name in self.parameters}
        shape = [len(self.values[name]) for name in self.parameters]
        at = np.unravel_index(place, shape) if shape else ()
        return {name: self.values[name][int(i)] for name, i in zip(self.parameters, at, strict=True)}

    def positions(self, place: IntArray, rule: IntArray) -> dict[str, IntArray]:
        """Return which of its values each name has at rows that are a point and a row of the rules."""
        if self.points is not None:
            index = {name: _places(self.values[name], self.listed[name])[place] for name in self.names}
        else:
            shape = [len(self.values[name]) for name in self.parameters]
            index = dict(zip(self.parameters, np.unravel_index(place, shape), strict=True)) if shape else {}
            index |= {name: at[rule] for name, at in self.rules.index.items()}
        return {name: np.asarray(index[name], np.int64) for name in self.names}

    def columns(self, place: IntArray, rule: IntArray) -> dict[str, Any]:
        """Return the value of each name at rows that are a point (by its place) and a row of the rules."""
        positions = self.positions(place, rule)
        return {name: _column(self.values[name])[positions[name]] for name in self.names}


def _places(values: list[Any], listed: list[Any]) -> IntArray:
    place = {value: at for at, value in enumerate(values)}
    return np.array([place[value] for value in listed], np.int64)


def _column(values: list[Any]) -> npt.NDArray[Any]:
    """Return values as an array of their own type; those of several types, tuples or lists as objects."""
    kinds = {type(value) for value in values}
    plain = len(kinds) == 1 or kinds == {int, float}
    if plain and not kinds & {tuple, list}:
        return np.array(values)
    return np.fromiter(values, object, len(values))


def _short(name: str) -> str:
    return name.removeprefix(_STRATEGY)


def _python(values: Iterable[Any]) -> list[Any]:
    given = list(values)
    if any(issubclass(kind, np.generic) for kind in set(map(type, given))):
        return [value.item() if isinstance(value, np.generic) else value for value in given]
    return given


def _listed(points: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """Turn combinations into the values of each name."""
    names = points[0].keys()
    for place, point in enumerate(points):
        if point.keys() != names:
            raise InvalidValueError(f"space[{place}]", f"must name {', '.join(names)}", point)
    return {_short(name): _python(map(itemgetter(name), points)) for name in names}


def _check_name(kind: type[Strategy | LearnedStrategy], name: str) -> None:
    """Refuse what is neither a parameter nor a rule, nor a field of one."""
    if name in kind.model_fields:
        return
    known = [*kind.model_fields, *(PREFIX + rule for rule in Rules.model_fields)]
    if name not in known and name.rpartition(".")[0] not in known:
        hint = nearest(name, known)
        rule = f"must be a parameter of {kind.name} or a rule" + (f"; did you mean {hint}?" if hint else "")
        raise InvalidValueError("space", rule, name)


def _check_values(
    kind: type[Strategy | LearnedStrategy], fixed: Mapping[str, Any], name: str, given: list[Any]
) -> None:
    """Refuse a value that its own field forbids."""
    for value in given:
        try:
            kind(**{**fixed, name: value})
        except ValidationError as error:
            wrong = [one["msg"] for one in error.errors() if one["loc"][:1] == (name,)]
            if wrong:
                raise InvalidValueError(name, wrong[0], value) from None


def _rules(rules: Rules, name: str, value: Any) -> Rules:
    """Return the rules with one changed; refuse a value that its field forbids."""
    try:
        return changed(rules, {name: value})
    except ValidationError as error:
        raise InvalidValueError(name, error.errors()[0]["msg"], value) from None
