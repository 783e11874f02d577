"""The rules of a sweep: one set, with some values changed in each row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from windtunnel.engine.sweep import items
from windtunnel.values import IntArray, Rules

__all__ = ["PREFIX", "RuleGrid", "changed"]

PREFIX = "backtest."
"""How the name of a rule begins."""


@dataclass(frozen=True)
class RuleGrid:
    """Rows of rules.

    Parameters
    ----------
    base : Rules
    values : mapping of str to list
        The values of each rule that changes, by its dotted name.
    index : mapping of str to array of int64, ``[K]``
        Which of its values each row has.
    single : mapping of str to list of Rules
        The base with one rule changed at a time, for each of its values; no rule depends on another.
    rows : int
        K.
    """

    base: Rules
    values: Mapping[str, list[Any]]
    index: Mapping[str, IntArray]
    single: Mapping[str, list[Rules]]
    rows: int

    def __getitem__(self, row: int) -> Rules:
        return changed(self.base, {name: given[self.index[name][row]] for name, given in self.values.items()})

    def items(self, symbol: str) -> Any:
        """Return every row as terms of an all-in account, ``[K]``; None where one cannot be."""
        base = items(symbol, [self.base])
        if base is None:
            return None
        records = np.repeat(base, self.rows)
        for name, rules in self.single.items():
            found = items(symbol, rules)
            if found is None:
                return None
            for field in found.dtype.names:
                if (found[field] != base[field]).any():
                    records[field] = found[field][self.index[name]]
        return records


def changed(rules: Rules, values: Mapping[str, Any]) -> Rules:
    """Return the rules with some changed; ``backtest.stop_loss.atr`` changes a field of a field."""
    if not values:
        return rules
    changes: dict[str, Any] = {}
    for name, value in values.items():
        rule, _, inner = name.removeprefix(PREFIX).partition(".")
        changes[rule] = {inner: value} if inner else value
    return Rules.model_validate({**dict(rules), **changes})
