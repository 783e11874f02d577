"""How orders become fills."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from annotated_types import Ge, Gt, Le, Lt
from pydantic import Field, model_validator

from windtunnel.values.section import ConfigModel

__all__ = ["Atr", "Calendar", "Distance", "Drift", "RangeShare", "Rules"]


class Atr(ConfigModel):
    """A distance from the entry price in average true ranges, as known when the order was decided."""

    atr: Annotated[float, Gt(0)]
    """How many average true ranges; their window is ``atr_window``."""


Distance: TypeAlias = Annotated[float, Gt(0)] | Atr
"""A fraction of the entry price (0.05 is 5 %), or ``{atr: 2}``."""


class RangeShare(ConfigModel):
    """Slippage as a share of the bar's range."""

    range: Annotated[float, Ge(0), Lt(1)]
    """Share of high less low by which the price moves against you."""


class Calendar(ConfigModel):
    """Rebalancing by the calendar."""

    every: Annotated[int, Ge(1)] | Literal["day", "week", "month", "quarter", "year"]
    """So many bars, counted from the first; or the first bar of each day, week, month, quarter or year."""


class Drift(ConfigModel):
    """Rebalancing when a weight has drifted."""

    drift: Annotated[float, Gt(0), Lt(1)]
    """How far the share of equity may be from the weight that was ordered."""


class Rules(ConfigModel):
    """The rules of the simulated exchange and account; each is documented in ``docs/engine.md``."""

    cash: Annotated[float, Gt(0)] = 10_000.0
    """Starting cash, in the currency of the prices."""
    fill: Literal["next_open", "close"] = "next_open"
    """Where an order decided at the close of a bar fills: at the next bar's open, or at this very close."""
    sides: Literal["both", "long", "short"] = "both"
    """Which side may be held; exposure on the other side counts as 0."""

    fees: Annotated[float, Ge(0), Lt(1)] = 0.0
    """Proportional fee of each fill, as a fraction of its notional (0.001 is 0.1 %)."""
    fees_by_symbol: dict[str, Annotated[float, Ge(0), Lt(1)]] = Field(default_factory=dict)
    """Proportional fees of single symbols, in place of ``fees``."""
    fee_fixed: Annotated[float, Ge(0)] = 0.0
    """Fixed fee of each fill, in currency."""
    fee_min: Annotated[float, Ge(0)] = 0.0
    """Least fee of each fill, in currency."""
    slippage: Annotated[float, Ge(0), Lt(1)] | RangeShare = 0.0
    """How far the price of a fill moves against you, as a fraction of the price, or ``{range: 0.1}`` for a
    tenth of the bar's high less low. Limit orders and take-profits pay none."""
    borrow: Annotated[float, Ge(0)] = 0.0
    """Cost of borrowing what is sold short, a year, as a fraction of its value."""
    financing: Annotated[float, Ge(0)] = 0.0
    """Interest on borrowed cash, a year."""

    cash_shortage: Literal["scale", "in_order"] = "scale"
    """When cash runs short: shrink all opening fills together, or fill them from the smallest up."""
    leverage: Annotated[float, Ge(1)] = 1.0
    """Most gross exposure that an opening fill may lead to, as a multiple of equity."""
    maintenance_margin: Annotated[float, Ge(0), Lt(1)] = 0.0
    """Margin call: with equity below this share of gross exposure at a close, everything is closed there."""
    lot: Annotated[float, Gt(0)] | None = None
    """Units are traded in multiples of this; fractions of any size if left out."""
    min_notional: Annotated[float, Ge(0)] = 0.0
    """Smaller fills, in currency, are not made; closing a whole position always is."""
    max_participation: Annotated[float, Gt(0), Le(1)] | None = None
    """Largest share of a bar's volume to trade; what is left of an order is carried over."""
    max_positions: Annotated[int, Ge(1)] | None = None
    """Most positions at a time; entries of the highest rank come first, the rest are refused."""

    rebalance: Literal["on_change", "never"] | Calendar | Drift = "on_change"
    """When a held position is resized: when its exposure changes; never; also by calendar, ``{every: 21}``
    or ``{every: month}``; also when its weight has drifted, ``{drift: 0.05}``."""
    stop_loss: Distance | None = None
    """Distance of the stop from the entry price."""
    take_profit: Distance | None = None
    """Distance of the target from the entry price."""
    trailing_stop: Distance | None = None
    """Distance of the stop from the best price since the entry."""
    atr_window: Annotated[int, Ge(1)] = 14
    """Window of the average true range, in bars."""
    max_bars: Annotated[int, Ge(1)] | None = None
    """Close a position after so many bars."""
    cooldown: Annotated[int, Ge(0)] = 0
    """Bars after the end of a position in which its symbol's signals are refused."""
    entry_valid: Annotated[int, Ge(1)] | None = None
    """Bars for which a limit or stop entry is valid; until it is replaced if left out."""

    @model_validator(mode="after")
    def _stops_can_be_hit(self) -> Rules:
        for name in ("stop_loss", "trailing_stop"):
            distance = getattr(self, name)
            if isinstance(distance, float) and distance >= 1:
                raise ValueError(f"{name} must be less than 1, the whole price (got {distance})")
        return self

    @property
    def in_atr(self) -> bool:
        """Whether a distance is in average true ranges, so that orders must bring them."""
        return any(isinstance(one, Atr) for one in (self.stop_loss, self.take_profit, self.trailing_stop))

    @property
    def free(self) -> bool:
        """Whether a fill costs nothing."""
        slippage = self.slippage.range if isinstance(self.slippage, RangeShare) else self.slippage
        return not (self.fees or self.fees_by_symbol or self.fee_fixed or self.fee_min or slippage)

    def holding(self, symbols: tuple[str, ...]) -> Rules:
        """Return the rules under which to hold these symbols: the same fills and costs, no exits."""
        kept = {name: getattr(self, name) for name in _COSTS}
        fees = {name: fee for name, fee in self.fees_by_symbol.items() if name in symbols}
        return Rules(**kept, fees_by_symbol=fees)


_COSTS = ("cash", "fill", "fees", "fee_fixed", "fee_min", "slippage", "borrow", "financing", "lot")
