"""Gather what speaks for and against a result, and judge it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from math import nan, sqrt

import numpy as np

from windtunnel.errors import InvalidValueError
from windtunnel.optimize.backtest_overfitting import overfitting
from windtunnel.optimize.clustering import effective_trials
from windtunnel.optimize.intervals import intervals
from windtunnel.optimize.permutation import rotation_test
from windtunnel.optimize.reality import Resampled, advantage, contributions
from windtunnel.optimize.resampling import block_length_of
from windtunnel.optimize.rule import combined, decide, looks
from windtunnel.optimize.sharpe import (
    expected_maximum,
    minimum_backtest_length,
    minimum_track_record,
    probabilistic_sharpe,
    sharpe_variance,
)
from windtunnel.values import FloatArray, IntArray, Verdict

__all__ = ["Evidence", "judge"]

TESTED = 1000
"""Most trials whose returns are recomputed."""
_CLUSTERED = 300
_RANKED = 20_000
_ELEMENTS = 4_000_000
_FEWEST_BARS = 100
FEWEST_TRADES = 10
"""Fewest round trips that say anything."""
_NOISE = 1e-14
_NONE = np.empty(0)


@dataclass(frozen=True, eq=False)
class Evidence:
    """What a verdict is made of; Sharpe ratios are per bar, returns simple and after costs.

    Parameters
    ----------
    judged : array of float64, ``[T]``
        Returns of what is judged: of the stitched bars out of sample where ``validated``, else those of
        the choice in sample.
    inside : array of float64, ``[T']``
        Returns in sample of the choice that learns from all bars.
    sharpes : array of float64, ``[K]``
        Over all bars, of every trial of this run; NaN for one that never traded or failed.
    returns_of : callable
        Recomputes returns over the bars of ``inside``: takes rows of ``sharpes``, ``[k]``, and returns
        ``[T', k]``.
    periods_per_year : float
    validated : bool
    benchmark, benchmark_inside : array of float64, ``[T]`` and ``[T']``, optional
        Returns of holding the benchmark over the bars of ``judged`` and of ``inside``; both or none.
    trades : int
        Round trips of what is judged.
    earlier : array of float64, ``[E]``
        Sharpe ratios of different trials that other runs of the family made, none of them among this run's.
    studies : int
        Different searches of the family, this one too: each of them looked at bars out of sample.
    sums : array of float64, ``[K, S, 3]``
        Number, sum and sum of squares of the returns of this run's trials in S equal blocks of bars, S even
        and at most about 12; without any, or with one trial, there is no probability of overfitting.
    weights, asset_returns : array of float64, ``[T, N]``, optional
        What is judged as shares of equity at each close, and the symbols' returns over the same bars.
    seed : int
        Same evidence and seed give the same verdict.

    Raises
    ------
    InvalidValueError
        If arrays that belong together differ in length, or one of the benchmarks is missing.
    """

    judged: FloatArray
    inside: FloatArray
    sharpes: FloatArray
    returns_of: Callable[[IntArray], FloatArray]
    periods_per_year: float
    validated: bool
    benchmark: FloatArray | None = None
    benchmark_inside: FloatArray | None = None
    trades: int = 0
    earlier: FloatArray = field(default_factory=lambda: _NONE)
    studies: int = 1
    sums: FloatArray = field(default_factory=lambda: np.empty((0, 0, 3)))
    weights: FloatArray | None = None
    asset_returns: FloatArray | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 < self.periods_per_year < np.inf:
            raise InvalidValueError("periods_per_year", "must be positive and finite", self.periods_per_year)
        if (self.benchmark is None) != (self.benchmark_inside is None):
            raise InvalidValueError("benchmark", "must be given over both stretches of bars", None)
        pairs = (
            ("benchmark", self.benchmark, self.judged),
            ("benchmark_inside", self.benchmark_inside, self.inside),
            ("weights", self.weights, self.judged),
            ("asset_returns", self.asset_returns, self.judged),
        )
        for name, given, beside in pairs:
            if given is not None and len(given) != len(beside):
                raise InvalidValueError(name, f"must have {len(beside)} bars", len(given))
        if self.sums.size and len(self.sums) != len(self.sharpes):
            raise InvalidValueError("sums", f"must have {len(self.sharpes)} trials", len(self.sums))

    @property
    def trials(self) -> int:
        """N: trials of this run and of earlier ones, at least 1."""
        return max(len(self.sharpes) + len(self.earlier), 1)

    @property
    def known(self) -> bool:
        """Whether all returns are numbers, and there are some."""
        given = (self.judged, self.inside, self.benchmark, self.benchmark_inside)
        return all(len(one) > 0 and bool(np.isfinite(one).all()) for one in given if one is not None)

    @property
    def lacking(self) -> str:
        """What there is too little of to say anything, as a sentence; empty where there is enough."""
        if not self.known:
            return "The returns are not all numbers."
        moved = int((np.abs(self.judged) > _NOISE).sum())
        if moved < _FEWEST_BARS:
            return f"Only {moved:,} bars with a return: fewer than {_FEWEST_BARS} say nothing."
        if not np.ptp(self.judged) > _NOISE:
            return "Its returns never vary."
        if self.trades < FEWEST_TRADES:
            count = f"{self.trades:,} trade{'' if self.trades == 1 else 's'}"
            return f"Only {count}: fewer than {FEWEST_TRADES} say nothing."
        return ""


def judge(evidence: Evidence) -> Verdict:
    """Return the verdict; see :mod:`windtunnel.optimize.rule` for the rule and its reasons.

    Too little evidence is no error: what cannot be computed is NaN, and the verdict is that it cannot tell.
    The numerical libraries run on one thread meanwhile, so that the number of cores does not change a bit.
    """
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        figures = _figures(evidence)
    call, reason = decide(figures, evidence.lacking)
    return replace(figures, call=call, because=reason)


def _figures(evidence: Evidence) -> Verdict:
    """Return all but the call and the reason."""
    year = sqrt(evidence.periods_per_year)
    count, bars = evidence.trials, len(evidence.judged)
    inside, judged = _ratio(evidence.inside), _ratio(evidence.judged)
    expected, deflated = _deflation(evidence, inside)
    halves = _halves(evidence.sums)
    tests = _tested(evidence) if evidence.known else _Tests()
    return Verdict(
        call="cannot tell",
        because="",
        trials=count,
        earlier=len(evidence.earlier),
        effective=tests.effective,
        years=bars / evidence.periods_per_year,
        inside=inside * year,
        outside=judged * year if evidence.validated else nan,
        benchmark=_ratio(evidence.benchmark) * year,
        benchmark_inside=_ratio(evidence.benchmark_inside) * year,
        chance=combined(tests.search, tests.outside),
        chance_search=tests.search,
        chance_outside=tests.outside,
        expected=expected * year,
        probabilistic=probabilistic_sharpe(judged, bars, **_tails(evidence.judged)),
        deflated=deflated,
        overfit=halves[0],
        halvings=halves[1],
        track_record=minimum_track_record(judged, **_tails(evidence.judged)) / evidence.periods_per_year,
        backtest_length=minimum_backtest_length(count, inside * year) if inside > 0 else nan,
        reality=tests.reality,
        superior=tests.superior,
        tested=tests.tested,
        permutation=_rotated(evidence),
        intervals=intervals(evidence.judged, evidence.periods_per_year, seed=evidence.seed),
    )


def _ratio(returns: FloatArray | None) -> float:
    """Return the Sharpe ratio per bar; NaN where there is none."""
    if returns is None or len(returns) < 2 or not float(returns.std(ddof=1)) > _NOISE:
        return nan
    return float(returns.mean()) / float(returns.std(ddof=1))


def _tails(returns: FloatArray) -> dict[str, float]:
    """Return skewness and kurtosis; those of a normal distribution where returns do not vary."""
    from scipy.stats import kurtosis, skew

    if len(returns) < 2 or not float(np.ptp(returns)) > _NOISE:
        return {}
    return {"skewness": float(skew(returns)), "kurtosis": float(kurtosis(returns, fisher=False))}


def _deflation(evidence: Evidence, inside: float) -> tuple[float, float]:
    """Return the ratio per bar that the luckiest trial would show, and the deflated Sharpe ratio.

    Luck is counted from the benchmark's ratio where that is above 0: trials that merely hold it are lucky.
    """
    bars, tails = len(evidence.inside), _tails(evidence.inside)
    ratios = np.concatenate((evidence.sharpes, evidence.earlier))
    ratios = ratios[np.isfinite(ratios)]
    if not np.isfinite(inside) or bars < 2:
        return nan, nan
    sampling = sharpe_variance(0.0, **tails) / (bars - 1)
    spread = float(ratios.var(ddof=1)) if len(ratios) > 1 else 0.0
    held = _ratio(evidence.benchmark_inside)
    luck = max(0.0, held if np.isfinite(held) else 0.0)
    luck += sqrt(min(spread, sampling)) * expected_maximum(evidence.trials)
    return luck, probabilistic_sharpe(inside, bars, benchmark=luck, **tails)


def _halves(sums: FloatArray) -> tuple[float, int]:
    """Return the probability of backtest overfitting, and over how many halvings; NaN and 0 without any."""
    known = sums[np.isfinite(sums).all(axis=(1, 2))]
    if len(known) < 2 or known.shape[1] < 2 or known.shape[1] % 2:
        return nan, 0
    rows = np.unique(np.linspace(0, len(known) - 1, min(len(known), _RANKED)).astype(np.int64))
    found = overfitting(known[rows])
    return found.probability, len(found.logits)


def _rotated(evidence: Evidence) -> float:
    if evidence.weights is None or evidence.asset_returns is None:
        return nan
    return rotation_test(evidence.weights, evidence.asset_returns)


@dataclass(frozen=True)
class _Tests:
    """What needs the trials' returns."""

    search: float = nan
    outside: float = nan
    reality: dict[str, float] = field(default_factory=dict)
    superior: int = 0
    tested: int = 0
    effective: float = nan


def _tested(evidence: Evidence) -> _Tests:
    rows, seed = _spread_by_rank(evidence.sharpes), evidence.seed
    outside = nan
    if evidence.validated:
        alone = _worse(lambda held: advantage(evidence.judged, held, seed).chance, evidence.benchmark)
        covered = max(len(evidence.sharpes), 1)
        outside = looks(alone, max(evidence.trials, evidence.studies * covered), covered)
    if not len(rows):
        return _Tests(outside=outside)
    held, kept = evidence.benchmark_inside, list[FloatArray]()
    length = block_length_of(contributions(evidence.inside[:, None], held)[:, 0])
    trials = Resampled.of(_parts(evidence, rows, kept), held, block_length=length, seed=seed)

    def lucky(held: FloatArray | None) -> float:
        shown = advantage(evidence.inside, held, seed).statistic
        return trials.against(cash=held is None).chance(shown)

    found = trials.against()
    return _Tests(
        search=looks(_worse(lucky, held), evidence.trials, len(rows)),
        outside=outside,
        reality={
            "spa_lower": found.lower,
            "spa": found.consistent,
            "spa_upper": found.upper,
            "reality_check": found.white,
        },
        superior=len(found.superior),
        tested=len(rows),
        effective=effective_trials(np.concatenate(kept, axis=1), seed),
    )


def _worse(chance: Callable[[FloatArray | None], float], held: FloatArray | None) -> float:
    """Return the higher of the p-values against cash and against the benchmark, where there is one."""
    return max(chance(None), 0.0 if held is None else chance(held))


def _spread_by_rank(sharpes: FloatArray) -> IntArray:
    """Return at most so many rows, evenly from the worst ratio to the best, the best among them."""
    known = np.flatnonzero(np.isfinite(sharpes))
    order = known[np.argsort(sharpes[known], kind="stable")]
    places = np.linspace(0, len(order) - 1, min(len(order), TESTED))
    return order[np.rint(places).astype(np.int64)]


def _parts(evidence: Evidence, rows: IntArray, kept: list[FloatArray]) -> Iterator[FloatArray]:
    """Yield the returns of trials, some at a time; every so many-th is also kept, for the clusters."""
    at_once = max(1, _ELEMENTS // len(evidence.inside))
    step = -(-len(rows) // _CLUSTERED)
    for first in range(0, len(rows), at_once):
        part = evidence.returns_of(rows[first : first + at_once])
        kept.append(part[:, (-first) % step :: step])
        yield part
