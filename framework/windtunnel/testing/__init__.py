"""What keeps results honest: causality checks and baselines."""

from windtunnel.testing.baselines import CheckReport, check, compare, experiments_in, record
from windtunnel.testing.causality import verify
from windtunnel.testing.experiment import verify_experiment
from windtunnel.testing.findings import Finding, Verification

__all__ = [
    "CheckReport",
    "Finding",
    "Verification",
    "check",
    "compare",
    "experiments_in",
    "record",
    "verify",
    "verify_experiment",
]
