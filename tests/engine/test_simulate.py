"""The engine's rules on hand-computed bars."""

from __future__ import annotations

import numpy as np
import pytest

from windtunnel.bars import Bars
from windtunnel.engine import REASONS, Account, advance, simulate
from windtunnel.engine.reference import reference
from windtunnel.errors import InvalidValueError
from windtunnel.values import Orders, Rules

NAN = float("nan")


def panel(
    close: list[list[float]], open_: list[list[float]] | None = None, last: list[int] | None = None
) -> Bars:
    """Return bars whose open, unless given, is the close."""
    closes = np.array(close, dtype=float)
    opens = closes if open_ is None else np.array(open_, dtype=float)
    time = np.datetime64("2020-01-01", "ns") + np.arange(len(closes)) * np.timedelta64(1, "D")
    rows, columns = closes.shape
    fields = [
        np.asfortranarray(field) for field in (opens, np.fmax(opens, closes), np.fmin(opens, closes), closes)
    ]
    volume = np.full((rows, columns), NAN, order="F")
    ends = np.full(columns, rows - 1) if last is None else np.array(last)
    names = tuple("ABCDEFGH"[:columns])
    return Bars(time.astype("datetime64[ns]"), names, *fields, volume, ends)


def both(bars: Bars, exposure: object, **rules: object) -> object:
    """Simulate with the kernel, after checking that the reference says the same."""
    orders, given = Orders(np.asarray(exposure)), Rules(**rules)
    fast, slow = simulate(bars, orders, given), reference(bars, orders, given)
    np.testing.assert_allclose(fast.equity, slow.equity, rtol=1e-12)
    return fast


def column(*values: float) -> list[list[float]]:
    return [[value] for value in values]


def test_next_open_fills_at_the_open_after_the_decision() -> None:
    bars = panel(column(10, 11, 12, 13, 14, 15, 16), column(10, 10, 20, 12, 14, 25, 16))
    run = both(bars, np.array(column(0, 1, 1, 1, 0, 0, 0), dtype=bool), cash=1000.0)
    assert run.fills.bar.tolist() == [2, 5]
    assert run.fills.price.tolist() == [20, 25]
    assert run.equity.tolist() == [1000, 1000, 600, 650, 700, 1250, 1250]
    assert run.returns[2] == pytest.approx(-0.4)


def test_close_fills_on_the_bar_of_the_decision_with_all_costs() -> None:
    run = both(
        panel(column(100, 110, 121)),
        column(1.0, 1.0, 0.0),
        cash=1000.0,
        fill="close",
        fees=0.01,
        slippage=0.02,
    )
    units = 1000 / (100 * 1.02 * 1.01)
    assert run.fills.units.tolist() == pytest.approx([units, -units])
    assert run.cash[0] == pytest.approx(0, abs=1e-9)
    assert run.equity[2] == pytest.approx(units * 121 * 0.98 * 0.99)
    assert run.fills.fee.sum() == pytest.approx(units * (102 + 121 * 0.98) * 0.01)
    assert run.fills.slippage.sum() == pytest.approx(units * (2 + 2.42))


def test_fixed_fee_leaves_room_for_itself() -> None:
    run = both(panel(column(10, 10)), column(1.0, 1.0), cash=105.0, fill="close", fee_fixed=5.0)
    assert run.fills.units.tolist() == [10.0]
    assert run.equity.tolist() == [100.0, 100.0]


def test_nothing_opens_when_cash_does_not_cover_the_fixed_fee() -> None:
    run = both(panel(column(10, 10)), column(1.0, 1.0), cash=4.0, fill="close", fee_fixed=5.0)
    assert len(run.fills) == 0
    assert run.equity.tolist() == [4.0, 4.0]


def test_flip_is_one_fill_and_two_trades() -> None:
    run = both(panel(column(100, 110, 121)), column(1.0, -1.0, 0.0), cash=1000.0, fill="close")
    assert run.fills.units.tolist() == pytest.approx([10, -20, 10])
    assert run.equity.tolist() == pytest.approx([1000, 1100, 990])
    trades = run.trades
    assert trades.direction.tolist() == [1, -1]
    assert trades.pnl.tolist() == pytest.approx([100, -110])
    assert trades.returns.tolist() == pytest.approx([0.1, -0.1])
    assert trades.exit_bar.tolist() == [1, 2]


