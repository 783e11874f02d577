"""Sweeps of parameters and rules, against single backtests."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Annotated

import numpy as np
import pytest
from annotated_types import Ge, Le

import windtunnel as wt
from windtunnel.engine.sweep import SWEEP_METRICS
from windtunnel.errors import InvalidValueError, PluginError
from windtunnel.values import Calendar, Orders
from windtunnel_plugins.strategies import SmaCross

COSTS = wt.Rules(fees=0.001, slippage=0.0005)


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sweeps write to the ledger below the folder that they run in."""
    monkeypatch.chdir(tmp_path)


def walk(symbols: int = 1, rows: int = 400, gaps: bool = False) -> wt.Bars:
    rng = np.random.default_rng(11)
    close = 100 * np.exp(np.cumsum(rng.normal(0, 0.02, (rows, symbols)), axis=0))
    if gaps:
        close[rng.random(close.shape) < 0.05] = np.nan
    return wt.Bars.from_arrays(np.datetime64("2015-01-01") + np.arange(rows), close)


class Half(wt.Strategy):
    """Half of the equity while the close is above its average."""

    name = "half"
    window: Annotated[int, Ge(2), Le(100)] = 10
    """Window of the average, in bars."""

    def exposure(self, market: wt.Market) -> wt.Exposure:
        return np.asarray(0.5 * (market.close > market.sma(self.window)))


class Guarded(wt.Strategy):
    """Long above the average, with a stop of its own."""

    name = "guarded"
    window: Annotated[int, Ge(2), Le(100)] = 10
    """Window of the average, in bars."""

    def exposure(self, market: wt.Market) -> Orders:
        return Orders(market.close > market.sma(self.window), exit_stop=market.close * 0.97)


class Broken(wt.Strategy):
    """Fails for one window."""

    name = "broken"
    window: Annotated[int, Ge(2), Le(100)] = 10
    """Window of the average, in bars."""

    def exposure(self, market: wt.Market) -> wt.Exposure:
        if self.window == 13:
            raise KeyError("thirteen")
        return np.ones(market.shape, np.bool_)


def by_hand(bars: wt.Bars, strategy: wt.Strategy, rules: wt.Rules) -> list[float]:
    metrics = wt.backtest(bars, strategy, rules=rules).metrics
    return [metrics[name] for name in SWEEP_METRICS]


def assert_same(table: object, expected: list[list[float]]) -> None:
    np.testing.assert_allclose(table.values, expected, rtol=1e-9, atol=1e-11)


def test_every_row_is_a_backtest() -> None:
    bars = walk()
    table = wt.sweep(bars, SmaCross, {"fast": [5, 10, 30], "slow": [20, 30]}, rules=COSTS)
    pairs = [(5, 20), (5, 30), (10, 20), (10, 30)]
    assert list(zip(table.frame["fast"], table.frame["slow"], strict=True)) == pairs
    assert table.illegal == 2
    assert_same(table, [by_hand(bars, SmaCross(fast=fast, slow=slow), COSTS) for fast, slow in pairs])
    assert list(table.frame.columns) == ["fast", "slow", *SWEEP_METRICS]


def test_rules_are_a_dimension() -> None:
    bars = walk()
    space = {"backtest.stop_loss": [None, 0.02, 0.05], "fast": [5, 8], "backtest.fees": [0.0, 0.01]}
    table = wt.sweep(bars, SmaCross(slow=20), space, rules=wt.Rules(slippage=0.001))
    assert len(table) == 12
    rows = zip(*(table.parameters[name] for name in space), strict=True)
    expected = [
        by_hand(bars, SmaCross(fast=int(fast), slow=20), wt.Rules(slippage=0.001, stop_loss=stop, fees=fees))
        for stop, fast, fees in rows
    ]
    assert_same(table, expected)


@pytest.mark.parametrize(
    ("bars", "strategy", "rules"),
    [
        (walk(symbols=3), SmaCross, COSTS),
        (walk(gaps=True), SmaCross, COSTS),
        (walk(), SmaCross, wt.Rules(rebalance=Calendar(every=7), lot=0.5)),
        (walk(), Half, COSTS),
        (walk(), Guarded, COSTS),
    ],
    ids=["several symbols", "gaps", "other rules", "half a position", "orders"],
)
def test_what_is_not_all_in_is_simulated(bars: wt.Bars, strategy: type[wt.Strategy], rules: wt.Rules) -> None:
    name = "fast" if strategy is SmaCross else "window"
    table = wt.sweep(bars, strategy, {name: [5, 9]}, rules=rules)
    assert_same(table, [by_hand(bars, strategy(**{name: window}), rules) for window in (5, 9)])


def test_distances_in_ranges_can_be_searched() -> None:
    bars = walk()
    table = wt.sweep(bars, SmaCross(fast=5, slow=20), {"backtest.stop_loss.atr": [1.0, 3.0]}, rules=COSTS)
    stops = [wt.Rules(**dict(COSTS) | {"stop_loss": {"atr": width}}) for width in (1.0, 3.0)]
    assert_same(table, [by_hand(bars, SmaCross(fast=5, slow=20), rules) for rules in stops])


def test_threads_do_not_change_a_bit() -> None:
    bars, space = walk(), {"fast": range(2, 40), "slow": range(10, 90)}
    one, four = (wt.sweep(bars, SmaCross, space, rules=COSTS, threads=threads) for threads in (1, 4))
    assert one.values.tobytes() == four.values.tobytes()
    assert one.place.tolist() == four.place.tolist()


