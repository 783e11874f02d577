"""What a worker process does: it waits for points and answers with rows, until its driver is gone."""

from __future__ import annotations

import os
import pickle
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from queue import SimpleQueue
from threading import Thread
from typing import Any, Literal

from windtunnel.errors import PluginError, WindtunnelError
from windtunnel.optimize.executors.limits import Limits, data_memory, limited_memory
from windtunnel.optimize.executors.work import Evaluate, Prepared, evaluated, told
from windtunnel.values import Point

__all__ = ["Answer", "Order", "main"]

Answer = tuple[Literal["ready", "want", "unprepared", "begun", "done", "failed"], Any]
"""What a worker says: that it has started; that it needs the work; why it cannot prepare that; that it
begins with the points; their rows; or why there are none."""


@dataclass(frozen=True)
class Order:
    """Points to evaluate, and the key of the work that they belong to."""

    key: str
    points: Sequence[Point]
    limits: Limits


def main(descriptor: int) -> None:
    """Serve the driver at the other end of a socket."""
    os.set_inheritable(descriptor, False)
    connection: Connection[Answer, Any] = Connection(descriptor)
    heard: SimpleQueue[bytes] = SimpleQueue()
    Thread(target=_listen, args=(connection, heard), daemon=True).start()
    with suppress(BrokenPipeError, ConnectionResetError):
        connection.send(("ready", None))
        _Worker(connection, heard).serve()


def _listen(connection: Connection[Answer, Any], heard: SimpleQueue[bytes]) -> None:
    """Pass on what the driver says; end the process, whatever it is doing, when the driver is gone."""
    try:
        while True:
            heard.put(connection.recv_bytes())
    except (EOFError, OSError):
        os._exit(0)


class _Worker:
    def __init__(self, connection: Connection[Answer, Any], heard: SimpleQueue[bytes]) -> None:
        self._connection, self._heard = connection, heard
        self._prepared = Prepared()
        self._held = 0

    def serve(self) -> None:
        """Answer orders; leave once memory did not suffice: what is left of it cannot be trusted."""
        sound = True
        while sound:
            order: Order = pickle.loads(self._heard.get())  # noqa: S301 - from the driver of this process
            evaluate = self._prepared.get(order.key) or self._prepare()
            if evaluate is not None:
                self._connection.send(("begun", None))
                sound = self._evaluate(evaluate, order)

    def _prepare(self) -> Evaluate | None:
        self._connection.send(("want", None))
        pickled = self._heard.get()
        try:
            evaluate = self._prepared.make(pickle.loads(pickled))  # noqa: S301 - from the driver
        except BaseException as error:  # noqa: BLE001 - a stranger's code may raise anything
            self._connection.send(("unprepared", _sendable(error)))
            return None
        if os.path.exists("/proc/self/status"):
            self._held = data_memory()
        return evaluate

    def _evaluate(self, evaluate: Evaluate, order: Order) -> bool:
        memory = order.limits.memory
        try:
            with limited_memory(None if memory is None else self._held + int(memory * 1e6)):
                trials = evaluated(evaluate, order.points)
            answer = pickle.dumps(("done", trials), pickle.HIGHEST_PROTOCOL)
        except MemoryError:
            self._connection.send(("failed", order.limits.too_much))
            return False
        except BaseException as error:  # noqa: BLE001 - a stranger's code may raise anything
            self._connection.send(("failed", told(error)))
        else:
            self._connection.send_bytes(answer)
        return True


def _sendable(error: BaseException) -> WindtunnelError:
    """Return an error that arrives as what it is, or one that names it."""
    try:
        arrived = pickle.loads(pickle.dumps(error))  # noqa: S301 - made in this line
    except Exception:  # noqa: BLE001 - a stranger's error may not survive
        arrived = None
    if isinstance(arrived, WindtunnelError):
        return arrived
    return PluginError(f"the work cannot be prepared: {told(error)}")
