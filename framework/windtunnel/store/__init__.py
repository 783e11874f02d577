"""What outlives a process: the folders of finished runs."""

from windtunnel.store.runs import RunStore, StoredRun, run_id, write_json

__all__ = ["RunStore", "StoredRun", "run_id", "write_json"]
