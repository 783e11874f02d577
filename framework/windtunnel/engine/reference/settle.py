"""Waiting orders become fills: sized, split into what closes and what opens, and cut to what there is."""

from __future__ import annotations

from dataclasses import dataclass
from math import floor, inf, isnan, nan

from windtunnel.engine.reference.book import Account, Waiting
from windtunnel.engine.terms import DUST, TIE, Terms

__all__ = ["first_stop", "settle", "slip_of", "volume_left"]


@dataclass
class _Order:
    """One order on its way through a bar: what it closes and what it opens, in units."""

    symbol: int
    waiting: Waiting
    price: float
    slip: float
    closes: float
    opens: float

    @property
    def closing(self) -> float:
        """Notional of what it closes, before slippage."""
        return abs(self.closes) * self.price

    @property
    def opening(self) -> float:
        """Notional of what it opens, before slippage."""
        return abs(self.opens) * self.price

    @property
    def paid_share(self) -> float:
        """The price paid over the price before slippage."""
        return 1 + self.slip if self.opens + self.closes > 0 else 1 - self.slip


def slip_of(terms: Terms, price: float, high: float, low: float) -> float:
    """Return how far the price moves, as a fraction of it."""
    return min(1.0, terms.slippage + terms.range_share * (high - low) / price)


def settle(
    account: Account,
    bar: int,
    prices: list[float],
    slips: dict[int, float],
    volume: list[float],
    *,
    inside: bool,
) -> list[int]:
    """Fill the waiting orders of the symbols in ``slips`` at ``prices``; return the symbols that opened.

    Limit and stop entries open ``inside`` the bar only; at its open or close they may close what is on the
    other side. An order that only closes or reduces has no use for their price.
    """
    equity = account.value(prices)
    orders = []
    for symbol, slip in slips.items():
        waiting = account.book[symbol].waiting
        if waiting is None:
            continue
        order = _sized(account, symbol, waiting, prices[symbol], slip, equity, inside)
        if order is not None:
            orders.append(order)
    _cut_to_volume(account, orders, volume)
    _refuse_beyond_most(account, orders)
    if any(order.opens for order in orders):
        _cut_to_cash(account, orders, prices, equity)
    orders.sort(key=lambda order: order.opens != 0)
    at_close = account.terms.at_close and not inside
    return [order.symbol for order in orders if _carry_out(account, bar, order, at_close=at_close)]


def _sized(
    account: Account, symbol: int, waiting: Waiting, price: float, slip: float, equity: float, inside: bool
) -> _Order | None:
    """Size an order and split it into what closes and what opens; None where nothing is to be done."""
    holding = account.book[symbol]
    held, side = holding.units, int(waiting.weight > 0) - int(waiting.weight < 0)
    against = held * side < 0
    if waiting.conditional and against:
        return None if inside else _Order(symbol, waiting, price, slip, -held, 0.0)
    target = _target_units(account.terms, waiting, price, slip, side, equity)
    if waiting.conditional and not inside:
        if waiting.age or not abs(target) < abs(held):
            return None
        waiting.limit = waiting.trigger = nan
    holding.waiting = None
    if isnan(target) and against:
        target = 0.0
    if isnan(target) or (target != 0 and abs(target - held) * price <= DUST * equity):
        return None
    if held * target < 0:
        return _Order(symbol, waiting, price, slip, -held, target)
    if abs(target) > abs(held):
        return _Order(symbol, waiting, price, slip, 0.0, target - held)
    if waiting.conditional:
        return None
    order = _Order(symbol, waiting, price, slip, target - held, 0.0)
    if target:
        order.closes = _rounded(account.terms, order.closes, price)
    return order


def _target_units(
    terms: Terms, waiting: Waiting, price: float, slip: float, side: int, equity: float
) -> float:
    """Return the units that an order asks for; NaN where its stop does not say how much is at risk."""
    if terms.size == 1 or side == 0:
        return waiting.weight
    worth = waiting.weight * max(equity, 0.0)
    if terms.size == 0:
        return worth / price
    entry = price * (1 + slip) if side > 0 else price * (1 - slip)
    at_risk = side * (entry - first_stop(terms, waiting, side, entry))
    return worth / at_risk if at_risk > 0 else nan


