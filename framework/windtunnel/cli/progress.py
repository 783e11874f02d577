"""A bar with the time left, for whatever takes longer than a moment; imported when a command needs it."""

from __future__ import annotations

from threading import Timer
from time import perf_counter
from types import TracebackType
from typing import Self

from rich.progress import BarColumn, ProgressColumn, Task, TextColumn
from rich.progress import Progress as Bar
from rich.text import Text

from windtunnel.cli.terminal import Terminal
from windtunnel.runner.following import SEARCHING

__all__ = ["PATIENCE", "Progress"]

PATIENCE = 1.0
"""Seconds before the bar shows."""


class Progress:
    """Shows how far a run is, on a terminal only; gone when it is done.

    Parameters
    ----------
    terminal : Terminal
    doing : str
        What is done first.
    last : str
        What is done when all has been counted.
    silent : bool
        Show nothing, terminal or not.
    """

    def __init__(self, terminal: Terminal, doing: str, *, last: str = "", silent: bool = False) -> None:
        self._bar = Bar(
            TextColumn("  {task.description}", markup=False),
            BarColumn(),
            _Left(),
            console=terminal.console,
            transient=True,
            disable=silent or not terminal.live,
        )
        self._task = self._bar.add_task(doing, total=None)
        self._last = last
        self._done: dict[str, int] = {}
        self._began: float | None = None
        self._timer = Timer(PATIENCE, self._bar.start)
        self._timer.daemon = True

    def expect(self, count: int, doing: str = "") -> None:
        """Say how many things there will be to count in all, and what begins."""
        self._bar.update(self._task, total=count or None, completed=sum(self._done.values()))
        if doing:
            self._bar.update(self._task, description=doing)

    def tick(self, what: str, done: int, total: int) -> None:
        """Say that ``done`` of the ``total`` things of one kind are done; kinds add up.

        A search is over before anything else is counted; its rate is shown too.
        """
        if what.startswith(SEARCHING):
            self._searched(what, done, total)
            return
        self._done[what] = done
        doing = what if done < total else self._last or what
        self._bar.update(self._task, description=doing, completed=sum(self._done.values()))

    def _searched(self, what: str, done: int, total: int) -> None:
        now = perf_counter()
        self._began = self._began or now
        rate = f", {done / (now - self._began):,.0f} a second" if now > self._began else ""
        most = f" of {total:,}" if total else ""
        self._bar.update(
            self._task, description=f"{what}: {done:,}{most}{rate}", completed=done, total=total or None
        )

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        self._timer.join()
        self._bar.stop()


class _Left(ProgressColumn):
    """The share that is done and the time left; the time gone where nothing has been counted yet."""

    max_refresh = 0.5

    def render(self, task: Task) -> Text:
        """Return the text for one moment."""
        if task.total is None or not task.completed:
            return Text(_clock(task.elapsed or 0.0))
        remaining = task.time_remaining
        left = f", {_clock(remaining)} left" if remaining else ""
        return Text(f"{task.percentage:.0f}%{left}")


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
