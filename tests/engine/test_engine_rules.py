"""The engine's rules on hand-computed bars, where the page's examples leave something open."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hand import fills, panel, run

from windtunnel.bars import Bars
from windtunnel.values import Actions

N = float("nan")


def acting(bars: Bars, bar: int, split: float = 1.0, dividend: float = 0.0) -> Bars:
    one = np.array([bar]), np.zeros(1, np.int64), np.array([dividend]), np.array([split])
    return replace(bars, actions=Actions(*one))


def test_an_exit_leaves_at_the_market_though_limits_go_on() -> None:
    close = np.array([10.0, 10, 12, 12, 12])
    bars = panel(close, high=close + 1, low=close - 1)
    out = run(bars, [1, 1, 0, 0, 0], entry_limit=close - 0.5, cash=950.0)
    assert fills(out) == [(1, 100, 9.5, "signal"), (3, -100, 12, "signal")]


def test_a_refused_signal_cancels_the_order_that_waits() -> None:
    """Of a turn the short waits for 12.5; long again in the cooldown is refused; short is no more wanted."""
    bars = panel([10] * 6, high=[10, 10, 10, 13, 13, 13])
    out = run(bars, [1, -1, 1, 1, 1, 1], entry_limit=[N, 12.5, N, N, N, N], cooldown=2)
    assert fills(out) == [(1, 100, 10, "signal"), (2, -100, 10, "signal")]


def test_after_a_margin_call_only_a_signal_enters() -> None:
    out = run(panel([10, 6.5, 6.5, 6.5]), [2, 2, 1, 1], fill="close", leverage=2, maintenance_margin=0.25)
    assert fills(out) == [(0, 200, 10, "signal"), (1, -200, 6.5, "margin_call")]


def test_equity_of_exactly_the_margin_is_enough() -> None:
    out = run(panel([10, 10, 9.99]), [2, 2, 2], fill="close", leverage=2, maintenance_margin=0.5)
    assert [row[0] for row in fills(out)] == [0, 2]


def test_what_is_forced_pays_no_share_of_a_range() -> None:
    bars = panel([[10, 10, N], [5, 5, 5]], high=[[14, 14, N], [5, 5, 5]])
    out = run(bars, [[0.5] * 3, [0] * 3], fill="close", slippage={"range": 0.5})
    assert fills(out) == [("A", 0, 50, 12, "signal"), ("A", 2, -50, 10, "delisted")]


def test_a_split_turns_the_limit_that_waits() -> None:
    bars = acting(panel([10, 4.6], open=[10, 5], low=[10, 4.4]), 1, split=2)
    assert fills(run(bars, [0.5, 0.5], entry_limit=[9, N], cash=900.0)) == [(1, 100, 4.5, "signal")]


def test_a_split_turns_an_order_in_units() -> None:
    bars = acting(panel([10, 5, 5]), 1, split=2)
    assert fills(run(bars, [10, 10, 10], size="units")) == [(1, 20, 5, "signal")]


def test_a_reverse_split_turns_the_stop_of_a_short() -> None:
    bars = acting(panel([10, 20, 21], high=[10, 20, 22.5]), 1, split=0.5)
    out = run(bars, [-1, -1, -1], fill="close", stop_loss=0.1)
    assert fills(out) == [(0, -100, 10, "signal"), (1, 50, 0, "split"), (2, 50, 22, "stop_loss")]
    assert out.equity[-1] == pytest.approx(900)


def test_a_dividend_counts_after_the_split_of_its_day_and_the_row_of_the_split_pays_nothing() -> None:
    bars = acting(panel([10, 5, 6]), 1, split=2, dividend=0.5)
    out = run(bars, [1, 1, 0], fill="close")
    assert out.cash[1] == 100
    assert out.fills.carry.tolist() == [0, 0, 100]
    assert out.trades.entry_price[0] == 5
    assert out.trades.units[0] == 200
    assert out.trades.pnl[0] == pytest.approx(300)


def test_a_short_that_is_suspended_still_pays_for_borrowing() -> None:
    bars = replace(panel([[10, N, 10], [5, 5, 5]]), periods_per_year=250.0)
    out = run(bars, [[-0.5] * 3, [0] * 3], fill="close", borrow=0.25)
    assert out.equity == pytest.approx([1000, 999.5, 999])


def test_a_trailing_stop_follows_a_short_down() -> None:
    bars = panel([10, 8.5, 9], open=[10, 10, 8.5], low=[10, 8, 8.5])
    out = run(bars, [-1, -1, -1], fill="close", trailing_stop=0.1)
    assert fills(out)[1] == (2, 100, 8.8, "trailing_stop")


@pytest.mark.parametrize(
    ("high", "low", "price", "reason"), [(10, 9.4, 9.5, "stop_loss"), (12, 10.5, 10.8, "trailing_stop")]
)
def test_the_nearer_stop_counts_and_gives_the_reason(
    high: float, low: float, price: float, reason: str
) -> None:
    bars = panel([10, 10, 11], open=[10, 10, 11], high=[10, high, 11], low=[10, 10, low])
    out = run(bars, [1, 1, 1], fill="close", stop_loss=0.05, trailing_stop=0.1)
    assert fills(out)[1] == (2, -100, price, reason)


@pytest.mark.parametrize(("open_", "reason"), [(11.0, "take_profit"), (9.0, "stop_loss")])
def test_an_entry_that_opens_beyond_its_own_levels_leaves_at_that_open(open_: float, reason: str) -> None:
    bars = panel([10, 10], open=[10, open_])
    out = run(bars, [1, 1], exit_stop=[9.5, N], exit_target=[10.5, N], cash=99 * open_)
    assert fills(out) == [(1, 99, open_, "signal"), (1, -99, open_, reason)]


@pytest.mark.parametrize(
    ("name", "open_", "high", "low", "price"),
    [
        ("entry_limit", 10, 11.2, 10, 11),
        ("entry_limit", 12, 12, 11.5, 12),
        ("entry_stop", 10, 10, 8.8, 9),
        ("entry_stop", 8.5, 8.6, 8.4, 8.5),
    ],
)
def test_a_short_enters_up_at_a_limit_and_down_at_a_stop(
    name: str, open_: float, high: float, low: float, price: float
) -> None:
    bars = panel([10, open_], open=[10, open_], high=[10, high], low=[10, low])
    level = [11.0 if name == "entry_limit" else 9.0, N]
    assert fills(run(bars, [-1, -1], cash=60 * price, **{name: level})) == [(1, -60, price, "signal")]


def test_a_stop_entry_pays_slippage_and_its_room() -> None:
    bars = panel([10, 10.6], open=[10, 10])
    out = run(bars, [1, 1], entry_stop=[10.5, N], slippage=0.01, cash=1060.5)
    assert fills(out) == [(1, 100, 10.605, "signal")]


def test_the_calendar_orders_again_what_did_not_enter() -> None:
    out = run(panel([10] * 5), [1] * 5, entry_limit=[9, N, N, N, N], entry_valid=1, rebalance={"every": 3})
    assert fills(out) == [(4, 100, 10, "rebalance")]


@pytest.mark.parametrize(
    ("every", "time", "due"),
    [
        ("week", ["2024-01-05", "2024-01-08", "2024-01-09", "2024-01-15"], [1, 3]),
        ("day", ["2024-01-05T15:00", "2024-01-05T16:00", "2024-01-08T15:00", "2024-01-08T16:00"], [2]),
        ("quarter", ["2024-02-29", "2024-03-29", "2024-04-02", "2024-06-28"], [2]),
        ("year", ["2023-06-30", "2023-12-29", "2024-01-02", "2025-01-02"], [2, 3]),
    ],
)
def test_the_calendar_is_due_on_the_first_bar(every: str, time: list[str], due: list[int]) -> None:
    out = run(panel([10, 20, 40, 80], time), [0.5] * 4, fill="close", rebalance={"every": every})
    assert [row[0] for row in fills(out)] == [0, *due]


def test_what_is_kept_does_not_drift_back() -> None:
    out = run(panel([10, 40, 40]), [0.5, N, N], fill="close", rebalance={"drift": 0.1})
    assert len(out.fills) == 1


def test_a_cooldown_follows_a_stop_and_counts_the_bars_of_its_symbol() -> None:
    close = [[10, 10, N, 10, 10], [5] * 5]
    bars = panel(close, low=[[10, 8, N, 10, 10], [5] * 5])
    out = run(bars, [[1, -1, 1, 1, -1], [0] * 5], fill="close", stop_loss=0.1, cooldown=2)
    assert fills(out)[1] == ("A", 1, -100, 9, "stop_loss")
    assert fills(out)[2] == ("A", 4, -90, 10, "signal"), "refused at 1 and 3"


def test_max_bars_with_fills_at_the_close() -> None:
    out = run(panel([10, 11, 12]), [1, 1, 1], fill="close", max_bars=1)
    assert fills(out) == [(0, 100, 10, "signal"), (1, -100, 11, "time")]


def test_no_stop_is_judged_on_a_bar_that_is_missing() -> None:
    bars = panel([[10, N, 8], [5, 5, 5]], open=[[10, N, 8.5], [5, 5, 5]])
    out = run(bars, [[1] * 3, [0] * 3], fill="close", stop_loss=0.1)
    assert fills(out)[1] == ("A", 2, -100, 8.5, "stop_loss")


def test_of_the_bar_of_a_limit_entry_only_the_close_counts() -> None:
    bars = panel([10.5, 10.8, 11], open=[10.5, 10.5, 10.8], high=[10.5, 11.5, 12], low=[10.5, 9.9, 10])
    trades = run(bars, [1, 0, 0], entry_limit=[10, N, N], stop_loss=0.05).trades
    assert trades.best[0] == pytest.approx(0.08)
    assert trades.worst[0] == 0
    assert trades.bars[0] == 1
    assert trades.r_multiple[0] == pytest.approx(0.8 / 0.5)


@pytest.mark.parametrize(
    ("given", "high", "low", "price"),
    [
        ({"stop_loss": 0.1}, 10, 9, 9),
        ({"take_profit": 0.5}, 15, 10, 15),
        ({"trailing_stop": 0.5}, 10, 5, 5),
    ],
)
@pytest.mark.parametrize("side", [1, -1])
def test_a_touch_of_a_level_is_enough(
    given: dict[str, Any], high: float, low: float, price: float, side: int
) -> None:
    if side < 0:
        high, low, price = 20 - low, 20 - high, 20 - price
    out = run(panel([10, 10], high=[10, high], low=[10, low]), [side] * 2, fill="close", **given)
    assert fills(out)[1][:3] == (1, -100 * side, price)


@pytest.mark.parametrize(("name", "level"), [("entry_limit", 9.0), ("entry_stop", 11.0)])
@pytest.mark.parametrize("side", [1, -1])
def test_a_touch_of_an_entry_price_is_enough(name: str, level: float, side: int) -> None:
    level = level if side > 0 else 20 - level
    bars = panel([10, 10], high=[10, max(10, level)], low=[10, min(10, level)])
    out = run(bars, [side] * 2, cash=50 * level, **{name: [level, N]})
    assert fills(out) == [(1, 50 * side, level, "signal")]


def test_a_limit_entry_at_the_open_lives_through_the_whole_bar() -> None:
    bars = panel([10, 9.5], open=[10, 9], high=[10, 10])
    out = run(bars, [1, 1], entry_limit=[9.5, N], take_profit=0.1, cash=900.0)
    assert fills(out)[1] == (1, -100, 9.9, "take_profit")


@pytest.mark.parametrize("side", [1, -1])
def test_the_bar_of_a_limit_entry_moves_a_trailing_stop_by_its_close_only(side: int) -> None:
    def at(*prices: float) -> list[float]:
        return list(prices) if side > 0 else [20 - price for price in prices]

    best, worst = at(10.5, 12, 10.4), at(10.5, 9.9, 9.6)
    high, low = (best, worst) if side > 0 else (worst, best)
    bars = panel(at(10.5, 10.2, 10), open=at(10.5, 10.5, 10), high=high, low=low)
    out = run(bars, [side] * 3, entry_limit=[10, N, N], trailing_stop=0.05)
    best = at(10.2)[0]
    assert fills(out)[1:] == [(2, -100 * side, round(best * (1 - 0.05 * side), 9), "trailing_stop")]


def test_a_turn_without_a_known_range_only_closes() -> None:
    out = run(panel([10] * 4), [1, -1, -0.5, -1], fill="close", stop_loss={"atr": 2}, atr=[0.5, N, 1, 1])
    assert fills(out) == [(0, 100, 10, "signal"), (1, -100, 10, "signal")]


def test_an_exit_that_is_due_anyway_keeps_its_reason() -> None:
    out = run(panel([10, 10, 10]), [1, 0, 0], fill="close", max_bars=1)
    assert fills(out)[1][3] == "signal"


def test_a_dead_account_pays_no_interest() -> None:
    out = run(panel([10, 25, 25]), [-1, -1, -1], fill="close", financing=0.5)
    assert out.equity.tolist() == [1000, -500, -500]


def test_a_stop_entry_that_would_have_to_reduce_is_dropped() -> None:
    """At 20 the 50 units are worth more than 0.6 of the 1,500."""
    bars = panel([10, 20, 10, 20])
    out = run(bars, [0.5, 0.6, 0.6, 0.6], entry_stop=[N, 20, N, N], fill="close")
    assert fills(out) == [(0, 50, 10, "signal"), (1, -5, 20, "signal")]
    bars = panel([10, 10, 20, 10, 20])
    out = run(bars, [0.5, 0.6, 0.6, 0.6, 0.6], entry_stop=[N, 20, N, N, N], fill="close")
    assert fills(out) == [(0, 50, 10, "signal")]


def test_distances_are_from_the_price_paid() -> None:
    """Bought at 10.2, so the stop is at 9.18 and sells at 2 % less."""
    bars = panel([10, 9.5], low=[10, 9.1])
    out = run(bars, [50, 50], size="units", fill="close", slippage=0.02, stop_loss=0.1)
    assert fills(out) == [(0, 50, 10.2, "signal"), (1, -50, round(9.18 * 0.98, 9), "stop_loss")]


def test_adding_to_a_position_leaves_its_levels() -> None:
    bars = panel([10, 12, 12, 9], open=[10, 12, 12, 12])
    out = run(bars, [10, 20, 20, 20], size="units", fill="close", stop_loss=0.1, trailing_stop=0.4)
    assert fills(out)[1:] == [(1, 10, 12, "signal"), (3, -20, 9, "stop_loss")]