def first_stop(terms: Terms, waiting: Waiting, side: int, entry: float) -> float:
    """Return the stop with which a position begins: the tighter of stop-loss and trailing stop."""
    stop = fixed_stop(terms, waiting, side, entry)
    trail = _level(terms.trail_share, terms.trail_ranges, entry, -side, waiting.atr)
    return trail if isnan(stop) or side * (trail - stop) > 0 else stop


def fixed_stop(terms: Terms, waiting: Waiting, side: int, entry: float) -> float:
    """Return the stop-loss of a new position; the strategy's own comes before that of the rules."""
    if not isnan(waiting.stop):
        return waiting.stop
    return _level(terms.stop_share, terms.stop_ranges, entry, -side, waiting.atr)


def _level(share: float, ranges: float, entry: float, direction: int, atr: float) -> float:
    """Return the price at a distance from the entry; NaN where the rule is off."""
    if share == 0 and ranges == 0:
        return nan
    return entry + direction * (share * entry + (ranges * atr if ranges else 0.0))


def _refuse_beyond_most(account: Account, orders: list[_Order]) -> None:
    """Let the entries of the highest rank take the free places; the others wait for their next signal."""
    book = account.book
    changes = {order.symbol: order.closes for order in orders}
    held = sum(holding.units + changes.get(symbol, 0.0) != 0 for symbol, holding in enumerate(book))
    entries = [order for order in orders if order.opens and not book[order.symbol].units + order.closes]
    places = max(0, account.terms.max_positions - held)
    entries.sort(key=lambda order: (inf if isnan(order.waiting.rank) else -order.waiting.rank, order.symbol))
    for order in entries[places:]:
        order.opens = 0.0
        book[order.symbol].waiting = None
        book[order.symbol].blocked = True


def volume_left(terms: Terms, volume: float, traded: float) -> float:
    """Return how many units, in whole lots, may still be traded in a bar."""
    if not terms.participation:
        return inf
    most = terms.participation * volume
    room = most - traded if most - traded > TIE * most else 0.0
    return floor(room / terms.lot + TIE) * terms.lot if terms.lot else room


def _cut_to_volume(account: Account, orders: list[_Order], volume: list[float]) -> None:
    """Trade no more than a share of the bar's volume; the order goes on waiting for the rest."""
    for order in orders:
        holding = account.book[order.symbol]
        room = volume_left(account.terms, volume[order.symbol], holding.traded)
        closes, opens = min(abs(order.closes), room), 0.0
        if closes == abs(order.closes):
            opens = min(abs(order.opens), room - closes)
        if closes < abs(order.closes) or opens < abs(order.opens):
            holding.waiting = order.waiting
        order.closes = _signed(closes, order.closes)
        order.opens = _signed(opens, order.opens)


def _cut_to_cash(account: Account, orders: list[_Order], prices: list[float], equity: float) -> None:
    """Shrink what opens so that gross exposure stays within leverage × equity after the bar's costs."""
    terms = account.terms
    kept = [holding.units for holding in account.book]
    costs = 0.0
    for order in orders:
        kept[order.symbol] += order.closes
        if order.closes:
            costs += order.closing * order.slip
            costs += account.fee(order.symbol, order.closing * order.paid_share)
    gross = sum(
        abs(units) * (holding.last_price if isnan(price) else price)
        for units, holding, price in zip(kept, account.book, prices, strict=True)
        if units
    )
    room = terms.leverage * (equity - costs) - gross
    opening = [order for order in orders if order.opens]
    if terms.in_order:
        queue = _smallest_first(opening)
        for order in queue:
            room -= _shrink_one(account, order, room)
        orders[:] = [order for order in orders if order not in opening] + queue
    else:
        _shrink_together(account, opening, room)
        for order in opening:
            order.opens = _rounded(terms, order.opens, order.price)
    for order in opening:
        if order.opening <= DUST * equity:
            order.opens = 0.0


