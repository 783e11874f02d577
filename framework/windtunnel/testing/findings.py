"""What a verification found, and how to say it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

__all__ = ["Finding", "Provoked", "Verification"]

Provoked = Literal["truncated", "halved", "doubled", "reloaded", "replayed", "started"]
"""How a difference came about: the future was cut off, or its prices halved or doubled; the source was asked
for less; the engine's specification was asked; the bars began later."""

_WHEN: Mapping[str, str] = {
    "truncated": "when the bars after {moment} are cut off",
    "halved": "when prices after {moment} are halved",
    "doubled": "when prices after {moment} are doubled",
    "reloaded": "when the source is asked for nothing after {moment}",
    "replayed": "when the specification replays the orders",
    "started": "when the bars begin at {moment}",
}
_MARKS: Mapping[str, str] = {"clean": "✓", "leaks": "✗", "warm-up": "≈", "unjudged": "–"}
_FEW, _NEAR, _FAR = 5, 30, 100


@dataclass(frozen=True)
class Finding:
    """A past output that changes with the future, a stage that fails without it, or a warm-up too short.

    Parameters
    ----------
    stage : str
    plugin, package : str
        Name of the plugin, and where it comes from; the plugin is empty where the framework is to blame.
    what : str
        The output that changes; for a failure, the message.
    symbol, time : str
        Where it changes first; empty for a failure.
    bar : int
        The same, as a row of the bars.
    before, after : bool, int, float, str or None
        What it was in the full run, and what it becomes; ``unknown`` for NaN, None where it is not there.
    cut : int
        The bars before this one were left as they were; of a warm-up, the bar that they began with.
    known : str
        The time of the last of them; of a warm-up, of the first.
    provoked : str
        How the change was provoked.
    ahead : int
        Bars that the output sees ahead, at least; 0 for a failure.
    runs : int
        Number of runs that showed a change in this stage first.
    cause : str
        What is likely wrong, in words; empty where that cannot be told.
    failed : bool
        Whether the stage raised an error.
    warmup : int or None
        Bars that the plugin states; None where it states none, and of a leak.
    lacks : int
        Bars that these lack, at least; 0 for a leak.
    """

    stage: str
    plugin: str
    package: str
    what: str
    symbol: str
    time: str
    bar: int
    before: Any
    after: Any
    cut: int
    known: str
    provoked: Provoked
    ahead: int
    runs: int
    cause: str
    failed: bool = False
    warmup: int | None = None
    lacks: int = 0

    @property
    def is_leak(self) -> bool:
        """Whether the future is to blame, rather than too little past."""
        return not self.lacks

    def __str__(self) -> str:
        who = f"{self.stage}{f' {self.plugin}' if self.plugin else ''} ({self.package})"
        if self.lacks:
            return f"{who}: {self._lack()}"
        moment = "that bar" if self.time == self.known else self.known
        when = _WHEN[self.provoked].format(moment=moment)
        if self.failed:
            return f"{who}: fails {when}, where the full run has answers: {self.what}"
        if self.after is None:
            change = f"at {self.time} is not there any more"
        elif self.before is None:
            change = f"at {self.time} is there only"
        else:
            change = f"at {self.time} changes from {_shown(self.before)} to {_shown(self.after)}"
        lines = [f"{who}: the {self.what} of {self.symbol} {change} {when}."]
        if self.ahead:
            lines.append(f"It sees at least {self.ahead:,} {'bar' if self.ahead == 1 else 'bars'} ahead.")
        if self.cause:
            lines.append(f"Likely cause: {self.cause}.")
        return " ".join(lines)

    def _lack(self) -> str:
        """Say what a warm-up lacks."""
        more = f"{self.lacks:,} {'bar' if self.lacks == 1 else 'bars'}"
        if self.warmup is None:
            return f"states no warm-up and needs at least {more}, before which its answers rest on too few."
        return (
            f"the {self.what} of {self.symbol} at {self.time} is {_shown(self.after)} instead of "
            f"{_shown(self.before)} {_WHEN[self.provoked].format(moment=self.known)}. Its warm-up is "
            f"{self.warmup:,} bars and needs at least {more} more. This is too little past, not a leak."
        )


def _shown(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


@dataclass(frozen=True)
class Verification:
    """Whether every stage keeps to the past.

    Parameters
    ----------
    stages : mapping of str to str
        For each stage ``clean``, ``leaks``, ``warm-up`` because a plugin states too short a one, or
        ``unjudged`` because a stage before it leaks.
    findings : tuple of Finding
        One a stage that leaks: the run that shows it looking furthest ahead. One a warm-up too short.
    cuts : tuple of int
        The bars before which nothing may change.
    runs : int
        How often the pipeline was run.
    subject : str
        What was verified, where that is not plain: the candidate that a sweep chose.
    notes : tuple of Finding
        Plugins that need a warm-up and state none: worth knowing, and no fault.
    """

    stages: Mapping[str, str]
    findings: tuple[Finding, ...]
    cuts: tuple[int, ...]
    runs: int
    subject: str = ""
    notes: tuple[Finding, ...] = ()

    @property
    def clean(self) -> bool:
        """Whether nothing was found."""
        return not self.findings

    def __str__(self) -> str:
        marks = "  ".join(f"{stage} {_MARKS[state]}" for stage, state in self.stages.items())
        told = [self.subject, marks] if self.subject else [marks]
        noted = [f"note: {note}" for note in self.notes]
        if not any(finding.is_leak for finding in self.findings):
            said = "nothing said before a cut changes with what comes after it"
            told.append(f"{self.runs} runs, {len(self.cuts)} cuts: {said}.")
        return "\n".join([*told, *map(str, self.findings), *noted])


def likely_cause(stage: str, ahead: int, bars: int, refit: int | None) -> str:
    """Say what usually makes an output look ahead like this.

    Parameters
    ----------
    stage : str
    ahead, bars : int
        The most bars that a run shows it to see ahead, of how many in all.
    refit : int or None
        Bars between two fits of the plugin; None where it does not learn.
    """
    if stage == "patterns" and ahead <= _NEAR:
        return (
            "confirmed must be the bar at whose close the pattern is certain; "
            "a turning point with k bars on either side is certain only k bars later"
        )
    if refit is not None and ahead <= refit:
        return "an answer uses later bars of the market that it is asked about, which end with the next fit"
    if ahead == 1:
        return "the next bar is read: a shift by −1, or an index that is one too far"
    if ahead >= _FAR or (ahead > _FEW and ahead > bars / 2):
        return "something is computed over the whole history: a mean, a quantile, a scale, an order"
    if ahead <= _NEAR:
        return "a centred window, a shift by a negative number, or gaps filled backward"
    return ""
