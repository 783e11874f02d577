"""A search in one universe, as a researcher would do it, and what the verdict says of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import nan

import numpy as np
from universes import YEAR, Market, bars_of

import windtunnel as wt
from windtunnel import Bars
from windtunnel.engine import Simulation, simulate
from windtunnel.market import Market as Seen
from windtunnel.optimize.rule import combined, decide
from windtunnel.optimize.verdict import FEWEST_TRADES, Evidence, judge
from windtunnel.values import Exposure, FloatArray, IntArray, Orders, Rules, Verdict
from windtunnel_plugins.strategies import SmaCross

__all__ = ["Searched", "ratios", "searched", "sums_of"]

RULES = Rules(fees=0.0005, slippage=0.0002)
_FASTS = range(2, 27)
_LEARNED = 4
"""Years that a choice learns from before the year that judges it."""


def _grid(trials: int) -> dict[str, list[int]]:
    """Return about so many combinations: 25 fast windows by slow ones from 30 to 225 bars."""
    slow = np.linspace(30, 225, max(1, round(trials / len(_FASTS))))
    return {"fast": list(_FASTS), "slow": np.unique(np.rint(slow)).astype(int).tolist()}


def sums_of(bars: Bars, market: Market, trials: int) -> tuple[dict[str, IntArray], FloatArray]:
    """Return the parameters of every trial, and the sums of its net returns by year, ``[K, years, 3]``."""
    edges = range(0, len(bars) + 1, YEAR)
    found = wt.sweep(
        bars,
        SmaCross(short=market.short),
        _grid(trials),
        rules=RULES,
        edges=tuple(edges),
        threads=1,
        ledger=None,
    )
    return found.parameters, found.sums


@dataclass(frozen=True, eq=False)
class _Account:
    """Backtests of trials in one universe."""

    bars: Bars
    market: Market
    parameters: dict[str, IntArray]
    seen: Seen

    def exposure(self, row: int) -> Exposure:
        """Return what a trial wants."""
        point = {name: int(column[row]) for name, column in self.parameters.items()}
        return SmaCross(**point, short=self.market.short).exposure(self.seen)

    def run(self, exposure: Exposure) -> Simulation:
        """Return the account of what is wanted."""
        return simulate(self.bars, Orders(exposure), RULES)

    def returns_of(self, rows: IntArray) -> FloatArray:
        """Return the net returns of trials, ``[T, k]``."""
        return np.stack([self.run(self.exposure(row)).returns for row in rows.tolist()], axis=1)


@dataclass(frozen=True, eq=False)
class Searched:
    """The verdicts on the stitched result of a walk-forward and on the best of the sweep alone.

    ``sums`` are number, sum and sum of squares of each trial's returns, ``[K, 3]``.
    """

    walked: Verdict
    swept: Verdict
    sums: FloatArray


def searched(market: Market, strength: float, seed: int, trials: int) -> Searched:
    """Search one universe."""
    bars = bars_of(market, strength, seed)
    parameters, sums = sums_of(bars, market, trials)
    account = _Account(bars, market, parameters, Seen(bars))
    best = account.run(account.exposure(int(np.argmax(ratios(sums)))))
    first, stitched = _walked(account, sums)
    held = np.diff(bars.close[:, 0], prepend=bars.open[0, 0]) / np.concatenate(
        (bars.open[:1, 0], bars.close[:-1, 0])
    )
    found = judge(
        Evidence(
            judged=stitched.returns[first:],
            inside=best.returns,
            sharpes=ratios(sums),
            returns_of=account.returns_of,
            periods_per_year=YEAR,
            validated=True,
            benchmark=held[first:] if market.benchmark else None,
            benchmark_inside=held if market.benchmark else None,
            trades=len(stitched.trades.pnl),
            sums=sums,
            seed=seed,
        )
    )
    return Searched(found, _without_validation(found, len(best.trades.pnl)), sums.sum(axis=1))


def _without_validation(found: Verdict, trades: int) -> Verdict:
    """Return the verdict on the sweep alone: what decides is the same but for what is out of sample."""
    swept = replace(
        found,
        outside=nan,
        benchmark=found.benchmark_inside,
        chance=combined(found.chance_search, nan),
        chance_outside=nan,
    )
    call, reason = decide(swept, "" if trades >= FEWEST_TRADES else "Too few trades.")
    return replace(swept, call=call, because=reason)


def _walked(account: _Account, sums: FloatArray) -> tuple[int, Simulation]:
    """Choose each year by the three before it, and join what the choices want in one account."""
    wanted = np.zeros(account.bars.shape, np.float64)
    for year in range(_LEARNED, sums.shape[1]):
        chosen = int(np.argmax(ratios(sums[:, year - _LEARNED : year])))
        rows = slice(YEAR * year, YEAR * (year + 1))
        wanted[rows] = account.exposure(chosen)[rows]
    return _LEARNED * YEAR, account.run(wanted)


def ratios(sums: FloatArray) -> FloatArray:
    """Return the Sharpe ratio per bar of sums over blocks, ``[K]``."""
    count, total, squares = sums.sum(axis=1).T
    variance = (squares - total * total / count) / (count - 1)
    return np.where(variance > 0, total / count / np.sqrt(np.maximum(variance, 1e-28)), 0.0)
