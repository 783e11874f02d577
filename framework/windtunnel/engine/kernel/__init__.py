"""The compiled engine: the rules of :mod:`windtunnel.engine.reference`, at the speed of the machine.

Panels are symbol-major here, ``[N, T]`` in C order, so that a symbol's bars are contiguous. The account is
one array, ``book[field, symbol]``; :mod:`~windtunnel.engine.kernel.book` names the fields.
"""

from windtunnel.engine.kernel.book import ALIVE, CASH, FIELDS, STATE
from windtunnel.engine.kernel.read import Panels, Wishes
from windtunnel.engine.kernel.run import record, run

__all__ = ["ALIVE", "CASH", "FIELDS", "STATE", "Panels", "Wishes", "record", "run"]
