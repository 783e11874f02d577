"""One bar after the other: what happens at its open, inside it, and at its close."""

from __future__ import annotations

from math import isnan, nan

import numpy as np

from windtunnel.bars import Bars
from windtunnel.engine.reference.book import Account, Holding, Waiting
from windtunnel.engine.reference.settle import settle, slip_of, volume_left
from windtunnel.engine.simulation import FILL_COLUMNS, Fills, Simulation
from windtunnel.engine.terms import TIE, Terms, check, terms
from windtunnel.values import Orders, Rules

__all__ = ["reference"]


def reference(bars: Bars, orders: Orders, rules: Rules) -> Simulation:
    """Simulate one account, bar by bar.

    Parameters and result are those of :func:`windtunnel.engine.simulate`.
    """
    check(bars, orders, rules)
    run = _Run(bars, orders, terms(bars, orders, rules), rules.cash)
    rows = len(bars)
    equity, cash, gross, carry = np.empty((4, rows))
    for bar in range(rows):
        run.bar(bar)
        account = run.account
        equity[bar] = account.value([holding.last_price for holding in account.book])
        cash[bar], gross[bar], carry[bar] = account.cash, account.gross(), account.carry
    fills = Fills.of(np.array(run.account.fills, float).reshape(-1, len(FILL_COLUMNS)))
    unpaid = np.array([holding.carry for holding in run.account.book])
    return Simulation(bars, rules, equity, cash, gross, carry, fills, unpaid)


