"""Fitted models on disk: one file each, read only after its checksum and its features have been verified."""

from __future__ import annotations

import builtins
import io
import json
import re
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4
from zipfile import ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from windtunnel.errors import InvalidValueError, StoreError, nearest
from windtunnel.store.record import Record, Schema
from windtunnel.store.states import freeze, thaw

if TYPE_CHECKING:
    from windtunnel.plugin import State

__all__ = ["ModelStore", "StoredModel"]

_RECORD = "record.json"
_NAME = re.compile(r"([0-9a-f]{16})-([0-9a-f]{32})\.model")
_MEMBER = re.compile(r"state\.json|arrays\.npz|\d+\.skops")
_KEPT_IN_MEMORY = 16
_UNREADABLE = (OSError, ValueError, TypeError, KeyError, RuntimeError, BadZipFile)


@dataclass(frozen=True)
class StoredModel:
    """A model's file, named ``<id>-<checksum>.model``: the checksum is the BLAKE2b hash of its content."""

    path: Path

    @property
    def id(self) -> str:
        """Key of the record."""
        return self.path.name.partition("-")[0]

    @cached_property
    def record(self) -> Record:
        """The record, as the file has it; only :meth:`ModelStore.load` verifies the file.

        Raises
        ------
        StoreError
            If it cannot be read.
        """
        try:
            with ZipFile(self.path) as file:
                return Record.from_json(json.loads(file.read(_RECORD)))
        except _UNREADABLE as error:
            raise StoreError(f"model {self.id} is damaged: its record cannot be read") from error

    def files(self) -> tuple[Record, dict[str, bytes]]:
        """Return record and state of a file that is what its name says.

        Raises
        ------
        StoreError
            If it is damaged, or holds anything but a model.
        """
        content = self.path.read_bytes()
        if blake2b(content, digest_size=16).hexdigest() != self.path.stem.partition("-")[2]:
            raise StoreError(
                f"model {self.id} is damaged: its content does not have the checksum of its name"
            )
        try:
            with ZipFile(io.BytesIO(content)) as file:
                members = {info.filename: _member(file, info) for info in file.infolist()}
            record = Record.from_json(json.loads(members.pop(_RECORD)))
        except _UNREADABLE as error:
            raise StoreError(f"model {self.id} is no model: {type(error).__name__}: {error}") from error
        if record.key != self.id:
            raise StoreError(f"model {self.id} is that of another key, {record.key}")
        return record, members


