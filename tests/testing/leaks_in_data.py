"""Sources whose prices, or symbols, depend on what came later."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from causality_cases import random_bars
from leak_catalogue import Leak

from windtunnel.plugin import DataSource
from windtunnel.values import Request, Table

LONG = random_bars(columns=3, rough=True)
OPEN = np.random.default_rng(1).random(LONG.shape) > 0.2


class Prices(DataSource):
    """The closes of three symbols up to the end that was asked for, one of which is delisted."""

    name = "prices"

    def load(self, request: Request) -> Table:
        closes = pd.DataFrame(
            np.where(OPEN, LONG.close, np.nan), pd.DatetimeIndex(LONG.time, name="time"), list(LONG.symbols)
        )
        return Table(self.change(closes.loc[: request.end]))

    def change(self, closes: Any) -> Any:
        """Return the closes as they are."""
        return closes


def source(name: str, sentence: str) -> Callable[[Callable[[Any], Any]], Leak]:
    def made(change: Callable[[Any], Any]) -> Leak:
        body: dict[str, Any] = {"name": name, "__doc__": sentence, "__module__": change.__module__}
        plugin = type(name, (Prices,), body | {"change": lambda self, closes: change(closes)})
        return Leak(name, sentence, "data", plugin())

    return made


@source("survivor_filter", "Leaves out the symbols that do not trade at the end.")
def survivor_filter(closes: Any) -> Any:
    return closes.loc[:, closes.iloc[-20:].notna().any()]


@source("interpolated_gaps", "Fills gaps by straight lines to the next price.")
def interpolated_gaps(closes: Any) -> Any:
    return closes.interpolate(limit_area="inside")


@source("back_filled_gaps", "Fills gaps with the price that comes next.")
def back_filled_gaps(closes: Any) -> Any:
    return closes.bfill()


@source("scaled_to_the_end", "Writes prices as shares of the last one.")
def scaled_to_the_end(closes: Any) -> Any:
    return 100 * closes / closes.ffill().iloc[-1]


@source("clipped_outliers", "Clips prices at quantiles of all.")
def clipped_outliers(closes: Any) -> Any:
    return closes.clip(closes.quantile(0.05), closes.quantile(0.95), axis=1)
