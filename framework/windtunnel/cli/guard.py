"""What every command does when it cannot go on: a message on stderr and an exit code, never a traceback."""

from __future__ import annotations

import errno
import os
import sys
import traceback
from typing import Any

import typer
from typer.core import TyperGroup

from windtunnel.errors import PluginError, WindtunnelError

__all__ = ["Guarded"]

_INPUT = (FileExistsError, FileNotFoundError, IsADirectoryError, NotADirectoryError, PermissionError)
_UNWRITABLE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO)
_TRACEBACK = "run windtunnel --debug … for the traceback"


class Guarded(TyperGroup):
    """A group of commands that maps errors to exit codes.

    2: the input is wrong. 3: a plugin or source failed, or Windtunnel has a bug. 130: interrupted.
    141: whoever read the output went away. A command itself exits with 1 where its answer is no.
    """

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was asked for.

        Raises
        ------
        typer.Exit
            With the exit code, if it failed.
        """
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
        except (typer.Exit, typer.Abort, typer.TyperException):
            raise
        except BrokenPipeError:
            _discard_stdout()
            raise typer.Exit(141) from None
        except KeyboardInterrupt:
            _complain("\ninterrupted: nothing half-done was kept, and finished runs are as they were")
            raise typer.Exit(130) from None
        except Exception as error:
            if ctx.params.get("debug"):
                traceback.print_exc()
            message, code = _verdict(error)
            _complain(message)
            raise typer.Exit(code) from error
        return result


def _verdict(error: Exception) -> tuple[str, int]:
    """Return what to tell the user, and the exit code."""
    if isinstance(error, PluginError) and error.__cause__ is not None:
        return f"{error}\n    {_TRACEBACK}", error.exit_code
    if isinstance(error, WindtunnelError):
        return str(error), error.exit_code
    if isinstance(error, OSError) and error.errno is not None:
        return _about_file(error, error.errno)
    what = " ".join(f"{type(error).__name__}: {error}".split())
    return f"unexpected error: {what}; this is a bug; {_TRACEBACK}", 3


def _about_file(error: OSError, number: int) -> tuple[str, int]:
    """Return which file it is about and what the system says, and the exit code."""
    what = "" if error.filename is None else f"{error.filename}: "
    if number in _UNWRITABLE:
        what = f"cannot write {what}" if what else "cannot write: "
    wrong = isinstance(error, _INPUT) or number == errno.EROFS
    return f"{what}{os.strerror(number)}", 2 if wrong else 3


def _complain(message: str) -> None:
    print(message, file=sys.stderr)


def _discard_stdout() -> None:
    """Let the interpreter's last flush go nowhere instead of failing."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, sys.stdout.fileno())
    os.close(null)