class _Run:
    def __init__(self, bars: Bars, orders: Orders, terms: Terms, cash: float) -> None:
        self.bars, self.terms = bars, terms._replace(fees=terms.fees.tolist())
        self.symbols = range(bars.shape[1])
        self.account = Account(terms, cash, [Holding() for _ in self.symbols])
        self.open, self.high, self.low, self.close, self.volume = (
            getattr(bars, name).tolist() for name in ("open", "high", "low", "close", "volume")
        )
        self.exposure = orders.exposure.astype(float).tolist()
        self.wishes = {name: panel.tolist() for name, panel in orders.panels()}
        self.actions: dict[int, list[tuple[int, float, float]]] = {}
        if bars.actions is not None:
            columns = (bars.actions.symbol, bars.actions.dividend, bars.actions.split)
            for bar, *action in zip(bars.actions.bar.tolist(), *(c.tolist() for c in columns), strict=True):
                self.actions.setdefault(bar, []).append(tuple(action))

    def bar(self, bar: int) -> None:
        """Carry the account through one bar."""
        account, terms = self.account, self.terms
        account.carry = 0.0
        for holding in account.book:
            holding.traded, holding.entered_inside = 0.0, False
        self._corporate_actions(bar)
        self._carrying_costs()
        self._delist(bar)
        if not terms.at_close:
            self._market_orders(bar, self.open[bar])
        self._stops_and_targets(bar)
        self._conditional_entries(bar)
        self._mark(bar)
        if terms.at_close:
            self._decide(bar)
            self._market_orders(bar, self.close[bar])
        self._margin(bar)
        if not terms.at_close:
            self._decide(bar)
        for symbol, holding in enumerate(account.book):
            if self._present(bar, symbol) and holding.rest:
                holding.rest -= 1

    def _present(self, bar: int, symbol: int) -> bool:
        return not isnan(self.close[bar][symbol])

    def _wish(self, name: str, bar: int, symbol: int) -> float:
        return float(self.wishes[name][bar][symbol]) if name in self.wishes else nan

    def _slip(self, bar: int, symbol: int, price: float) -> float:
        return slip_of(self.terms, price, self.high[bar][symbol], self.low[bar][symbol])

    def _corporate_actions(self, bar: int) -> None:
        """Turn units by a split, and every price with them; pay a dividend for each unit of the eve."""
        account = self.account
        for symbol, dividend, split in self.actions.get(bar, []):
            holding = account.book[symbol]
            if split != 1.0:
                _split(holding, split, self.terms.size == 1)
                if holding.units:
                    units = holding.units * split
                    stay = holding.rest, holding.bars, holding.carry
                    holding.carry = 0.0
                    account.fill(bar, symbol, units - holding.units, 0.0, 0.0, units, "split")
                    holding.rest, holding.bars, holding.carry = stay
                    holding.traded = 0.0
            received = holding.units * dividend
            account.cash += received
            account.carry += received
            holding.carry += received

    def _carrying_costs(self) -> None:
        """Charge what was held over the last close: shorts borrow units, debts borrow cash."""
        account, terms = self.account, self.terms
        if not account.alive:
            return
        interest = terms.financing * max(0.0, -account.cash)
        for holding in account.book:
            if holding.units < 0:
                cost = terms.borrow * -holding.units * holding.last_price
                account.cash -= cost
                account.carry -= cost
                holding.carry -= cost
        account.cash -= interest
        account.carry -= interest

    def _delist(self, bar: int) -> None:
        """Close the positions of symbols whose last bar was the one before."""
        for symbol, holding in enumerate(self.account.book):
            if bar == self.bars.last_bar[symbol] + 1:
                holding.waiting = None
                if holding.units:
                    slip = self.terms.slippage
                    self.account.fill(bar, symbol, -holding.units, holding.last_price, slip, 0.0, "delisted")

    def _market_orders(self, bar: int, prices: list[float]) -> None:
        waiting = [
            symbol
            for symbol, holding in enumerate(self.account.book)
            if holding.waiting is not None and not isnan(prices[symbol])
        ]
        slips = {symbol: self._slip(bar, symbol, prices[symbol]) for symbol in waiting}
        volume = self.volume[bar]
        settle(self.account, bar, prices, slips, volume, inside=False)

    def _stops_and_targets(self, bar: int) -> None:
        for symbol, holding in enumerate(self.account.book):
            if holding.units and self._present(bar, symbol):
                self._judge(bar, symbol, holding)

    def _judge(self, bar: int, symbol: int, holding: Holding) -> None:
        """Close what touches stop or target; the stop first, unless the bar opens beyond the target."""
        side, open_ = holding.side, self.open[bar][symbol]
        worst, best = self.low[bar][symbol], self.high[bar][symbol]
        if side < 0:
            worst, best = best, worst
        stop, reason = _tighter(holding)
        if side * (open_ - holding.target) >= 0:
            self._leave(bar, symbol, open_, "take_profit")
        elif side * (worst - stop) <= 0:
            self._leave(bar, symbol, _worse(side, open_, stop), reason)
        elif side * (best - holding.target) >= 0:
            self._leave(bar, symbol, holding.target, "take_profit")

    def _leave(self, bar: int, symbol: int, price: float, reason: str) -> None:
        """Close a position inside the bar; what the volume does not allow is left to the next open."""
        account, holding = self.account, self.account.book[symbol]
        slip = 0.0 if reason == "take_profit" else self._slip(bar, symbol, price)
        units = min(abs(holding.units), volume_left(self.terms, self.volume[bar][symbol], holding.traded))
        left = 0.0 if units == abs(holding.units) else holding.units - holding.side * units
        holding.waiting = Waiting(0.0, reason) if left else None
        holding.blocked = True
        if left != holding.units:
            account.fill(bar, symbol, left - holding.units, price, slip, left, reason)

    def _conditional_entries(self, bar: int) -> None:
        """Fill limit and stop entries that the bar reached, and let the others grow older."""
        prices, slips = list(self.open[bar]), {}
        for symbol, holding in enumerate(self.account.book):
            order = holding.waiting
            if order is None or not order.conditional or not self._present(bar, symbol):
                continue
            order.age += 1
            price = self._reached(bar, symbol, order)
            if not isnan(price):
                prices[symbol] = price
                slips[symbol] = 0.0 if isnan(order.trigger) else self._slip(bar, symbol, price)
        filled = settle(self.account, bar, prices, slips, self.volume[bar], inside=True)
        for symbol in filled:
            self._judge_new(bar, symbol, prices[symbol])
        for holding in self.account.book:
            order = holding.waiting
            if order is not None and order.conditional and order.age >= self.terms.valid:
                holding.waiting = None

    def _reached(self, bar: int, symbol: int, order: Waiting) -> float:
        """Return the price at which a limit or stop entry fills in this bar; NaN if it does not."""
        side = 1.0 if order.weight > 0 else -1.0
        open_, high, low = self.open[bar][symbol], self.high[bar][symbol], self.low[bar][symbol]
        if isnan(order.trigger):
            reached = low <= order.limit if side > 0 else high >= order.limit
            better = min(open_, order.limit) if side > 0 else max(open_, order.limit)
            return better if reached else nan
        reached = high >= order.trigger if side > 0 else low <= order.trigger
        return _worse(-side, open_, order.trigger) if reached else nan

    def _judge_new(self, bar: int, symbol: int, price: float) -> None:
        """Judge a position opened in this bar: inside it the stop counts, at worst, the target does not."""
        holding = self.account.book[symbol]
        if price == self.open[bar][symbol]:
            self._judge(bar, symbol, holding)
            return
        holding.entered_inside = True
        stop, reason = _tighter(holding)
        side = holding.side
        worst = self.low[bar][symbol] if side > 0 else self.high[bar][symbol]
        if side * (worst - stop) <= 0:
            self._leave(bar, symbol, _worse(side, price, stop), reason)

    def _mark(self, bar: int) -> None:
        """Take the close as the last price; a position is a bar older and may have seen a better price."""
        for symbol, holding in enumerate(self.account.book):
            if not self._present(bar, symbol):
                continue
            holding.last_price = self.close[bar][symbol]
            if holding.units:
                holding.bars += 1
                seen = self.high[bar][symbol] if holding.units > 0 else self.low[bar][symbol]
                if holding.entered_inside:
                    seen = holding.last_price
                if holding.side * (seen - holding.best) > 0:
                    holding.best = seen

    def _margin(self, bar: int) -> None:
        """Close everything at the close when equity is gone, or no longer covers the margin."""
        account = self.account
        if not account.alive:
            return
        equity = account.value(self.close[bar])
        slips = [self.terms.slippage] * len(self.symbols)
        if equity <= 0:
            account.alive = False
            account.close_all(bar, "liquidation", slips)
        elif equity < self.terms.maintenance_margin * account.gross() * (1 - TIE):
            account.close_all(bar, "margin_call", slips)

    def _decide(self, bar: int) -> None:
        """Turn the exposure of this bar into waiting orders; on a bar that a symbol lacks, into nothing."""
        equity = self.account.value(self.close[bar])
        for symbol, holding in enumerate(self.account.book):
            if self._present(bar, symbol):
                self._decide_one(bar, symbol, holding, equity)

    def _decide_one(self, bar: int, symbol: int, holding: Holding, equity: float) -> None:
        terms = self.terms
        wanted = min(max(self.exposure[bar][symbol], terms.least), terms.most)
        before, holding.decided = holding.decided, wanted
        renewed = self._renewed(bar, symbol, holding)
        if not self.account.alive:
            return
        atr = self._wish("atr", bar, symbol)
        self._move_levels(bar, symbol, holding)
        is_order = not isnan(wanted) and (wanted != before or (renewed and wanted != 0))
        if is_order and wanted and not before * wanted > 0:
            holding.blocked = False
        opens = holding.units * wanted <= 0 and wanted != 0
        if is_order and opens and terms.needs_atr and isnan(atr):
            holding.blocked = True
        reason = "signal"
        if not is_order and self._due(bar, holding, wanted, equity):
            is_order, reason = True, "rebalance"
        if is_order and wanted and not holding.units and holding.rest > 0:
            holding.blocked = True
        if terms.never and holding.units * wanted > 0:
            if is_order and not holding.blocked and _closes(holding):
                holding.waiting = None
            is_order = False
        if is_order and not (holding.blocked and wanted):
            holding.waiting = self._waiting(bar, symbol, wanted, reason)
        elif is_order and holding.units * wanted < 0:
            holding.waiting = Waiting(0.0, reason)
        elif is_order and not holding.units:
            holding.waiting = None
        if holding.units and holding.bars >= terms.max_bars and not _closes(holding):
            holding.waiting = Waiting(0.0, "time")
            holding.blocked = True

    def _renewed(self, bar: int, symbol: int, holding: Holding) -> bool:
        """Say whether the entry price of a symbol that is flat is another than the bar before."""
        limit, trigger = (self._wish(name, bar, symbol) for name in ("entry_limit", "entry_stop"))
        price = trigger if isnan(limit) else limit
        before, holding.priced = holding.priced, price
        return not holding.units and not isnan(price) and price != before

    def _waiting(self, bar: int, symbol: int, weight: float, reason: str) -> Waiting:
        """Return the order that this bar makes."""
        return Waiting(
            weight,
            reason,
            limit=self._wish("entry_limit", bar, symbol),
            trigger=self._wish("entry_stop", bar, symbol),
            stop=self._wish("exit_stop", bar, symbol),
            target=self._wish("exit_target", bar, symbol),
            rank=self._wish("rank", bar, symbol),
            atr=self._wish("atr", bar, symbol),
        )

    def _move_levels(self, bar: int, symbol: int, holding: Holding) -> None:
        """Let the strategy tighten the stop and replace the target of what is held."""
        stop, target = (self._wish(name, bar, symbol) for name in ("exit_stop", "exit_target"))
        if holding.units and not isnan(stop) and not holding.side * (holding.stop - stop) >= 0:
            holding.stop = stop
        if holding.units and not isnan(target):
            holding.target = target

    def _due(self, bar: int, holding: Holding, wanted: float, equity: float) -> bool:
        """Say whether the calendar, or its drift, asks to rebalance a position."""
        if isnan(wanted) or wanted == 0 or holding.blocked or equity <= 0:
            return False
        share = holding.units * holding.last_price / equity
        drifted = holding.units != 0 and abs(share - wanted) > self.terms.drift
        return bool(self.terms.due[bar]) or drifted


def _closes(holding: Holding) -> bool:
    """Say whether what waits closes the position, or turns it around."""
    return holding.waiting is not None and holding.units * holding.waiting.weight <= 0


def _split(holding: Holding, ratio: float, in_units: bool) -> None:
    """State every price of a symbol, and orders in units, after a split."""
    for name in ("last_price", "stop", "target", "trail_width", "best"):
        setattr(holding, name, getattr(holding, name) / ratio)
    if holding.waiting is not None:
        for name in ("limit", "trigger", "stop", "target", "atr"):
            setattr(holding.waiting, name, getattr(holding.waiting, name) / ratio)
        if in_units:
            holding.waiting.weight *= ratio


def _tighter(holding: Holding) -> tuple[float, str]:
    """Return the stop nearest to the price, NaN without any, and its name."""
    trail = holding.trail
    if isnan(holding.stop) or holding.side * (trail - holding.stop) > 0:
        return trail, "trailing_stop"
    return holding.stop, "stop_loss"


def _worse(side: float, one: float, other: float) -> float:
    """Return the price at which who is on this side gets less for closing."""
    return min(one, other) if side > 0 else max(one, other)
