"""Plugins that are plain files beside an experiment."""

from __future__ import annotations

import contextlib
import importlib.util
import sys
import traceback
from hashlib import blake2b
from pathlib import Path
from types import ModuleType

from windtunnel.errors import BrokenPluginError

__all__ = ["load_file", "source_hash"]


def load_file(path: Path) -> ModuleType:
    """Import a Python file under a name of its own.

    Raises
    ------
    BrokenPluginError
        If there is no such file, or it raises while it is imported; names the line.
    """
    if not path.is_file():
        raise BrokenPluginError(f"{path}: no such file")
    content = path.read_bytes()
    name = f"windtunnel_file_{path.stem}_{_digest(content)}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise BrokenPluginError(f"{path}: not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        with contextlib.redirect_stdout(sys.stderr):
            spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        raise BrokenPluginError(f"{path}:{_line_in(path, error)}: {type(error).__name__}: {error}") from error
    return module


def source_hash(plugin: type) -> str:
    """Return a hash of the source that a class comes from: its whole package, or its file; empty for none.

    The files are read as they are now, so that an edit of a package installed for development counts.
    """
    package = sys.modules.get(plugin.__module__.partition(".")[0])
    folders = list(getattr(package, "__path__", ()))
    if folders:
        files = sorted(file for folder in folders for file in Path(folder).rglob("*.py"))
    else:
        module = sys.modules.get(plugin.__module__)
        source = getattr(module, "__file__", None)
        files = [Path(source)] if source and Path(source).is_file() else []
    contents = [file.name.encode() + b"\0" + file.read_bytes() for file in files]
    return _digest(b"\0".join(contents)) if contents else ""


def _digest(content: bytes) -> str:
    return blake2b(content, digest_size=8).hexdigest()


def _line_in(path: Path, error: BaseException) -> int:
    if isinstance(error, SyntaxError):
        return error.lineno or 0
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno or 0 for frame in frames if Path(frame.filename).resolve() == path.resolve()]
    return lines[-1] if lines else 0