def test_nan_keeps_and_a_number_after_nan_orders_again() -> None:
    run = both(panel(column(10, 20, 20, 20)), column(0.5, NAN, 0.5, 0.5), cash=100.0, fill="close")
    assert run.fills.units.tolist() == pytest.approx([5, -1.25])
    assert run.fills.bar.tolist() == [0, 2]


def test_a_weight_is_left_to_drift() -> None:
    run = both(panel(column(10, 20, 30)), column(0.5, 0.5, 0.5), cash=100.0, fill="close")
    assert len(run.fills) == 1
    assert run.gross.tolist() == [50, 100, 150]


@pytest.mark.parametrize(("shortage", "units"), [("scale", [5.0, 5.0]), ("in_order", [3.75, 7.5])])
def test_cash_shortage(shortage: str, units: list[float]) -> None:
    """Weights of 1 and 0.5 on equity of 150: shrunk together, or the smaller one filled first."""
    run = both(panel([[20, 10]] * 2), [[1.0, 0.5]] * 2, cash=150.0, fill="close", cash_shortage=shortage)
    assert run.units[0].tolist() == pytest.approx(units)


def test_what_closes_comes_before_what_opens() -> None:
    """Switching everything from A to B works although the cash comes from A."""
    run = both(panel([[10, 10]] * 2), [[1.0, 0.0], [0.0, 1.0]], cash=100.0, fill="close")
    assert run.fills.symbol.tolist() == [0, 0, 1]
    assert run.units[-1].tolist() == [0.0, 10.0]


def test_an_order_waits_over_a_missing_bar() -> None:
    bars = panel(column(10, NAN, NAN, 12, 13), column(10, NAN, NAN, 11, 13))
    run = both(bars, column(1.0, 0.0, 0.0, 1.0, 1.0), cash=100.0)
    assert run.fills.bar.tolist() == [3]
    assert run.fills.price.tolist() == [11]


def test_on_a_missing_bar_nothing_is_decided_and_the_last_price_counts() -> None:
    bars = panel(column(10, 10, NAN, 12), column(10, 10, NAN, 12))
    run = both(bars, column(1.0, 1.0, 0.0, 1.0), cash=100.0)
    assert run.fills.bar.tolist() == [1]
    assert run.equity.tolist() == [100, 100, 100, 120]


def test_delisting_closes_at_the_last_price() -> None:
    bars = panel([[10, 5], [12, 5], [NAN, 5], [NAN, 5]], last=[1, 3])
    run = both(bars, [[0.5, 0.0]] * 4, cash=100.0, fill="close")
    assert run.fills.bar.tolist() == [0, 2]
    assert REASONS[run.fills.reason[1]] == "delisted"
    assert run.equity.tolist() == [100, 110, 110, 110]
    assert REASONS[run.trades.reason[0]] == "delisted"


def test_a_short_that_eats_the_account_is_liquidated() -> None:
    run = both(panel(column(10, 25, 5, 5)), column(-1.0, -1.0, -1.0, 1.0), cash=100.0, fill="close")
    assert REASONS[run.fills.reason[-1]] == "liquidation"
    assert run.equity.tolist() == [100, -50, -50, -50]
    assert run.returns[2:].tolist() == [0, 0]


def test_an_open_position_is_a_trade_that_has_not_ended() -> None:
    run = both(panel(column(10, 20)), column(1.0, 1.0), cash=100.0, fill="close", fees=0.01)
    trades = run.trades
    assert REASONS[trades.reason[0]] == "end"
    assert trades.exit_price[0] == 20
    assert trades.pnl[0] == pytest.approx(run.equity[-1] - 100)


def test_partial_exits_share_the_entry_fee() -> None:
    run = both(panel(column(10, 10, 10)), column(1.0, 0.5, 0.0), cash=1010.0, fill="close", fees=0.01)
    trades = run.trades
    assert len(trades) == 2
    assert trades.fees.sum() == pytest.approx(run.fills.fee.sum())
    assert trades.pnl.sum() == pytest.approx(run.equity[-1] - 1010)


def test_pieces_give_the_same_bits_as_the_whole() -> None:
    rng = np.random.default_rng(5)
    bars = panel((100 * np.exp(np.cumsum(rng.normal(0, 0.02, (60, 3)), axis=0))).tolist())
    orders, rules = Orders(rng.uniform(-1, 1, (60, 3))), Rules(fees=0.001)
    whole = simulate(bars, orders, rules)
    account = Account.opened(3, rules)
    pieces = [advance(account, bars, orders, rules, lo, hi) for lo, hi in ((0, 7), (7, 8), (8, 60))]
    assert np.concatenate([piece.equity for piece in pieces]).tobytes() == whole.equity.tobytes()
    assert sum(len(piece.fills) for piece in pieces) == len(whole.fills)


