"""Ctrl-C that lets what is being done be finished and kept."""

from __future__ import annotations

import signal
import sys
import threading
from types import FrameType, TracebackType
from typing import Any, Self

__all__ = ["Stopping"]


class Stopping:
    """While it is entered, the first Ctrl-C only asks to stop; the second interrupts at once.

    Parameters
    ----------
    possible : bool
        Whether what is done can stop on its own; otherwise the first interrupts.
    """

    def __init__(self, *, possible: bool) -> None:
        self.asked = False
        self._possible = possible
        self._before: Any = None

    def __call__(self) -> bool:
        """Say whether somebody asked to stop."""
        return self.asked

    def __enter__(self) -> Self:
        if self._possible and threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGINT, self._ask)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
        print("\nstopping after the trials that are being tried (again to stop at once)", file=sys.stderr)
