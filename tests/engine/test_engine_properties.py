"""What must hold whatever the market, the orders and the rules: checked on random ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from engine_cases import Case, cases
from hypothesis import assume, given

from windtunnel.bars import Bars
from windtunnel.engine import REASONS, Simulation, simulate
from windtunnel.values import Orders, RangeShare

CODES = {name: code for code, name in enumerate(REASONS)}
FORCED = [CODES[name] for name in ("delisted", "margin_call", "liquidation", "split")]
"""Fills that ask neither the bar nor the volume."""
ENDS = [CODES[name] for name in ("stop_loss", "trailing_stop", "take_profit", "time", "margin_call")]
"""Ends after which a symbol waits for its next signal."""


@dataclass(frozen=True)
class Step:
    """One fill, and the account right after it."""

    row: int
    bar: int
    symbol: int
    held: float
    left: float
    quoted: float
    cash: float
    units: np.ndarray

    @property
    def opened(self) -> float:
        """Units that were opened, without a sign."""
        if self.held * self.left <= 0:
            return abs(self.left)
        return max(0.0, abs(self.left) - abs(self.held))


def steps(run: Simulation) -> Iterator[Step]:
    """Replay the fills one by one; dividends and costs of holding are in cash from the start of their bar."""
    fills = run.fills
    cash, units, bar = run.rules.cash, np.zeros(run.bars.shape[1]), -1
    for k in range(len(fills)):
        cash += run.carry[bar + 1 : fills.bar[k] + 1].sum()
        bar = int(fills.bar[k])
        symbol, held = int(fills.symbol[k]), float(units[fills.symbol[k]])
        if fills.reason[k] != CODES["split"]:
            cash -= fills.units[k] * fills.price[k] + fills.fee[k]
        units[symbol] = fills.position[k]
        quoted = fills.price[k] - fills.slippage[k] / fills.units[k]
        left = float(fills.position[k])
        yield Step(k, bar, symbol, held, left, float(quoted), float(cash), units.copy())


def simulated(case: Case) -> tuple[Simulation, float]:
    """Return the simulation, and the size of a rounding error in its currency."""
    run = simulate(case.bars, case.orders, case.rules)
    return run, 1e-9 * max(case.rules.cash, float(np.abs(run.gross).max()))


def last_prices(bars: Bars) -> np.ndarray:
    """Return the closes, the last one where there is none."""
    row = np.where(bars.present, np.arange(len(bars))[:, None], 0)
    return np.take_along_axis(bars.close, np.maximum.accumulate(row, axis=0), axis=0)


def wanted(case: Case) -> np.ndarray:
    """Return the exposure as the rules let it count."""
    least, most = {"both": (-np.inf, np.inf), "long": (0, np.inf), "short": (-np.inf, 0)}[case.rules.sides]
    return np.clip(case.orders.exposure.astype(float), least, most)


def signals(case: Case, symbol: int) -> np.ndarray:
    """Return the bars on which a symbol has a signal."""
    bars = np.flatnonzero(case.bars.present[:, symbol])
    now = wanted(case)[bars, symbol]
    before = np.concatenate(([0.0], now[:-1]))
    with np.errstate(invalid="ignore"):
        signal = ~np.isnan(now) & (now != 0) & (np.isnan(before) | (before * now <= 0))
    return bars[signal]


@given(cases())
def test_cash_is_what_was_paid_and_equity_what_is_held(case: Case) -> None:
    run, off = simulated(case)
    fills, spent = run.fills, np.zeros(len(case.bars))
    np.add.at(spent, fills.bar, fills.units * fills.price + fills.fee)
    np.testing.assert_allclose(run.cash, case.rules.cash - np.cumsum(spent - run.carry), rtol=1e-9, atol=off)
    marks = np.where(run.units != 0, run.units * last_prices(case.bars), 0.0)
    np.testing.assert_allclose(run.cash + marks.sum(axis=1), run.equity, rtol=1e-9, atol=off)
    np.testing.assert_allclose(np.abs(marks).sum(axis=1), run.gross, rtol=1e-9, atol=off)


@given(cases())
def test_positions_follow_from_fills(case: Case) -> None:
    run, off = simulated(case)
    for step in steps(run):
        expected = step.held + run.fills.units[step.row]
        assert abs(step.left - expected) <= 1e-9 * max(abs(expected), abs(step.held))
        assert step.left == 0 or abs(step.left) > 1e-9 * abs(step.held)
    assert off > 0


@given(cases())
def test_carry_is_dividends_less_borrowing_and_interest(case: Case) -> None:
    run, off = simulated(case)
    bars, rules = case.bars, case.rules
    marks, owed = last_prices(bars), np.zeros(len(bars))
    forced = np.isin(run.fills.reason, [CODES["margin_call"], CODES["liquidation"]])
    np.add.at(owed, run.fills.bar[forced], run.fills.fee[forced] + run.fills.slippage[forced])
    alive = True
    for bar in range(len(bars)):
        units = run.units[bar - 1] if bar else np.zeros(bars.shape[1])
        prices = np.where(units != 0, marks[bar - 1], 0.0) if bar else units
        received = 0.0
        if bars.actions is not None:
            of = bars.actions.cut(bar, bar + 1)
            received = float((units[of.symbol] * of.split * of.dividend).sum())
        short = -np.minimum(units * prices, 0.0).sum()
        debt = max(0.0, -((run.cash[bar - 1] if bar else rules.cash) + received))
        costs = (rules.borrow * short + rules.financing * debt) / bars.periods_per_year
        assert abs(run.carry[bar] - (received - costs * alive)) <= off, bar
        alive = alive and run.equity[bar] + owed[bar] > 0


@given(cases())
def test_trades_add_up_to_the_change_of_equity(case: Case) -> None:
    run, off = simulated(case)
    of_positions = run.fills.carry.sum() + run.unpaid.sum()
    interest = of_positions - run.carry.sum()
    change = run.equity[-1] - case.rules.cash
    np.testing.assert_allclose(run.trades.pnl.sum(), change + interest, rtol=1e-7, atol=off)
    np.testing.assert_allclose(run.trades.fees.sum(), run.fills.fee.sum(), rtol=1e-9, atol=off)
    if case.rules.financing == 0:
        assert abs(interest) <= off


@given(cases())
def test_trades_lie_within_their_excursions(case: Case) -> None:
    trades = simulate(case.bars, case.orders, case.rules).trades
    gain = trades.direction * (trades.exit_price / trades.entry_price - 1)
    assert (trades.worst <= gain + 1e-9).all()
    assert (trades.best >= gain - 1e-9).all()
    assert (trades.units > 0).all()
    assert (trades.bars <= trades.exit_bar - trades.entry_bar + 1).all()


@given(cases())
def test_fills_are_at_prices_of_their_bar(case: Case) -> None:
    """Before slippage; what is forced takes the last price where there is no bar."""
    run, _ = simulated(case)
    bars, fills = case.bars, run.fills
    rules, at = case.rules, (run.fills.bar, run.fills.symbol)
    quoted = fills.price - fills.slippage / fills.units
    elsewhere = ~bars.present[at]
    assert np.isin(fills.reason[elsewhere], FORCED).all()
    inside = ~elsewhere & (fills.reason != CODES["split"])
    low, high = bars.low[at][inside], bars.high[at][inside]
    assert (quoted[inside] >= low * (1 - 1e-12)).all()
    assert (quoted[inside] <= high * (1 + 1e-12)).all()
    share = rules.slippage.range if isinstance(rules.slippage, RangeShare) else 0.0
    least = 0.0 if isinstance(rules.slippage, RangeShare) else rules.slippage
    moved = fills.slippage[inside] / np.abs(fills.units[inside])
    most = np.maximum(least * quoted[inside], share * (high - low))
    assert (moved <= most + 1e-9 * quoted[inside]).all()


@given(cases())
def test_the_future_does_not_change_the_past(case: Case) -> None:
    run, half = simulate(case.bars, case.orders, case.rules), len(case.bars) // 2
    early = simulate(case.bars.cut(0, half), case.orders.cut(0, half), case.rules)
    for name in ("equity", "cash", "gross", "carry"):
        assert getattr(early, name).tobytes() == getattr(run, name)[:half].tobytes(), name
    known = run.fills.bar < half
    for name, column in vars(early.fills).items():
        assert column.tobytes() == getattr(run.fills, name)[known].tobytes(), name


@given(cases())
def test_what_opens_is_what_was_last_wanted(case: Case) -> None:
    """On that side, decided before: at an earlier close, or at this one where fills are at the close."""
    run, _ = simulated(case)
    exposure = np.where(case.bars.present, wanted(case), np.nan)
    for step in steps(run):
        if step.opened and run.fills.reason[step.row] != CODES["split"]:
            decided = exposure[: step.bar + int(run.fills.at_close[step.row]), step.symbol]
            known = decided[~np.isnan(decided)]
            assert len(known), step
            assert known[-1] * step.left > 0, step


@given(cases())
def test_what_opens_fits_into_leverage_and_equity(case: Case) -> None:
    """Right after the last fill of a bar that opens: at the prices of the fills, and elsewhere the open."""
    run, off = simulated(case)
    bars, marks = case.bars, last_prices(case.bars)
    opening = {}
    for step in steps(run):
        if step.opened and run.fills.reason[step.row] != CODES["split"]:
            opening.setdefault(step.bar, []).append(step)
    for bar, found in opening.items():
        at_close = run.fills.at_close[found[-1].row]
        now = (bars.close if at_close else bars.open)[bar]
        prices = np.where(np.isnan(now), marks[bar - 1], now)
        for step in found:
            if run.fills.at_close[step.row] == at_close:
                prices[step.symbol] = step.quoted
        worth = np.where(found[-1].units != 0, found[-1].units * prices, 0.0)
        assert np.abs(worth).sum() <= case.rules.leverage * (found[-1].cash + worth.sum()) + off


@given(cases())
def test_no_more_positions_than_allowed_and_on_the_allowed_side(case: Case) -> None:
    run, _ = simulated(case)
    for step in steps(run):
        assert np.count_nonzero(step.units) <= (case.rules.max_positions or len(step.units))
        assert case.rules.sides != "long" or step.left >= 0
        assert case.rules.sides != "short" or step.left <= 0


@given(cases())
def test_no_more_than_the_share_of_the_volume(case: Case) -> None:
    share = case.rules.max_participation
    assume(share is not None)
    run, traded = simulate(case.bars, case.orders, case.rules), np.zeros(case.bars.shape)
    free = ~np.isin(run.fills.reason, FORCED)
    np.add.at(traded, (run.fills.bar[free], run.fills.symbol[free]), np.abs(run.fills.units[free]))
    assert (traded <= share * np.nan_to_num(case.bars.volume) * (1 + 1e-9)).all()


@given(cases())
def test_what_opens_is_in_lots_and_worth_enough(case: Case) -> None:
    run, lot = simulate(case.bars, case.orders, case.rules), case.rules.lot
    for step in steps(run):
        if step.opened and run.fills.reason[step.row] != CODES["split"]:
            assert step.opened * step.quoted >= case.rules.min_notional * (1 - 1e-9), step
            if lot:
                assert abs(step.opened / lot - round(step.opened / lot)) < 1e-6, step


@given(cases())
def test_after_an_exit_a_symbol_waits_for_a_signal(case: Case) -> None:
    """Of exits that are filled whole: a signal may come while another is still being worked off."""
    rules = case.rules.model_copy(update={"max_participation": None})
    case = Case(case.bars, case.orders, rules)
    run, _ = simulated(case)
    at_close, since = case.rules.fill == "close", {}
    for step in steps(run):
        if step.opened and step.held == 0 and step.symbol in since:
            signal = signals(case, step.symbol)
            decided = step.bar - (not run.fills.at_close[step.row])
            assert ((signal >= since[step.symbol]) & (signal <= decided)).any(), step
        if step.left == 0 and run.fills.reason[step.row] in ENDS:
            since[step.symbol] = step.bar + (at_close and run.fills.reason[step.row] == CODES["margin_call"])
        elif step.opened:
            since.pop(step.symbol, None)


@given(cases())
def test_nothing_opens_during_a_cooldown(case: Case) -> None:
    """Of market orders that are filled whole: others may have been made before the exit."""
    rules, orders = case.rules.model_copy(update={"max_participation": None}), case.orders
    kept = {name: panel for name, panel in orders.panels() if not name.startswith("entry")}
    case = Case(case.bars, Orders(orders.exposure, orders.size, **kept), rules)
    run, _ = simulated(case)
    left: dict[int, int] = {}
    for step in steps(run):
        if step.opened and step.held == 0 and step.symbol in left:
            passed = case.bars.present[left[step.symbol] : step.bar, step.symbol].sum()
            assert passed >= rules.cooldown, step
        if step.left == 0:
            left[step.symbol] = step.bar


@given(cases())
def test_never_rebalancing_never_resizes(case: Case) -> None:
    """But for what the volume left over."""
    rules = case.rules.model_copy(update={"rebalance": "never", "max_participation": None})
    case = Case(case.bars, case.orders, rules)
    run, _ = simulated(case)
    for step in steps(run):
        if run.fills.reason[step.row] != CODES["split"]:
            assert step.held == 0 or step.held * step.left <= 0, step
