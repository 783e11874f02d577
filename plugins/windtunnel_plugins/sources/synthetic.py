"""Prices whose truth is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from annotated_types import Ge, Gt, Le
from pydantic import field_validator, model_validator

from windtunnel.errors import InvalidValueError
from windtunnel.plugin import DataSource
from windtunnel.values import FloatArray, IntArray, Request, Table, TimeArray
from windtunnel_plugins.sources._shapes import SHAPES, increments

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Synthetic"]

REGIMES: Mapping[str, tuple[float, float]] = {
    "trending_bullish": (0.25, 0.12),
    "trending_bearish": (-0.30, 0.22),
    "ranging": (0.0, 0.12),
    "high_volatility": (0.0, 0.40),
}
"""Drift and volatility a year of each regime."""

_YEAR = 252
_SPAN = (30, 60)
_ROOM = 80


class Synthetic(DataSource):
    """Simulated daily bars, and with them what really happened, which no plugin sees.

    The close follows a geometric Brownian motion with the drift and volatility of the day. A bar opens at the
    close before; its high and low are drawn from the law of a Brownian bridge's maximum and minimum
    (Glasserman 2003, Monte Carlo Methods in Financial Engineering, section 6.4), each for itself. The truth
    holds ``regimes``, a table of labels with a row a time and a column a symbol, and ``patterns``, a table
    of symbol, type, direction, and the times of the first and last bar.
    Symbols are called S1, S2, …; each is the same whatever their number, and with patterns or without.
    """

    name = "synthetic"

    process: Literal["gbm", "regimes"] = "regimes"
    """``gbm`` has one drift and volatility throughout; ``regimes`` switches between four: trending_bullish
    (+25 %, 12 % a year), trending_bearish (−30 %, 22 %), ranging (0 %, 12 %), high_volatility (0 %, 40 %)."""
    seed: Annotated[int, Ge(0)] = 0
    """The same seed gives the same bars."""
    assets: Annotated[int, Ge(1), Le(10_000)] = 1
    """Number of symbols."""
    bars: Annotated[int, Ge(2), Le(50_000)] = 2520
    """Number of bars, Monday to Friday."""
    first: str = "2000-01-03"
    """The first day, or the first weekday after it."""
    price: Annotated[float, Gt(0)] = 100.0
    """Where prices begin."""
    drift: float = 0.05
    """Drift a year, for ``gbm``."""
    volatility: Annotated[float, Gt(0), Le(5)] = 0.2
    """Volatility a year, for ``gbm``."""
    dwell: Annotated[float, Ge(1)] = 60.0
    """Mean number of bars that a regime lasts, for ``regimes``; the next is any other, equally likely."""
    patterns: Annotated[int, Ge(0)] = 0
    """Chart patterns to plant in each symbol, evenly spread, each 30 to 60 bars long."""
    amplitude: Annotated[float, Gt(0)] = 4.0
    """Height of a planted pattern, in deviations of the walk over 20 bars."""

    @field_validator("first")
    @classmethod
    def _is_a_time(cls, first: str) -> str:
        from windtunnel import gate

        gate.instant(first, "first")
        return first

    @model_validator(mode="after")
    def _patterns_fit(self) -> Synthetic:
        most = self.bars // _ROOM
        if self.patterns > most:
            raise InvalidValueError("patterns", f"must be at most {most}, one in {_ROOM} bars", self.patterns)
        return self

    def load(self, request: Request) -> Table:
        """Return the bars of every symbol."""
        import pandas as pd

        time = self._times()
        walks = {f"S{number}": self._walk(number) for number in range(1, self.assets + 1)}
        frames = [walk.frame(time, symbol) for symbol, walk in walks.items()]
        planted = [
            {"symbol": symbol, "type": name, "direction": SHAPES[name][0], "first": time[a], "last": time[b]}
            for symbol, walk in walks.items()
            for name, a, b in walk.patterns
        ]
        columns = ["symbol", "type", "direction", "first", "last"]
        truth: dict[str, Any] = {"patterns": pd.DataFrame(planted, columns=columns)}
        if self.process == "regimes":
            names = np.array(list(REGIMES))
            labels = {symbol: names[walk.regime] for symbol, walk in walks.items()}
            truth["regimes"] = pd.DataFrame(labels, index=pd.DatetimeIndex(time, name="time"))
        return Table(pd.concat(frames, ignore_index=True), truth=truth)

    def _times(self) -> TimeArray:
        from windtunnel import gate

        first = gate.instant(self.first, "first").astype("datetime64[D]")
        days = np.busday_offset(first, np.arange(self.bars), roll="forward")
        return days.astype("datetime64[ns]")

    def _walk(self, number: int) -> _Walk:
        regime, drift, volatility = self._regimes(np.random.default_rng([self.seed, number, 0]))
        deviation = volatility / np.sqrt(_YEAR)
        noise = np.random.default_rng([self.seed, number, 1])
        steps = drift / _YEAR - deviation**2 / 2 + deviation * noise.standard_normal(self.bars)
        planted = self._plant(steps, deviation, np.random.default_rng([self.seed, number, 2]))
        return _Walk(self.price, steps, deviation, regime, planted, noise)

    def _regimes(self, random: np.random.Generator) -> tuple[IntArray, FloatArray, FloatArray]:
        """Return the regime of each bar, its drift and its volatility, ``[bars]``."""
        if self.process == "gbm":
            drift, volatility = np.full(self.bars, self.drift), np.full(self.bars, self.volatility)
            return np.zeros(self.bars, np.int64), drift, volatility
        switches = random.random(self.bars) < 1 / self.dwell
        jumps = random.integers(1, len(REGIMES), self.bars) * switches
        regime = (random.integers(len(REGIMES)) + np.cumsum(jumps)) % len(REGIMES)
        drift, volatility = np.array(list(REGIMES.values())).T
        return regime, drift[regime], volatility[regime]

    def _plant(
        self, steps: FloatArray, deviation: FloatArray, random: np.random.Generator
    ) -> list[tuple[str, int, int]]:
        """Add the patterns' steps to the walk's; return each one's type, first and last bar."""
        planted = []
        for place in range(self.patterns):
            begin, end = (self.bars * part // self.patterns for part in (place, place + 1))
            length = int(random.integers(_SPAN[0], _SPAN[1] + 1))
            first = int(random.integers(begin, end - length + 1))
            name = list(SHAPES)[int(random.integers(len(SHAPES)))]
            height = self.amplitude * deviation[first] * np.sqrt(20)
            steps[first + 1 : first + length] += height * increments(name, length)
            planted.append((name, first, first + length - 1))
        return planted


@dataclass(frozen=True, eq=False)
class _Walk:
    """One symbol: log returns and their deviation ``[bars]``, and what really happened."""

    price: float
    steps: FloatArray
    deviation: FloatArray
    regime: IntArray
    patterns: list[tuple[str, int, int]]
    random: np.random.Generator

    def frame(self, time: TimeArray, symbol: str) -> pd.DataFrame:
        """Return the bars."""
        import pandas as pd

        end = np.cumsum(self.steps)
        start = np.concatenate(([0.0], end[:-1]))
        top, bottom = (self._extreme(sign) for sign in (1.0, -1.0))
        busy = 1.0 + np.abs(self.steps) / self.deviation
        volume = np.rint(1e6 * busy * np.exp(0.3 * self.random.standard_normal(len(time))))
        logs = {"open": start, "high": start + top, "low": start + bottom, "close": end}
        prices = {name: self.price * np.exp(values) for name, values in logs.items()}
        return pd.DataFrame({"time": time, "symbol": symbol, **prices, "volume": volume})

    def _extreme(self, sign: float) -> FloatArray:
        """Return the highest (lowest) point of a bridge from 0 to the bar's step."""
        uniform = 1.0 - self.random.random(len(self.steps))
        reach = np.sqrt(self.steps**2 - 2.0 * self.deviation**2 * np.log(uniform))
        return np.asarray((self.steps + sign * reach) / 2.0)
