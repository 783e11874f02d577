"""The folders of finished runs: ``<root>/<name>/<run id>/``, each whole or not there at all."""

from __future__ import annotations

import errno
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any
from uuid import uuid4

from windtunnel.errors import InvalidValueError, nearest

__all__ = ["RunStore", "StoredRun", "run_id", "write_json"]

_MANIFEST = "manifest.json"
_METRICS = "metrics.json"


def run_id(identity: Mapping[str, Any]) -> str:
    """Return the id of a run: a hash of all that decides its numbers."""
    canonical = json.dumps(identity, sort_keys=True, separators=(",", ":"), default=str)
    return blake2b(canonical.encode(), digest_size=6).hexdigest()


def write_json(path: Path, content: Any) -> None:
    """Write JSON with NaN as null, through a temporary name."""
    text = json.dumps(_finite(content), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return None
    return value


@dataclass(frozen=True)
class StoredRun:
    """A finished run on disk."""

    folder: Path

    @property
    def name(self) -> str:
        """Name of the experiment."""
        return self.folder.parent.name

    @property
    def id(self) -> str:
        """Id of the run."""
        return self.folder.name

    @property
    def manifest(self) -> dict[str, Any]:
        """What ran, on what, with which versions, and what came out in words."""
        return self._read(_MANIFEST)

    @property
    def metrics(self) -> dict[str, Any]:
        """The content of ``metrics.json``; null is None."""
        return self._read(_METRICS)

    def _read(self, file: str) -> dict[str, Any]:
        return dict(json.loads((self.folder / file).read_text(encoding="utf-8")))

    @property
    def damage(self) -> str | None:
        """Which file cannot be read; None where the run is whole."""
        for file in (_MANIFEST, _METRICS):
            try:
                self._read(file)
            except FileNotFoundError:
                return f"{file} is missing"
            except (OSError, ValueError, TypeError):
                return f"{file} cannot be read"
        return None

    @property
    def report(self) -> Path | None:
        """The report, if one was written."""
        path = self.folder / "report.html"
        return path if path.is_file() else None


class RunStore:
    """All runs below one folder."""

    def __init__(self, root: str | Path) -> None:
        self.root = Path(root)

    @property
    def assets(self) -> Path:
        """The folder of files that reports share."""
        return self.root / "assets"

    def get(self, name: str, id_: str) -> StoredRun | None:
        """Return a finished run; None where there is none, or a damaged one."""
        run = self._kept(name, id_)
        return run if run is not None and run.damage is None else None

    def _kept(self, name: str, id_: str) -> StoredRun | None:
        folder = self.root / name / id_
        return StoredRun(folder) if (folder / _MANIFEST).is_file() else None

    def latest(self, name: str) -> StoredRun | None:
        """Return the run that ``latest`` points to, damaged or not; None where there is none."""
        pointer = self.root / name / "latest"
        if pointer.is_symlink():
            return self._kept(name, os.readlink(pointer))
        return self._kept(name, pointer.read_text(encoding="utf-8").strip()) if pointer.is_file() else None

    def runs(self) -> list[StoredRun]:
        """Return every finished run, the newest first; damaged ones too."""
        found = [
            StoredRun(manifest.parent)
            for manifest in self.root.glob(f"*/*/{_MANIFEST}")
            if not manifest.parent.is_symlink() and not manifest.parent.name.startswith(".")
        ]
        return sorted(found, key=lambda run: ((run.folder / _MANIFEST).stat().st_mtime, run.id), reverse=True)

    def find(self, reference: str) -> StoredRun:
        """Return a run by ``name`` (its latest), ``name/id``, or the beginning of an id.

        Raises
        ------
        InvalidValueError
            If there is none, or more than one; names what is there.
        """
        runs = self.runs()
        latest = self.latest(reference) if "/" not in reference else None
        if latest is not None:
            return latest
        wanted = reference.removesuffix("/latest")
        if wanted != reference and (latest := self.latest(wanted)) is not None:
            return latest
        matches = [run for run in runs if run.id.startswith(reference) or f"{run.name}/{run.id}" == reference]
        if len(matches) == 1:
            return matches[0]
        known = sorted({run.name for run in runs} | {f"{run.name}/{run.id}" for run in runs})
        hint = nearest(reference, known)
        rule = f"matches {len(matches)} runs in {self.root}" if matches else f"is no run in {self.root}"
        raise InvalidValueError("run", rule + (f"; did you mean {hint}?" if hint else ""), reference)

    @contextmanager
    def writing(self, name: str, id_: str) -> Iterator[Path]:
        """Give a temporary folder that becomes the run's folder when the block ends well.

        An older run of the same id is replaced; when the block fails, nothing changes.
        """
        home = self.root / name
        folders = (home, self.assets, self.root, *self.root.parents)
        new = [folder for folder in folders if not folder.exists()]
        try:
            home.mkdir(parents=True, exist_ok=True)
            with _named_in_errors(home / id_), _temporary(home, id_) as temporary:
                yield temporary
                _put_in_place(temporary, home / id_)
            _point(home / "latest", id_)
        except BaseException:
            for folder in new:
                with suppress(OSError):
                    folder.rmdir()
            raise


@contextmanager
def _temporary(home: Path, id_: str) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix=f".{id_}.", dir=home))
    try:
        folder.chmod(0o755)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _named_in_errors(folder: Path) -> Iterator[None]:
    """Let an error of the system that names no file name the folder that was to be written."""
    try:
        yield
    except OSError as error:
        if error.filename is None:
            error.filename = str(folder)
        raise


def _put_in_place(temporary: Path, folder: Path) -> None:
    """Rename, moving aside what is there; of several processes that finish at once the last one stays."""
    old = temporary.with_name(temporary.name + ".old")
    for _ in range(1000):
        try:
            temporary.rename(folder)
            break
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                _restore(old, folder)
                raise
        with suppress(FileNotFoundError):
            shutil.rmtree(old, ignore_errors=True)
            folder.rename(old)
    else:
        _restore(old, folder)
        raise OSError(errno.EBUSY, "another process keeps writing this run", str(folder))
    shutil.rmtree(old, ignore_errors=True)


def _restore(old: Path, folder: Path) -> None:
    if old.exists() and not folder.exists():
        old.rename(folder)


def _point(pointer: Path, target: str) -> None:
    """Let ``latest`` point to a run: a link, or where there are none, a file that holds its id."""
    temporary = pointer.with_name(f".latest.{uuid4().hex}")
    temporary.unlink(missing_ok=True)
    try:
        temporary.symlink_to(target, target_is_directory=True)
    except OSError:
        temporary.write_text(target, encoding="utf-8")
    temporary.replace(pointer)
