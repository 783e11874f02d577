"""GJR-GARCH volatility."""

from __future__ import annotations

from typing import ClassVar

from windtunnel_plugins.volatility.garch import Garch

__all__ = ["GjrGarch"]


class GjrGarch(Garch):
    r"""Lets losses add more to the variance of a symbol's log returns than gains.

    Notes
    -----
    .. math:: \sigma^2_{t+1} = \omega + (\alpha + \gamma [r_t < \mu]) (r_t - \mu)^2 + \beta \sigma^2_t

    (Glosten, Jagannathan & Runkle 1993, On the relation between the expected value and the volatility of the
    nominal excess return on stocks, without its seasonals and interest rate). Everything else is as for
    ``garch``.
    """

    name = "gjr_garch"
    asymmetric: ClassVar[bool] = True
