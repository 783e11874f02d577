"""What the tests of an optimisation have in common."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from annotated_types import Ge
from pydantic import model_validator

from windtunnel import Bars, Market, Rules, Strategy, Tune
from windtunnel.engine.metrics import METRICS
from windtunnel.pipeline import Candidate, Part
from windtunnel.pipeline.sections import StrategySection
from windtunnel.values import Exposure, Metric, SearchSpace, Span

METRIC: dict[str, Metric] = {metric.name: metric for metric in METRICS}


class Crossing(Strategy):
    """Long while the fast average is above the slow one."""

    name = "crossing"
    fast: Annotated[int, Ge(1), Tune(1, 9)] = 3
    """Fast window, in bars."""
    slow: Annotated[int, Ge(2), Tune(5, 30)] = 12
    """Slow window, in bars."""
    broken: bool = False
    """Whether it raises."""

    @model_validator(mode="after")
    def _in_order(self) -> Crossing:
        if self.fast >= self.slow:
            raise ValueError("fast must be less than slow")
        return self

    @property
    def warmup(self) -> int:
        """Bars before the first opinion."""
        return self.slow

    def exposure(self, market: Market) -> Exposure:
        """Return the wanted exposure."""
        if self.broken:
            raise RuntimeError("out of order")
        return market.sma(self.fast) > market.sma(self.slow)


FAST, SLOW, STOP = "strategy.params.fast", "strategy.params.slow", "backtest.stop_loss"
SPACE = SearchSpace({FAST: Span(Tune(1, 9), True), SLOW: Span(Tune(5, 30), True)})


def walk(bars: int = 400, seed: int = 0, drift: float = 0.0003) -> Bars:
    """A random walk of one symbol."""
    random = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(drift + 0.01 * random.standard_normal(bars)))
    return Bars.from_arrays(np.datetime64("2015-01-01") + np.arange(bars), close)


def crossing(**params: object) -> Candidate:
    """A candidate with the strategy above, and costs."""
    rules = Rules(fees=0.0005, slippage=0.0002)
    return Candidate(Part(Crossing(**params), StrategySection(use="crossing")), rules)


__all__ = ["FAST", "METRIC", "SLOW", "SPACE", "STOP", "Crossing", "crossing", "walk"]
