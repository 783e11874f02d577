"""A strategy of your own. Edit `exposure`, then run: windtunnel run config.yaml."""

from typing import Annotated

from annotated_types import Ge

from windtunnel import Exposure, Market, Strategy, Tune


class MyStrategy(Strategy):
    """Long while the price is higher than it was some time ago."""

    # What the experiment calls it: `use: my_strategy`.
    name = "my_strategy"

    # A parameter is a field: its type, what is legal (at least 2), what is worth searching (20 to 250),
    # and its default. The text below it is its documentation.
    lookback: Annotated[int, Ge(2), Tune(20, 250)] = 120
    """How many bars to look back."""

    @property
    def warmup(self) -> int:
        """Bars before the first meaningful answer."""
        return self.lookback

    def exposure(self, market: Market) -> Exposure:
        """Say what to hold at the close of every bar, from what is known then.

        The answer has one row a bar and one column a symbol, as `market.close` has: 1 or True is fully long,
        0 or False is flat, -1 is fully short, NaN keeps what is held. It is traded at the next bar's open.
        """
        return market.roc(self.lookback) > 0

        # Others to try:
        #   return market.close > market.sma(self.lookback)     above its average
        #   return market.rsi(14) < 30                          oversold
        # A market has sma, ema, rsi, macd, bollinger, atr, adx, donchian, roc, zscore and more.