class ModelStore:
    """All fitted models in one folder.

    Parameters
    ----------
    root : path
        Made when the first model is saved.
    """

    def __init__(self, root: str | Path) -> None:
        self.root = Path(root)
        self._thawed: dict[tuple[str, int, int], tuple[Record, State]] = {}

    def save(self, record: Record, state: State = None) -> StoredModel:
        """Write a model under a temporary name, then put it in the place of an older one of the same key.

        Raises
        ------
        StoreError
            If the state holds what none may hold; names the place inside it.
        MissingExtraError
            If it holds an estimator and skops is not installed.
        """
        files = freeze(state) if record.status == "completed" else {}
        packed = io.BytesIO()
        with ZipFile(packed, "w", ZIP_STORED) as file:
            text = json.dumps(record.as_json(), indent=1, ensure_ascii=False, allow_nan=False)
            for name, content in {_RECORD: text.encode(), **files}.items():
                file.writestr(ZipInfo(name), content)
        content = packed.getvalue()
        self.root.mkdir(parents=True, exist_ok=True)
        path = self.root / f"{record.key}-{blake2b(content, digest_size=16).hexdigest()}.model"
        temporary = self.root / f".{path.name}.{uuid4().hex}"
        try:
            temporary.write_bytes(content)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
        for other in self._of(record.key):
            if _age(other) < _age(StoredModel(path)):
                other.path.unlink(missing_ok=True)
        return StoredModel(path)

    def find(self, key: str) -> StoredModel | None:
        """Return the model of a key; None where there is none."""
        return next(iter(self._of(key)), None)

    def get(self, reference: str) -> StoredModel:
        """Return a model by the beginning of its id.

        Raises
        ------
        InvalidValueError
            If there is none, or more than one.
        """
        found = [model for model in self.list() if reference and model.id.startswith(reference)]
        if len(found) == 1:
            return found[0]
        hint = nearest(reference, [model.id for model in self.list()])
        rule = f"matches {len(found)} models in {self.root}" if found else f"is no model in {self.root}"
        raise InvalidValueError("model", rule + (f"; did you mean {hint}?" if hint else ""), reference)

    def load(self, id: str, schema: Schema | None = None) -> State:
        """Return what a model has learned; a file that has not changed is read once.

        Parameters
        ----------
        id : str
            The key.
        schema : Schema, optional
            The features that it will be asked with.

        Raises
        ------
        StoreError
            If there is no such model, it is not completed, damaged, no model at all, or was fitted on other
            features.
        MissingExtraError
        """
        model = self.find(id)
        if model is None:
            raise StoreError(f"there is no model {id} in {self.root}")
        record, state = self._verified(model)
        if record.status != "completed":
            raise StoreError(f"model {id} is {record.status}{record.message and ': ' + record.message}")
        if schema is not None and schema != record.schema:
            raise StoreError(f"model {id} was fitted on other features: {record.schema.difference(schema)}")
        return state

    def _verified(self, model: StoredModel) -> tuple[Record, State]:
        try:
            facts = model.path.stat()
            seen = (model.path.name, facts.st_mtime_ns, facts.st_size)
            if seen not in self._thawed:
                record, files = model.files()
                if len(self._thawed) >= _KEPT_IN_MEMORY:
                    self._thawed.pop(next(iter(self._thawed)))
                self._thawed[seen] = record, thaw(files) if record.status == "completed" else None
        except OSError as error:
            raise StoreError(f"model {model.id} cannot be read: {error.strerror}") from error
        return self._thawed[seen]

    def list(self) -> builtins.list[StoredModel]:
        """Return every model, the newest first; damaged ones too."""
        found = [StoredModel(path) for path in self.root.glob("*.model") if _NAME.fullmatch(path.name)]
        return sorted(found, key=_age, reverse=True)

    def verify(self) -> dict[str, str | None]:
        """Read every model in full; return what is wrong with each file, None where nothing is."""
        wrong: dict[str, str | None] = {}
        for path in sorted(self.root.glob("[!.]*")) if self.root.is_dir() else []:
            if not path.is_file():
                continue
            try:
                if not _NAME.fullmatch(path.name):
                    raise StoreError("is named like no model")
                record, files = StoredModel(path).files()
                if record.status == "completed":
                    thaw(files)
                wrong[path.name] = None
            except StoreError as error:
                wrong[path.name] = str(error)
        return wrong

    def prune(self, keep: int) -> builtins.list[StoredModel]:
        """Remove all but the ``keep`` newest completed models of each plugin; return what was removed.

        Models that failed, never ended training or cannot be read go too.

        Raises
        ------
        InvalidValueError
            If ``keep`` is negative.
        """
        if keep < 0:
            raise InvalidValueError("keep", "must be at least 0", keep)
        removed, count = [], dict[tuple[str, str], int]()
        for model in self.list():
            try:
                record = model.record
                which = record.kind, record.plugin
                count[which] = count.get(which, 0) + (record.status == "completed")
                stays = record.status == "completed" and count[which] <= keep
            except StoreError:
                stays = False
            if not stays:
                model.path.unlink(missing_ok=True)
                removed.append(model)
        return removed

    def remove(self, key: str) -> None:
        """Remove the model of a key, if there is one."""
        for model in self._of(key):
            model.path.unlink(missing_ok=True)

    def _of(self, key: str) -> builtins.list[StoredModel]:
        return [model for model in self.list() if model.id == key]


def _age(model: StoredModel) -> tuple[int, str]:
    """Return what orders models in time; one that another process removed meanwhile is the oldest."""
    try:
        return model.path.stat().st_mtime_ns, model.path.name
    except FileNotFoundError:
        return 0, model.path.name


def _member(file: ZipFile, info: ZipInfo) -> bytes:
    if info.filename != _RECORD and not _MEMBER.fullmatch(info.filename):
        raise ValueError(f"it holds {info.filename!r}")
    if info.compress_type != ZIP_STORED:
        raise ValueError(f"{info.filename} is compressed")
    return file.read(info)
