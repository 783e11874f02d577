"""The one validation gate: every table becomes bars through it, or an error that names row and rule."""

from windtunnel.gate.actions import admit_actions
from windtunnel.gate.admission import Admitted, admit, admit_arrays
from windtunnel.gate.instants import instant
from windtunnel.gate.rules import REPAIRS, TOLERANCE, Repair, repairs

__all__ = [
    "REPAIRS",
    "TOLERANCE",
    "Admitted",
    "Repair",
    "admit",
    "admit_actions",
    "admit_arrays",
    "instant",
    "repairs",
]
