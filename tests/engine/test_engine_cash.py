"""Sizes, cash, volume and places on hand-computed bars, where the page's examples leave something open."""

from __future__ import annotations

from typing import Any

import pytest
from hand import fills, panel, run

from windtunnel.errors import InvalidValueError

N = float("nan")


def test_limits_that_fill_in_one_bar_share_the_cash() -> None:
    bars = panel([[11, 11], [22, 22]], low=[[11, 9], [22, 19]])
    out = run(bars, [[1, 1], [1, 1]], entry_limit=[[10, N], [20, N]])
    assert fills(out) == [("A", 1, 50, 10, "signal"), ("B", 1, 25, 20, "signal")]


@pytest.mark.parametrize(("ranks", "first"), [((N, 0, N), "B"), ((1, 2, 2), "B"), ((N, N, N), "A")])
def test_places_go_by_rank_then_to_the_left(ranks: tuple[float, ...], first: str) -> None:
    out = run(panel([[10]] * 3), [[0.3]] * 3, rank=[[rank] for rank in ranks], fill="close", max_positions=1)
    assert fills(out) == [(first, 0, 30, 10, "signal")]


def test_a_place_that_is_held_is_not_free() -> None:
    out = run(
        panel([[10] * 2] * 2), [[0.5, 0.5], [0, 0.5]], rank=[[1, 1], [2, 2]], fill="close", max_positions=1
    )
    assert fills(out) == [("A", 0, 50, 10, "signal")]


def test_what_closes_frees_its_place_and_a_turn_must_win_it_again() -> None:
    bars, ranks = panel([[10] * 2] * 2), [[1, 1], [2, 2]]
    out = run(bars, [[0.5, 0], [0, 0.5]], rank=ranks, fill="close", max_positions=1)
    assert fills(out)[1:] == [("A", 1, -50, 10, "signal"), ("B", 1, 50, 10, "signal")]
    out = run(bars, [[0.5, -0.5], [0, 0.5]], rank=ranks, fill="close", max_positions=1)
    assert fills(out)[1:] == [("A", 1, -50, 10, "signal"), ("B", 1, 50, 10, "signal")]


def test_a_turn_that_the_volume_cuts_closes_first() -> None:
    bars = panel([10] * 5, volume=[1000, 1000, 600, 800, 2000])
    out = run(bars, [1, -1, -1, -1, -1], max_participation=0.1)
    assert [row[:2] for row in fills(out)] == [(1, 100), (2, -60), (3, -80), (4, -60)]
    assert out.trades.units.tolist() == pytest.approx([60, 40, 100])


def test_the_volume_allows_whole_lots() -> None:
    bars = panel([10] * 3, volume=[1000, 555, 2000])
    out = run(bars, [1, 1, 1], max_participation=0.1, lot=20)
    assert [row[:2] for row in fills(out)] == [(1, 40), (2, 60)]


def test_what_a_target_could_not_sell_is_a_market_order() -> None:
    bars = panel([10, 10, 11, 10], high=[10, 10, 11.5, 10], volume=[1000, 1000, 600, 1000])
    out = run(bars, [1] * 4, max_participation=0.1, take_profit=0.1)
    assert fills(out)[1:] == [(2, -60, 11, "take_profit"), (3, -40, 10, "take_profit")]


def test_risk_with_the_stop_on_the_wrong_side_only_closes() -> None:
    out = run(panel([10] * 3), [0.02, -0.02, 0.02], "risk", exit_stop=[9.5, 9.5, 10.5], fill="close")
    assert fills(out) == [(0, 40, 10, "signal"), (1, -40, 10, "signal")]


def test_risk_is_measured_to_the_nearer_stop() -> None:
    out = run(panel([10]), [0.01], "risk", stop_loss=0.2, trailing_stop=0.1, fill="close")
    assert fills(out) == [(0, 10, 10, "signal")]
    assert out.fills.stop[0] == 9


def test_the_least_fee_of_each_order_leaves_its_room() -> None:
    out = run(panel([[10], [10]]), [[0.5], [0.5]], fill="close", fee_min=2, cash=100.0)
    assert fills(out) == [("A", 0, 4.8, 10, "signal"), ("B", 0, 4.8, 10, "signal")]
    assert out.cash[0] == pytest.approx(0, abs=1e-9)


