"""Where a command writes: styled and wrapped on a terminal, plain whole lines anywhere else."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Sequence
from textwrap import wrap
from typing import Any, Literal

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

__all__ = ["Column", "Terminal"]

_UNBOUNDED = 10_000
_NO_BREAK = "\N{NO-BREAK SPACE}"
_TOGETHER = re.compile(r" … |\[[^\[\]]{1,24}\]")

Column = tuple[str, Literal["left", "right"]]
"""Heading of a table's column, and its side."""


class _Console(Console):
    """A console that leaves it to its caller when the reader of its output has gone away."""

    def on_broken_pipe(self) -> None:
        """Let the error pass; called while it is being handled."""
        raise BrokenPipeError


class Terminal:
    """Standard output.

    Attributes
    ----------
    console : rich.console.Console
    live : bool
        Whether somebody is looking: colours, line breaks and progress are for them only.
    """

    def __init__(self) -> None:
        self.console: Console = _Console(highlight=False, markup=False, emoji=False, soft_wrap=True)
        self.live = self.console.is_terminal and not self.console.is_dumb_terminal
        if not self.live:
            self.console = _Console(
                highlight=False, markup=False, emoji=False, soft_wrap=True, width=_UNBOUNDED, no_color=True
            )

    @property
    def width(self) -> int:
        """Columns to write in."""
        return self.console.width

    def say(self, text: str = "", *, style: str = "", indent: int = 2) -> None:
        """Write a paragraph; its lines all begin at ``indent``."""
        for line in _broken(text, self.width - indent) or [""]:
            self._line([(" " * indent + line, style)])

    def row(self, text: str, *, style: str = "") -> None:
        """Write a row of a table, which is never broken."""
        self._line([("  " + text, style)])

    def field(
        self, label: str, text: str, note: str = "", *, room: int = 10, label_style: str = "dim"
    ) -> None:
        """Write what ``label`` is, in ``room`` columns; ``note`` follows on the same line if it fits."""
        indent = 2 + room
        lines = _broken(text, self.width - indent) or [""]
        for place, line in enumerate(lines):
            head = f"  {label:<{room}}" if place == 0 else " " * indent
            tail = ""
            if note and place == len(lines) - 1 and indent + len(line) + 4 + len(note) <= self.width:
                tail, note = "    " + note, ""
            self._line([(head, label_style), (line, ""), (tail, "dim")])
        for line in _broken(note, self.width - indent):
            self._line([(" " * indent + line, "dim")])

    def table(self, columns: Sequence[Column], rows: Iterable[Sequence[str]], *, flexible: int) -> None:
        """Write a table; where it is too wide, the cells of the column ``flexible`` are broken."""
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
        for place, (heading, justify) in enumerate(columns):
            table.add_column(heading, justify=justify, no_wrap=place != flexible, overflow="fold")
        for row in rows:
            table.add_row(*row)
        shown = Padding(table, (0, 0, 0, 2), expand=False)
        if self.live:
            self.console.print(shown, soft_wrap=False)
            return
        with self.console.capture() as captured:
            self.console.print(shown, soft_wrap=False)
        sys.stdout.write("".join(f"{line.rstrip()}\n" for line in captured.get().splitlines()))

    def copyable(self, label: str, text: str) -> None:
        """Write what is there to be copied, without line breaks of ours."""
        self._line([(f"  {label:<10}", "dim"), (text, "")])

    def _line(self, parts: Sequence[tuple[str, str]]) -> None:
        text = Text.assemble(*parts)
        text.rstrip()
        self.console.print(text)

    @staticmethod
    def json(content: Any) -> None:
        """Write one JSON value, and nothing that JSON does not know: NaN must be None already."""
        print(json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False))


def _broken(text: str, width: int) -> list[str]:
    """Break a text into lines, but not within a range or an interval."""
    whole = _TOGETHER.sub(lambda found: found[0].replace(" ", _NO_BREAK), text)
    lines = wrap(whole, max(width, 20), break_long_words=False, break_on_hyphens=False)
    return [line.replace(_NO_BREAK, " ") for line in lines]
