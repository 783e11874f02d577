"""Rules as the engines read them: numbers, a flag a bar, an array a symbol."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from windtunnel.bars import Bars
from windtunnel.errors import InvalidValueError
from windtunnel.values import Atr, BoolArray, Calendar, Drift, FloatArray, Orders, RangeShare, Rules
from windtunnel.values.rules import Distance

__all__ = ["DUST", "FOREVER", "TIE", "Terms", "check", "terms"]

DUST = 1e-12
"""A change worth less than this share of equity is rounding noise, not an order."""
TIE = 1e-9
"""Sizes that differ by less than this, relatively, are equal when buys queue for cash; and what is this near
to a whole number of lots is one."""


class Terms(NamedTuple):
    """Every rule as a number: what is off is 0, and limits that are off are infinite.

    ``fees`` is ``[N]``, ``due`` is ``[T]``: where positions are rebalanced by the calendar. A distance is
    a share of the price and a number of average true ranges.
    """

    at_close: bool
    in_order: bool
    size: int
    least: float
    most: float
    fees: FloatArray
    fee_fixed: float
    fee_min: float
    slippage: float
    range_share: float
    borrow: float
    financing: float
    leverage: float
    maintenance_margin: float
    lot: float
    min_notional: float
    participation: float
    max_positions: int
    never: bool
    due: BoolArray
    drift: float
    stop_share: float
    stop_ranges: float
    target_share: float
    target_ranges: float
    trail_share: float
    trail_ranges: float
    needs_atr: bool
    max_bars: int
    cooldown: int
    valid: int


FOREVER = 2**62
"""Bars, or positions, where there is no limit."""
_SIZES = ("weight", "units", "risk")


def terms(bars: Bars, orders: Orders, rules: Rules) -> Terms:
    """Translate rules for these bars and orders."""
    stop, target, trail = map(_distance, (rules.stop_loss, rules.take_profit, rules.trailing_stop))
    fees = [rules.fees_by_symbol.get(symbol, rules.fees) for symbol in bars.symbols]
    rebalance = rules.rebalance
    return Terms(
        at_close=rules.fill == "close",
        in_order=rules.cash_shortage == "in_order",
        size=_SIZES.index(orders.size),
        least=0.0 if rules.sides == "long" else -np.inf,
        most=0.0 if rules.sides == "short" else np.inf,
        fees=np.array(fees),
        fee_fixed=rules.fee_fixed,
        fee_min=rules.fee_min,
        slippage=0.0 if isinstance(rules.slippage, RangeShare) else rules.slippage,
        range_share=rules.slippage.range if isinstance(rules.slippage, RangeShare) else 0.0,
        borrow=rules.borrow / bars.periods_per_year,
        financing=rules.financing / bars.periods_per_year,
        leverage=rules.leverage,
        maintenance_margin=rules.maintenance_margin,
        lot=rules.lot or 0.0,
        min_notional=rules.min_notional,
        participation=rules.max_participation or 0.0,
        max_positions=rules.max_positions or FOREVER,
        never=rebalance == "never",
        due=_due(bars, rebalance.every) if isinstance(rebalance, Calendar) else np.zeros(len(bars), np.bool_),
        drift=rebalance.drift if isinstance(rebalance, Drift) else np.inf,
        stop_share=stop[0],
        stop_ranges=stop[1],
        target_share=target[0],
        target_ranges=target[1],
        trail_share=trail[0],
        trail_ranges=trail[1],
        needs_atr=rules.in_atr,
        max_bars=rules.max_bars or FOREVER,
        cooldown=rules.cooldown,
        valid=rules.entry_valid or FOREVER,
    )


def check(bars: Bars, orders: Orders, rules: Rules) -> None:
    """Refuse orders and rules that do not fit these bars or each other.

    Raises
    ------
    InvalidValueError
    """
    orders.check(bars.shape, rules.leverage)
    strange = sorted(set(rules.fees_by_symbol) - set(bars.symbols))
    if strange:
        raise InvalidValueError("fees_by_symbol", "must name symbols of the data", strange[0])
    if rules.in_atr and orders.atr is None:
        raise InvalidValueError("orders.atr", "must be there where a rule is in average true ranges", None)
    stops = rules.stop_loss, rules.trailing_stop, orders.exit_stop
    if orders.size == "risk" and all(stop is None for stop in stops):
        raise InvalidValueError("size", "risk needs a stop", orders.size)
    if isinstance(rules.rebalance, Drift) and orders.size != "weight":
        raise InvalidValueError("rebalance.drift", "needs orders by weight", orders.size)
    if rules.max_participation is not None and (np.isnan(bars.volume) & bars.present).any():
        rule = "needs the volume of every bar, which these data do not have"
        raise InvalidValueError("max_participation", rule, rules.max_participation)


def _distance(distance: Distance | None) -> tuple[float, float]:
    """Return a distance as a fraction of the price, and in average true ranges."""
    if distance is None:
        return 0.0, 0.0
    return (0.0, distance.atr) if isinstance(distance, Atr) else (distance, 0.0)


def _due(bars: Bars, every: int | str) -> BoolArray:
    """Say on which bars the calendar asks for rebalancing, ``[T]``."""
    if isinstance(every, int):
        by_number: BoolArray = np.arange(len(bars)) % every == 0
        return by_number
    time = bars.local_time.astype("datetime64[D]")
    if every == "day":
        period = time.astype(np.int64)
    elif every == "week":
        period = (time.astype(np.int64) + 3) // 7
    else:
        months = {"month": 1, "quarter": 3, "year": 12}[every]
        period = time.astype("datetime64[M]").astype(np.int64) // months
    changed: BoolArray = np.zeros(len(bars), np.bool_)
    changed[1:] = period[1:] != period[:-1]
    return changed
