"""Windtunnel on the workloads, by its public surface."""

from __future__ import annotations

import numpy as np
from cases import FEES, PERIODS, Case, single_windows
from data import Floats, market, monthly_weights, panel, times, windows
from measure import Task, serve

import windtunnel as wt
from windtunnel.pipeline import SpaceLike
from windtunnel_plugins.strategies import SmaCross

RULES = {"cash": 100.0, "fees": FEES, "fill": "close"}


class Entries(wt.Strategy):
    """Wants to be long on every twentieth bar from the sixth on, and keeps what is held between."""

    name = "entries"

    def exposure(self, market: wt.Market) -> wt.Exposure:
        wanted = np.full(market.bars.shape, np.nan)
        wanted[0] = 0.0
        wanted[5::20] = 1.0
        return wanted


def bars_of(count: int) -> wt.Bars:
    prices = market(count)
    return wt.Bars.from_arrays(
        times(count),
        prices.close,
        open=prices.open,
        high=prices.high,
        low=prices.low,
        volume=prices.volume,
    )


def sweep(bars: wt.Bars, strategy: type[wt.Strategy], grid: SpaceLike, **rules: object) -> Floats:
    """Return the five metrics of a sweep, ``[K, 5]``."""
    chosen = wt.Rules(**(RULES | rules))
    table = wt.sweep(bars, strategy, grid, rules=chosen, periods_per_year=PERIODS, ledger=None)
    return table.values


def rotation(bars_count: int, symbols: int) -> Task:
    """Weights for many symbols of one account; cash goes to the smallest order first, as in vectorbt."""
    from windtunnel.engine import simulate
    from windtunnel.engine.metrics import returns

    closes = panel(bars_count, symbols)
    orders = wt.Orders(monthly_weights(closes))
    bars = wt.Bars.from_arrays(times(bars_count), closes)
    rules = wt.Rules(cash=1_000_000.0, fees=FEES, fill="close", cash_shortage="in_order")
    note: dict[str, object] = {}

    def call(_: int) -> Floats:
        account = simulate(bars, orders, rules)
        note["orders"] = len(account.fills)
        change = np.diff(account.equity, prepend=rules.cash) / np.append(rules.cash, account.equity[:-1])
        figures = (
            returns.total_return(account.equity, rules.cash),
            returns.sharpe(change, PERIODS),
            returns.max_drawdown(account.equity, rules.cash),
        )
        return np.array([[*figures, np.nan, np.nan]])

    return Task(call, note=note)


def prepare(work: Case) -> Task:
    if work.name == "W4":
        return rotation(work.bars, work.combinations)
    if work.combinations > 1:
        return grid(work)
    bars = bars_of(work.bars)

    def single(call: int) -> Floats:
        fast, slow = single_windows(call)
        return sweep(bars, SmaCross, {"fast": [fast], "slow": [slow]})

    return Task(single)


def grid(work: Case) -> Task:
    """Many combinations, on new bars at every call: nothing worked out about the same bars is reused."""
    latest: list[wt.Bars] = []

    def renew() -> None:
        latest[:] = [bars_of(work.bars)]

    if work.name == "W5":
        stops = {
            "backtest.stop_loss": np.linspace(0.005, 0.2, 100).tolist(),
            "backtest.take_profit": np.linspace(0.01, 0.4, 100).tolist(),
        }
        return Task(lambda _: sweep(latest[0], Entries, stops, cooldown=1), before=renew)
    every = windows(work.largest)
    pairs = [{"fast": fast, "slow": slow} for fast in every for slow in every if fast < slow]
    return Task(lambda _: sweep(latest[0], SmaCross, pairs), before=renew)


if __name__ == "__main__":
    serve(wt.__version__, prepare)
