"""The specification: every rule of the engine as a plain loop over one bar at a time.

Read it top to bottom to know what a fill means. It is slow on purpose; property tests hold the compiled
kernels to it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import isnan

import numpy as np

from windtunnel.bars import Bars
from windtunnel.engine.simulation import REASONS, Fills, Simulation
from windtunnel.values import Orders, Rules

__all__ = ["reference"]

DUST = 1e-12
"""A change worth less than this share of equity is rounding noise, not an order."""
TIE = 1e-9
"""Sizes that differ by less than this, relatively, are equal when buys queue for cash."""


@dataclass
class _Order:
    """One order on its way through a bar: what it closes and what it opens, in units."""

    symbol: int
    price: float
    closes: float
    opens: float

    @property
    def opening_notional(self) -> float:
        return abs(self.opens) * self.price


@dataclass
class _Account:
    rules: Rules
    cash: float
    units: list[float]
    last_price: list[float]
    waiting: dict[int, float] = field(default_factory=dict)
    alive: bool = True
    fills: list[tuple[float, ...]] = field(default_factory=list)

    def value(self, prices: list[float]) -> float:
        """Cash plus positions, at ``prices`` or, where there is none, at the last price."""
        return self.cash + sum(
            held * (self.last_price[i] if isnan(prices[i]) else prices[i])
            for i, held in enumerate(self.units)
            if held
        )

    def cost_rate(self, units: float) -> float:
        """Costs of a fill as a share of its notional at the price before slippage."""
        slip, fees = self.rules.slippage, self.rules.fees
        return slip + fees * (1 + slip if units > 0 else 1 - slip)

    def fill(self, bar: int, symbol: int, price: float, units: float, left: float, reason: str) -> None:
        """Trade ``units`` at ``price`` moved by slippage; ``left`` is what is held afterwards."""
        paid = price * (1 + self.rules.slippage) if units > 0 else price * (1 - self.rules.slippage)
        fee = abs(units) * paid * self.rules.fees + self.rules.fee_fixed
        self.cash -= units * paid + fee
        self.units[symbol] = left
        slippage = abs(units) * abs(paid - price)
        self.fills.append((bar, symbol, units, paid, fee, slippage, left, REASONS.index(reason)))

    def close_all(self, bar: int, reason: str) -> None:
        for symbol, held in enumerate(self.units):
            if held:
                self.fill(bar, symbol, self.last_price[symbol], -held, 0.0, reason)

    def settle(self, bar: int, prices: list[float]) -> None:
        """Fill the waiting orders of all symbols that have a price."""
        ready = [symbol for symbol in sorted(self.waiting) if not isnan(prices[symbol])]
        if not ready:
            return
        equity = self.value(prices)
        orders = []
        for symbol in ready:
            order = self._order(symbol, prices[symbol], self.waiting.pop(symbol), equity)
            if order is not None:
                orders.append(order)
        self._cut_to_cash(orders, prices, equity)
        orders.sort(key=lambda order: order.opens != 0)
        for order in orders:
            held = self.units[order.symbol]
            left = held + order.closes + order.opens if held + order.closes else order.opens
            if left != held:
                self.fill(bar, order.symbol, order.price, left - held, left, "signal")

    def _order(self, symbol: int, price: float, weight: float, equity: float) -> _Order | None:
        """Size a weight and split it into what closes and what opens."""
        held = self.units[symbol]
        target = weight * max(equity, 0.0) / price
        if target != 0 and abs(target - held) * price <= DUST * equity:
            return None
        if held * target < 0:
            return _Order(symbol, price, -held, target)
        if abs(target) > abs(held):
            return _Order(symbol, price, 0.0, target - held)
        return _Order(symbol, price, target - held, 0.0)

    def _cut_to_cash(self, orders: list[_Order], prices: list[float], equity: float) -> None:
        """Shrink what opens so that gross exposure stays within equity after the costs of this bar."""
        fixed = self.rules.fee_fixed
        kept = list(self.units)
        costs = 0.0
        for order in orders:
            kept[order.symbol] += order.closes
            if order.closes:
                costs += abs(order.closes) * order.price * self.cost_rate(order.closes) + fixed
        gross = sum(
            abs(units) * (self.last_price[i] if isnan(prices[i]) else prices[i])
            for i, units in enumerate(kept)
            if units
        )
        room = equity - costs - gross
        opening = [order for order in orders if order.opens]
        if self.rules.cash_shortage == "scale":
            self._shrink_together(opening, room)
        else:
            self._fill_smallest_first(orders, opening, room)
        for order in opening:
            if order.opening_notional <= DUST * equity:
                order.opens = 0.0

    def _shrink_together(self, opening: list[_Order], room: float) -> None:
        fixed = sum(self.rules.fee_fixed for order in opening if not order.closes)
        need = sum(order.opening_notional * (1 + self.cost_rate(order.opens)) for order in opening)
        share = max(0.0, (room - fixed) / need) if need else 1.0
        if share < 1:
            for order in opening:
                order.opens *= share

    def _fill_smallest_first(self, orders: list[_Order], opening: list[_Order], room: float) -> None:
        queue = _smallest_first(opening)
        for order in queue:
            fixed = 0.0 if order.closes else self.rules.fee_fixed
            rate = 1 + self.cost_rate(order.opens)
            notional = min(order.opening_notional, max(0.0, (room - fixed) / rate))
            if notional < order.opening_notional:
                order.opens = notional / order.price * (1 if order.opens > 0 else -1)
            if notional > 0:
                room -= notional * rate + fixed
        orders[:] = [order for order in orders if order not in opening] + queue


def _smallest_first(opening: list[_Order]) -> list[_Order]:
    """Order by size; sizes within :data:`TIE` of the smallest of their group keep the order of columns."""
    rest = sorted(opening, key=lambda order: (order.opening_notional, order.symbol))
    queue: list[_Order] = []
    while rest:
        limit = rest[0].opening_notional * (1 + TIE)
        group = [order for order in rest if order.opening_notional <= limit]
        queue += sorted(group, key=lambda order: order.symbol)
        rest = rest[len(group) :]
    return queue


def reference(bars: Bars, orders: Orders, rules: Rules) -> Simulation:
    """Simulate one account, bar by bar.

    Parameters and result are those of :func:`windtunnel.engine.simulate`.
    """
    rows, columns = bars.shape
    opens, closes = bars.open.tolist(), bars.close.tolist()
    exposure = orders.exposure.astype(float).tolist()
    account = _Account(rules, rules.cash, [0.0] * columns, [float("nan")] * columns)
    decided = [float("nan")] * columns
    equity, cash, gross = np.empty(rows), np.empty(rows), np.empty(rows)

    for bar in range(rows):
        for symbol in range(columns):
            if bar == bars.last_bar[symbol] + 1:
                account.waiting.pop(symbol, None)
                if account.units[symbol]:
                    price = account.last_price[symbol]
                    account.fill(bar, symbol, price, -account.units[symbol], 0.0, "delisted")
        if rules.fill == "next_open":
            account.settle(bar, opens[bar])
        else:
            _decide(account, exposure[bar], closes[bar], decided)
            account.settle(bar, closes[bar])
        for symbol in range(columns):
            if not isnan(closes[bar][symbol]):
                account.last_price[symbol] = closes[bar][symbol]
        if account.alive and account.value(account.last_price) <= 0:
            account.alive = False
            account.waiting.clear()
            account.close_all(bar, "liquidation")
        if rules.fill == "next_open":
            _decide(account, exposure[bar], closes[bar], decided)
        equity[bar], cash[bar] = account.value(account.last_price), account.cash
        gross[bar] = sum(abs(held) * account.last_price[i] for i, held in enumerate(account.units) if held)

    return Simulation(bars, rules, equity, cash, gross, Fills.of(np.array(account.fills).reshape(-1, 8)))


def _decide(account: _Account, exposure: list[float], closes: list[float], decided: list[float]) -> None:
    """Turn the exposure of this bar into waiting orders.

    A number that differs from the symbol's bar before is an order, so is any number after NaN. On a bar
    that the symbol does not have nothing is decided.
    """
    for symbol, wanted in enumerate(exposure):
        if isnan(closes[symbol]):
            continue
        if account.alive and not isnan(wanted) and wanted != decided[symbol]:
            account.waiting[symbol] = wanted
        decided[symbol] = wanted