def test_an_order_that_shortage_makes_too_small_is_not_made() -> None:
    assert not fills(run(panel([[10], [10]]), [[1], [1]], fill="close", min_notional=60, cash=100.0))


def test_sizes_that_are_equal_queue_by_column() -> None:
    out = run(
        panel([[30], [10 * (1 + 1e-12)]]),
        [[0.75], [0.75]],
        fill="close",
        cash_shortage="in_order",
        cash=300.0,
    )
    assert [row[0] for row in fills(out)] == ["A", "B"]
    assert out.units[0].tolist() == pytest.approx([7.5, 7.5])


SHORTAGES = pytest.mark.parametrize("cash_shortage", ["scale", "in_order"])


@SHORTAGES
def test_what_is_sold_pays_before_what_is_bought(cash_shortage: str) -> None:
    """100 of A, sold at 9.8 with a fee of 9.8: 970.2 for B at 10.2 and its fee."""
    out = run(
        panel([[10, 10], [10, 10]]),
        [[1, 0], [0, 1]],
        fill="close",
        fees=0.01,
        slippage=0.02,
        cash=1030.2,
        cash_shortage=cash_shortage,
    )
    assert fills(out)[0] == ("A", 0, 100, 10.2, "signal")
    assert fills(out)[2] == ("B", 1, round(970.2 / 10.302, 9), 10.2, "signal")
    assert out.cash[1] == pytest.approx(0, abs=1e-9)


@SHORTAGES
@pytest.mark.parametrize("fee", [{"fee_fixed": 1}, {"fee_min": 1}])
def test_a_turn_pays_one_fee(cash_shortage: str, fee: dict[str, float]) -> None:
    out = run(panel([10, 10]), [1, -1], fill="close", cash=100.0, cash_shortage=cash_shortage, **fee)
    assert [row[1] for row in fills(out)] == [9.9, -19.7]


@SHORTAGES
def test_leverage_counts_the_costs(cash_shortage: str) -> None:
    """1,020 × 2 = units × 10 × (1 + 2 × 0.01)."""
    out = run(panel([10]), [2], fill="close", leverage=2, fees=0.01, cash=1020.0, cash_shortage=cash_shortage)
    assert fills(out) == [(0, 200, 10, "signal")]


@SHORTAGES
def test_what_is_held_takes_its_room_at_the_prices_of_the_bar(cash_shortage: str) -> None:
    out = run(panel([[10, 20], [10, 10]]), [[0.5, 0.5], [0, 0.5]], fill="close", cash_shortage=cash_shortage)
    assert fills(out)[1] == ("B", 1, 50, 10, "signal")


def test_the_queue_leaves_what_is_left_with_costs() -> None:
    """200 of B with a fee of 2, then 50.5 ÷ 10.1 of A."""
    out = run(
        panel([[10], [10]]),
        [[1], [0.8]],
        fill="close",
        fees=0.01,
        cash=250.0,
        cash_shortage="in_order",
    )
    assert fills(out) == [("B", 0, 20, 10, "signal"), ("A", 0, round(48 / 10.1, 9), 10, "signal")]


@pytest.mark.parametrize(("side", "paid", "stop"), [(1, 10.2, 9.7), (-1, 9.8, 10.3)])
def test_risk_is_measured_from_the_price_paid(side: int, paid: float, stop: float) -> None:
    out = run(panel([10]), [0.01 * side], "risk", exit_stop=[stop], slippage=0.02, fill="close")
    assert fills(out) == [(0, 20 * side, paid, "signal")]


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({"fees_by_symbol": {"X": 0.1}}, "fees_by_symbol"),
        ({"stop_loss": {"atr": 2}}, "orders.atr"),
        ({"size": "risk"}, "size"),
        ({"size": "units", "rebalance": {"drift": 0.1}}, "rebalance.drift"),
        ({"max_participation": 0.1}, "max_participation"),
        ({"entry_limit": [9.0], "entry_stop": [11.0]}, "entry_stop"),
    ],
)
def test_orders_and_rules_that_do_not_fit_are_refused(given: dict[str, Any], name: str) -> None:
    with pytest.raises(InvalidValueError, match=rf"{name}\b"):
        run(panel([10]), [0.5], **given)
