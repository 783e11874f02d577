"""Choosing among four strategies on regimes whose truth is known.

The market: twenty independent paths of 5,000 days of the source ``synthetic`` (process ``regimes``, seed 0).
The candidates, one of a kind, each with its defaults: buy and hold, long-only momentum, a crossover of
averages that also goes short, and mean reversion. Every account
pays 0.05 % fees and 0.02 % slippage a fill, the chooser's for its changes as well.

Figures are mean net returns a bar over all paths, after bar 1,260 only. Random: the mean of the candidates.
Oracle: for each true regime the candidate with the best mean in that regime, found on the very bars that are
judged. Intervals: paths drawn with replacement, the oracle found anew in each draw.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from row import Row

from windtunnel.api import load_bars
from windtunnel.bars import Bars
from windtunnel.engine import simulate
from windtunnel.market import Market
from windtunnel.pipeline import Candidate, Part
from windtunnel.pipeline.decide import decide
from windtunnel.pipeline.sections import RegimeSection, StrategySection
from windtunnel.plugin import RegimeModel
from windtunnel.values import Exposure, FloatArray, Orders, Request, Rules
from windtunnel_plugins.regimes import TrendVolatility
from windtunnel_plugins.sources import Synthetic
from windtunnel_plugins.strategies import BollingerRsi, BuyAndHold, Momentum, Recommended, SmaCross

__all__ = ["measure"]

CANDIDATES = (BuyAndHold(), Momentum(), SmaCross(short=True), BollingerRsi())
RULES = Rules(fees=0.0005, slippage=0.0002)
FIRST, REFIT = 1260, 252
YEAR = 252
DRAWS = 2000


@dataclass(frozen=True, eq=False)
class Truth:
    """Bars, the code of the true regime ``[T, N]`` and the net returns of the candidates ``[T, N, K]``."""

    bars: Bars
    regime: np.ndarray
    returns: FloatArray


def measure() -> list[Row]:
    rows = []
    for dwell in (60.0, 150.0):
        truth = _truth(dwell)
        exam = f"chooser, synthetic, dwell {dwell:.0f}"
        forest = Recommended(candidates=CANDIDATES)
        rows += _rows(exam, truth, "recommended (forest)", _followed(truth, forest))
        table = Recommended(candidates=CANDIDATES, method="table")
        rows += _rows(exam, truth, "recommended (table)", _followed(truth, table, TrendVolatility()))
    return rows


def _truth(dwell: float) -> Truth:
    source = Synthetic(process="regimes", assets=20, bars=5000, dwell=dwell, seed=0)
    bars = load_bars(source)
    labels = source.load(Request()).truth["regimes"][list(bars.symbols)].to_numpy()
    regime = np.unique(labels.ravel(), return_inverse=True)[1].reshape(labels.shape)
    market = Market(bars)
    earned = [_earned(bars, candidate.exposure(market)) for candidate in CANDIDATES]
    return Truth(bars, regime, np.stack(earned, axis=2))


def _earned(bars: Bars, exposure: Exposure) -> FloatArray:
    """Return the net return of an account of its own on each path, ``[T, N]``."""
    paths = enumerate(bars.symbols)
    accounts = [simulate(bars.select([name]), Orders(exposure[:, [path]]), RULES) for path, name in paths]
    return np.column_stack([account.returns for account in accounts])


def _followed(truth: Truth, strategy: Recommended, regime: RegimeModel | None = None) -> FloatArray:
    """Return what following the chooser earned, learned from the past of all paths on its schedule."""
    candidate = Candidate(
        Part(strategy, StrategySection(use=strategy.name, first=FIRST, refit=REFIT)),
        RULES,
        regime=None if regime is None else Part(regime, RegimeSection(use=regime.name)),
    )
    return _earned(truth.bars, decide(Market(truth.bars), candidate).wanted.exposure)


def _rows(exam: str, truth: Truth, model: str, net: FloatArray) -> list[Row]:
    sums, counts = _by_regime(truth)
    chooser = net[FIRST:].sum(axis=0)
    everything = np.arange(len(chooser))
    figures = _figures(sums, counts, chooser, everything)
    random = np.random.default_rng(0)
    draws = np.array(
        [_figures(sums, counts, chooser, random.choice(everything, len(everything))) for _ in range(DRAWS)]
    )
    low, high = np.quantile(draws, [0.025, 0.975], axis=0)
    closed, above, chosen, chance, single, oracle = figures
    means = f"random {chance:+.1%} a year, best single {single:+.1%}, oracle {oracle:+.1%}"
    floor = model.endswith("(forest)")
    return [
        Row(
            *(exam, model, "share of the gap from random choice to the oracle closed", closed),
            *(low[0], high[0]),
            baseline=f"{means}; it {chosen:+.1%}",
            floor="≥ 0.6" if floor else "",
            met=bool(closed >= 0.6) if floor else None,
            note="Learned from the past of all 20 paths; the oracle is found on the bars that are judged.",
        ),
        Row(
            *(exam, model, "net return above the best single candidate, a year", above, low[1], high[1]),
            baseline=f"best single {single:+.1%} a year, in hindsight",
            floor="> 0" if floor else "",
            met=bool(above > 0) if floor else None,
        ),
    ]


def _by_regime(truth: Truth) -> tuple[FloatArray, FloatArray]:
    """Return sums of returns ``[N, R, K]`` and numbers of bars ``[N, R]`` of each path and regime."""
    regime, returns = truth.regime[FIRST:], truth.returns[FIRST:]
    inside = regime[..., None] == np.arange(regime.max() + 1)
    return np.einsum("tnr,tnk->nrk", inside, returns), inside.sum(axis=0).astype(np.float64)


def _figures(
    sums: FloatArray, counts: FloatArray, chooser: FloatArray, paths: np.ndarray
) -> tuple[float, float, float, float, float, float]:
    """Return share closed and return above the best single; then chooser, random, best single and oracle."""
    bars = counts[paths].sum()
    each = sums[paths].sum(axis=0)
    chosen = chooser[paths].sum() * YEAR / bars
    chance = each.sum() / each.shape[1] * YEAR / bars
    single = each.sum(axis=0).max() * YEAR / bars
    oracle = each.max(axis=1).sum() * YEAR / bars
    return (chosen - chance) / (oracle - chance), chosen - single, chosen, chance, single, oracle
