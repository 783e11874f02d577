"""What outlives a process: the folders of finished runs, what models learned, and every trial."""

from windtunnel.store.ledger import Ledger
from windtunnel.store.models import ModelStore, StoredModel
from windtunnel.store.record import Record, Schema
from windtunnel.store.runs import RunStore, StoredRun, run_id, write_json
from windtunnel.store.studies import Family, Study

__all__ = [
    "Family",
    "Ledger",
    "ModelStore",
    "Record",
    "RunStore",
    "Schema",
    "StoredModel",
    "StoredRun",
    "Study",
    "run_id",
    "write_json",
]
