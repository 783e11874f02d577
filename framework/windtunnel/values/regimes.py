"""What a regime model says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from windtunnel.errors import InvalidValueError, nearest
from windtunnel.values.arrays import BoolArray, FloatArray, IntArray

__all__ = ["Regimes"]


@dataclass(frozen=True, eq=False)
class Regimes:
    """Probabilities of named market regimes, bar by bar.

    Parameters
    ----------
    names : tuple of str
        The K regimes, such as ``trending_bullish`` or ``high_volatility``.
    probabilities : array of float64, ``[T, N, K]``
        Rows sum to 1; a row of NaN means that the model abstains on that bar.
    evidence : mapping of str to array of float64, ``[T, N]``
        What the model went by, for people to read: the drift and volatility a year that it saw, say.
    """

    names: tuple[str, ...]
    probabilities: FloatArray
    evidence: Mapping[str, FloatArray] = field(default_factory=dict)

    @property
    def confidence(self) -> FloatArray:
        """Probability of the likeliest regime, ``[T, N]``; NaN where the model abstains."""
        return np.asarray(self.probabilities.max(axis=2))

    @property
    def codes(self) -> IntArray:
        """Index into ``names`` of the likeliest regime, ``[T, N]``; -1 where the model abstains."""
        known: BoolArray = np.asarray(~np.isnan(self.probabilities).any(axis=2))
        best = np.where(known[..., None], self.probabilities, 0.0).argmax(axis=2)
        return np.where(known, best, -1)

    def is_any(self, names: Iterable[str], parameter: str = "regime") -> BoolArray:
        """Say where the likeliest regime is one of ``names``, ``[T, N]``; False where the model abstains.

        Raises
        ------
        InvalidValueError
            If there is no such regime; names ``parameter`` as the place of the names.
        """
        wanted = []
        for name in names:
            if name not in self.names:
                hint = nearest(name, self.names)
                known = ", ".join(self.names)
                rule = f"must be one of {known}" + (f"; did you mean {hint}?" if hint else "")
                raise InvalidValueError(parameter, rule, name)
            wanted.append(self.names.index(name))
        return np.isin(self.codes, wanted)

    def check(self, shape: tuple[int, int]) -> None:
        """Refuse what is no probability.

        Raises
        ------
        InvalidValueError
            If the probabilities are not ``[T, N, K]``, not in [0, 1], or do not sum to 1 where known.
        """
        wanted = (*shape, len(self.names))
        if self.probabilities.shape != wanted:
            raise InvalidValueError("probabilities", f"must be of shape {wanted}", self.probabilities.shape)
        for name, panel in self.evidence.items():
            if panel.shape != shape:
                raise InvalidValueError(f"evidence.{name}", f"must be of shape {shape}", panel.shape)
        total = self.probabilities.sum(axis=2)
        wrong = (np.abs(total - 1) > 1e-6) | (self.probabilities < 0).any(axis=2)
        if wrong.any():
            rule = "must be at least 0 and sum to 1"
            raise InvalidValueError("probabilities", rule, float(total[wrong][0]))

    def cut(self, start: int, stop: int) -> Regimes:
        """Return the bars ``start`` to ``stop`` (exclusive), without copying."""
        evidence = {name: panel[start:stop] for name, panel in self.evidence.items()}
        return Regimes(self.names, self.probabilities[start:stop], evidence)

    def of_rows(self, rows: IntArray) -> Regimes:
        """Return the bars of some rows, in their order; a row may be named more than once."""
        evidence = {name: panel[rows] for name, panel in self.evidence.items()}
        return Regimes(self.names, self.probabilities[rows], evidence)

    def of_columns(self, columns: IntArray | Sequence[int]) -> Regimes:
        """Return those of some symbols, in their order; a column may be named more than once."""
        evidence = {name: panel[:, columns] for name, panel in self.evidence.items()}
        return Regimes(self.names, self.probabilities[:, columns], evidence)

    @classmethod
    def join(cls, parts: Sequence[Regimes]) -> Regimes:
        """Put pieces, in time order, together again.

        Raises
        ------
        InvalidValueError
            If the pieces do not name the same regimes in the same order.
        """
        for part in parts:
            if part.names != parts[0].names:
                rule = f"must be the same after every fit, first {', '.join(parts[0].names)}"
                raise InvalidValueError("names", rule, part.names)
        names = [name for name in parts[-1].evidence if all(name in part.evidence for part in parts)]
        evidence = {name: np.concatenate([part.evidence[name] for part in parts]) for name in names}
        return cls(parts[0].names, np.concatenate([part.probabilities for part in parts]), evidence)

    def abstaining(self, bars: int) -> Regimes:
        """Return regimes that are unknown for ``bars`` bars."""
        blank = np.full((bars, *self.probabilities.shape[1:]), np.nan)
        return Regimes(self.names, blank, dict.fromkeys(self.evidence, blank[..., 0]))
