"""The state of an account, symbol by symbol, and what a fill does to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import isnan, nan

from windtunnel.engine.simulation import REASONS
from windtunnel.engine.terms import Terms

__all__ = ["Account", "Holding", "Waiting"]


@dataclass
class Waiting:
    """An order that waits for a fill; prices are NaN where it has none."""

    weight: float
    reason: str = "signal"
    limit: float = nan
    trigger: float = nan
    stop: float = nan
    target: float = nan
    rank: float = nan
    atr: float = nan
    age: int = 0

    @property
    def conditional(self) -> bool:
        """Whether it opens by a limit or a stop price, inside a bar."""
        return not (isnan(self.limit) and isnan(self.trigger))


@dataclass
class Holding:
    """Everything about one symbol."""

    units: float = 0.0
    last_price: float = nan
    decided: float = nan
    priced: float = nan
    waiting: Waiting | None = None
    blocked: bool = False
    rest: int = 0
    bars: int = 0
    stop: float = nan
    target: float = nan
    trail_share: float = 0.0
    trail_width: float = nan
    best: float = nan
    carry: float = 0.0
    traded: float = 0.0
    entered_inside: bool = False

    @property
    def side(self) -> float:
        """1 long, -1 short, 0 flat."""
        return float(int(self.units > 0) - int(self.units < 0))

    @property
    def trail(self) -> float:
        """Level of the trailing stop; NaN without one."""
        return self.best - self.side * (self.trail_share * self.best + self.trail_width)

    def unprotected(self) -> None:
        """Forget all levels."""
        self.stop = self.target = self.trail_width = self.best = nan
        self.trail_share = 0.0


@dataclass
class Account:
    """Cash, and a holding a symbol."""

    terms: Terms
    cash: float
    book: list[Holding]
    alive: bool = True
    carry: float = 0.0
    fills: list[tuple[float, ...]] = field(default_factory=list)

    def value(self, prices: list[float]) -> float:
        """Return cash plus positions, at ``prices`` or, where there is none, at the last price."""
        return self.cash + sum(
            holding.units * (holding.last_price if isnan(price) else price)
            for holding, price in zip(self.book, prices, strict=True)
            if holding.units
        )

    def gross(self) -> float:
        """Return the sum of absolute positions, at the last prices."""
        return sum(abs(holding.units) * holding.last_price for holding in self.book if holding.units)

    def fee(self, symbol: int, notional: float) -> float:
        """Return the fee of a fill of ``notional``, slippage included."""
        terms = self.terms
        return max(terms.fee_min, terms.fees[symbol] * notional + terms.fee_fixed) if notional else 0.0

    def fill(
        self,
        bar: int,
        symbol: int,
        units: float,
        price: float,
        slip: float,
        left: float,
        reason: str,
        *,
        stop: float = nan,
        at_close: bool = False,
    ) -> None:
        """Trade ``units`` at ``price`` moved by the fraction ``slip``; ``left`` are held afterwards."""
        holding = self.book[symbol]
        paid = price * (1 + slip) if units > 0 else price * (1 - slip)
        fee = self.fee(symbol, abs(units) * paid)
        self.cash -= units * paid + fee
        moved = abs(units) * abs(paid - price)
        row = bar, symbol, units, paid, fee, moved, left, REASONS.index(reason), holding.carry, stop, at_close
        self.fills.append(row)
        holding.units, holding.carry = left, 0.0
        holding.traded += abs(units)
        if left == 0.0:
            holding.unprotected()
            holding.rest, holding.bars = self.terms.cooldown, 0

    def close_all(self, bar: int, reason: str, slips: list[float]) -> None:
        """Close every position at its last price, cancel every order, and block re-entry."""
        for symbol, holding in enumerate(self.book):
            holding.waiting = None
            if holding.units:
                slip = slips[symbol]
                self.fill(bar, symbol, -holding.units, holding.last_price, slip, 0.0, reason, at_close=True)
                holding.blocked = True