def test_a_row_does_not_depend_on_its_neighbours() -> None:
    """One combination, streamed, and the same one among many, from blocks."""
    bars = walk(rows=3000)
    many = wt.sweep(bars, SmaCross, {"fast": range(2, 40), "slow": [50]}, rules=COSTS)
    alone = wt.sweep(bars, SmaCross, {"fast": [7], "slow": [50]}, rules=COSTS)
    np.testing.assert_allclose(many.values[5], alone.values[0], rtol=1e-9)


def test_combinations_may_be_listed() -> None:
    points = [{"fast": 5, "slow": 20}, {"fast": 9, "slow": 30}, {"fast": 30, "slow": 9}]
    table = wt.sweep(walk(), SmaCross, points, rules=COSTS)
    assert table.frame["slow"].tolist() == [20, 30]
    assert table.illegal == 1
    assert_same(table, [by_hand(walk(), SmaCross(**point), COSTS) for point in points[:2]])


def test_numpy_values_are_taken() -> None:
    table = wt.sweep(walk(), SmaCross, {"fast": np.arange(2, 5), "slow": np.array([20])})
    assert table.frame["fast"].tolist() == [2, 3, 4]


def test_the_best_is_named() -> None:
    table = wt.sweep(walk(), SmaCross, {"fast": range(2, 20), "slow": [30, 60]}, rules=COSTS)
    best = table.best("sharpe")
    assert best["sharpe"] == np.nanmax(table.metric("sharpe"))
    assert isinstance(best["fast"], int)
    assert table.best("max_drawdown")["max_drawdown"] == table.metric("max_drawdown").max()
    with pytest.raises(InvalidValueError, match="metric: must have a best"):
        table.best("trades")
    with pytest.raises(InvalidValueError, match="must be one of total_return"):
        table.best("alpha")


def test_progress_ends_at_the_total() -> None:
    told: list[tuple[int, int]] = []
    space = {"fast": range(2, 40), "slow": range(10, 40)}
    table = wt.sweep(walk(), SmaCross, space, tick=lambda done, total: told.append((done, total)))
    assert told[-1] == (len(table) + table.illegal, 38 * 30)
    assert len(told) > 1


@pytest.mark.parametrize(
    ("space", "message"),
    [
        ({"fsat": [1]}, "space: must be a parameter of sma_cross or a rule; did you mean fast?"),
        ({"backtest.fess": [0.1]}, "did you mean backtest.fees?"),
        ({"fast": []}, "fast: must have values to try"),
        ({}, "space: must name a parameter to try"),
        ([], "space: must name a parameter to try"),
        ({"fast": [5, 1]}, "fast: Input should be greater than or equal to 2"),
        ({"fast": [5, "ten"]}, "fast: Input should be a valid integer"),
        ({"backtest.fees": [-0.1]}, "backtest.fees: Input should be greater than or equal to 0"),
        ([{"fast": 5}, {"slow": 5}], r"space\[1\]: must name fast"),
        ({"fast": [30], "slow": [20]}, "space: must have a combination that the strategy allows"),
    ],
)
def test_mistakes_are_told_before_anything_runs(space: object, message: str) -> None:
    with pytest.raises(InvalidValueError, match=message.replace("?", r"\?")):
        wt.sweep(walk(), SmaCross, space)


def test_a_strategy_that_fails_is_named() -> None:
    with pytest.raises(PluginError, match=r"strategy broken failed to state its exposure.*thirteen"):
        wt.sweep(walk(), Broken, {"window": [12, 13]})


def test_only_strategies_and_bars() -> None:
    with pytest.raises(InvalidValueError, match="strategy: must be a strategy's class"):
        wt.sweep(walk(), dict, {"fast": [1]})
    with pytest.raises(InvalidValueError, match="bars: must be Bars"):
        wt.sweep(walk().close, SmaCross, {"fast": [5]})


class Levels(wt.Strategy):
    """Long while the close is between two levels."""

    name = "levels"
    between: tuple[float, float] = (90.0, 110.0)
    """Lower and upper level, in price units."""

    def exposure(self, market: wt.Market) -> wt.Exposure:
        return (market.close > self.between[0]) & (market.close < self.between[1])


def test_values_that_are_tuples_stay_tuples() -> None:
    table = wt.sweep(walk(), Levels, {"between": [(80.0, 120.0), (95.0, 105.0)]})
    assert table.frame["between"].tolist() == [(80.0, 120.0), (95.0, 105.0)]
    assert table.best("total_return")["between"] in [(80.0, 120.0), (95.0, 105.0)]


def test_returns_are_added_up_in_blocks() -> None:
    bars, edges = walk(rows=403), [3, 100, 101, 403]
    for strategy, space in ((SmaCross, {"fast": [5, 10], "slow": [30]}), (Half, {"window": [5, 20]})):
        table = wt.sweep(bars, strategy, space, rules=COSTS, edges=edges)
        assert table.sums.shape == (2, 3, 3)
        for row, params in enumerate(table.frame[list(space)].to_dict("records")):
            returns = wt.backtest(bars, strategy(**params), rules=COSTS).simulation.returns
            parts = [returns[first:stop] for first, stop in pairwise(edges)]
            expected = [(len(part), part.sum(), (part**2).sum()) for part in parts]
            np.testing.assert_allclose(table.sums[row], expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("edges", [[3], [-1, 5], [5, 5], [7, 3], [0, 401]])
def test_blocks_that_are_not_in_order_are_refused(edges: list[int]) -> None:
    with pytest.raises(InvalidValueError, match="edges"):
        wt.sweep(walk(), SmaCross, {"fast": [5], "slow": [30]}, edges=edges)
