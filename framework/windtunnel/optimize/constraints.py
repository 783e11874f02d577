"""What must hold between parameters, as one writes it: ``strategy.params.fast < strategy.params.slow``."""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Any, TypeAlias

from windtunnel.errors import InvalidValueError, nearest
from windtunnel.values import Point

__all__ = ["MOST_TEXT", "Constraint"]

MOST_TEXT = 1_000
"""Longest text of a constraint, in characters."""

Lookup: TypeAlias = Callable[[str], Any]
Term: TypeAlias = Callable[[Lookup], Any]

_TOKEN = re.compile(r"""'[^']*'|"[^"]*"|(?<![\w.])[A-Za-z_]\w*(?:\.\w+)+""")
_WORDS = {"true": True, "false": False, "null": None}
_DEEPEST = 50
_COMPARISONS: Mapping[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
_ARITHMETIC: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}
_SIGNS: Mapping[type[ast.unaryop], Callable[[Any], Any]] = {ast.UAdd: operator.pos, ast.USub: operator.neg}
_FUNCTIONS: Mapping[str, Callable[..., Any]] = {"min": min, "max": max, "abs": abs}


class _UndefinedError(Exception):
    """There is no answer, as to the half of nothing."""


@dataclass(frozen=True)
class Constraint:
    """A rule between parameters; made by :meth:`parse`.

    Parameters
    ----------
    text : str
        As it was written.
    paths : tuple of str
        The parameters that it names, each once.
    """

    text: str
    paths: tuple[str, ...]
    _term: Term = field(repr=False, compare=False)

    @classmethod
    def parse(cls, text: str, known_paths: Iterable[str]) -> Constraint:
        """Read a constraint.

        It is made of numbers, text in quotes, ``true``, ``false``, ``null``, the dotted paths of parameters,
        ``+ - * / // % **``, ``min max abs``, comparisons (also chained, ``0 < a < b``), ``and or not`` and
        parentheses. Nothing of it is ever run as Python.

        Raises
        ------
        InvalidValueError
            If it cannot be read, names what is not known, or is not a statement that is true or false.
        """
        if len(text) > MOST_TEXT:
            raise InvalidValueError("constraint", f"must have at most {MOST_TEXT:,} characters", len(text))
        names: dict[str, str] = {}

        def stand_in(found: re.Match[str]) -> str:
            return found[0] if found[0][0] in "'\"" else names.setdefault(found[0], f"_{len(names)}_")

        marked = _TOKEN.sub(stand_in, text.strip())
        try:
            tree = ast.parse(marked, mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            raise InvalidValueError("constraint", "cannot be read; write it as a * 2 <= b", text) from None
        known = tuple(known_paths)
        reader = _Reader(text, {mark: path for path, mark in names.items()}, known)
        if not isinstance(tree, ast.Compare | ast.BoolOp | ast.Name) and not (
            isinstance(tree, ast.UnaryOp) and isinstance(tree.op, ast.Not)
        ):
            raise InvalidValueError("constraint", "must be true or false, such as a * 2 <= b", text)
        return cls(text, tuple(names), reader.term(tree))

    @staticmethod
    def named(text: str) -> list[str]:
        """Return the dotted paths in a text, whether or not it can be read."""
        return [found for found in _TOKEN.findall(text) if found[0] not in "'\""]

    def holds(self, point: Point, base: Mapping[str, Any]) -> bool:
        """Say whether it holds.

        Parameters
        ----------
        point : mapping of str
            Values of parameters by their dotted paths.
        base : mapping of str
            A resolved configuration: the values of the parameters that ``point`` does not have.

        Returns
        -------
        bool
            Also False where there is no answer: arithmetic on null, text against a number, a division by
            zero. Where null is meant to pass, say so: ``backtest.stop_loss == null or …``.
        """
        try:
            return self._term(lambda path: point[path] if path in point else _at(path, base)) is True
        except (_UndefinedError, ArithmeticError):
            return False

    def __reduce__(self) -> tuple[Any, ...]:
        return Constraint.parse, (self.text, self.paths)


@dataclass(frozen=True)
class _Reader:
    """Turns a tree into a term, a piece at a time; refuses what no constraint may have."""

    text: str
    marks: Mapping[str, str]
    known: tuple[str, ...]

    def term(self, node: ast.AST, depth: int = 0) -> Term:
        if depth > _DEEPEST:
            raise InvalidValueError("constraint", f"must not be nested more than {_DEEPEST} deep", self.text)
        match node:
            case ast.Constant(value=bool() | int() | float() | str() | None as value):
                return lambda _: value
            case ast.Name(id=name):
                return self._named(name)
            case ast.Compare():
                return self._compared(node, depth + 1)
            case ast.BoolOp(op=op, values=values):
                terms = [self.term(value, depth + 1) for value in values]
                every = all if isinstance(op, ast.And) else any
                return lambda look: every(_truth(term(look)) for term in terms)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                inner = self.term(operand, depth + 1)
                return lambda look: not _truth(inner(look))
            case ast.UnaryOp(op=op, operand=operand) if type(op) in _SIGNS:
                sign, inner = _SIGNS[type(op)], self.term(operand, depth + 1)
                return lambda look: sign(_number(inner(look)))
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _ARITHMETIC:
                return _combined(type(op), self.term(left, depth + 1), self.term(right, depth + 1))
            case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name in _FUNCTIONS:
                return self._called(name, [self.term(one, depth + 1) for one in args])
        said = ast.unparse(node) if isinstance(node, ast.expr) else self.text
        for mark, path in self.marks.items():
            said = said.replace(mark, path)
        raise InvalidValueError("constraint", f"must not have {said}", self.text)

    def _named(self, name: str) -> Term:
        if name in _WORDS:
            value = _WORDS[name]
            return lambda _: value
        path = self.marks.get(name, name)
        if path not in self.known:
            last = {known.rpartition(".")[2]: known for known in reversed(self.known)}
            meant = last.get(path.rpartition(".")[2]) or nearest(path, self.known)
            hint = f"; did you mean {meant}?" if meant else ""
            raise InvalidValueError("constraint", f"names {path}, which is not a parameter{hint}", self.text)
        return lambda look: look(path)

    def _compared(self, node: ast.Compare, depth: int) -> Term:
        wrong = next((op for op in node.ops if type(op) not in _COMPARISONS), None)
        if wrong is not None:
            rule = "must compare by <, <=, ==, !=, >= or >"
            raise InvalidValueError("constraint", rule, self.text)
        terms = [self.term(one, depth) for one in (node.left, *node.comparators)]
        tests = [type(op) for op in node.ops]

        def compared(look: Lookup) -> bool:
            left = terms[0](look)
            for test, term in zip(tests, terms[1:], strict=True):
                right = term(look)
                if not _compare(test, left, right):
                    return False
                left = right
            return True

        return compared

    def _called(self, name: str, terms: list[Term]) -> Term:
        if not terms or (name == "abs") != (len(terms) == 1):
            rule = "abs takes one number, min and max take several"
            raise InvalidValueError("constraint", rule, self.text)
        call = _FUNCTIONS[name]
        return lambda look: call(*(_number(term(look)) for term in terms))


def _combined(op: type[ast.operator], left: Term, right: Term) -> Term:
    act = _ARITHMETIC[op]
    if op is not ast.Pow:
        return lambda look: act(_number(left(look)), _number(right(look)))
    return lambda look: _number(act(float(_number(left(look))), float(_number(right(look)))))


def _compare(test: type[ast.cmpop], left: Any, right: Any) -> bool:
    if test in (ast.Eq, ast.NotEq):
        same = left == right and isinstance(left, bool) == isinstance(right, bool)
        return same == (test is ast.Eq)
    if isinstance(left, str) and isinstance(right, str):
        return bool(_COMPARISONS[test](left, right))
    return bool(_COMPARISONS[test](_number(left), _number(right)))


def _number(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        raise _UndefinedError
    return value


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise _UndefinedError
    return value


def _at(path: str, base: Mapping[str, Any]) -> Any:
    value: Any = base
    for part in path.split("."):
        if isinstance(value, list | tuple) and part.isdecimal() and int(part) < len(value):
            value = value[int(part)]
        else:
            value = value.get(part) if isinstance(value, Mapping) else None
    return value
