"""The rules of the gate, and the repairs that each allows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import TypeAlias

import numpy as np

from windtunnel.errors import InvalidValueError, nearest
from windtunnel.gate.rows import PRICES, Rows
from windtunnel.values import BoolArray

__all__ = ["REPAIRS", "TOLERANCE", "Repair", "broken_bars", "repairs"]

Repair: TypeAlias = str | Mapping[str, str]
"""One repair for every rule that allows it, or one a rule."""

TOLERANCE = 2e-7
"""Relative excess that is rounding, not an error: two prices kept as float32 may differ by 1.2e-7."""

_BAR = ("drop", "forward_fill", "mark_missing")

REPAIRS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "empty": (),
        "missing_column": (),
        "unknown_column": (),
        "duplicate_column": (),
        "ambiguous_time": (),
        "mixed_timezones": (),
        "bad_time": ("drop",),
        "bad_symbol": ("drop",),
        "not_a_number": _BAR,
        "infinite": _BAR,
        "missing_price": _BAR,
        "not_positive": _BAR,
        "high_below_low": _BAR,
        "outside_range": _BAR,
        "negative_volume": _BAR,
        "unsorted": ("sort",),
        "duplicate": ("keep_first", "keep_last"),
    }
)
"""Every rule of the gate, in the order in which they are applied, and its repairs; ``none`` is always one."""


def repairs(repair: Repair) -> dict[str, str]:
    """Return the repair of every rule.

    Parameters
    ----------
    repair : str or mapping of str to str
        One name applies to every rule that allows it and leaves the others at ``none``. A mapping names
        rules; those that it leaves out are ``none``.

    Raises
    ------
    InvalidValueError
        If a rule or a repair is unknown, or the rule does not allow the repair; names what is legal.
    """
    if isinstance(repair, str):
        known = sorted({"none"}.union(*REPAIRS.values()))
        if repair not in known:
            raise InvalidValueError("repair", f"must be one of {', '.join(known)}", repair)
        return {rule: repair if repair in legal else "none" for rule, legal in REPAIRS.items()}
    if not isinstance(repair, Mapping):
        raise InvalidValueError("repair", "must be a name or a mapping from rules to names", repair)
    chosen = dict.fromkeys(REPAIRS, "none")
    for rule, name in repair.items():
        if rule not in REPAIRS:
            hint = nearest(str(rule), REPAIRS)
            told = f"; did you mean {hint}?" if hint else f": {', '.join(REPAIRS)}"
            raise InvalidValueError("repair", f"must name a rule of the gate{told}", rule)
        legal = ("none", *REPAIRS[rule])
        if name not in legal:
            raise InvalidValueError(f"repair.{rule}", f"must be one of {', '.join(legal)}", name)
        chosen[rule] = name
    return chosen


Fault: TypeAlias = tuple[str, BoolArray, Callable[[int], str]]


def broken_bars(rows: Rows) -> Iterator[Fault]:
    """Yield each rule about one bar, where it is broken, and how to say so; in the order of ``REPAIRS``.

    A bar may break several rules. High, low, open and close are compared within :data:`TOLERANCE`.
    """
    open_, high, low, close = (rows.fields[name] for name in PRICES)
    volume = rows.fields["volume"]

    def value(at: int, test: Callable[[float], bool]) -> str:
        return next(f"{name} is {array[at]:g}" for name, array in rows.fields.items() if test(array[at]))

    def missing(at: int) -> str:
        names = [name for name in PRICES if np.isnan(rows.fields[name][at])]
        if len(names) == len(PRICES):
            return "the prices are missing"
        return f"{', '.join(names)} {'is' if len(names) == 1 else 'are'} missing"

    def outside(at: int) -> str:
        inside = low[at] * (1 - TOLERANCE) <= open_[at] <= high[at] * (1 + TOLERANCE)
        name, price = ("close", close[at]) if inside else ("open", open_[at])
        return f"{name} {price:.10g} lies outside low {low[at]:.10g} … high {high[at]:.10g}"

    yield "not_a_number", rows.unreadable, lambda at: rows.what("not_a_number", int(rows.position[at]))
    infinite = np.any([np.isinf(array) for array in rows.fields.values()], axis=0)
    yield "infinite", infinite, lambda at: value(at, lambda number: bool(np.isinf(number)))
    absent = np.isnan(open_) | np.isnan(high) | np.isnan(low) | np.isnan(close)
    yield "missing_price", absent, missing
    negative = (open_ <= 0) | (high <= 0) | (low <= 0) | (close <= 0)
    yield "not_positive", negative, lambda at: value(at, lambda number: number <= 0)
    with np.errstate(over="ignore"):
        top, bottom = high * (1 + TOLERANCE), low * (1 - TOLERANCE)
    yield "high_below_low", top < bottom, lambda at: f"high {high[at]:.10g} is below low {low[at]:.10g}"
    beyond = (open_ > top) | (open_ < bottom) | (close > top) | (close < bottom)
    yield "outside_range", beyond, outside
    yield "negative_volume", volume < 0, lambda at: f"volume is {volume[at]:g}"
