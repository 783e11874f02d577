"""A bar with the time left, for whatever takes longer than a moment."""

from __future__ import annotations

from threading import Timer
from types import TracebackType
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from windtunnel.cli.terminal import Terminal

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
    silent : bool
        Show nothing, terminal or not.
    """

    def __init__(self, terminal: Terminal, doing: str, *, silent: bool = False) -> None:
        from rich.progress import BarColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar

        self._bar = Bar(
            TextColumn("  {task.description:<24}", markup=False),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f}%"),
            TimeElapsedColumn(),
            TextColumn("left", style="dim"),
            TimeRemainingColumn(),
            console=terminal.console,
            transient=True,
            disable=silent or not terminal.live,
        )
        self._task = self._bar.add_task(doing, total=None)
        self._done: dict[str, int] = {}
        self._timer = Timer(PATIENCE, self._bar.start)
        self._timer.daemon = True

    def expect(self, fits: int) -> None:
        """Say how many fits there will be in all."""
        self._bar.update(self._task, description="backtest", total=fits or None)

    def tick(self, what: str, done: int, total: int) -> None:
        """Count one fit of the model ``what``."""
        self._done[what] = done
        self._bar.update(self._task, description=what, completed=sum(self._done.values()))
        if done == total:
            self._bar.update(self._task, description="backtest and report")

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        self._timer.join()
        self._bar.stop()
