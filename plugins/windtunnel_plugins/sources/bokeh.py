"""Stocks that come with the package bokeh_sampledata."""

from __future__ import annotations

from windtunnel.errors import MissingExtraError
from windtunnel.plugin import DataSource
from windtunnel.values import Request, Table

__all__ = ["Bokeh"]


class Bokeh(DataSource):
    """Five stocks, daily to March 2013, that come inside the package ``bokeh_sampledata``.

    AAPL, GOOG, IBM and MSFT from 2000 (GOOG from its listing in 2004) and FB from 2012. Volume is as it was
    reported.
    """

    name = "bokeh"

    adjust: bool = True
    """Adjust prices for splits and dividends: each of open, high, low and close times adjusted close ÷ close.
    False gives the prices as they were quoted, with splits visible."""

    def load(self, request: Request) -> Table:
        """Return the daily bars of all five.

        Raises
        ------
        MissingExtraError
            If the package is not installed.
        """
        try:
            from bokeh_sampledata import stocks
        except ImportError as error:
            raise MissingExtraError("bokeh_sampledata", "demo") from error

        frame = stocks.data.rename(columns={"ticker": "symbol", "date": "time"})
        if self.adjust:
            factor = frame["adj_close"] / frame["close"]
            prices = {name: frame[name] * factor for name in ("open", "high", "low", "close")}
            frame = frame.assign(**prices)
        return Table(frame.drop(columns="adj_close"))
