"""What outlives a process: the folders of finished runs, and what models learned."""

from windtunnel.store.models import ModelStore, StoredModel
from windtunnel.store.record import Record, Schema
from windtunnel.store.runs import RunStore, StoredRun, run_id, write_json

__all__ = ["ModelStore", "Record", "RunStore", "Schema", "StoredModel", "StoredRun", "run_id", "write_json"]
