"""How orders become fills."""

from __future__ import annotations

from typing import Annotated, Literal

from annotated_types import Ge, Gt, Lt

from windtunnel.values.section import ConfigModel

__all__ = ["Rules"]


class Rules(ConfigModel):
    """The rules of the simulated exchange and account; each is documented in ``docs/engine.md``."""

    cash: Annotated[float, Gt(0)] = 10_000.0
    """Starting cash, in the currency of the prices."""
    fees: Annotated[float, Ge(0), Lt(1)] = 0.0
    """Proportional fee of each fill, as a fraction of its notional (0.001 is 0.1 %)."""
    fee_fixed: Annotated[float, Ge(0)] = 0.0
    """Fixed fee of each fill, in currency."""
    slippage: Annotated[float, Ge(0), Lt(1)] = 0.0
    """How far each fill's price moves against you, as a fraction of the price."""
    fill: Literal["next_open", "close"] = "next_open"
    """Where an order decided at the close of a bar fills: at the next bar's open, or at this very close."""
    cash_shortage: Literal["scale", "in_order"] = "scale"
    """When cash runs short: shrink all opening fills together, or fill them from the smallest up."""