def test_no_bars_no_fills() -> None:
    bars = panel([[1.0]]).cut(0, 0)
    run = simulate(bars, Orders(np.zeros((0, 1))), Rules())
    assert len(run.equity) == 0
    assert len(run.trades) == 0


@pytest.mark.parametrize(
    ("exposure", "rule"),
    [
        (np.zeros((2, 1)), "one value a bar"),
        (np.full((3, 1), 1.5), "between -1 and 1"),
        (np.full((3, 1), -np.inf), "between -1 and 1"),
        (np.zeros((3, 1), np.float32), "of type"),
    ],
)
def test_wrong_exposure_is_refused(exposure: np.ndarray, rule: str) -> None:
    with pytest.raises(InvalidValueError, match=rule):
        simulate(panel(column(1, 2, 3)), Orders(exposure), Rules())


def test_all_nan_exposure_never_trades() -> None:
    assert len(both(panel(column(1, 2, 3)), np.full((3, 1), NAN)).fills) == 0


def test_what_was_decided_survives_a_missing_bar() -> None:
    bars = panel(column(10, 10, NAN, 12, 12), column(10, 10, NAN, 12, 12))
    assert len(both(bars, column(1.0, 1.0, 0.0, 1.0, 1.0), cash=100.0).fills) == 1


def test_delisting_pays_costs() -> None:
    bars = panel([[10, 5], [12, 5], [NAN, 5]], last=[1, 2])
    run = both(bars, [[0.5, 0.0]] * 3, cash=100.0, fill="close", fees=0.01, slippage=0.02)
    assert run.fills.price[1] == pytest.approx(12 * 0.98)
    assert run.fills.fee[1] == pytest.approx(5 * 12 * 0.98 * 0.01)


def test_equity_of_exactly_zero_is_liquidated_with_costs() -> None:
    run = both(panel(column(10, 20, 5)), column(-1.0, -1.0, -1.0), cash=100.0, fill="close", fee_fixed=0.0)
    assert REASONS[run.fills.reason[-1]] == "liquidation"
    assert run.equity.tolist() == [100, 0, 0]
    costly = both(panel(column(10, 30)), column(-1.0, -1.0), cash=101.0, fill="close", fee_fixed=1.0)
    assert costly.fills.fee.tolist() == [1, 1]
    assert costly.equity[1] == pytest.approx(101 + 100 - 1 - 300 - 1)


def test_a_flip_pays_the_fixed_fee_once() -> None:
    run = both(panel(column(10, 10)), column(1.0, -1.0), cash=100.0, fill="close", fee_fixed=1.0)
    assert run.fills.units.tolist() == pytest.approx([9.9, -19.7])
    assert run.fills.fee.tolist() == [1, 1]
    assert run.equity[1] == pytest.approx(98)


def test_a_trade_begins_with_its_first_fill() -> None:
    run = both(panel(column(10, 20, 20, 20)), column(0.5, 0.5, 1.0, 0.0), cash=100.0, fill="close")
    assert run.trades.entry_bar.tolist() == [0]
    assert run.trades.entry_price[0] == pytest.approx((5 * 10 + 2.5 * 20) / 7.5)


def test_an_order_on_negative_equity_only_closes() -> None:
    bars = panel(column(10, 10, 10, 10), column(10, 10, 30, 10))
    run = both(bars, column(-1.0, 1.0, 1.0, 1.0), cash=100.0)
    assert run.fills.units.tolist() == pytest.approx([-10, 10])
    assert run.equity[-1] == pytest.approx(-100)


@pytest.mark.parametrize(("lo", "hi"), [(-1, 2), (0, 4), (2, 1)])
def test_advancing_beyond_the_bars_is_refused(lo: int, hi: int) -> None:
    bars, rules = panel(column(1, 2, 3)), Rules()
    with pytest.raises(InvalidValueError, match="within the 3 bars"):
        advance(Account.opened(1, rules), bars, Orders(np.ones((3, 1))), rules, lo, hi)
    with pytest.raises(InvalidValueError, match="as many symbols"):
        advance(Account.opened(2, rules), bars, Orders(np.ones((3, 1))), rules, 0, 3)


def test_the_lowest_int8_is_outside() -> None:
    with pytest.raises(InvalidValueError, match="between -1 and 1"):
        simulate(panel(column(1, 2)), Orders(np.array([[0], [-128]], np.int8)), Rules())
