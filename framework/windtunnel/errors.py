"""Every error that Windtunnel raises on purpose, and the exit code that each maps to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Any

__all__ = [
    "BrokenPluginError",
    "ConfigError",
    "DataError",
    "InterruptedSearchError",
    "InvalidValueError",
    "LedgerError",
    "MissingExtraError",
    "Mistake",
    "PluginError",
    "StoreError",
    "UnknownPluginError",
    "WindtunnelError",
    "nearest",
]


def nearest(word: str, candidates: Iterable[str]) -> str | None:
    """Return the candidate most like ``word``, or None when nothing comes close."""
    matches = get_close_matches(word, list(candidates), n=1, cutoff=0.5)
    return matches[0] if matches else None


class WindtunnelError(Exception):
    """Base of every error raised on purpose; ``exit_code`` is what the command line returns for it."""

    exit_code = 3


class InvalidValueError(WindtunnelError, ValueError):
    """A value breaks a rule: names the parameter, the rule and the value."""

    exit_code = 2

    def __init__(self, parameter: str, rule: str, value: object) -> None:
        super().__init__(parameter, rule, value)
        self.parameter = parameter
        self.rule = rule
        self.value = value

    def __str__(self) -> str:
        return f"{self.parameter}: {self.rule} (got {self.value!r})"


class DataError(WindtunnelError):
    """Market data break a rule of the gate.

    Attributes
    ----------
    rule : str
        Name of the broken rule, the key by which ``quality.repair`` refers to it.
    symbol : str or None
        The symbol concerned; None where the table as a whole is meant.
    row : int or None
        Position of the first offending row, from 0: in ``file`` where that is known, else in the table as
        the source gave it.
    count : int
        Number of offending rows.
    file : str or None
        Name of the file that the row stands in.
    line : int or None
        The row's line in that file, from 1, where it is text.
    repairs : tuple of str
        What ``quality.repair`` may do about it; empty where nothing can be done.
    """

    exit_code = 2

    def __init__(
        self,
        message: str,
        *,
        rule: str,
        symbol: str | None = None,
        row: int | None = None,
        count: int = 1,
        file: str | None = None,
        line: int | None = None,
        repairs: Sequence[str] = (),
    ) -> None:
        super().__init__(message)
        self.message = message
        self.rule = rule
        self.symbol = symbol
        self.row = row
        self.count = count
        self.file = file
        self.line = line
        self.repairs = tuple(repairs)

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild_data_error, (self.message, vars(self))

    def __str__(self) -> str:
        places = [] if self.symbol is None else [f"symbol {self.symbol}"]
        where = [] if self.row is None else [f"row {self.row}"]
        where += [] if self.file is None else [self.file]
        if where:
            places.append(" of ".join(where) + ("" if self.line is None else f" (line {self.line})"))
        more = f" (and {self.count - 1} more)" if self.count > 1 else ""
        told = f"; data.quality.repair can be {', '.join(self.repairs)}" if self.repairs else ""
        return f"{', '.join(places)}{': ' if places else ''}{self.message}{more} [{self.rule}]{told}"


def _rebuild_data_error(message: str, state: Mapping[str, Any]) -> DataError:
    return DataError(**{**state, "message": message})


class PluginError(WindtunnelError):
    """A plugin, or a data source, broke its contract or failed while it ran."""


class BrokenPluginError(PluginError):
    """The package or file that should provide a plugin cannot be loaded."""


class UnknownPluginError(PluginError):
    """No plugin of this kind has this name; ``nearest`` is the most similar one, if any."""

    exit_code = 2

    def __init__(self, kind: str, name: str, known: Sequence[str], note: str = "") -> None:
        super().__init__(kind, name, known, note)
        self.kind = kind
        self.name = name
        self.known = tuple(known)
        self.note = note
        self.nearest = nearest(name, known)

    def __str__(self) -> str:
        hint = (
            f"Did you mean {self.nearest}?" if self.nearest else f"Known: {', '.join(self.known) or 'none'}."
        )
        return f"unknown {self.kind} {self.name!r}. {hint}{' ' + self.note if self.note else ''}"


class MissingExtraError(WindtunnelError):
    """Something needs an optional dependency: names it and what to install."""

    exit_code = 2

    def __init__(self, needs: str, extra: str) -> None:
        super().__init__(needs, extra)
        self.needs = needs
        self.extra = extra

    def __str__(self) -> str:
        return f"{self.needs} is not installed: pip install 'windtunnel[{self.extra}]'"


class StoreError(WindtunnelError):
    """A stored model cannot be trusted, fits other features, or holds what no state may hold."""

    exit_code = 2


class LedgerError(WindtunnelError):
    """The ledger of trials cannot be read or written: names it, what is wrong and what to do."""


class InterruptedSearchError(WindtunnelError):
    """Somebody asked a search to stop; it says what was kept, and how to go on."""

    exit_code = 130


@dataclass(frozen=True)
class Mistake:
    """One mistake in a configuration: where, which key, what rule, what would be right.

    ``key`` is the dotted path (``strategy.params.fast``), the same one that ``--set`` takes.
    """

    key: str
    message: str
    file: str | None = None
    line: int | None = None
    hint: str = ""

    def at(self, file: str | None, line: int | None) -> Mistake:
        """Return the same mistake with its place."""
        return replace(self, file=file, line=line)

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.file, self.line) if part is not None)
        text = ": ".join(part for part in (place, self.key, self.message) if part)
        return f"{text}\n    {self.hint}" if self.hint else text


class ConfigError(WindtunnelError):
    """A configuration is wrong; carries all its mistakes at once."""

    exit_code = 2

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        super().__init__(tuple(mistakes))
        self.mistakes = tuple(mistakes)

    def __str__(self) -> str:
        count = len(self.mistakes)
        lines = [str(mistake) for mistake in self.mistakes]
        return "\n".join([*lines, f"{count} mistake{'s' if count != 1 else ''}; nothing was run."])
