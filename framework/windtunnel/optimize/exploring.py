"""A search on its way: points are asked for, tried once, recorded, and told."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from windtunnel.errors import InterruptedSearchError
from windtunnel.optimize.evaluate import FORBIDDEN
from windtunnel.optimize.executors.work import QUARANTINED
from windtunnel.values import FloatArray, IntArray, Point, Search, Trials

__all__ = ["Budget", "Explorer", "Keys", "Recorder", "explore"]

Keys: TypeAlias = npt.NDArray[np.uint64]
"""What identifies trials, ``[K]``."""


class Recorder(Protocol):
    """Where trials are written down, and what was known before."""

    def known(self) -> tuple[Trials, Keys]:
        """Return every trial recorded for this study, with its key."""

    def append(self, trials: Trials, keys: Keys) -> None:
        """Record trials, all or none."""


@dataclass(frozen=True)
class Budget:
    """How long a search goes on.

    Parameters
    ----------
    trials : int or None
        Points at most; None until the search ends by itself.
    batch : int
        Points asked for at a time.
    deadline : float
        When to stop, by :func:`time.perf_counter`.
    patience : int or None
        Stop after so many points without a better first objective.
    """

    trials: int | None
    batch: int
    deadline: float = float("inf")
    patience: int | None = None


class Explorer:
    """All trials of an optimisation, each tried once, in the order in which they were first asked for.

    Parameters
    ----------
    run : callable
        Tries points: yields their rows, in order, some at a time.
    keys_of : callable
        Returns the keys of points.
    allowed : callable
        Says whether a point keeps the constraints; one that does not is left out.
    recorder : Recorder or None
    finished : callable
        Told of rows that have just been tried.
    stopping : callable
        Says whether somebody asked to stop.

    Attributes
    ----------
    resumed : int
        Trials that the recorder knew already.
    seconds : dict of str to float
        Spent in ``search``, ``trials`` and ``ledger``.
    """

    def __init__(
        self,
        run: Callable[[Sequence[Point]], Iterator[Trials]],
        keys_of: Callable[[Sequence[Point]], Keys],
        *,
        allowed: Callable[[Point], bool] = lambda point: True,
        recorder: Recorder | None = None,
        finished: Callable[[Trials], None] = lambda trials: None,
        stopping: Callable[[], bool] = lambda: False,
    ) -> None:
        self._run, self._keys_of, self._allowed = run, keys_of, allowed
        self._recorder, self._finished, self._stopping = recorder, finished, stopping
        self._parts: list[Trials] = []
        self._objectives: list[FloatArray] = []
        self._row: dict[int, int] = {}
        self._left_out: set[int] = set()
        self._known: Trials | None = None
        self._known_row: dict[int, int] = {}
        self.resumed = 0
        self.seconds = dict.fromkeys(("search", "trials", "ledger"), 0.0)
        if recorder is not None:
            self._known, keys = recorder.known()
            self._known_row = {key: row for row, key in enumerate(keys.tolist())}

    def __len__(self) -> int:
        return len(self._objectives)

    @property
    def left_out(self) -> int:
        """How many different points the constraints or a rule between parameters forbade."""
        return len(self._left_out)

    @property
    def keys(self) -> Keys:
        """The key of every row, ``[K]``."""
        return np.fromiter(self._row, np.uint64, len(self._row))

    @property
    def trials(self) -> Trials | None:
        """Every row so far; None where there is none."""
        if len(self._parts) > 1:
            self._parts = [Trials.join(self._parts)]
        return self._parts[0] if self._parts else None

    def objectives(self, rows: Sequence[int] | IntArray, fold: int) -> FloatArray:
        """Return the objectives of rows on the bars that a fold learns from, ``[n, m]``."""
        return np.array([self._objectives[row][fold] for row in rows])

    def rows(self, points: Sequence[Point]) -> list[int]:
        """Return the row of each point, tried now if need be; −1 for one that is left out.

        Raises
        ------
        Interrupted
            If somebody asked to stop; what was tried is recorded.
        """
        keys = self._keys_of(points).tolist()
        new = {
            key: point
            for key, point in zip(keys, points, strict=True)
            if key not in self._row and key not in self._left_out
        }
        forbidden = [key for key, point in new.items() if not self._allowed(point)]
        self._left_out.update(forbidden)
        for key in forbidden:
            del new[key]
        if new:
            self._add(new)
        return [self._row.get(key, -1) for key in keys]

    def _add(self, points: Mapping[int, Point]) -> None:
        """Look up or try points, and append their rows in the order of the points."""
        old = [key for key in points if key in self._known_row]
        fresh = [key for key in points if key not in self._known_row]
        parts = list(self._tried(fresh, [points[key] for key in fresh]))
        if old and self._known is not None:
            parts.insert(0, self._known.take([self._known_row[key] for key in old]))
        self.resumed += len(old)
        found = Trials.join(parts)
        place = {key: row for row, key in enumerate([*old, *fresh])}
        legal = [key for key in points if found.problems[place[key]] != FORBIDDEN]
        self._left_out.update(points.keys() - set(legal))
        if legal:
            kept = found if list(place) == legal else found.take([place[key] for key in legal])
            self._row.update(zip(legal, range(len(self), len(self) + len(legal)), strict=True))
            self._parts.append(kept)
            self._objectives.extend(kept.objectives)

    def _tried(self, keys: list[int], points: list[Point]) -> Iterator[Trials]:
        """Try points; each part is recorded before it is handed on."""
        if not points:
            return
        done, start = 0, perf_counter()
        for trials in self._run(points):
            tried = perf_counter()
            self.seconds["trials"] += tried - start
            part = np.array(keys[done : done + len(trials)], np.uint64)
            self._record(trials, part)
            done += len(trials)
            start = perf_counter()
            self.seconds["ledger"] += start - tried
            yield trials
            if self._stopping():
                raise InterruptedSearchError(self._interrupted(done))

    def _interrupted(self, tried: int) -> str:
        count = len(self) + tried
        if self._recorder is None:
            return f"stopped after {count:,} trials; without a ledger none of them is kept"
        return f"stopped after {count:,} trials, all of which are kept: the same command goes on from there"

    def _record(self, trials: Trials, keys: Keys) -> None:
        legal = [row for row, problem in enumerate(trials.problems) if _lasts(problem)]
        if len(legal) < len(trials):
            trials, keys = trials.take(legal), keys[legal]
        if self._recorder is not None and legal:
            self._recorder.append(trials, keys)
        self._finished(trials)


def _lasts(problem: str) -> bool:
    """Say whether what became of a point is so whenever it is tried."""
    return problem != FORBIDDEN and not problem.startswith(QUARANTINED)


def explore(
    explorer: Explorer, search: Search, budget: Budget, fold: int, signs: FloatArray
) -> tuple[IntArray, str]:
    """Let a search ask and tell until its budget is spent.

    Parameters
    ----------
    explorer : Explorer
    search : Search
    budget : Budget
    fold : int
        By whose objectives the search is told.
    signs : array of float64, ``[m]``
        1 where a higher objective is better, −1 where a lower one is.

    Returns
    -------
    rows : array of int64
        The trials that it looked at, each once, in the order asked for.
    stopped : str
        Why it ended early; empty where it did not.
    """
    asked, seen, best, since = 0, dict[int, None](), -np.inf, 0
    while budget.trials is None or asked < budget.trials:
        if asked and perf_counter() > budget.deadline:
            return _array(seen), f"the time was up after {asked:,} trials"
        start = perf_counter()
        count = budget.batch if budget.trials is None else min(budget.batch, budget.trials - asked)
        points = search.ask(count)
        explorer.seconds["search"] += perf_counter() - start
        if not points:
            break
        values = _tell(explorer, search, points, fold, signs, seen)
        asked += len(points)
        top = float(np.fmax.reduce(values[:, 0], initial=-np.inf))
        since = 0 if top > best else since + len(points)
        best = max(best, top)
        if budget.patience is not None and since >= budget.patience:
            return _array(seen), f"{since:,} trials in a row brought nothing better"
    return _array(seen), ""


def _tell(
    explorer: Explorer,
    search: Search,
    points: Sequence[Point],
    fold: int,
    signs: FloatArray,
    seen: dict[int, None],
) -> FloatArray:
    """Try points, tell the search what they came to, and return that, ``[n, m]``, higher is better."""
    rows = explorer.rows(points)
    start = perf_counter()
    values = np.full((len(points), len(signs)), np.nan)
    tried = [place for place, row in enumerate(rows) if row >= 0]
    if tried:
        values[tried] = explorer.objectives([rows[place] for place in tried], fold) * signs
    search.tell(points, values)
    explorer.seconds["search"] += perf_counter() - start
    seen.update(dict.fromkeys(rows[place] for place in tried))
    return values


def _array(rows: Mapping[int, None]) -> IntArray:
    return np.fromiter(rows, np.int64, len(rows))