def _opening_cost(account: Account, order: _Order, share: float) -> tuple[float, float]:
    """Return what opening ``share`` of an order costs beyond its closing, and how fast that grows."""
    terms = account.terms
    rate = terms.fees[order.symbol] * order.paid_share
    before = account.fee(order.symbol, order.closing * order.paid_share) if order.closes else 0.0
    linear = rate * (order.closing + share * order.opening) + terms.fee_fixed
    slope = rate if linear > terms.fee_min else 0.0
    cost = share * order.opening * order.slip + max(terms.fee_min, linear) - before
    return cost, order.slip + slope


def _shrink_together(account: Account, opening: list[_Order], room: float) -> None:
    """Scale all that opens by one factor, found by Newton's steps on a piecewise linear need."""
    leverage = account.terms.leverage
    share, slopes = 1.0, -1.0
    while True:
        need = slope = steep = 0.0
        for order in opening:
            cost, growth = _opening_cost(account, order, share)
            need += share * order.opening + leverage * cost
            slope += order.opening * (1 + leverage * growth)
            steep += growth
        if need <= room or steep == slopes:
            break
        slopes = steep
        share -= (need - room) / slope
        if share <= 0:
            share = 0.0
            break
    for order in opening:
        order.opens *= share


def _shrink_one(account: Account, order: _Order, room: float) -> float:
    """Cut one order to the room there is; return the room that it takes."""
    terms = account.terms
    rate = terms.fees[order.symbol] * order.paid_share
    before = account.fee(order.symbol, order.closing * order.paid_share) if order.closes else 0.0
    each = 1 + terms.leverage * order.slip
    by_rate = room - terms.leverage * (rate * order.closing + terms.fee_fixed - before)
    by_least = room - terms.leverage * (terms.fee_min - before)
    most = max(0.0, min(by_rate / (each + terms.leverage * rate), by_least / each))
    if most < order.opening:
        order.opens = _signed(most / order.price, order.opens)
    order.opens = _rounded(terms, order.opens, order.price)
    if order.opens == 0:
        return 0.0
    cost, _ = _opening_cost(account, order, 1.0)
    return order.opening + terms.leverage * cost


def _rounded(terms: Terms, units: float, price: float) -> float:
    """Round units towards zero to whole lots; nothing where that is worth too little."""
    size = abs(units)
    if terms.lot:
        size = floor(size / terms.lot + TIE) * terms.lot
    return _signed(size, units) if size * price >= terms.min_notional else 0.0


def _carry_out(account: Account, bar: int, order: _Order, *, at_close: bool) -> bool:
    """Make the fill; return whether it opened a position."""
    holding, terms = account.book[order.symbol], account.terms
    held = holding.units
    kept = held + order.closes
    left = kept + order.opens if kept else order.opens
    if left == held:
        return False
    enters = kept == 0 and order.opens != 0
    side = int(left > 0) - int(left < 0)
    entry = order.price * order.paid_share
    stop = first_stop(terms, order.waiting, side, entry) if enters else nan
    units = left - held
    account.fill(
        bar, order.symbol, units, order.price, order.slip, left, order.waiting.reason, stop=stop,
        at_close=at_close,
    )  # fmt: skip
    if enters:
        atr, own = order.waiting.atr, order.waiting.target
        by_rule = _level(terms.target_share, terms.target_ranges, entry, side, atr)
        share, ranges = terms.trail_share, terms.trail_ranges
        holding.bars = 0
        holding.stop = fixed_stop(terms, order.waiting, side, entry)
        holding.target = by_rule if isnan(own) else own
        holding.trail_share = share
        holding.trail_width = nan if share == 0 and ranges == 0 else (ranges * atr if ranges else 0.0)
        holding.best = entry
    return enters


def _smallest_first(opening: list[_Order]) -> list[_Order]:
    """Order by size; sizes within :data:`TIE` of the smallest of their group keep the order of columns."""
    rest = sorted(opening, key=lambda order: (order.opening, order.symbol))
    queue: list[_Order] = []
    while rest:
        limit = rest[0].opening * (1 + TIE)
        group = [order for order in rest if order.opening <= limit]
        queue += sorted(group, key=lambda order: order.symbol)
        rest = rest[len(group) :]
    return queue


def _signed(size: float, like: float) -> float:
    return size if like >= 0 else -size
