"""Index data that come with the package arch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from windtunnel.plugin import DataSource
from windtunnel.values import Request, Table

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Arch"]

_INDEXES = ("SP500", "NASDAQ")
_SERIES = {"WTI": "DCOILWTICO", "VIX": "vix"}


class Arch(DataSource):
    """Daily indexes that come inside the package ``arch``, so that no network is needed.

    SP500 and NASDAQ, 1999 to 2018, have open, high, low, close and volume; these two are what is loaded
    when no symbols are named. WTI (crude oil, 1986 to 2019) and VIX (2014 to 2019) are closes only: their
    open, high and low equal the close, and days without a value, holidays mostly, are left out.
    """

    name = "arch"

    def load(self, request: Request) -> Table:
        """Return the daily bars; all four series if one is asked for that is none of them."""
        import pandas as pd

        symbols = request.symbols or _INDEXES
        if not set(symbols) <= {*_INDEXES, *_SERIES}:
            symbols = (*_INDEXES, *_SERIES)
        return Table(pd.concat([_one(symbol) for symbol in symbols], ignore_index=True))


def _one(symbol: str) -> pd.DataFrame:
    from importlib import import_module

    frame: pd.DataFrame = import_module(f"arch.data.{symbol.lower()}").load().reset_index()
    if symbol in _SERIES:
        frame = frame.rename(columns={"Date": "time", _SERIES[symbol]: "close"}).dropna(subset=["close"])
        frame = frame.assign(open=frame["close"], high=frame["close"], low=frame["close"])
    else:
        frame = frame.drop(columns="Adj Close").rename(columns=str.lower).rename(columns={"date": "time"})
    return frame.assign(symbol=symbol)
