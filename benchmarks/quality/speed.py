"""How long one answer takes when everything is warm: the model fitted, the market's indicators computed.

Every installed plugin of the kinds that answer is asked through its own method, as a service would ask it,
about the S&P 500 up to its last bar, five years of days (1,260 bars); what it learned comes from the bars
before the last 63. An answer that abstains on the last bar is not timed but fails. A scorer is asked for one
entry, with contributions.
"""

from __future__ import annotations

from collections.abc import Callable
from math import nan
from time import perf_counter
from typing import Any

import numpy as np
from row import Row

from windtunnel.api import load_bars
from windtunnel.engine import simulate
from windtunnel.learn import entries, held_direction, signal_features
from windtunnel.market import Market
from windtunnel.plugin import LearnedStrategy, build_host
from windtunnel.values import Evaluation, Orders, Outcomes, Rules
from windtunnel_plugins.regimes import TrendVolatility
from windtunnel_plugins.strategies import SmaCross

__all__ = ["measure"]

BARS, HELD_BACK = 1260, 63
HORIZON = 5
WARMUP = 273
CALLS, WARM = 40, 5
FLOOR = 0.020
KINDS = ("regime", "volatility", "patterns", "strategy", "scorer")


def measure() -> list[Row]:
    host = build_host()
    longest = load_bars("arch", symbols=["SP500"], start="1999")
    market = Market(longest.cut(len(longest) - BARS, len(longest)))
    market = market.having(regime=TrendVolatility().predict(market, None))
    named = [(kind, name) for kind in KINDS for name in host.names(kind) if name != "recorded"]
    return [
        _row(f"{kind} {name}", *_asking(host.plugin(kind, name).example(), market)) for kind, name in named
    ]


def _asking(plugin: Any, market: Market) -> tuple[Callable[[], Any], Callable[[Any], bool]]:
    """Fit a model; return what asks it once, and what says whether the answer is one about the last bar."""
    past = market.until(len(market.bars) - HELD_BACK)
    if plugin.kind == "scorer":
        return _scoring(plugin)
    if plugin.kind == "volatility":
        learned = plugin.fit(past, HORIZON)
        return lambda: plugin.forecast(market, learned, HORIZON), lambda said: said.mean[-1, 0] > 0
    if isinstance(plugin, LearnedStrategy):
        state = plugin.fit(past, lambda trial, part=past: _evaluate(trial, part))
        return lambda: plugin.exposure(market, state), lambda said: said.ranking.chosen[-1, 0] >= 0
    if plugin.kind == "strategy":
        return lambda: plugin.exposure(market), lambda said: len(said) == BARS
    state = plugin.fit(past)
    if plugin.kind == "regime":
        return lambda: plugin.predict(market, state), lambda said: said.codes[-1, 0] >= 0
    return lambda: plugin.detect(market, state), lambda said: said.bars == BARS


def _evaluate(trial: Any, part: Market) -> Evaluation:
    return Evaluation({}, simulate(part.bars, Orders(trial.exposure(part)), Rules(fees=0.0005)).returns)


def _scoring(scorer: Any) -> tuple[Callable[[], Any], Callable[[Any], bool]]:
    """Fit a scorer on the entries of a crossover, and on wins that follow a feature seven times of ten.

    On what really became of them a scorer may find that it has no skill, and a share of wins is soon said.
    """
    market = Market(load_bars("arch", symbols=["SP500", "NASDAQ"], start="1999"))
    present, wanted = market.bars.present, SmaCross(fast=2, slow=5).exposure(market)
    signals = signal_features(
        market, entries(wanted, present), held_direction(wanted, present), orders=Orders(wanted)
    )
    signals = signals.take(signals.bar > WARMUP)
    leading = signals.values[:, signals.names.index("rsi_14")]
    won = (leading > np.median(leading)) ^ (np.random.default_rng(0).random(len(signals)) < 0.3)
    state = scorer.fit(signals, Outcomes(won, np.where(won, 0.01, -0.01), signals.bar + 5))
    last = signals.take(np.array([len(signals) - 1]))
    return lambda: scorer.score(last, state), lambda said: bool(said.contributions.any())


def _row(model: str, ask: Callable[[], Any], answered: Callable[[Any], bool]) -> Row:
    exam, figure = "one answer, warm", f"median of {CALLS} calls, ms"
    if not all(answered(ask()) for _ in range(WARM)):
        note = "It had nothing to say of the last bar, so that there is nothing to time."
        return Row(exam, model, figure, nan, floor="≤ 20", met=False, note=note)
    times = np.array([_seconds(ask) for _ in range(CALLS)])
    draws = np.random.default_rng(0).choice(times, (2000, CALLS))
    low, high = np.quantile(np.median(draws, axis=1), [0.025, 0.975])
    middle = float(np.median(times))
    return Row(*(exam, model, figure, 1e3 * middle, 1e3 * low, 1e3 * high), floor="≤ 20", met=middle <= FLOOR)


def _seconds(answer: Callable[[], Any]) -> float:
    began = perf_counter()
    answer()
    return perf_counter() - began
